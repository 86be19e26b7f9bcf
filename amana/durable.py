"""Files that are there whole or not at all.

A file gets its name only after its last byte is on the disk: whoever sees the name may rely on the
bytes, after a kill or a power cut too. A storage device that lies about fsync is out of reach.
"""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import BinaryIO, Final

PART: Final = ".part"
"""How the name of a file ends that is not whole yet. Readers never look at one."""

_NO_HARD_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS})
"""What link(2) answers where the file system has none, such as FAT on a memory stick."""


@contextmanager
def durable(path: Path) -> Iterator[BinaryIO]:
    """Write a new file, readable by its owner alone; it gets its name when the block ends well.

    FileExistsError: the name is taken, also when another took it at the last moment. When anything
    fails, nothing is left behind; a kill leaves a part under a name of its own. After return both
    the bytes and the name are on the disk.
    """
    part = part_of(path)
    _require_free(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    source = os.open(part, flags, 0o600)
    try:
        with os.fdopen(source, "wb") as target:
            yield target
            target.flush()
            os.fsync(target.fileno())
        _give_name(part, path)
    except BaseException:  # also when the person stops it: a part must not stay
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def part_of(path: Path) -> Path:
    """Give a new name beside this one, for the bytes that are not whole yet.

    Not the name and a mark: the name may be as long as the disk allows already.
    """
    return path.with_name(f".{secrets.token_hex(8)}{PART}")


def make_folders(path: Path) -> None:
    """Make a folder, and those above it that are missing, for their owner alone, on the disk.

    FileExistsError, NotADirectoryError: a file or a dangling link stands in the way.
    """
    missing = list(takewhile(lambda each: not each.is_dir(), (path, *path.parents)))
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
        sync_folder(each.parent)


def sync_folder(path: Path) -> None:
    """Bring a folder's names to the disk."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _give_name(part: Path, path: Path) -> None:
    """Name a whole file. A link is never made over another file; a rename would replace it."""
    try:
        os.link(part, path)
    except OSError as failure:
        if failure.errno not in _NO_HARD_LINKS:
            raise
        _require_free(path)  # what comes between this line and the next is lost on such a disk
        part.rename(path)
    else:
        part.unlink()


def _require_free(path: Path) -> None:
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path.name)
