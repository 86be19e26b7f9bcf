"""A bundle on its way into the quarantine: a folder that has its name only when it is whole.

Sealed bytes come from a portal or from a disk, in any number of pieces and attempts; each object is
held against the note's size and digest before it has its name. The note's signature is not judged
here (worker/opening.py does), only its shape. Format: docs/format/17-bundle.md.
"""

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from amana.durable import PART, durable, make_folders, sync_folder
from amana.wire.bundle import NOTE, OBJECTS, object_path
from amana.wire.errors import WireError
from amana.wire.note import PackageNote
from amana.wire.pull import NOTE_LIMIT_BYTES
from amana.wire.sealed import SealedObject
from crypto.errors import NoteError
from crypto.note import SignedNote
from worker.pull_errors import PullError, PullFault
from worker.sealed_files import EVENT, sha256_of

_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_TAKEN: Final = frozenset({errno.EEXIST, errno.ENOTEMPTY})
_CHUNK_BYTES: Final = 1 << 20

Source = Callable[[int], Iterator[bytes]]
"""Gives the bytes of one object from a place on, to its end or until they stop coming."""


def read_note(untrusted: bytes) -> PackageNote:
    """Give what a note says, as nobody's word. PullError: it is no package note."""
    try:
        note = SignedNote.parse(untrusted, limit_bytes=NOTE_LIMIT_BYTES)
        return PackageNote.from_bytes(note.text.encode("utf-8"))
    except (NoteError, WireError) as failure:
        raise PullError(PullFault.MALFORMED) from failure


class BundleFolder:
    """The folder of one submission, there or on its way.

    place: where it appears. What is not whole lies beside it under a name with a dot before, and
    a later attempt goes on there.
    """

    def __init__(self, place: Path, spare_bytes: int) -> None:
        self._place = place
        self._part = place.with_name(f".{place.name}{PART}")
        self._spare_bytes = spare_bytes

    def has(self, note: PackageNote) -> bool:
        """Say whether the submission is here whole.

        PullError: it is, under another note; or something else lies in its place.
        """
        if not self._place.exists():
            return False
        try:
            raw = (self._place / NOTE).read_bytes()
        except FileNotFoundError as failure:
            raise PullError(PullFault.NO_BUNDLE) from failure
        if read_note(raw).digest != note.digest:
            raise PullError(PullFault.ANOTHER_NOTE)
        return True

    def begin(self) -> None:
        """Make the folder for what is on its way, or take up the one that is there."""
        make_folders(self._part / OBJECTS)

    def receive(self, stated: SealedObject, source: Source) -> None:
        """Bring one object to the disk; what came of it before is not asked for again.

        What came under another note is: whoever could send one note of this submission and some
        bytes must not spoil what comes from elsewhere.

        PullError: WRONG_BYTES, when the bytes are not those that the note names; UNREACHABLE, when
        they stopped coming; NO_ROOM. Errors of `source` pass through. What did come stays.
        """
        name = self._part / object_path(stated.object_id)
        if name.exists():
            if _is(name, stated):
                return
            name.unlink()
        part = name.with_name(name.name + PART)
        with _unless_full(), part.open("a+b") as target:
            begun = target.tell()
            self._require_room(stated.sealed_size - begun)
            is_right = _fill(target, stated, source)
            if begun and not is_right:
                # What an earlier attempt left may be damaged by a power cut: once more from 0.
                target.truncate(0)
                is_right = _fill(target, stated, source)
            os.fsync(target.fileno())
        if not is_right:
            part.unlink()
            raise PullError(PullFault.WRONG_BYTES)
        part.rename(name)

    @property
    def needs_event(self) -> bool:
        """Whether no custody event lies here yet."""
        return not self._event.exists()

    def keep_event(self, sealed: bytes) -> None:
        """Keep the sealed custody event beside the note. FileExistsError: one is there."""
        with _unless_full(), durable(self._event) as target:
            target.write(sealed)

    @property
    def _event(self) -> Path:
        return (self._place if self._place.exists() else self._part) / EVENT

    def finish(self, note: PackageNote, raw: bytes) -> None:
        """Give the folder its name: every object is there, durable. The note goes in last.

        PullError: it came another way meanwhile, under another note.
        """
        self._remove_others(note)
        sync_folder(self._part / OBJECTS)
        written = self._part / NOTE
        written.unlink(missing_ok=True)
        with _unless_full(), durable(written) as target:
            target.write(raw)
        try:
            self._part.rename(self._place)
        except OSError as failure:
            if failure.errno not in _TAKEN:
                raise
            self.has(note)
            self.discard()
        sync_folder(self._place.parent)

    def discard(self) -> None:
        """Remove what is on its way, if anything is."""
        shutil.rmtree(self._part, ignore_errors=True)

    def _remove_others(self, note: PackageNote) -> None:
        """Remove what an earlier attempt left that this note does not name."""
        named = {object_path(each.object_id).name for each in note.everything()}
        for path in (self._part / OBJECTS).iterdir():
            if path.name not in named:
                path.unlink()

    def _require_room(self, needed: int) -> None:
        if shutil.disk_usage(self._part).free < needed + self._spare_bytes:
            raise PullError(PullFault.NO_ROOM)


def _is(path: Path, stated: SealedObject) -> bool:
    with path.open("rb") as source:
        return (
            os.fstat(source.fileno()).st_size == stated.sealed_size
            and sha256_of(source) == stated.sealed_sha256
        )


def _fill(target: BinaryIO, stated: SealedObject, source: Source) -> bool:
    """Add to a file what is missing; say whether it is then what is stated."""
    sha256 = hashlib.sha256()
    size = 0
    target.seek(0)
    while chunk := target.read(_CHUNK_BYTES):
        sha256.update(chunk)
        size += len(chunk)
    if size < stated.sealed_size:
        for chunk in source(size):
            size += len(chunk)
            if size > stated.sealed_size:
                return False
            target.write(chunk)
            sha256.update(chunk)
        target.flush()
    if size < stated.sealed_size:
        raise PullError(PullFault.UNREACHABLE)
    return sha256.hexdigest() == stated.sealed_sha256


@contextmanager
def _unless_full() -> Iterator[None]:
    try:
        yield
    except OSError as failure:
        if failure.errno not in _NO_ROOM:
            raise
        raise PullError(PullFault.NO_ROOM) from failure
