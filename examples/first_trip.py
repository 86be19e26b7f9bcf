"""Take a small folder through everything that stands: make keys, seal, open, compare.

`make run` runs this. It uses the commands as a person would, with real keys, and compares what came
out with what went in by itself, byte for byte. It exits with an error when anything differs.
"""

import hashlib
import os
import shutil
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from amana import cli
from amana.clock import SystemClock, today
from amana.i18n import visible
from examples.rehearsal import PASSPHRASE, Rehearsal, prepare
from examples.samples import make_samples

_FOLDER = Path("var/first-trip")


def main() -> int:
    """Run the trip in var/first-trip, made anew."""
    if _FOLDER.exists():
        shutil.rmtree(_FOLDER)
    given = make_samples(_FOLDER / "Material")
    rehearsal = prepare(_FOLDER / "keys", today(SystemClock()))
    bundle, opened = _FOLDER / "bundle", _FOLDER / "opened"
    for words in _commands(rehearsal, given, bundle, opened):
        sys.stdout.write(f"\n$ amana {' '.join(words)}\n")
        sys.stdout.flush()
        if code := cli.main(words):
            return code
    return _compare(given, opened / given.name, bundle)


def _commands(
    rehearsal: Rehearsal, given: Path, bundle: Path, opened: Path
) -> tuple[list[str], ...]:
    passphrase = ["--passphrase-file", str(rehearsal.passphrase)]
    return (
        ["keygen", "--kit", str(rehearsal.kit), "--out", str(rehearsal.keys), *passphrase],
        [
            *("seal", str(given), "--kit", str(rehearsal.kit), "--card", str(rehearsal.card)),
            *("--keys", str(rehearsal.keys), *passphrase, "--out", str(bundle)),
        ],
        [
            *("open", str(bundle), "--identity", str(rehearsal.identity)),
            *("--signer", f"{rehearsal.keys}.public", "--out", str(opened)),
        ],
    )


def _compare(given: Path, opened: Path, bundle: Path) -> int:
    table = Table(title="What went in, and what came out", title_justify="left")
    for column in ("item", "bytes", "SHA-256", "same"):
        table.add_column(column, justify="right" if column == "bytes" else "left")
    differs = 0
    for path in sorted(given.rglob("*"), key=os.fsencode):
        if path.is_symlink():
            table.add_row(visible(path.name), "", f"link to {path.readlink()}", "kept as said")
            continue
        if path.is_dir() and any(path.iterdir()):
            continue
        other = opened / path.relative_to(given)
        is_same = _state(path) == _state(other)
        differs += not is_same
        size = "" if path.is_dir() else f"{path.stat().st_size:,}"
        row = (visible(str(path.relative_to(given))), size, _digest(path)[:16])
        table.add_row(*row, "yes" if is_same else "NO")
    console = Console(width=110)
    console.print()
    console.print(table)
    sealed = sum(each.stat().st_size for each in bundle.rglob("*") if each.is_file())
    console.print(
        f"The bundle: {bundle}, {sealed:,} bytes. Passphrase of this rehearsal: {PASSPHRASE}"
    )
    console.print(f"Kit, card, keys and intake identity of this rehearsal: {_FOLDER / 'keys'}")
    console.print("Portal, scanner, package and repository stand too, but are not joined yet.")
    return 1 if differs else 0


def _state(path: Path) -> tuple[bool, int, str]:
    """Kind, time of change to the nanosecond, and digest."""
    if not path.exists():
        return (False, -1, "")
    modified = 0 if path.is_dir() else path.stat().st_mtime_ns
    return (path.is_dir(), modified, _digest(path))


def _digest(path: Path) -> str:
    return "" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
