"""Makes the pages that are made from code: `make docs`. With --check it only says what is stale."""

import pathlib
import sys

from amana import exitcodes, settings

ROOT = pathlib.Path(__file__).resolve().parent.parent


def pages() -> dict[str, str]:
    """Return every made page: its path from the root, and what it must hold."""
    return {
        "docs/settings.md": settings.as_markdown(),
        "docs/exit-codes.md": exitcodes.as_markdown(),
    }


def main() -> int:
    """Write the pages, or with --check return 1 if one differs from its file."""
    stale = [
        name
        for name, text in pages().items()
        if not (ROOT / name).is_file() or (ROOT / name).read_text(encoding="utf-8") != text
    ]
    for name in stale:
        print(name)
    if "--check" in sys.argv:
        return 1 if stale else 0
    for name in stale:
        (ROOT / name).write_text(pages()[name], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
