"""The files of the project as Git sees them: what is committed, and what would be."""

import pathlib
import subprocess


def files(root: pathlib.Path) -> list[pathlib.Path]:
    """Every file that is tracked or could be, ignored ones left out."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        check=True,
    )
    paths = [root / name for name in listed.stdout.decode("utf-8").split("\0") if name]
    return [path for path in paths if path.is_file()]


def texts(root: pathlib.Path) -> dict[pathlib.Path, str]:
    """Those of them that are UTF-8 text, by their path from the root."""
    found = {}
    for path in files(root):
        try:
            found[path.relative_to(root)] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return found
