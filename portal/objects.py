"""Sealed objects on the portal's disk: written once, durable before they are named, removed whole.

Only sealed bytes come here. Format of the folders: docs/format/18-portal.md section 4.
"""

import hashlib
import os
import secrets
import shutil
from collections.abc import Container
from pathlib import Path
from typing import Final

from amana.durable import sync_folder
from amana.wire.bundle import NOTE
from amana.wire.ids import Digest, ObjectId
from amana.wire.sealed import SealedObject
from portal.places import Places

EVENT: Final = "event.age"
"""The name of the sealed event in a bundle that was set aside."""


class ObjectFile:
    """A sealed object on its way to the disk: counts and hashes what is written.

    FileExistsError: the name is taken. OSError: the disk is full or fails.
    """

    def __init__(self, path: Path, object_id: ObjectId) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        self._file = os.fdopen(os.open(path, flags, 0o600), "wb", buffering=0)
        self._object_id = object_id
        self._sha256 = hashlib.sha256()
        self._size = 0

    def write(self, piece: bytes) -> None:
        """Take the next sealed bytes, however many."""
        self._sha256.update(piece)
        self._size += len(piece)
        left = memoryview(piece)
        while left:  # an unbuffered write may take less than it was given
            left = left[self._file.write(left) :]

    def finish(self) -> SealedObject:
        """Bring the bytes to the disk; give size and digest. Its folder is the caller's matter."""
        os.fsync(self._file.fileno())
        self.close()
        return SealedObject(
            object_id=self._object_id,
            sealed_size=self._size,
            sealed_sha256=Digest(self._sha256.hexdigest()),
        )

    def close(self) -> None:
        """Let go of the file, finished or not; the second time does nothing."""
        self._file.close()


def set_aside(places: Places, submission: str) -> None:
    """Put a whole bundle that no record names where nothing removes it, with its event."""
    bundle = places.received / submission
    if not (bundle / NOTE).exists():
        return
    event = places.events / f"{submission}.age"
    if event.exists():
        event.replace(bundle / EVENT)
        sync_folder(bundle)
    places.set_aside.mkdir(mode=0o700, exist_ok=True)
    # A name of its own: the same submission may be set aside again.
    bundle.rename(places.set_aside / f"{submission}.{secrets.token_hex(8)}")
    for folder in (places.set_aside, places.received, places.events):
        sync_folder(folder)


def forget_set_aside(places: Places, known: Container[str]) -> None:
    """Remove what was set aside and came again since, so that the records name it now."""
    if not places.set_aside.is_dir():
        return
    for path in places.set_aside.iterdir():
        if path.name.partition(".")[0] in known:
            shutil.rmtree(path)


def discard(places: Places, submission: str) -> None:
    """Remove what there is of a submission that no record names."""
    for folder in (places.receiving / submission, places.received / submission):
        if folder.exists():
            shutil.rmtree(folder)
            sync_folder(folder.parent)
    (places.events / f"{submission}.age").unlink(missing_ok=True)
