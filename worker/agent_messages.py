"""What is said to the key agent, and what it answers.

A message is four bytes of length, big-endian, and one document: canonical JSON that names its own
format. A connection carries one request and one answer. No message carries an identity, and only
one a passphrase. Format: docs/format/25-key-store.md section 6.
"""

import re
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import ClassVar, Final, NewType, TypeAlias

from amana.wire.documents import Document, Nested, carries, record
from amana.wire.errors import FieldError
from amana.wire.fields import Base64, Choice, Flag, Many, Nullable, Text, Token, Whole
from amana.wire.ids import (
    CARD_ID,
    DIGEST,
    RECIPIENT,
    SUBMISSION_ID,
    CardId,
    Digest,
    RecipientText,
    SubmissionId,
)
from crypto.filekey import FILE_KEY_SIZE
from crypto.padding import HYBRID_HEADER_SIZE
from terms.vocabulary import HandlingClass

MESSAGE_LIMIT_BYTES: Final = 1 << 20
"""Longest message. Ours: HEADERS_PER_REQUEST headers in base64url are 555,520 characters."""
LENGTH_BYTES: Final = 4
"""Bytes of length before each message."""
HEADERS_PER_REQUEST: Final = 256
"""Ours: about a tenth of a second of work, for which nobody else is answered."""
PASSPHRASE_LIMIT_BYTES: Final = 1_024
"""Ours: ten times the longest that people type."""

OfficerName = NewType("OfficerName", str)
"""Whose passphrase it is: a role or a number, chosen at the ceremony."""
OFFICER: Final = Token(
    OfficerName,
    re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII),
    "officer: 1 to 32 lower-case ASCII letters, digits or `-`, the first a letter",
)

SealedHeader = NewType("SealedHeader", bytes)
"""The age header of one sealed object: always HYBRID_HEADER_SIZE bytes."""
SecretBytes = NewType("SecretBytes", bytes)
"""A file key on its way to whoever asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardHolder:
    """The intake identity whose recipient stands on this key card."""

    card: CardId


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassHolder:
    """The class identity of what one submission has of one handling class."""

    submission: SubmissionId
    handling_class: HandlingClass


Holder: TypeAlias = CardHolder | ClassHolder
"""Whose identity opens a header."""


@record
class HolderName:
    """Which identity: that of a card, or that of a submission's handling class."""

    card: CardId | None = carries(Nullable(CARD_ID), "The card; null for a class identity.")
    submission: SubmissionId | None = carries(
        Nullable(SUBMISSION_ID), "The submission; null for an intake identity."
    )
    handling_class: HandlingClass | None = carries(
        Nullable(Choice(HandlingClass)), "The class; null for an intake identity."
    )

    def __post_init__(self) -> None:
        class_parts = (self.submission, self.handling_class)
        if self.card is None and None in class_parts:
            raise FieldError("names neither a card nor a submission and its class")
        if self.card is not None and class_parts != (None, None):
            raise FieldError("names both a card and a class")

    @classmethod
    def of(cls, holder: Holder) -> "HolderName":
        """Give the name of a holder as messages carry it."""
        match holder:
            case CardHolder(card=card):
                return cls(card=card, submission=None, handling_class=None)
            case ClassHolder(submission=submission, handling_class=handling_class):
                return cls(card=None, submission=submission, handling_class=handling_class)

    @property
    def holder(self) -> Holder:
        """The holder that is named."""
        if self.submission is not None and self.handling_class is not None:
            return ClassHolder(submission=self.submission, handling_class=self.handling_class)
        if self.card is None:
            raise FieldError("names neither a card nor a submission and its class")
        return CardHolder(card=self.card)


class Message(Document):
    """Any message, of a bounded length."""

    __slots__ = ()
    LIMIT_BYTES: ClassVar = MESSAGE_LIMIT_BYTES


@record
class Unlock(Message):
    """Take an officer's keys into memory. Never shown by repr."""

    FORMAT: ClassVar = "amana/key-agent-unlock/v1"

    officer: OfficerName = carries(OFFICER, "Whose keys.")
    passphrase: str = carries(Text(PASSPHRASE_LIMIT_BYTES), "As it was typed, in NFC.")

    def __repr__(self) -> str:
        return "Unlock(hidden)"


@record
class Lock(Message):
    """Forget the keys at once."""

    FORMAT: ClassVar = "amana/key-agent-lock/v1"


@record
class AskStatus(Message):
    """Say how things stand."""

    FORMAT: ClassVar = "amana/key-agent-ask-status/v1"


@record
class AskFileKeys(Message):
    """Give the file keys of some headers of one submission."""

    FORMAT: ClassVar = "amana/key-agent-ask-file-keys/v1"

    submission: SubmissionId = carries(SUBMISSION_ID, "Whose objects they are, for the journal.")
    holder: HolderName = carries(Nested(HolderName), "Which identity opens them.")
    headers: tuple[SealedHeader, ...] = carries(
        Many(Base64(SealedHeader, HYBRID_HEADER_SIZE, HYBRID_HEADER_SIZE), HEADERS_PER_REQUEST, 1),
        "The age headers of the objects, byte for byte.",
    )

    def __post_init__(self) -> None:
        if self.holder.submission not in (None, self.submission):
            raise FieldError("asks for one submission's objects with another's identity")


@record
class AskClassRecipient(Message):
    """Give the recipient of a submission's handling class; the first time it is made."""

    FORMAT: ClassVar = "amana/key-agent-ask-class-recipient/v1"

    submission: SubmissionId = carries(SUBMISSION_ID, "The submission.")
    handling_class: HandlingClass = carries(Choice(HandlingClass), "The class.")


@record
class MakeIntake(Message):
    """Make a new intake identity and give its recipient."""

    FORMAT: ClassVar = "amana/key-agent-make-intake/v1"


@record
class Bind(Message):
    """Say which card carries a recipient that `MakeIntake` gave."""

    FORMAT: ClassVar = "amana/key-agent-bind/v1"

    card: CardId = carries(CARD_ID, "The card.")
    recipient: RecipientText = carries(RECIPIENT, "The recipient that stands on it.")


@record
class Destroy(Message):
    """Destroy an identity for ever."""

    FORMAT: ClassVar = "amana/key-agent-destroy/v1"

    holder: HolderName = carries(Nested(HolderName), "Which identity.")


@unique
class AgentRefusal(StrEnum):
    """Why the key agent does not do it."""

    BUDGET_SPENT = "budget-spent"
    DESTROYED = "destroyed"
    FAULT = "fault"
    HEADER = "header"
    LOCKED = "locked"
    MALFORMED = "malformed"
    MISSING = "missing"
    NOT_CLEARED = "not-cleared"
    TAKEN = "taken"
    WRONG_PASSPHRASE = "wrong-passphrase"  # noqa: S105 - a word, not a passphrase


@record
class Refusal(Message):
    """The answer no."""

    FORMAT: ClassVar = "amana/key-agent-refusal/v1"

    reason: AgentRefusal = carries(Choice(AgentRefusal), "Why.")
    index: int | None = carries(
        Nullable(Whole(0, HEADERS_PER_REQUEST - 1)), "Which header; null if it is about none."
    )


@record
class Done(Message):
    """The answer yes, where there is nothing to give."""

    FORMAT: ClassVar = "amana/key-agent-done/v1"


@record
class GivenFileKeys(Message):
    """The file keys that were asked for, in the order of the headers. Never shown by repr."""

    FORMAT: ClassVar = "amana/key-agent-file-keys/v1"

    file_keys: tuple[SecretBytes, ...] = carries(
        Many(Base64(SecretBytes, FILE_KEY_SIZE, FILE_KEY_SIZE), HEADERS_PER_REQUEST, 1),
        "One file key for each header.",
    )

    def __repr__(self) -> str:
        return "GivenFileKeys(hidden)"


@record
class GivenRecipient(Message):
    """A recipient that was asked for."""

    FORMAT: ClassVar = "amana/key-agent-recipient/v1"

    recipient: RecipientText = carries(RECIPIENT, "The recipient.")


@record
class AgentStatus(Message):
    """How things stand with the key agent."""

    FORMAT: ClassVar = "amana/key-agent-status/v1"

    is_locked: bool = carries(Flag(), "Whether no officer's keys are in memory.")
    officer: OfficerName | None = carries(Nullable(OFFICER), "Who unlocked; null when locked.")
    cleared: tuple[HandlingClass, ...] = carries(
        Many(Choice(HandlingClass), len(HandlingClass)), "Which classes can be opened now."
    )
    unwraps_left: int = carries(Whole(0), "Unwraps that this unlocking still allows.")
    is_memory_locked: bool = carries(
        Flag(), "Whether the agent's memory can never reach a swap device."
    )
    destroyed: int = carries(Whole(0), "How many tombstones there are.")
    journal: Digest | None = carries(
        Nullable(DIGEST), "SHA-256 of the journal's last line, to be noted elsewhere."
    )


Request: TypeAlias = (
    Unlock | Lock | AskStatus | AskFileKeys | AskClassRecipient | MakeIntake | Bind | Destroy
)
Answer: TypeAlias = Refusal | Done | GivenFileKeys | GivenRecipient | AgentStatus

REQUESTS: Final[tuple[type[Request], ...]] = (
    Unlock,
    Lock,
    AskStatus,
    AskFileKeys,
    AskClassRecipient,
    MakeIntake,
    Bind,
    Destroy,
)
ANSWERS: Final[tuple[type[Answer], ...]] = (
    Refusal,
    Done,
    GivenFileKeys,
    GivenRecipient,
    AgentStatus,
)
