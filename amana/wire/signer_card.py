"""Signer cards: which key a machine signs with for one purpose, said by 2 of 3 directory keys.

The keys that sign every day (minting, receipts, log) lie on machines that can be lost, so each is
certified for 90 days at most and for one purpose only. The cards of a purpose form one chain: a
revocation is its next card, and nobody who goes on along the chain can miss it.
Format: docs/format/09-key-cards.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum, unique
from itertools import pairwise
from typing import ClassVar, Final

from amana.wire.card import (
    CARD_LIMIT_BYTES,
    SEQUENCE,
    THRESHOLD,
    CardStatus,
    Pin,
    check_current,
    check_days,
)
from amana.wire.documents import Statement, carries, record
from amana.wire.errors import CardError, CardFault, FieldError
from amana.wire.fields import Choice, Day, Nullable
from amana.wire.ids import CARD_ID, CardId
from amana.wire.signers import SIGNER, read_signed_by_some
from amana.wire.vocabulary import Deployment
from crypto.note import DualKey, Purpose

LONGEST_SIGNER_DAYS: Final = 90
"""Longest validity of a signer's key (docs/keys.md)."""


@unique
class SignerPurpose(StrEnum):
    """What a certified key may sign, and nothing else."""

    MINTING = "minting"
    PORTAL_RECEIPTS = "portal-receipts"
    PORTAL_LOG = "portal-log"
    QUARANTINE_RECEIPTS = "quarantine-receipts"
    QUARANTINE_LOG = "quarantine-log"
    PULL = "pull"

    @property
    def key_purpose(self) -> Purpose:
        """The algorithms that a key for this must have."""
        match self:
            case SignerPurpose.PORTAL_LOG | SignerPurpose.QUARANTINE_LOG:
                return Purpose.LOG
            case _:
                return Purpose.NOTE


@record
class SignerCard(Statement):
    """A key and what it may sign, for how long.

    FieldError: a key whose algorithms do not fit the purpose, a validity over
    LONGEST_SIGNER_DAYS, a first card with a previous one or a later card without.
    """

    FORMAT: ClassVar = "amana/signer-card/v1"
    LIMIT_BYTES: ClassVar = CARD_LIMIT_BYTES

    purpose: SignerPurpose = carries(Choice(SignerPurpose), "What it may sign.")
    key: DualKey = carries(SIGNER, "The two public keys.")
    deployment: Deployment = carries(Choice(Deployment), "Whether material is real.")
    valid_from: date = carries(
        Day(), "First day on which its signatures count; or do not, unless the status is *active*."
    )
    valid_to: date = carries(Day(), "Last day on which its signatures count.")
    status: CardStatus = carries(Choice(CardStatus), "Whether its signatures count at all.")
    sequence: int = carries(SEQUENCE, "1 for the first card of a purpose, then one more each time.")
    previous: CardId | None = carries(
        Nullable(CARD_ID), "The card of this purpose that this one follows; null on the first."
    )

    def __post_init__(self) -> None:
        if self.key.purpose is not self.purpose.key_purpose:
            raise FieldError("does not fit the purpose", "key")
        if (self.previous is None) != (self.sequence == 1):
            raise FieldError("does not fit the sequence", "previous")
        check_days(self.valid_from, self.valid_to, LONGEST_SIGNER_DAYS)

    @property
    def card_id(self) -> CardId:
        """The digest of the card's text."""
        return CardId(self.digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedSigner:
    """What a reader knows before it sees a signer card: for what it must be, and whose word counts.

    pin: the last card of this purpose that the reader saw, None before the first.
    """

    directory: tuple[DualKey, ...]
    deployment: Deployment
    purpose: SignerPurpose
    pin: Pin | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerTrail:
    """Cards of one purpose that follow one another, oldest first; genuine, and not yet judged."""

    cards: tuple[SignerCard, ...]

    @property
    def pin(self) -> Pin:
        """What to remember, whatever is judged: whoever saw a key revoked does not forget it."""
        newest = self.cards[-1]
        return Pin(card_id=newest.card_id, sequence=newest.sequence)

    def certify(self, card_id: CardId, *, on: date) -> SignerCard:
        """Give a card of the trail, if its key's signatures of this day count.

        on: the day of the signature, which may be long ago; then something other than the
        signature must show it, such as a log. CardError: not in the trail (CHAIN_BROKEN), not
        valid on this day, or the last word on its key is that from this day or an earlier one on
        its signatures do not count (REVOKED).
        """
        found = [card for card in self.cards if card.card_id == card_id]
        if not found:
            raise CardError(CardFault.CHAIN_BROKEN)
        (card,) = found
        last = [each for each in self.cards if each.key == card.key][-1]
        if last.status is not CardStatus.ACTIVE and on >= last.valid_from:
            raise CardError(CardFault.REVOKED)
        if card.status is not CardStatus.ACTIVE:
            raise CardError(CardFault.REVOKED)
        check_current(card.valid_from, card.valid_to, on)
        return card


def read_signers(untrusted: Sequence[bytes], expected: ExpectedSigner) -> SignerTrail:
    """Give the signer cards in notes, if each follows the one before and none is left out.

    untrusted: oldest first, from the card that is asked about to the newest one known. They must
    reach the pinned card, or begin right behind it: so nobody can leave out a revocation that this
    reader has seen. Remember the trail's pin afterwards, and then ask certify().
    UnsignedError: fewer than THRESHOLD directory keys signed one of them. FormatError, FieldError:
    one is no such card. CardError: for another purpose or deployment (ANOTHER_…), all older than
    the pin (ROLLED_BACK), or not a chain, or one beside the pin (CHAIN_BROKEN).
    """
    cards = tuple(_genuine(each, expected) for each in untrusted)
    if not cards:
        raise CardError(CardFault.CHAIN_BROKEN)
    for before, after in pairwise(cards):
        if (after.sequence, after.previous) != (before.sequence + 1, before.card_id):
            raise CardError(CardFault.CHAIN_BROKEN)
    pin = expected.pin
    if pin is not None:
        if cards[-1].sequence < pin.sequence:
            raise CardError(CardFault.ROLLED_BACK)
        # Digests bind: whoever names the pinned card as the one before, follows it.
        if pin.card_id not in {cards[0].previous, *(card.card_id for card in cards)}:
            raise CardError(CardFault.CHAIN_BROKEN)
    return SignerTrail(cards=cards)


def _genuine(untrusted: bytes, expected: ExpectedSigner) -> SignerCard:
    card = read_signed_by_some(SignerCard, untrusted, expected.directory, THRESHOLD)
    if card.deployment is not expected.deployment:
        raise CardError(CardFault.ANOTHER_DEPLOYMENT)
    if card.purpose is not expected.purpose:
        raise CardError(CardFault.ANOTHER_PURPOSE)
    return card
