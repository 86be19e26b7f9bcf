"""Whose keys are whose, in examples: a card of each kind, and the kit that pins the first."""

from dataclasses import replace
from datetime import date, timedelta

from amana.wire.card import Audience, CardStatus, Expected, KeyCard, Pin
from amana.wire.ids import BatchId, CardId, Digest
from amana.wire.kit import EnrolmentKit, SignerPin
from amana.wire.minted import MintedBatch, OneTimeCard
from amana.wire.signer_card import ExpectedSigner, SignerCard, SignerPurpose
from crypto import merkle
from crypto.note import DualKey
from tests.wire.givens import (
    ACCOUNT,
    DIRECTORY_KEYS,
    MINTER,
    TODAY,
    TRAINING,
    a_recipient,
    an_id,
)

CARD = KeyCard(
    audience=Audience.CSO,
    account=ACCOUNT,
    deployment=TRAINING,
    recipient=a_recipient("recipient"),
    valid_from=date(2026, 9, 1),
    valid_to=date(2027, 3, 30),
    status=CardStatus.ACTIVE,
    sequence=1,
    previous=None,
)
EXPECTED = Expected(
    directory=DIRECTORY_KEYS,
    deployment=TRAINING,
    audience=Audience.CSO,
    account=ACCOUNT,
    pin=Pin.of(CARD),
)
SIGNER_CARD = SignerCard(
    purpose=SignerPurpose.MINTING,
    key=MINTER.key,
    deployment=TRAINING,
    valid_from=date(2026, 9, 15),
    valid_to=date(2026, 12, 13),
    status=CardStatus.ACTIVE,
    sequence=1,
    previous=None,
)
ONE_TIME_CARDS = tuple(
    OneTimeCard(
        batch_id=an_id(BatchId, "minted"),
        deployment=TRAINING,
        recipient=a_recipient(f"one-time {number}"),
    )
    for number in range(3)
)
MINTED_LEAVES = [card.leaf for card in ONE_TIME_CARDS]
MINTED_BATCH = MintedBatch(
    batch_id=an_id(BatchId, "minted"),
    deployment=TRAINING,
    minter=SIGNER_CARD.card_id,
    valid_from=date(2026, 10, 1),
    valid_to=date(2026, 11, 4),
    cards=3,
    cards_root=Digest(merkle.root(MINTED_LEAVES).hex()),
)
EXPECTED_MINTER = ExpectedSigner(
    directory=DIRECTORY_KEYS,
    deployment=TRAINING,
    purpose=SignerPurpose.MINTING,
    pin=None,
)
KIT = EnrolmentKit(
    deployment=TRAINING,
    account=ACCOUNT,
    directory=DIRECTORY_KEYS,
    card=CARD.card_id,
    card_sequence=1,
    signers=(SignerPin.of(SIGNER_CARD),),
)


def card_after(card: KeyCard, status: CardStatus = CardStatus.ACTIVE) -> KeyCard:
    """The card that follows another, with a new recipient."""
    return KeyCard(
        audience=card.audience,
        account=card.account,
        deployment=card.deployment,
        recipient=a_recipient(f"recipient {card.sequence + 1}"),
        valid_from=TODAY,
        valid_to=date(2027, 4, 30),
        status=status,
        sequence=card.sequence + 1,
        previous=CardId(card.digest),
    )


def signer_after(
    card: SignerCard, key: DualKey = SIGNER_CARD.key, status: CardStatus = CardStatus.ACTIVE
) -> SignerCard:
    """The next card of a purpose, from today on; with the same key if no other is given."""
    return replace(
        card,
        key=key,
        status=status,
        valid_from=TODAY,
        valid_to=TODAY + timedelta(days=80),
        sequence=card.sequence + 1,
        previous=card.card_id,
    )
