"""Key cards: which recipient an account's material is sealed to, said by 2 of 3 directory keys.

A card follows the one before it by digest, so a reader that remembers the last card it believed
cannot be taken back to an older one, nor aside to another. There is no trust on first use: the
first card is pinned in the enrolment kit. Format: docs/format/09-key-cards.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum, unique
from types import MappingProxyType
from typing import ClassVar, Final, Self

from amana.wire.documents import Statement, carries, record
from amana.wire.errors import CardError, CardFault, FieldError
from amana.wire.fields import Choice, Day, Nullable, Whole
from amana.wire.ids import ACCOUNT_ID, CARD_ID, RECIPIENT, AccountId, CardId, RecipientText
from amana.wire.signers import read_signed_by_some
from amana.wire.vocabulary import Deployment
from crypto.note import DualKey

THRESHOLD: Final = 2
"""Directory keys that must have signed, of three (docs/keys.md)."""

SEQUENCE: Final = Whole(1, 1_000_000)
"""Cards of one account count from 1: two a year and some revocations."""

CARD_LIMIT_BYTES: Final = 16_384
"""Longest card: a recipient of 1,959 characters and a dozen short fields."""


@unique
class Audience(StrEnum):
    """Whom a card is for. One-time cards are minted, see amana.wire.minted."""

    CSO = "cso"
    WITNESS_MONTH = "witness-month"


LONGEST_DAYS: Final = MappingProxyType({Audience.CSO: 215, Audience.WITNESS_MONTH: 45})
"""Longest validity: an epoch of 6 months and 30 days of overlap; a month and 14 days."""


@unique
class CardStatus(StrEnum):
    """Whether the recipient may be sealed to. A change of status is a new card."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


@record
class KeyCard(Statement):
    """An account's current recipient.

    FieldError: a CSO's card without an account or a month's card with one, an end before the
    beginning or beyond LONGEST_DAYS, a first card with a previous one or a later card without.
    """

    FORMAT: ClassVar = "amana/key-card/v1"
    LIMIT_BYTES: ClassVar = CARD_LIMIT_BYTES

    audience: Audience = carries(Choice(Audience), "Whom the card is for.")
    account: AccountId | None = carries(
        Nullable(ACCOUNT_ID), "The account of a CSO; null on the witnesses' card of a month."
    )
    deployment: Deployment = carries(Choice(Deployment), "Whether material is real.")
    recipient: RecipientText = carries(RECIPIENT, "What material is sealed to.")
    valid_from: date = carries(Day(), "First day on which to seal to it.")
    valid_to: date = carries(Day(), "Last day on which to seal to it.")
    status: CardStatus = carries(Choice(CardStatus), "Whether it may be sealed to at all.")
    sequence: int = carries(SEQUENCE, "1 for the first card of a chain, then one more each time.")
    previous: CardId | None = carries(
        Nullable(CARD_ID), "The card that this one follows; null on the first."
    )

    def __post_init__(self) -> None:
        if (self.account is not None) != (self.audience is Audience.CSO):
            raise FieldError("does not fit the audience", "account")
        if (self.previous is None) != (self.sequence == 1):
            raise FieldError("does not fit the sequence", "previous")
        check_days(self.valid_from, self.valid_to, LONGEST_DAYS[self.audience])

    @property
    def card_id(self) -> CardId:
        """The digest of the card's text, by which everything refers to it."""
        return CardId(self.digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """The last genuine card that a reader saw: what the next one must be, or follow."""

    card_id: CardId
    sequence: int

    @classmethod
    def of(cls, card: KeyCard) -> Self:
        """Give the pin to remember of a card that was the next one."""
        return cls(card_id=card.card_id, sequence=card.sequence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a reader knows before it sees a card: whose it must be, and whose word counts."""

    directory: tuple[DualKey, ...]
    deployment: Deployment
    audience: Audience
    account: AccountId | None
    pin: Pin | None


def verify_card(
    untrusted: bytes, expected: Expected, *, on: date, links: Sequence[bytes] = ()
) -> KeyCard:
    """Give the card in a note, if it may be sealed to on this day: next_card() and check_usable().

    For a reader that remembers nothing. One that does calls the two itself, and remembers between
    them. links: the notes of the cards between the pinned one and this one, oldest first; they may
    have ended. Errors: as the two.
    """
    for untrusted_link in links:
        expected = replace(expected, pin=Pin.of(next_card(untrusted_link, expected)))
    card = next_card(untrusted, expected)
    check_usable(card, on)
    return card


def next_card(untrusted: bytes, expected: Expected) -> KeyCard:
    """Give the card in a note, if it is genuine and the pinned one or the one after it.

    It may be revoked, or have ended. Remember Pin.of(card) before anything else is asked of it:
    whoever forgets a card because it was revoked takes the one before it back.
    UnsignedError: fewer than THRESHOLD directory keys signed. FormatError, FieldError: no card.
    CardError: another's card, older than the pin, or not what follows it.
    """
    card = read_signed_by_some(KeyCard, untrusted, expected.directory, THRESHOLD)
    if card.deployment is not expected.deployment:
        raise CardError(CardFault.ANOTHER_DEPLOYMENT)
    if card.audience is not expected.audience:
        raise CardError(CardFault.ANOTHER_AUDIENCE)
    if card.account != expected.account:
        raise CardError(CardFault.ANOTHER_ACCOUNT)
    if expected.pin is not None:
        _check_follows(card, expected.pin)
    return card


def check_usable(card: KeyCard, on: date) -> None:
    """Judge whether a card may be sealed to. CardError: revoked, or not valid on this day."""
    if card.status is not CardStatus.ACTIVE:
        raise CardError(CardFault.REVOKED)
    check_current(card.valid_from, card.valid_to, on)


def check_days(first: date, last: date, longest_days: int) -> None:
    """Judge a validity. FieldError: it ends before it begins, or is too long."""
    if not timedelta(0) <= last - first < timedelta(days=longest_days):
        raise FieldError(f"is not within {longest_days} days from the first", "valid_to")


def check_current(first: date, last: date, on: date) -> None:
    """Judge a day. CardError: it is before the first day or after the last."""
    if on < first:
        raise CardError(CardFault.NOT_YET_VALID)
    if on > last:
        raise CardError(CardFault.EXPIRED)


def _check_follows(card: KeyCard, pin: Pin) -> None:
    if card.sequence < pin.sequence:
        raise CardError(CardFault.ROLLED_BACK)
    before = card.card_id if card.sequence == pin.sequence else card.previous
    if card.sequence > pin.sequence + 1 or before != pin.card_id:
        raise CardError(CardFault.CHAIN_BROKEN)
