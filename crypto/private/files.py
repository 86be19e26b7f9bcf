"""Files of a key store: there whole or not at all, for one pair of eyes, and gone when destroyed.

A file gets its name only after its last byte is on the disk. Nothing that others may read is ever
believed. Overwriting before removal is done as well as a file system allows; flash and copy-on-
write storage keep old blocks, which is why an identity never lies here but sealed.
Format: docs/format/25-key-store.md section 1.
"""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from crypto.errors import KeyAbsentError, KeyStoreError, KeyTakenError

PART: Final = ".part"
"""How the name of a file ends that is not whole yet."""

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_IN_FOLDER: Final = _OTHERS & ~(stat.S_IXGRP | stat.S_IXOTH)
"""Passing through a folder shows nothing of it: the agent's socket may be for another user."""


def write_new(path: Path, content: bytes) -> None:
    """Write a new file for its owner alone; after return the bytes and the name are on the disk.

    KeyTakenError: the name is taken; nothing is overwritten. OSError: as the file system's; no
    file of that name is there then.
    """
    part = path.with_name(f".{secrets.token_hex(8)}{PART}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as target:
            target.write(content)
            target.flush()
            os.fsync(target.fileno())
        # A link is never made over another file; a rename would replace it.
        os.link(part, path)
    except FileExistsError as failure:
        raise KeyTakenError("the name is taken in the key store") from failure
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)


def replace(path: Path, content: bytes) -> None:
    """Put other content into a file: a kill leaves the one or the other, each whole.

    The old content is overwritten afterwards, as destroy() does. FileNotFoundError: there is none.
    """
    old = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
    new = path.with_name(f".{secrets.token_hex(8)}{PART}")
    try:
        write_new(new, content)
        new.rename(path)
        sync_folder(path.parent)
        _overwrite(old)
    finally:
        new.unlink(missing_ok=True)
        os.close(old)


def read_private(path: Path, limit_bytes: int) -> bytes:
    """Read a whole file that its owner alone may read.

    KeyAbsentError: there is none. KeyStoreError: others may read it, it is longer than the limit,
    or it is no file.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError as failure:
        raise KeyAbsentError("the key store has no such file") from failure
    except OSError as failure:
        raise KeyStoreError("a file of the key store cannot be opened") from failure
    try:
        # Of what is open, not of the name: that may be another file by now.
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode) or mode & _OTHERS:
            raise KeyStoreError("a file of the key store can be read by others, or is none")
        with os.fdopen(descriptor, "rb", closefd=False) as source:
            content = source.read(limit_bytes + 1)
    finally:
        os.close(descriptor)
    if len(content) > limit_bytes:
        raise KeyStoreError("a file of the key store is over its limit")
    return content


def destroy(path: Path) -> None:
    """Overwrite a file and remove it, durably. Done twice, it is done."""
    with suppress(FileNotFoundError):
        descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
        try:
            _overwrite(descriptor)
        finally:
            os.close(descriptor)
        path.unlink()
    sync_folder(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder for its owner alone, on the disk; one that is there stays as it is."""
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    sync_folder(path.parent)


def require_folder(path: Path) -> None:
    """KeyStoreError unless this is a folder in which nobody but its owner can read or write."""
    try:
        mode = path.lstat().st_mode
    except OSError as failure:
        raise KeyStoreError("a folder of the key store is missing") from failure
    if not stat.S_ISDIR(mode) or mode & _OTHERS_IN_FOLDER:
        raise KeyStoreError("a folder of the key store can be read by others, or is none")


def names_in(folder: Path, ending: str) -> Iterator[str]:
    """Yield the names of whole files that end so, without the ending, in no order."""
    for path in folder.iterdir():
        if path.name.endswith(ending) and not path.name.startswith("."):
            yield path.name.removesuffix(ending)


def remove_parts(folder: Path) -> None:
    """Destroy what a kill left half written: a sealed identity must not outlive its own name."""
    for path in folder.glob(f".*{PART}"):
        destroy(path)


def sync_folder(path: Path) -> None:
    """Bring a folder's names to the disk."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _overwrite(descriptor: int) -> None:
    left = os.fstat(descriptor).st_size
    while left:
        left -= os.write(descriptor, bytes(left))
    os.fsync(descriptor)
