"""Give opened items their places on this machine's disk, without trusting their names.

A name is the provider's, or whoever pretends to be: one that could leave the folder, or that this
disk cannot hold, is not used, and the item is then called by its id. Nothing is ever overwritten,
links are never made, and a file gets its name only when its bytes have its manifest's digests.
"""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from amana.durable import durable
from amana.wire.manifest import ItemKind, ItemManifest
from amana.wire.names import posix_nanoseconds
from client.bundle import Progress
from client.errors import BundleError

UNNAMED: Final = b"unnamed"
"""The folder of items whose own names could not be used."""

LONGEST_STEP_BYTES: Final = 255
"""Longest name that every Linux file system takes (NAME_MAX in limits.h)."""


class OutputTree:
    """A folder, new or empty, into which items are written under their own names."""

    def __init__(self, out: Path) -> None:
        """Take the folder; BundleError when something lies in it."""
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise BundleError("folder-in-use", folder=str(out))
        self._out = out

    def make_folder(self, item: ItemManifest) -> Path | None:
        """Make an empty folder; None for a link, which is only reported."""
        if item.kind is not ItemKind.FOLDER:
            return None
        path = self._place(item)
        path.mkdir(mode=0o700)
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
        if item.file_times.modified is not None:
            modified = posix_nanoseconds(item.file_times.modified)
            os.utime(path, ns=(modified, modified))
        return path

    def _place(self, item: ItemManifest) -> Path:
        """Give a path that is free, below the folder, and reached through no link."""
        steps = _steps(item)
        if steps is not None:
            path = self._out.joinpath(*map(os.fsdecode, steps))
            try:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                if not os.path.lexists(path):
                    return path
            except (FileExistsError, NotADirectoryError):
                pass  # an item before is a file where this one needs a folder
        unnamed = self._out / os.fsdecode(UNNAMED)
        unnamed.mkdir(mode=0o700, exist_ok=True)
        return unnamed / item.item_id


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
