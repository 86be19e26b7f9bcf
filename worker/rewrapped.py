"""What is kept of a change of header: which object, which class, what it was before and is now.

The note names the digest of an object under its first header, and that header is gone. So what the
object is now is written down from the very bytes that had the digest of the note, before its
header is changed; and the change is finished by whoever finds it written and not done.
Format: docs/format/26-quarantine.md section 6.
"""

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Final

from amana.durable import durable, make_folders
from amana.wire.bundle import object_path
from amana.wire.documents import Document, carries, record
from amana.wire.errors import WireError
from amana.wire.fields import Base64, Choice, Whole
from amana.wire.ids import DIGEST, OBJECT_ID, SUBMISSION_ID, Digest, ObjectId, SubmissionId
from amana.wire.sealed import SEALED_SIZE, SealedObject
from crypto.padding import HYBRID_HEADER_SIZE
from terms.vocabulary import HandlingClass
from worker.agent_messages import ClassHolder, SealedHeader
from worker.errors import PipelineError
from worker.sealed_files import open_to_rewrite

REWRAPPED: Final = "rewrapped"

_NAME: Final = re.compile(r"(?P<object_id>[0-9a-f]{32})\.(?P<number>[0-9]{4})\.json", re.ASCII)


@record
class Rewrapped(Document):
    """One change of header of one object. The bytes behind the header never change."""

    FORMAT: ClassVar = "amana/rewrapped/v1"
    LIMIT_BYTES: ClassVar = 8_192

    submission_id: SubmissionId = carries(SUBMISSION_ID, "The submission.")
    object_id: ObjectId = carries(OBJECT_ID, "The object.")
    number: int = carries(Whole(1, 9_999), "Which change of this object it is, from 1.")
    handling_class: HandlingClass = carries(
        Choice(HandlingClass), "The class whose identity opens it now."
    )
    sealed_size: int = carries(SEALED_SIZE, "Bytes of the object, before and after.")
    sealed_before: Digest = carries(DIGEST, "SHA-256 of the object before.")
    sealed_after: Digest = carries(DIGEST, "SHA-256 of the object since.")
    header_before: Digest = carries(DIGEST, "SHA-256 of the header before; it is gone.")
    header: SealedHeader = carries(
        Base64(SealedHeader, HYBRID_HEADER_SIZE, HYBRID_HEADER_SIZE), "The header since."
    )

    @property
    def header_after(self) -> Digest:
        """SHA-256 of the header since, for the custody event."""
        return Digest(hashlib.sha256(self.header).hexdigest())

    @property
    def sealed(self) -> SealedObject:
        """The object as it is now."""
        return SealedObject(
            object_id=self.object_id,
            sealed_size=self.sealed_size,
            sealed_sha256=self.sealed_after,
        )

    @property
    def holder(self) -> ClassHolder:
        """Whose identity opens it now."""
        return ClassHolder(submission=self.submission_id, handling_class=self.handling_class)


def keep(folder: Path, change: Rewrapped) -> None:
    """Write a change down, before it is made. FileExistsError: one of this number is there."""
    make_folders(folder / REWRAPPED)
    with durable(_path(folder, change.object_id, change.number)) as target:
        target.write(change.to_bytes())


def finish(folder: Path, change: Rewrapped) -> None:
    """Make a change that is written down: give the object its header, durably.

    Does nothing where it is made already, and mends a header that was half written. PipelineError:
    the object is gone.
    """
    target = open_to_rewrite(folder / object_path(change.object_id))
    if target is None:
        raise PipelineError("an object that was re-wrapped is gone")
    with target:
        if target.read(len(change.header)) != change.header:
            target.seek(0)
            target.write(change.header)
            target.flush()
        # Also where the bytes are right: whoever wrote them may not have come this far.
        os.fsync(target.fileno())


def read_rewrapped(
    folder: Path, submission: SubmissionId, first: Iterable[SealedObject]
) -> Mapping[ObjectId, Rewrapped]:
    """Give the last change of each object that was re-wrapped.

    first: the objects as the note names them. PipelineError: what is written down does not go back
    to the note, change by change: then nothing shows any more what the provider gave.
    """
    numbers = _numbers(folder)
    stated = {each.object_id: each for each in first}
    if not numbers.keys() <= stated.keys():
        raise PipelineError("an object was re-wrapped that the note does not name")
    last: dict[ObjectId, Rewrapped] = {}
    for object_id, found in numbers.items():
        now = stated[object_id]
        for number in range(1, len(found) + 1):
            change = _read(_path(folder, object_id, number))
            if (change.submission_id, change.number) != (submission, number) or (
                change.object_id,
                change.sealed_size,
                change.sealed_before,
            ) != (object_id, now.sealed_size, now.sealed_sha256):
                raise PipelineError("the changes of an object's header do not follow one another")
            now, last[object_id] = change.sealed, change
    return MappingProxyType(last)


def _numbers(folder: Path) -> Mapping[ObjectId, list[int]]:
    found: defaultdict[ObjectId, list[int]] = defaultdict(list)
    if (folder / REWRAPPED).is_dir():
        for path in (folder / REWRAPPED).iterdir():
            if match := _NAME.fullmatch(path.name):
                found[ObjectId(match["object_id"])].append(int(match["number"]))
    return found


def _path(folder: Path, object_id: ObjectId, number: int) -> Path:
    return folder / REWRAPPED / f"{object_id}.{number:04}.json"


def _read(path: Path) -> Rewrapped:
    try:
        with path.open("rb") as source:
            return Rewrapped.from_bytes(source.read(Rewrapped.LIMIT_BYTES + 1))
    except (FileNotFoundError, WireError) as failure:
        raise PipelineError("what is kept of a change of header is damaged") from failure
