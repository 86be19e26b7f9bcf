"""A folder that is in memory and empty, or a refusal.

clamd unpacks what it scans into its temporary folder, so that folder must never be on a disk.
"""

import os
import re
import shutil
from pathlib import Path
from typing import Final

from worker.errors import ScannerStartError

_MOUNTS: Final = Path("/proc/self/mountinfo")
_ESCAPED: Final = re.compile(r"\\([0-7]{3})", re.ASCII)
_PRIVATE: Final = 0o700


def file_system_of(folder: Path) -> str:
    """Give the type of the file system that holds a folder, as the kernel names it: `tmpfs`."""
    real, best, kind = folder.resolve(), -1, ""
    for line in _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        # proc(5): mount point is the fifth field; the type is the first after the lone hyphen.
        before, _, after = line.partition(" - ")
        mounted = Path(_unescaped(before.split(" ")[4]))
        depth = len(mounted.parts)
        # The later of two mounts on one place is the one in force.
        if real.is_relative_to(mounted) and depth >= best:
            best, kind = depth, after.split(" ")[0]
    return kind


def emptied_tmpfs_folder(folder: Path, owner: tuple[int, int]) -> None:
    """Make a folder that only its owner can use, on a tmpfs, with nothing left of an earlier run.

    owner: user and group id. ScannerStartError: it would not be on a tmpfs.
    """
    if file_system_of(folder.parent) != "tmpfs":
        raise ScannerStartError("the temporary folder of the scanner is not on a tmpfs")
    if folder.is_symlink():
        raise ScannerStartError("the temporary folder of the scanner is a link")
    if folder.exists():
        if file_system_of(folder) != "tmpfs":
            raise ScannerStartError("the temporary folder of the scanner is not on a tmpfs")
        # The folder itself stays: it may be a mount of its own, limited in size.
        for entry in folder.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
    else:
        folder.mkdir(mode=_PRIVATE)
    folder.chmod(_PRIVATE)
    if os.geteuid() == 0:
        os.chown(folder, *owner)


def _unescaped(field: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), field)
