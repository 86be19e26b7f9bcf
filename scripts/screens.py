"""Photograph each page of the portal in each language, on a phone and on a desk.

    .venv/bin/python scripts/screens.py [FOLDER]        (build/screens if none is named)

Starts nothing but Chromium: the pages are rendered here and read from files, so what is seen is the
markup and the style, not the server. No page has a script, and Chromium needs its own switched on
to take a picture. For people to look at; no test compares pictures.
"""

import datetime as dt
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Final

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
_HEIGHTS: Final = {
    "give": 3900,
    "purposes": 3400,
    "files": 1500,
    "review": 1500,
    "before": 1500,
    "landing": 1400,
    "thanks": 1500,
    "words": 1300,
}
_HEIGHT: Final = 700
_DAY: Final = dt.date(2026, 10, 2)
_FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
_ITEMS: Final = (
    (1, False, ("portal.size.megabytes", "3.0")),
    (2, True, ("portal.size.kilobytes", "2")),
)
_RECEIPT: Final = "amana/receipt-r1/v1\n" + "a receipt " * 40


def pages() -> Iterator[tuple[str, str, dict[str, object]]]:
    """Yield every page: the name of its picture, its template, its values."""
    for name in ("landing", "before", "left"):
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
    for has_words in (True, False):
        yield f"thanks-{has_words}", "thanks", {**thanked, "has_words": has_words}
    yield "return", "return", {"token": "t", "names": NAMES}
    yield "statuses", "statuses", {}
    for refusal in (Refusal.UNREADABLE, Refusal.NO_ROOM):
        yield f"refused-{refusal.value}", "refused", {"reason": refusal.value, "step": ""}


def in_language(template: str, language: Language) -> dict[str, object]:
    """Give what a page has in its reader's language: ten words, or statuses."""
    if template == "statuses":
        return _statuses(say_with(Speaker(language)))
    if template != "words":
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


def main(folder: pathlib.Path) -> None:
    """Write one PNG for each page, language and width."""
    browser = shutil.which("chromium")
    if browser is None:
        sys.exit("chromium is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    made = Pages(Deployment.TRAINING, STYLES)
    for picture, template, values in pages():
        for language in (Language.AR, Language.EN):
            known = {
                "path": template,
                "languages": made.languages,
                **in_language(template, language),
            }
            page = made.render(f"portal/{template}.html", language, {**values, **known})
            source = folder / f"{picture}-{language.value}.html"
            source.write_bytes(page)
            for width in WIDTHS:
                target = folder / f"{picture}-{language.value}-{width}.png"
                photograph(browser, source, target, width, _HEIGHTS.get(template, _HEIGHT))
            print(f"{source.name}: {len(page):,} bytes")


def photograph(
    browser: str, source: pathlib.Path, target: pathlib.Path, width: int, height: int
) -> None:
    """Let the browser draw a page in a profile of its own, and forget the profile."""
    profile = target.with_suffix(".profile")
    words = [f"--user-data-dir={profile}", f"--screenshot={target}"]
    words += [f"--window-size={width},{height}", source.resolve().as_uri()]
    subprocess.run([browser, *_FLAGS, *words], check=True, capture_output=True)
    shutil.rmtree(profile)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1] if sys.argv[1:] else "build/screens"))
