"""Photograph each page of the portal in each language, on a phone and on a desk.

    .venv/bin/python scripts/screens.py [FOLDER]        (var/screens if none is named)

Writes the pages, a picture of each at each width, and contact sheets. Starts nothing but Chromium:
the pages are rendered here and read from files, so what is seen is the markup and the style, not
the server. For people to look at; no test compares pictures.
"""

import datetime as dt
import os
import pathlib
import shutil
import sys
from collections.abc import Iterator
from typing import Final

from playwright.sync_api import Browser, sync_playwright

from amana.i18n import Language, Speaker
from amana.settings import Deployment
from amana.web.render import Pages
from amana.wire.feedback import FeedbackStatus
from amana.wire.feedback_words import Say, say_with, words_of, words_of_day
from crypto.phrase import ReturnPhrase
from crypto.wordlist import Language as WordLanguage
from portal.pages import FORM_VALUES, STYLES
from portal.refusal import Refusal
from portal.returning import NAMES
from terms.feedback import FeedbackCode, NotKeptReason

WIDTHS: Final = (360, 1280)
LANGUAGES: Final = (Language.AR, Language.EN)
_SHOWN: Final = {360: 240, 1280: 576}
_DAY: Final = dt.date(2026, 10, 2)
_ITEMS: Final = (
    (1, False, ("portal.size.megabytes", "3.0")),
    (2, True, ("portal.size.kilobytes", "2")),
)
_RECEIPT: Final = "amana/receipt-r1/v1\n" + "a receipt " * 400
_SHEET_STYLE: Final = """
body { display: flex; flex-wrap: wrap; gap: 24px; margin: 24px; background: #777; width: 2400px }
figure { margin: 0; color: #fff; font: 20px sans-serif }
img { display: block }
"""


def pages() -> Iterator[tuple[str, str, dict[str, object]]]:
    """Yield every page: the name of its picture, its template, its values."""
    for name in ("landing", "before"):
        yield name, name, {}
    yield "words", "words", {**FORM_VALUES, "token": "t"}
    yield "purposes", "purposes", {**FORM_VALUES, "token": "t", "chosen": {"PRESERVE": "YES"}}
    there = {"items": _ITEMS, "count": 2, "size": ("portal.size.megabytes", "3.2")}
    known = {**FORM_VALUES, "token": "t", **there, "limit": 4, "most": 500}
    yield "files", "files", known
    answered = (("PRESERVE", "YES"), ("PUBLIC_REPORT_REDACTED", "NO"))
    yield "review", "review", {**known, "answered": answered, "has_words": True}
    yield "give", "give", {**FORM_VALUES, "token": "t", "limit": 4, "most": 500}
    size = ("portal.size.megabytes", "12.4")
    thanked = {"items": 3, "size": size, "receipt": _RECEIPT}
    yield "thanks-with-words", "thanks", {**thanked, "has_words": True}
    yield "thanks-without-words", "thanks", {**thanked, "has_words": False}
    yield "return", "return", {"token": "t", "names": NAMES}
    for name in ("statuses", "statuses-none", "statuses-before-the-first-day"):
        yield name, "statuses", {}
    for refusal in Refusal:
        yield f"refused-{refusal.value}", "refused", {"reason": refusal.value, "step": ""}
    yield "left", "left", {}


def in_language(picture: str, language: Language) -> dict[str, object]:
    """Give what a page has in its reader's language: ten words, or statuses."""
    if picture.startswith("statuses"):
        known = _statuses(say_with(Speaker(language)))
        if picture != "statuses":
            known |= {"statuses": (), "more": False}
        if picture.endswith("day"):
            known |= {"calendar": None}
        return known
    if picture != "words":
        return {}
    phrase = ReturnPhrase.generate()
    words = phrase.words(WordLanguage(language.value))
    return {"words": tuple(zip(words, phrase.groups, strict=True))}


def _statuses(say: Say) -> dict[str, object]:
    told: tuple[tuple[FeedbackCode, NotKeptReason | None], ...] = (
        (FeedbackCode.PRESERVED, None),
        (FeedbackCode.CHECKING, None),
        (FeedbackCode.NOT_KEPT, NotKeptReason.COULD_NOT_BE_OPENED),
    )
    statuses = [
        FeedbackStatus(submission_id=None, code=code, on=_DAY, reason=reason, date=None, text=None)
        for code, reason in told
    ]
    day = words_of_day(_DAY, say)
    return {
        "calendar": (day, words_of_day(_DAY + dt.timedelta(days=7), say)),
        "statuses": tuple((day, "3f9a01bc", words_of(each, say)) for each in statuses),
        "more": True,
    }


def write(folder: pathlib.Path) -> list[pathlib.Path]:
    """Render every page in every language into files, and say how heavy each is."""
    made = Pages(Deployment.TRAINING, STYLES)
    written = []
    for picture, template, values in pages():
        sizes = []
        for language in LANGUAGES:
            known: dict[str, object] = {"path": template, "languages": made.languages}
            known |= in_language(picture, language)
            page = made.render(f"portal/{template}.html", language, {**values, **known})
            written.append(folder / f"{picture}-{language.value}.html")
            written[-1].write_bytes(page)
            sizes.append(f"{language.value} {len(page):>6,}")
        print(f"{picture:<30} {'   '.join(sizes)} bytes")
    return written


def photograph(browser: Browser, pages: list[pathlib.Path]) -> None:
    """Take a picture of each page, as long as it is, at each width."""
    for width in WIDTHS:
        window = browser.new_page(viewport={"width": width, "height": 740})
        for page in pages:
            window.goto(page.as_uri())
            window.screenshot(path=page.with_name(f"{page.stem}-{width}.png"), full_page=True)
        window.close()


def lay_out(browser: Browser, pages: list[pathlib.Path], width: int, sheet: pathlib.Path) -> None:
    """Put the pictures of these pages at one width on one sheet."""
    figures = [f'<figure>{page.stem}<img src="{page.stem}-{width}.png"></figure>' for page in pages]
    source = sheet.with_suffix(".html")
    style = f"{_SHEET_STYLE}img {{ width: {_SHOWN[width]}px }}"
    source.write_text(f"<!doctype html><style>{style}</style>{''.join(figures)}", "utf-8")
    window = browser.new_page(viewport={"width": 2448, "height": 1000})
    window.goto(source.as_uri())
    window.screenshot(path=sheet, full_page=True)
    window.close()


def main(folder: pathlib.Path) -> None:
    """Write the pages, the pictures and the sheets."""
    program = shutil.which("chromium")
    if program is None:
        sys.exit("chromium is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    written = write(folder.resolve())
    # Its sandbox wants an ordinary user; these pages are our own.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        photograph(browser, written)
        for language in LANGUAGES:
            of_language = [page for page in written if page.stem.endswith(f"-{language.value}")]
            for width in WIDTHS:
                sheet = folder.resolve() / f"sheet-{language.value}-{width}.png"
                lay_out(browser, of_language, width, sheet)
        browser.close()


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1] if sys.argv[1:] else "var/screens"))
