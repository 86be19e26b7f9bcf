"""Give opened items their places on this machine's disk, without trusting their names.

A name is the provider's, or whoever pretends to be: one that could leave the folder, or that this
disk cannot hold, is not used, and the item is then called by its id. Nothing is ever overwritten,
links are never made, and a file gets its name only when its bytes have its manifest's digests.
"""

import errno
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from amana.durable import durable, make_folders, part_of
from amana.wire.manifest import ItemKind, ItemManifest
from amana.wire.names import FileTimes, posix_nanoseconds
from client.bundle import Progress, take_empty
from client.errors import BundleError

UNNAMED: Final = b"unnamed"
"""The folder of items whose own names could not be used."""

LONGEST_STEP_BYTES: Final = 255
"""Longest name that every Linux file system takes (NAME_MAX in limits.h)."""

_NO_PLACE: Final = frozenset({errno.EEXIST, errno.ENOTDIR, errno.ENAMETOOLONG})
"""What a disk answers to a path that an item cannot have: a file where a folder is needed, or more
bytes than NAME_MAX for a step or PATH_MAX for all of them (limits.h)."""


class OutputTree:
    """A folder, new or empty, into which items are written under their own names."""

    def __init__(self, out: Path) -> None:
        """Take the folder; BundleError when something lies in it."""
        take_empty(out)
        self._out = out
        self._folders: dict[Path, FileTimes] = {}

    def make_folder(self, item: ItemManifest) -> Path | None:
        """Make an empty folder; None for a link, which is only reported.

        Its time is given back by restore_folder_times(), as making anything in it changes it.
        """
        if item.kind is not ItemKind.FOLDER:
            return None
        path = self._place(item)
        path.mkdir(mode=0o700)
        self._folders[path] = item.file_times
        return path

    def write(self, item: ItemManifest, pieces: Iterable[bytes], progress: Progress) -> Path:
        """Write a file and give its path. BundleError: its bytes are not those of its manifest."""
        if item.content is None:
            raise BundleError("manifests-disagree", reason="an item without bytes has some")
        path = self._place(item)
        sha256, sha512, size = hashlib.sha256(), hashlib.sha512(), 0
        with durable(path) as target:
            for piece in pieces:
                size += len(piece)
                sha256.update(piece)
                sha512.update(piece)
                target.write(piece)
                progress(len(piece))
            found = (size, sha256.hexdigest(), sha512.hexdigest())
            if found != (item.content.size, item.content.sha256, item.content.sha512):
                raise BundleError("item-changed", name=item.item_id)
        _restore_time(path, item.file_times)
        return path

    def restore_folder_times(self) -> None:
        """Give folders their own times, when nothing more will be made in them."""
        for path, times in self._folders.items():
            _restore_time(path, times)

    def _place(self, item: ItemManifest) -> Path:
        """Give a path that is free, below the folder, and reached through no link."""
        steps = _steps(item)
        if steps is not None:
            path = self._out.joinpath(*map(os.fsdecode, steps))
            try:
                make_folders(path.parent)
                if not (_is_there(path) or _is_there(part_of(path))):
                    return path
            except OSError as failure:
                if failure.errno not in _NO_PLACE:
                    raise
        unnamed = self._out / os.fsdecode(UNNAMED)
        make_folders(unnamed)
        return unnamed / item.item_id


def _is_there(path: Path) -> bool:
    """Look without following. OSError: the disk cannot hold the name; lexists() calls that free."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True


def _restore_time(path: Path, times: FileTimes) -> None:
    if times.modified is not None:
        modified = posix_nanoseconds(times.modified)
        os.utime(path, ns=(modified, modified))


def _steps(item: ItemManifest) -> list[bytes] | None:
    """Give the folders and the name, or None when they cannot be a path here."""
    folder = item.folder.raw if item.folder is not None else b""
    steps = [*(folder.split(b"/") if folder else ()), item.name.raw]
    is_usable = all(_is_usable(step) for step in steps)
    return steps if is_usable and steps[0] != UNNAMED else None


def _is_usable(step: bytes) -> bool:
    return (
        step not in {b"", b".", b".."}
        and b"/" not in step
        and b"\0" not in step
        and len(step) <= LONGEST_STEP_BYTES
    )
