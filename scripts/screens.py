"""Photograph each page of the portal in each language, on a phone and on a desk.

    .venv/bin/python scripts/screens.py [FOLDER]        (build/screens if none is named)

Starts nothing but Chromium: the pages are rendered here and read from files, so what is seen is the
markup and the style, not the server. No page has a script, and Chromium needs its own switched on
to take a picture. For people to look at; no test compares pictures.
"""

import pathlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Final

from amana.i18n import Language
from amana.settings import Deployment
from amana.web.render import Pages
from portal.pages import FORM_VALUES, STYLES
from portal.refusal import Refusal

WIDTHS: Final = (360, 1280)
_HEIGHTS: Final = {"give": 3400, "before": 1500, "landing": 1400, "thanks": 1500}
_HEIGHT: Final = 700
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
_RECEIPT: Final = "amana/receipt-r1/v1\n" + "a receipt " * 40


def pages() -> Iterator[tuple[str, str, dict[str, object]]]:
    """Yield every page: the name of its picture, its template, its values."""
    for name in ("landing", "before", "left"):
        yield name, name, {}
    yield "give", "give", {**FORM_VALUES, "token": "t", "limit": 4, "most": 500}
    size = ("portal.size.megabytes", "12.4")
    yield "thanks", "thanks", {"items": 3, "size": size, "receipt": _RECEIPT}
    for refusal in (Refusal.UNREADABLE, Refusal.NO_ROOM):
        yield f"refused-{refusal.value}", "refused", {"reason": refusal.value}


def main(folder: pathlib.Path) -> None:
    """Write one PNG for each page, language and width."""
    browser = shutil.which("chromium")
    if browser is None:
        sys.exit("chromium is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    made = Pages(Deployment.TRAINING, STYLES)
    for picture, template, values in pages():
        for language in (Language.AR, Language.EN):
            known = {"path": template, "languages": made.languages}
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
