"""What quarantine and portal say to each other when the quarantine comes to fetch.

The portal lists what nobody has acknowledged, proves that its log only grew, and takes the word
that everything arrived; it never speaks first. What it answers is untrusted: each of these has a
limit, and what counts is the signed note and its digests. Format: docs/format/22-pull.md.
"""

from datetime import date
from typing import ClassVar, Final, NewType

from amana.wire.documents import Document, Nested, Statement, carries, record
from amana.wire.errors import FieldError
from amana.wire.fields import Choice, Day, Flag, Many, Nullable, Text, Whole, hexadecimal
from amana.wire.ids import (
    DIGEST,
    LOG_ORIGIN,
    SUBMISSION_ID,
    Digest,
    LogOrigin,
    ObjectId,
    SubmissionId,
)
from amana.wire.note import PackageNote
from amana.wire.request import RequestPath
from amana.wire.sealed import OBJECTS_LIMIT, SealedObject
from amana.wire.signers import SIGNATURES_LIMIT_BYTES
from amana.wire.vocabulary import Deployment
from crypto.merkle import MAX_PROOF_HASHES

ROOT: Final = "/pull/v1"
"""Where the portal answers a pull. Another version of the messages lies elsewhere."""

PAGE_ENTRIES: Final = 256
"""Most entries of one page of the list. Ours: a page then takes about 120 KB."""

EVENT_LIMIT_BYTES: Final = 128 << 10
"""Longest sealed custody event: 32 KiB of event on a step of 64 KiB, and what sealing adds."""

NOTE_LIMIT_BYTES: Final = PackageNote.LIMIT_BYTES + SIGNATURES_LIMIT_BYTES
"""Longest package note with its signatures."""

CHECKPOINT_LIMIT_BYTES: Final = 32 << 10
"""Longest signed checkpoint that is passed on. Ours: the lines of log and cosigner take 8 KB."""

SEALED_RECEIPT_LIMIT_BYTES: Final = 40 << 20
"""Longest sealed receipt R2: the longest note (amana.wire.receipt) takes 33 MB, and padding adds at
most an eighth (docs/format/01-sealed-object.md)."""

FEEDBACK_LIMIT_BYTES: Final = 1 << 30
"""Longest post of a feedback batch: ENTRIES_LIMIT lines of 8,192 bytes, its head within."""

HashText = NewType("HashText", str)
"""One hash of a proof, in hexadecimal."""

_HASH: Final = hexadecimal(HashText, 32, "hash of a tree")


@record
class Listed:
    """One submission that waits on the portal, as the portal says."""

    submission_id: SubmissionId = carries(SUBMISSION_ID, "The submission.")
    note_sha256: Digest = carries(DIGEST, "SHA-256 of the package note's text.")
    received_on: date = carries(Day(), "The day on which it was whole.")
    objects: int = carries(
        Whole(1, OBJECTS_LIMIT + 1), "Sealed objects that the note names, all kinds together."
    )
    sealed_bytes: int = carries(Whole(1), "Bytes of all of them together.")
    event: SealedObject | None = carries(
        Nullable(Nested(SealedObject)), "The sealed custody event of its arrival."
    )


@record
class PullList(Document):
    """One page of what waits, in the order in which it should be fetched.

    FieldError: a submission twice, or more to come behind an empty page.
    """

    FORMAT: ClassVar = "amana/pull-list/v1"
    LIMIT_BYTES: ClassVar = 256 << 10

    entries: tuple[Listed, ...] = carries(
        Many(Nested(Listed), PAGE_ENTRIES), "What waits; the small before the large, by day."
    )
    more: bool = carries(Flag(), "Whether another page follows behind the last entry.")

    def __post_init__(self) -> None:
        if len({each.submission_id for each in self.entries}) != len(self.entries):
            raise FieldError("names a submission twice", "entries")
        if self.more and not self.entries:
            raise FieldError("is true behind nothing", "more")


@record
class PullAcknowledgement(Statement):
    """The quarantine's word that it has a submission whole and durable; the portal may delete it.

    Every sealed digest is named: bytes that nobody names are never deleted. FieldError: a digest
    twice.
    """

    FORMAT: ClassVar = "amana/pull-acknowledgement/v1"
    LIMIT_BYTES: ClassVar = 8 << 20

    submission_id: SubmissionId = carries(SUBMISSION_ID, "The submission.")
    note_sha256: Digest = carries(DIGEST, "SHA-256 of the package note's text.")
    sealed_sha256: tuple[Digest, ...] = carries(
        Many(DIGEST, OBJECTS_LIMIT + 2, least=1),
        "SHA-256 of every sealed object: those of the note in its order, then the event's.",
    )
    audience: LogOrigin = carries(LOG_ORIGIN, "The portal, by the name of its log.")
    deployment: Deployment = carries(Choice(Deployment), "Whether the material is real.")

    def __post_init__(self) -> None:
        if len(set(self.sealed_sha256)) != len(self.sealed_sha256):
            raise FieldError("names a digest twice", "sealed_sha256")


@record
class Acknowledged(Document):
    """The portal's answer to an acknowledgement; to the second one the same as to the first."""

    FORMAT: ClassVar = "amana/pull-acknowledged/v1"
    LIMIT_BYTES: ClassVar = 1_024

    submission_id: SubmissionId = carries(SUBMISSION_ID, "The submission.")
    acknowledged_on: date = carries(Day(), "The day of the first acknowledgement.")
    kept_until: date = carries(Day(), "From this day on the sealed bytes are removed.")


@record
class CheckpointAnswer(Document):
    """The log's signed checkpoint, and the proof that it continues an older one."""

    FORMAT: ClassVar = "amana/pull-checkpoint/v1"
    LIMIT_BYTES: ClassVar = 96 << 10

    old_size: int = carries(Whole(0), "Leaves of the checkpoint that was asked from.")
    checkpoint: str = carries(
        Text(CHECKPOINT_LIMIT_BYTES), "The signed checkpoint (chapter 4), as it stands."
    )
    proof: tuple[HashText, ...] = carries(
        Many(_HASH, MAX_PROOF_HASHES),
        "RFC 6962 consistency proof from the old size; empty where the log is smaller.",
    )


def list_path(after: SubmissionId | None = None) -> RequestPath:
    """Give the path of a page of the list: the first, or the one behind a submission."""
    return RequestPath(f"{ROOT}/list" + (f"?after={after}" if after else ""))


def note_path(submission: SubmissionId) -> RequestPath:
    """Give the path of a package note."""
    return RequestPath(f"{ROOT}/submissions/{submission}/note")


def event_path(submission: SubmissionId) -> RequestPath:
    """Give the path of the sealed custody event of an arrival."""
    return RequestPath(f"{ROOT}/submissions/{submission}/event")


def sealed_path(submission: SubmissionId, object_id: ObjectId) -> RequestPath:
    """Give the path of a sealed object."""
    return RequestPath(f"{ROOT}/submissions/{submission}/objects/{object_id}")


def acknowledge_path(submission: SubmissionId) -> RequestPath:
    """Give the path that takes an acknowledgement."""
    return RequestPath(f"{ROOT}/submissions/{submission}/acknowledgement")


def receipt_path(submission: SubmissionId) -> RequestPath:
    """Give the path that takes a sealed receipt R2."""
    return RequestPath(f"{ROOT}/submissions/{submission}/receipts")


def checkpoint_path(old_size: int) -> RequestPath:
    """Give the path of the checkpoint, with the proof from an older size."""
    return RequestPath(f"{ROOT}/checkpoint?from={old_size}")


COSIGN_PATH: Final = RequestPath(f"{ROOT}/checkpoint")
"""Takes the cosigned checkpoint."""

FEEDBACK_PATH: Final = RequestPath(f"{ROOT}/feedback")
"""Takes the lines of a feedback batch (amana.wire.feedback)."""
