"""A draft: what a person has done so far, in a box that only the person's cookie opens.

It holds decisions, short facts and what the manifests need of each sealed item; never the ten
words, a name, a text or a digest of plaintext. The portal keeps the box and the hash of what finds
it; the key is in the cookie and in the memory of one request. Format: docs/format/18-portal.md
section 8.
"""

import secrets
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar, Final, NewType, Self

from amana.i18n import Language
from amana.wire.documents import Document, Nested, carries, record
from amana.wire.errors import FieldError, WireError
from amana.wire.fields import Base64, Choice, Day, Flag, Many, Nullable, Text
from amana.wire.ids import (
    ACCOUNT_ID,
    CARD_ID,
    CONSENT_ID,
    DIGEST,
    NONCE,
    RECIPIENT,
    AccountId,
    CardId,
    ConsentId,
    Digest,
    Nonce,
    RecipientText,
    hash_parts,
)
from amana.wire.submission import ReplyKeys
from crypto.errors import KeyFormatError, SecretBoxError
from crypto.recipients import HybridRecipient
from crypto.secretbox import KEY_BYTES, open_box, seal_box
from portal.account import Account
from portal.card import WitnessCard
from portal.consent import Answers
from portal.errors import RefusedError
from portal.refusal import Refusal
from portal.underway import SealedItem, Underway
from terms.consent import AgeBand, Answer, ConsentPurpose

DraftId = NewType("DraftId", str)
"""SHA-256 of the half of a cookie that finds its draft: names row and folder, and opens nothing."""

BOX_STEP_BYTES: Final = 8_192
"""Boxes have a multiple of so many bytes: words and answers do not show, items by the dozen do."""

ITEMS_LIMIT: Final = 2_000
"""Most items that a draft can name; the form's own limit is lower."""

_RECEIPT_BYTES: Final = 65_536
_LOOKUP_BYTES: Final = 16
_Secret = NewType("_Secret", bytes)
_COOKIE: Final = Base64(_Secret, _LOOKUP_BYTES + KEY_BYTES, _LOOKUP_BYTES + KEY_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftSecret:
    """What a cookie holds: 16 bytes that find a draft, and the 32 of its key."""

    lookup: bytes = field(repr=False)
    key: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> Self:
        """Make one."""
        return cls(lookup=secrets.token_bytes(_LOOKUP_BYTES), key=secrets.token_bytes(KEY_BYTES))

    @classmethod
    def read(cls, untrusted: str) -> Self:
        """Take one back from a cookie. RefusedError: DRAFT_GONE, it is none of ours."""
        try:
            raw = _COOKIE.read(untrusted)
        except FieldError:
            raise RefusedError(Refusal.DRAFT_GONE) from None
        return cls(lookup=raw[:_LOOKUP_BYTES], key=raw[_LOOKUP_BYTES:])

    @property
    def cookie(self) -> str:
        """The cookie's value: base64url of 48 bytes."""
        return str(_COOKIE.write(_Secret(self.lookup + self.key)))

    @property
    def draft_id(self) -> DraftId:
        """What row and folder are named by."""
        return DraftId(hash_parts("amana/draft-lookup/v1", self.lookup))


@record
class Answered:
    """One answer."""

    purpose: ConsentPurpose = carries(Choice(ConsentPurpose), "What was asked.")
    answer: Answer = carries(Choice(Answer), "What was answered.")


@record
class Draft(Document):
    """Everything that is known of a submission before it is handed over.

    receipt: R1, once it was; nothing changes any more then. FieldError: a purpose stands twice;
    keys for replies without a mailbox, or the other way round.
    """

    FORMAT: ClassVar = "amana/draft/v1"
    LIMIT_BYTES: ClassVar = 4 << 20

    nonce: Nonce = carries(NONCE, "Of the submission.")
    account: AccountId = carries(ACCOUNT_ID, "Of the submission.")
    mailbox: Digest | None = carries(Nullable(DIGEST), "Hash of the lookup id; null without words.")
    reply: ReplyKeys | None = carries(Nullable(Nested(ReplyKeys)), "Public; null without words.")
    card: CardId = carries(CARD_ID, "The witnesses' card when the draft began.")
    recipient: RecipientText = carries(RECIPIENT, "Its recipient.")
    consent_id: ConsentId = carries(CONSENT_ID, "Of the consent record, if there will be one.")
    on: date = carries(Day(), "The day of the answers.")
    language: Language = carries(Choice(Language), "The language in which they were asked.")
    answers: tuple[Answered, ...] = carries(
        Many(Nested(Answered), len(ConsentPurpose)), "What was answered."
    )
    age: AgeBand | None = carries(Nullable(Choice(AgeBand)), "Null where it was not said.")
    has_understood: bool = carries(Flag(), "Whether the person said so.")
    items: tuple[SealedItem, ...] = carries(
        Many(Nested(SealedItem), ITEMS_LIMIT), "What is sealed and durable, in order."
    )
    receipt: str | None = carries(Nullable(Text(_RECEIPT_BYTES)), "R1; null until handed over.")

    def __post_init__(self) -> None:
        purposes = [each.purpose for each in self.answers]
        if len(set(purposes)) != len(purposes):
            raise FieldError("has a purpose twice", "answers")
        if (self.mailbox is None) != (self.reply is None):
            raise FieldError("does not fit the mailbox", "reply")

    @classmethod
    def begin(cls, card: WitnessCard, holder: Account, language: Language, on: date) -> Self:
        """Give the draft of somebody who has decided nothing yet."""
        underway = Underway.begin(card, holder, has_consent=False)
        return cls(
            nonce=underway.nonce,
            account=holder.account,
            mailbox=holder.lookup_sha256,
            reply=holder.reply,
            card=card.card_id,
            recipient=RecipientText(card.recipient.to_text()),
            consent_id=underway.consent_id,
            on=on,
            language=language,
            answers=(),
            age=None,
            has_understood=False,
            items=(),
            receipt=None,
        )

    @property
    def underway(self) -> Underway:
        """The submission that this is a draft of."""
        return Underway(
            nonce=self.nonce,
            holder=Account(account=self.account, lookup_sha256=self.mailbox, reply=self.reply),
            card=WitnessCard(
                card_id=self.card, recipient=HybridRecipient.from_text(self.recipient)
            ),
            consent_id=self.consent_id,
            has_consent=bool(self.answers),
        )

    @property
    def given(self) -> Answers:
        """What was answered, as the consent record is made of it."""
        return Answers(
            purposes={each.purpose: each.answer for each in self.answers},
            age=self.age,
            has_understood=self.has_understood,
        )

    @property
    def content_bytes(self) -> int:
        """Bytes that were given so far."""
        return sum(each.content_size for each in self.items)

    @property
    def sealed_bytes(self) -> int:
        """Bytes on the disk so far."""
        return sum(each.sealed_size for each in self.items)


def to_box(draft: Draft, secret: DraftSecret) -> bytes:
    """Give the box of a draft."""
    return seal_box(secret.key, draft.to_bytes(), step_bytes=BOX_STEP_BYTES)


def from_box(untrusted: bytes, secret: DraftSecret) -> Draft:
    """Give the draft in a box. RefusedError: DRAFT_GONE, nobody with this cookie made it."""
    try:
        draft = Draft.from_bytes(open_box(secret.key, untrusted))
        HybridRecipient.from_text(draft.recipient)
    except (SecretBoxError, WireError, KeyFormatError):
        raise RefusedError(Refusal.DRAFT_GONE) from None
    return draft
