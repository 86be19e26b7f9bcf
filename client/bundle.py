"""A bundle's folder: write sealed objects one by one, each durable, and the note last of all.

What is read from one is opened as a plain file or not at all: whoever brings the disk may have put
links, pipes and devices on it. Format: docs/format/17-bundle.md.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from amana.durable import durable, make_folders, sync_folder
from amana.wire.bundle import NOTE, OBJECTS, object_path
from amana.wire.ids import Digest, ObjectId
from amana.wire.sealed import SealedObject
from client.errors import BundleError


class SealedFile:
    """A sealed object on its way to the disk: counts and hashes what is written."""

    def __init__(self, object_id: ObjectId, target: BinaryIO) -> None:
        self._object_id = object_id
        self._target = target
        self._sha256 = hashlib.sha256()
        self._size = 0

    def write(self, piece: bytes) -> None:
        """Take the next sealed bytes, however many."""
        self._target.write(piece)
        self._sha256.update(piece)
        self._size += len(piece)

    def describe(self) -> SealedObject:
        """Give size and digest of what was written so far."""
        return SealedObject(
            object_id=self._object_id,
            sealed_size=self._size,
            sealed_sha256=Digest(self._sha256.hexdigest()),
        )


class BundleWriter:
    """Makes one bundle in a folder that is new or empty."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; BundleError when something lies in it."""
        take_empty(folder)
        self._folder = folder
        (folder / OBJECTS).mkdir(mode=0o700)
        sync_folder(folder)

    @contextmanager
    def new_object(self, object_id: ObjectId) -> Iterator[SealedFile]:
        """Write one object; it is durable when the block has ended."""
        with durable(self._folder / object_path(object_id)) as target:
            yield SealedFile(object_id, target)

    def finish(self, note: bytes) -> Path:
        """Write the note, which makes the folder a bundle."""
        path = self._folder / NOTE
        with durable(path) as target:
            target.write(note)
        return path


def take_empty(folder: Path) -> None:
    """Make a folder, or take one that is empty. BundleError: something lies in it or in its way."""
    try:
        make_folders(folder)
    except (FileExistsError, NotADirectoryError) as failure:
        raise BundleError("folder-in-use", folder=str(folder)) from failure
    if any(folder.iterdir()):
        raise BundleError("folder-in-use", folder=str(folder))


def open_plain(path: Path) -> BufferedReader:
    """Open a file of a bundle to read; nothing is followed and nothing waited for.

    FileNotFoundError, NotADirectoryError: it is missing. BundleError: it is no plain file, or
    cannot be read.
    """
    try:
        source = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as failure:
        raise BundleError(
            "bundle-unreadable", name=path.name, reason=failure.strerror or ""
        ) from failure
    if not stat.S_ISREG(os.fstat(source).st_mode):
        os.close(source)
        raise BundleError("not-a-plain-file", name=path.name)
    return os.fdopen(source, "rb")


Progress = Callable[[int], None]
"""Is told how many more bytes of the provider's files have been read."""
