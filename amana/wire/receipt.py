"""Receipts: what the provider holds in its hand, signed, to be checked off line for decades.

R1 is the portal's promise that a submission came in and will be in the log. R2 is the quarantine's
word on each item, which its own leaf binds. Neither names a provider, a file, an officer or a case;
R2 holds plaintext digests and is sealed to the provider before it leaves. Format:
docs/format/10-receipts.md.
"""

from datetime import date
from enum import StrEnum, unique
from typing import ClassVar

from amana.wire.documents import Document, Nested, Statement, carries, record
from amana.wire.errors import FieldError, UnprovenError
from amana.wire.event import CustodyEvent, EventType, Thing, ThingKind
from amana.wire.fields import Base64, Choice, Day, Many, Nullable, RawBytes, Text, Whole
from amana.wire.ids import (
    CONTENT_SHA256,
    CONTENT_SHA512,
    DIGEST,
    ITEM_ID,
    LOG_ORIGIN,
    RECEIPT_ID,
    SUBMISSION_ID,
    ContentSha256,
    ContentSha512,
    Digest,
    ItemId,
    LogOrigin,
    ReceiptId,
    SubmissionId,
    ThingId,
)
from amana.wire.signers import SIGNATURES_LIMIT_BYTES
from amana.wire.vocabulary import Deployment
from crypto import tlogproof
from crypto.errors import NoteError, ProofError, SignatureError
from crypto.note import SignedNote
from crypto.tlogproof import MAX_PROOF_BYTES, LogPolicy, ProvenLeaf, TlogProof
from terms.feedback import NotKeptReason

STATUS_VOCABULARY = Whole(1, 1_000)
"""Version of the feedback vocabulary that a status page uses (docs/format/13-terms.md)."""

DECISION_ITEMS = 16_384
"""Most items of one decision; those of a larger submission are decided in several."""

DECISION_LIMIT_BYTES = 32 << 20
"""Longest decision: 2,048 bytes on each item; the longest that can be said of one is 1,971."""

RECEIPT_LIMIT_BYTES = DECISION_LIMIT_BYTES + (1 << 16)
"""Longest receipt: a decision, an event of at most 32 KiB, and a few short fields."""

NOTE_LIMIT_BYTES = RECEIPT_LIMIT_BYTES + SIGNATURES_LIMIT_BYTES
"""Longest signed note of a receipt."""

DECISION_TYPES = frozenset({EventType.ACCESSION, EventType.DEACCESSION})
"""What a decision does: take items into custody for good, or let go of them."""


@unique
class Fate(StrEnum):
    """What became of an item, as far as its provider is told."""

    KEPT = "kept"
    WAITING = "waiting"
    RETURNED = "returned"
    NOT_KEPT = "not_kept"


@record
class ReceiptR1(Statement):
    """The portal's promise: this note came in on this day, and its leaf will be in that log.

    The event stands here whole, with its salt, so the holder can work out the leaf. FieldError:
    the event is not the portal's transfer of this note, or tells more than the day.
    """

    FORMAT: ClassVar = "amana/receipt-r1/v1"
    LIMIT_BYTES: ClassVar = 1 << 16

    receipt_id: ReceiptId = carries(RECEIPT_ID, "This receipt.")
    submission_id: SubmissionId = carries(SUBMISSION_ID, "The submission.")
    note_sha256: Digest = carries(DIGEST, "SHA-256 of the package note's text.")
    event: CustodyEvent = carries(
        Nested(CustodyEvent), "The event of the transfer; its leaf is what goes into the log."
    )
    log: LogOrigin = carries(LOG_ORIGIN, "The log that the leaf will be in.")
    merged_by: date = carries(Day(), "Last day by which the leaf will be in the log.")
    status_vocabulary: int = carries(STATUS_VOCABULARY, "Version of the words of a status.")

    def __post_init__(self) -> None:
        _check_event(self.event, self.submission_id, self.merged_by)
        if self.event.type is not EventType.TRANSFER:
            raise FieldError("is not a transfer", "event")
        if self.event.digest_after != self.note_sha256:
            raise FieldError("is about another note", "event")
        if self.event.digest_before is not None:
            raise FieldError("has a digest that a receipt may not show", "event")
        # A receipt does not say whose it is, so no one's may have what a witness's must not.
        if self.event.at is not None:
            raise FieldError("has a time where a receipt has a day", "event")


@record
class ReceiptItem:
    """What became of one item. FieldError: a reason without need, or need of one."""

    item_id: ItemId = carries(ITEM_ID, "The item.")
    provider_reference: str | None = carries(
        Nullable(Text(256)), "The provider's own reference, from the item manifest."
    )
    fate: Fate = carries(Choice(Fate), "What became of it.")
    reason: NotKeptReason | None = carries(
        Nullable(Choice(NotKeptReason)), "Why it was not kept; null in all other cases."
    )
    size: int | None = carries(
        Nullable(Whole(0)), "Bytes, as opened; null for what has none or was not opened."
    )
    sha256: ContentSha256 | None = carries(
        Nullable(CONTENT_SHA256), "SHA-256 of the bytes as opened."
    )
    sha512: ContentSha512 | None = carries(
        Nullable(CONTENT_SHA512), "SHA-512 of the bytes as opened."
    )
    terms: Digest | None = carries(
        Nullable(DIGEST), "SHA-256 of the terms snapshot that it is kept under."
    )

    def __post_init__(self) -> None:
        if (self.reason is not None) != (self.fate is Fate.NOT_KEPT):
            raise FieldError("does not fit what became of it", "reason")
        if self.terms is None and self.fate is Fate.KEPT:
            raise FieldError("is not named though the item is kept", "terms")
        if len({self.size is None, self.sha256 is None, self.sha512 is None}) != 1:
            raise FieldError("is not known together with size and digests", "sha256")


@record
class Decision(Document):
    """What the quarantine decided on items of a submission: the part of R2 that its leaf binds.

    FieldError: an item twice.
    """

    FORMAT: ClassVar = "amana/decision/v1"
    LIMIT_BYTES: ClassVar = DECISION_LIMIT_BYTES

    submission_id: SubmissionId = carries(SUBMISSION_ID, "The submission.")
    deployment: Deployment = carries(Choice(Deployment), "Whether the material is real.")
    note_sha256: Digest = carries(DIGEST, "SHA-256 of the package note's text.")
    sequence: int = carries(Whole(1, 1_000_000), "1 for the first on this submission, and so on.")
    previous: Digest | None = carries(
        Nullable(DIGEST), "SHA-256 of the decision before on this submission; null on the first."
    )
    decided_on: date = carries(Day(), "The day, in UTC.")
    items: tuple[ReceiptItem, ...] = carries(
        Many(Nested(ReceiptItem), DECISION_ITEMS, least=1), "Each item by itself."
    )

    def __post_init__(self) -> None:
        if (self.previous is None) != (self.sequence == 1):
            raise FieldError("does not fit the sequence", "previous")
        if len({each.item_id for each in self.items}) != len(self.items):
            raise FieldError("names an item twice", "items")


@record
class ReceiptR2(Statement):
    """The quarantine's word on each item of a submission. Sealed to the provider by the caller.

    The leaf of the event binds the decision, so two decisions cannot share a place in the log. A
    later one takes the place of what an earlier one said of the same items. FieldError: the event
    is not of this decision.
    """

    FORMAT: ClassVar = "amana/receipt-r2/v1"
    LIMIT_BYTES: ClassVar = RECEIPT_LIMIT_BYTES

    receipt_id: ReceiptId = carries(RECEIPT_ID, "This receipt.")
    decision: Decision = carries(Nested(Decision), "What was decided; its digest is in the event.")
    event: CustodyEvent = carries(
        Nested(CustodyEvent), "The event of this decision; its leaf is in the quarantine's log."
    )
    log: LogOrigin = carries(LOG_ORIGIN, "The log that the leaf will be in.")
    merged_by: date = carries(Day(), "Last day by which the leaf will be in the log.")
    status_vocabulary: int = carries(STATUS_VOCABULARY, "Version of the words of a status.")

    def __post_init__(self) -> None:
        _check_event(self.event, self.decision.submission_id, self.merged_by)
        if self.event.type not in DECISION_TYPES:
            raise FieldError("is not a decision", "event")
        if self.event.deployment is not self.decision.deployment:
            raise FieldError("is of another deployment", "event")
        if self.event.digest_after != self.decision.digest:
            raise FieldError("is about another decision", "event")
        if self.event.digest_before != self.decision.previous:
            raise FieldError("follows another decision", "event")


@record
class ReceiptFile(Document):
    """A receipt as its holder keeps it: the signed note, and the proof once there is one."""

    FORMAT: ClassVar = "amana/receipt-file/v1"
    LIMIT_BYTES: ClassVar = 2 * RECEIPT_LIMIT_BYTES

    note: str = carries(Text(NOTE_LIMIT_BYTES), "The signed note of R1 or R2, whole.")
    proof: str | None = carries(
        Nullable(Text(MAX_PROOF_BYTES)), "The C2SP tlog-proof of the leaf; null until it is merged."
    )
    timestamps: tuple[RawBytes, ...] = carries(
        Many(Base64(RawBytes, 1, 1 << 16), 8),
        "RFC 3161 stamps over the root of the proof's checkpoint, as DER.",
    )

    def prove(self, receipt: ReceiptR1 | ReceiptR2, policy: LogPolicy) -> ProvenLeaf | None:
        """Give what the proof shows of a receipt that was read from this note; None without one.

        UnprovenError: the receipt is not this note's, the policy is for a log other than the one
        that it names, or the proof does not show that its event is in that log.
        """
        try:
            note = SignedNote.parse(self.note.encode("utf-8"), limit_bytes=NOTE_LIMIT_BYTES)
        except NoteError as failure:
            raise UnprovenError("the file holds no signed receipt") from failure
        if note.text.encode("utf-8") != receipt.to_bytes():
            raise UnprovenError("the receipt is not the one in this file")
        if policy.log.name != receipt.log:
            raise UnprovenError("the receipt names another log")
        if self.proof is None:
            return None
        try:
            proof = TlogProof.parse(self.proof.encode("utf-8"))
            return tlogproof.verify(proof, leaf=receipt.event.leaf, policy=policy)
        except (ProofError, SignatureError) as failure:
            raise UnprovenError("the receipt is not proven to be in the log") from failure


def _check_event(event: CustodyEvent, submission: SubmissionId, merged_by: date) -> None:
    if event.thing != Thing(kind=ThingKind.SUBMISSION, id=ThingId(submission)):
        raise FieldError("is about another submission", "event")
    if merged_by < event.on:
        raise FieldError("is before the day of the event", "merged_by")
