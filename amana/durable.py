"""Files that are there whole or not at all.

A file gets its name only after its last byte is on the disk: whoever sees the name may rely on the
bytes, after a kill or a power cut too. A storage device that lies about fsync is out of reach.
"""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

PART: Final = ".part"
"""How the name of a file ends that is not whole yet. Readers never look at one."""


@contextmanager
def durable(path: Path) -> Iterator[BinaryIO]:
    """Write a new file, readable by its owner alone; it gets its name when the block ends well.

    FileExistsError: the name is taken. When the block raises, nothing is left behind; a kill leaves
    a part under a name of its own. After return both the bytes and the name are on the disk.
    """
    # Not the name and a mark: the name may be as long as the disk allows already.
    part = path.with_name(f".{secrets.token_hex(8)}{PART}")
    _require_free(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(part, flags, 0o600), "wb") as target:
        try:
            yield target
            target.flush()
            os.fsync(target.fileno())
            _require_free(path)
        except BaseException:  # also when the person stops it: a part must not stay
            part.unlink()
            raise
    part.rename(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Bring a folder's names to the disk."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _require_free(path: Path) -> None:
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path.name)
