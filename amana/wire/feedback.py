"""Feedback: what providers are told, one sealed object of one size for each reader in each batch.

The quarantine makes a batch on its calendar whether there is news or not, so neither the portal
nor the network learns who got some. The objects are leaves of a tree; its root is in a signed
note, for no signature after quantum computers fits into 4 KiB beside a status. The portal carries
all of it and opens nothing but what a typed phrase opens. Format: docs/format/24-feedback.md.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import ClassVar, Final

from amana.wire.documents import Document, Nested, Statement, carries, record
from amana.wire.errors import FieldError, FormatError, UnprovenError
from amana.wire.fields import Base64, Choice, Day, Flag, Many, Nullable, RawBytes, Text, Whole
from amana.wire.ids import ACCOUNT_ID, DIGEST, SUBMISSION_ID, AccountId, Digest, SubmissionId
from amana.wire.vocabulary import Deployment
from crypto import canonical, merkle
from crypto.errors import NoteError, ProofError
from crypto.merkle import TreeHash
from crypto.note import SignedNote
from terms.feedback import FREE_TEXT, PARAMETERS, FeedbackCode, NotKeptReason, Parameter

SEALED_BYTES: Final = 4_096
"""Length of every sealed feedback object: the floor of a record (crypto.padding)."""

CONTENT_LIMIT_BYTES: Final = 2_421
"""Longest content that still seals to SEALED_BYTES: less header, nonce, tag and trailer."""

TEXT_LIMIT_BYTES: Final = 1_600
"""Longest free text of one status, as JSON writes it: with the longest status around it and the
content around that it still fits alone. Ours; a longer text goes on in the next batch."""

STATUSES_LIMIT: Final = 12
"""Most statuses of one content. Ours: the longest page of so many, in Arabic, is under 14 KiB."""

ENTRIES_LIMIT: Final = 1 << 17
"""Most entries of one batch. Ours: 10,000 witness accounts and the readers of 500 organisations,
ten times."""

BATCH_NOTE_LIMIT_BYTES: Final = 16_384
"""Longest signed note of a batch: two signatures take about 3,600 bytes."""

LINE_LIMIT_BYTES: Final = 3 * BATCH_NOTE_LIMIT_BYTES
"""Longest line of a post: the head, whose note may double when JSON escapes it."""

FEEDBACK_PATH: Final = "/api/v1/feedback"
"""Where a member asks the portal for it, in a session (docs/format/23-upload.md)."""

NUMBER: Final = Whole(1, 1_000_000)
"""Number of a batch: weekly, 19,000 years."""

_DEEPEST: Final = ENTRIES_LIMIT.bit_length() - 1


@record
class FeedbackStatus:
    """One status of one submission, or of none in particular.

    FieldError: a parameter that the code does not carry, or lacks; a text over TEXT_LIMIT_BYTES as
    JSON; the general update tied to a submission, which must be the same for everybody.
    """

    submission_id: SubmissionId | None = carries(
        Nullable(SUBMISSION_ID), "What it is about; null where it is about none in particular."
    )
    code: FeedbackCode = carries(Choice(FeedbackCode), "What is said.")
    on: dt.date = carries(Day(), "The day from which it is so.")
    reason: NotKeptReason | None = carries(
        Nullable(Choice(NotKeptReason)), "Why something was not kept, where the code carries it."
    )
    date: dt.date | None = carries(Nullable(Day()), "The date that the code carries, if it does.")
    text: str | None = carries(
        Nullable(Text(TEXT_LIMIT_BYTES)), "The question or text that two officers released."
    )

    def __post_init__(self) -> None:
        carried = PARAMETERS[self.code]
        if (self.reason is not None) != (Parameter.REASON in carried):
            raise FieldError("does not fit the code", "reason")
        if (self.date is not None) != (Parameter.DATE in carried):
            raise FieldError("does not fit the code", "date")
        if (self.text is not None) != (not carried.isdisjoint(FREE_TEXT)):
            raise FieldError("does not fit the code", "text")
        if self.text is not None and len(canonical.encode(self.text)) > TEXT_LIMIT_BYTES:
            raise FieldError(f"is longer than {TEXT_LIMIT_BYTES} bytes as JSON", "text")
        if self.code is FeedbackCode.GENERAL_UPDATE and self.submission_id is not None:
            raise FieldError("stands in what all are told alike", "submission_id")


@record
class FeedbackContent(Document):
    """What stands in one sealed object. FieldError: a later status behind an earlier one."""

    FORMAT: ClassVar = "amana/feedback/v1"
    LIMIT_BYTES: ClassVar = CONTENT_LIMIT_BYTES

    account: AccountId = carries(ACCOUNT_ID, "Whom it is for.")
    number: int = carries(NUMBER, "The batch that it is in.")
    statuses: tuple[FeedbackStatus, ...] = carries(
        Many(Nested(FeedbackStatus), STATUSES_LIMIT), "Newest first; none where there is no news."
    )
    more: bool = carries(Flag(), "Whether there are older ones that had no room.")

    def __post_init__(self) -> None:
        if any(after.on > before.on for before, after in pairwise(self.statuses)):
            raise FieldError("is not in order, newest first", "statuses")


@record
class FeedbackBatch(Statement):
    """What the quarantine signs of a batch: its day, and the root over its objects.

    FieldError: the next one is not after this one, or an empty tree has another root.
    """

    FORMAT: ClassVar = "amana/feedback-batch/v1"
    LIMIT_BYTES: ClassVar = 4_096

    number: int = carries(NUMBER, "1 for the first, then one more each time.")
    deployment: Deployment = carries(Choice(Deployment), "Whether material is real.")
    published_on: dt.date = carries(Day(), "First day on which it may be shown.")
    next_on: dt.date = carries(Day(), "The day of the next one, news or not.")
    size: int = carries(Whole(0, ENTRIES_LIMIT), "How many entries there are.")
    root: Digest = carries(DIGEST, "RFC 6962 root over the leaves of the entries, in order.")

    def __post_init__(self) -> None:
        if self.next_on <= self.published_on:
            raise FieldError("is not after this one", "next_on")
        if not self.size and self.root != merkle.EMPTY_ROOT.hex():
            raise FieldError("is not that of an empty tree", "root")


@record
class FeedbackLeaf(Document):
    """What one leaf of the tree binds."""

    FORMAT: ClassVar = "amana/feedback-leaf/v1"
    LIMIT_BYTES: ClassVar = 1_024

    account: AccountId = carries(ACCOUNT_ID, "Whom the object is for.")
    number: int = carries(NUMBER, "The batch.")
    sealed_sha256: Digest = carries(DIGEST, "SHA-256 of the sealed object.")

    @property
    def hash(self) -> TreeHash:
        """RFC 6962 leaf hash of the leaf's bytes."""
        return merkle.leaf_hash(self.to_bytes())


@record
class FeedbackEntry(Document):
    """One sealed object of a batch, and the proof that it is in it. See require_entry."""

    FORMAT: ClassVar = "amana/feedback-entry/v1"
    LIMIT_BYTES: ClassVar = 8_192

    account: AccountId = carries(ACCOUNT_ID, "Whom the object is for.")
    number: int = carries(NUMBER, "The batch.")
    index: int = carries(Whole(0, ENTRIES_LIMIT - 1), "Which leaf it is, from 0.")
    hashes: tuple[Digest, ...] = carries(
        Many(DIGEST, _DEEPEST), "RFC 9162 inclusion proof, from the leaf to the root."
    )
    sealed: RawBytes = carries(
        Base64(RawBytes, SEALED_BYTES, SEALED_BYTES), "The sealed object, whole."
    )

    @property
    def leaf(self) -> FeedbackLeaf:
        """What the tree binds of it."""
        digest = Digest(hashlib.sha256(self.sealed).hexdigest())
        return FeedbackLeaf(account=self.account, number=self.number, sealed_sha256=digest)


@record
class FeedbackHead(Document):
    """The first line of a post: the batch's note. One line for each entry follows, in order."""

    FORMAT: ClassVar = "amana/feedback-post/v1"
    LIMIT_BYTES: ClassVar = LINE_LIMIT_BYTES

    note: str = carries(Text(BATCH_NOTE_LIMIT_BYTES), "The signed note of the batch, whole.")


@record
class FeedbackAnswer(Document):
    """What the portal gives a member: the newest batch's note, and the entries of its account.

    signers are signer cards of the quarantine's key as notes, oldest first; the portal's word for
    them counts nothing.
    """

    FORMAT: ClassVar = "amana/feedback-answer/v1"
    LIMIT_BYTES: ClassVar = 2 << 20

    note: str = carries(Text(BATCH_NOTE_LIMIT_BYTES), "The signed note of the batch, whole.")
    entries: tuple[FeedbackEntry, ...] = carries(
        Many(Nested(FeedbackEntry), 64), "One for each enrolled reader of the account."
    )
    signers: tuple[str, ...] = carries(
        Many(Text(65_536), 16), "Signer cards as notes, oldest first; untrusted."
    )


def require_entry(batch: FeedbackBatch, entry: FeedbackEntry) -> None:
    """Return only if the entry is in the batch, at its index, with this account and object.

    The batch must be believed before: read_signed. UnprovenError: it is not shown to be.
    """
    if entry.number != batch.number:
        raise UnprovenError("the entry names another batch")
    try:
        merkle.verify_inclusion(
            [bytes.fromhex(each) for each in entry.hashes],
            leaf=entry.leaf.hash,
            index=entry.index,
            size=batch.size,
            root=TreeHash(bytes.fromhex(batch.root)),
        )
    except ProofError as failure:
        raise UnprovenError("the entry is not proven to be in the batch") from failure


def read_batch_unsigned(untrusted_note: bytes) -> FeedbackBatch:
    """Give the batch in a note as nobody's word: for whoever only carries it.

    FormatError, FieldError: it is no such note.
    """
    try:
        note = SignedNote.parse(untrusted_note, limit_bytes=BATCH_NOTE_LIMIT_BYTES)
    except NoteError as failure:
        raise FormatError("the bytes are not a signed note within the limit") from failure
    return FeedbackBatch.from_bytes(note.text.encode("utf-8"))


def write_post(note: bytes, entries: Iterable[FeedbackEntry]) -> Iterator[bytes]:
    """Yield the lines in which a batch is posted: its head, then its entries in order.

    FieldError: the note is no text within the limit.
    """
    try:
        head = FeedbackHead(note=note.decode("utf-8"))
    except UnicodeDecodeError as failure:
        raise FieldError("is not text", "note") from failure
    yield head.to_bytes() + b"\n"
    for entry in entries:
        yield entry.to_bytes() + b"\n"


class PostReader:
    """Reads a post, cut anywhere; whether it was whole shows only at its end.

    batch: the head's, once its line has come.
    """

    def __init__(self) -> None:
        self.batch: FeedbackBatch | None = None
        self._note = b""
        self._rest = bytearray()
        self._entries = 0

    def take(self, untrusted: bytes) -> Iterator[FeedbackEntry]:
        """Yield the entries that end in this piece, each proven to be in the batch.

        FormatError, FieldError: a line is not what its place asks for. UnprovenError: an entry is
        not in the batch, or not at its place.
        """
        first, *others = untrusted.split(b"\n")
        self._keep(first)
        for start in others:
            line = bytes(self._rest)
            self._rest.clear()
            if self.batch is None:
                self._read_head(line)
            else:
                yield self._read_entry(line, self.batch)
            self._keep(start)

    def whole(self) -> tuple[FeedbackBatch, bytes]:
        """Give the batch and its note, when all has come. FormatError: the post is cut."""
        if self._rest or self.batch is None or self._entries != self.batch.size:
            raise FormatError("the post is cut, or has no head")
        return self.batch, self._note

    def _keep(self, part: bytes) -> None:
        self._rest += part
        if len(self._rest) > LINE_LIMIT_BYTES:
            raise FormatError("a line of the post is longer than allowed")

    def _read_head(self, line: bytes) -> None:
        self._note = FeedbackHead.from_bytes(line).note.encode("utf-8")
        self.batch = read_batch_unsigned(self._note)

    def _read_entry(self, line: bytes, batch: FeedbackBatch) -> FeedbackEntry:
        entry = FeedbackEntry.from_bytes(line)
        if entry.index != self._entries:
            raise UnprovenError("the entry is not at its place")
        require_entry(batch, entry)
        self._entries += 1
        return entry
