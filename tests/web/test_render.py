"""A page is whole by itself: language, style and sentences, and an error where one is missing."""

import base64
import hashlib
import re

import jinja2
import pytest

from amana.i18n import Language
from amana.resources import ResourceError
from amana.settings import Deployment
from amana.web.render import PageError, Pages

STYLES = ("css/tokens.css", "css/base.css")


def left(language: Language, deployment: Deployment = Deployment.TRAINING) -> str:
    return Pages(deployment, STYLES).render("portal/left.html", language, {}).decode()


def before(language: Language) -> str:
    values = {"path": "before", "languages": ()}
    return (
        Pages(Deployment.TRAINING, STYLES).render("portal/before.html", language, values).decode()
    )


THANKS = {
    "path": "x",
    "languages": (),
    "items": 1,
    "size": ("portal.size.kilobytes", "1"),
    "has_words": False,
}


def test_the_style_in_the_page_is_the_one_that_the_policy_names() -> None:
    style = re.search(r"<style>(.*?)</style>", left(Language.EN), re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert Pages(Deployment.TRAINING, STYLES).style_hash == f"sha256-{digest}"


def test_training_is_written_on_each_page_and_only_there() -> None:
    assert "TRAINING" in left(Language.EN)
    assert "TRAINING" not in left(Language.EN, Deployment.PRODUCTION)


def test_a_translation_that_nobody_has_read_says_so() -> None:
    """But not where somebody has left: that page says nothing."""
    note = "لم تُراجَع هذه الترجمة بعد."
    assert note in before(Language.AR)
    assert "reviewed" not in before(Language.EN)
    assert note not in left(Language.AR)


def test_a_value_that_is_missing_is_an_error_and_one_from_outside_is_text() -> None:
    pages = Pages(Deployment.TRAINING, STYLES)
    with pytest.raises(jinja2.UndefinedError):
        pages.render("portal/refused.html", Language.EN, {"path": "x", "languages": ()})
    values = THANKS
    page = pages.render("portal/thanks.html", Language.EN, {**values, "receipt": "<script>&"})
    assert b"&lt;script&gt;&amp;" in page


def test_pages_that_must_look_alike_from_outside_are_of_one_length() -> None:
    pages = Pages(Deployment.TRAINING, STYLES)
    lengths = {
        len(pages.render("portal/left.html", language, {}, padded_bytes=5_000))
        for language in pages.languages
    }
    assert lengths == {5_000}
    with pytest.raises(PageError):
        pages.render("portal/left.html", Language.EN, {}, padded_bytes=1_000)


def test_a_page_that_is_too_heavy_is_never_sent() -> None:
    pages = Pages(Deployment.TRAINING, STYLES)
    values = THANKS
    with pytest.raises(PageError):
        pages.render("portal/thanks.html", Language.EN, {**values, "receipt": "x" * 14_000})


def test_a_style_sheet_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ResourceError):
        Pages(Deployment.TRAINING, ("css/none.css",))
