"""Write a bundle: sealed objects one by one, each durable, and the note when all are there."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from amana.durable import durable, sync_folder
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
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise BundleError("folder-in-use", folder=str(folder))
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


Progress = Callable[[int], None]
"""Is told how many more bytes of the provider's files have been read."""
