"""Signer cards: which key a machine signs with for one purpose, said by 2 of 3 directory keys.

The keys that sign every day (minting, receipts, log) lie on machines that can be lost, so each is
certified for 90 days at most and for one purpose only. Format: docs/format/09-key-cards.md.
"""

from collections.abc import Collection
from datetime import date
from enum import StrEnum, unique
from typing import ClassVar, Final

from amana.wire.card import CARD_LIMIT_BYTES, THRESHOLD, CardStatus, check_current, check_days
from amana.wire.documents import Statement, carries, record
from amana.wire.errors import CardError, CardFault, FieldError
from amana.wire.fields import Choice, Day
from amana.wire.ids import CardId
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

    FieldError: a key whose algorithms do not fit the purpose, or a validity over
    LONGEST_SIGNER_DAYS.
    """

    FORMAT: ClassVar = "amana/signer-card/v1"
    LIMIT_BYTES: ClassVar = CARD_LIMIT_BYTES

    purpose: SignerPurpose = carries(Choice(SignerPurpose), "What it may sign.")
    key: DualKey = carries(SIGNER, "The two public keys.")
    deployment: Deployment = carries(Choice(Deployment), "Whether material is real.")
    valid_from: date = carries(Day(), "First day on which its signatures count.")
    valid_to: date = carries(Day(), "Last day on which its signatures count.")
    status: CardStatus = carries(Choice(CardStatus), "Whether its signatures count at all.")

    def __post_init__(self) -> None:
        if self.key.purpose is not self.purpose.key_purpose:
            raise FieldError("does not fit the purpose", "key")
        check_days(self.valid_from, self.valid_to, LONGEST_SIGNER_DAYS)

    @property
    def card_id(self) -> CardId:
        """The digest of the card's text."""
        return CardId(self.digest)


def verify_signer(
    untrusted: bytes,
    directory: Collection[DualKey],
    *,
    purpose: SignerPurpose,
    deployment: Deployment,
    on: date,
) -> SignerCard:
    """Give the signer card in a note, if its key may sign for this purpose on this day.

    on: the day of the signature that is to be judged, which may be long ago.
    UnsignedError: fewer than THRESHOLD directory keys signed. FormatError, FieldError: no such
    card. CardError: for another purpose or deployment, not valid on this day, revoked.
    """
    card = read_signed_by_some(SignerCard, untrusted, directory, THRESHOLD)
    if card.deployment is not deployment:
        raise CardError(CardFault.ANOTHER_DEPLOYMENT)
    if card.purpose is not purpose:
        raise CardError(CardFault.ANOTHER_PURPOSE)
    if card.status is not CardStatus.ACTIVE:
        raise CardError(CardFault.REVOKED)
    check_current(card.valid_from, card.valid_to, on)
    return card
