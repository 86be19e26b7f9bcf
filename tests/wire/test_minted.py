"""One-time cards: the directory, the minter and the path must all say yes."""

import dataclasses
import hashlib
from datetime import date, timedelta

import pytest

from amana.wire.card import CardStatus
from amana.wire.errors import CardError, CardFault, FieldError, UnprovenError, UnsignedError
from amana.wire.ids import BatchId
from amana.wire.minted import (
    MintedBatch,
    MintedCard,
    OneTimeCard,
    read_minters,
    verify_minted_card,
)
from amana.wire.signer_card import SignerPurpose
from amana.wire.vocabulary import Deployment
from tests.wire import cards, givens, proven
from tests.wire.cards import EXPECTED_MINTER, MINTED_BATCH, SIGNER_CARD, signer_after
from tests.wire.givens import DIRECTORY, MINTER, TODAY, signed

MINTED = proven.a_minted_card(1)


def verified(minted: MintedCard, on: date = TODAY) -> OneTimeCard:
    read = MintedCard.from_bytes(minted.to_bytes())
    return verify_minted_card(read, read_minters(read, EXPECTED_MINTER), on=on)


def fault_of(minted: MintedCard, on: date = TODAY) -> CardFault:
    with pytest.raises(CardError) as refusal:
        verified(minted, on)
    return refusal.value.fault


def with_batch(batch: MintedBatch) -> MintedCard:
    return dataclasses.replace(MINTED, batch=signed(batch, MINTER).decode())


@pytest.mark.parametrize("index", [0, 1, 2])
def test_every_card_of_a_batch_is_believed(index: int) -> None:
    card = verified(proven.a_minted_card(index))
    assert card == cards.ONE_TIME_CARDS[index]
    assert card.card_id == hashlib.sha256(card.to_bytes()).hexdigest()


@pytest.mark.threat("T-12")
def test_a_card_that_is_not_in_the_batch_is_refused() -> None:
    swapped = dataclasses.replace(MINTED.card, recipient=givens.a_recipient("mallory"))
    for wrong in (
        dataclasses.replace(MINTED, card=swapped),
        dataclasses.replace(MINTED, index=0),
        dataclasses.replace(MINTED, path=MINTED.path[:-1]),
        dataclasses.replace(MINTED, path=MINTED.path[::-1]),
    ):
        with pytest.raises(UnprovenError):
            verified(wrong)


@pytest.mark.threat("T-12")
def test_the_directory_must_have_certified_the_minter() -> None:
    alone = dataclasses.replace(MINTED, minters=(signed(SIGNER_CARD, DIRECTORY[0]).decode(),))
    with pytest.raises(UnsignedError):
        verified(alone)
    stranger = dataclasses.replace(MINTED, batch=signed(MINTED_BATCH, givens.PORTAL).decode())
    with pytest.raises(UnsignedError):
        verified(stranger)


@pytest.mark.threat("T-12")
def test_a_minted_card_is_for_its_days_only() -> None:
    day = timedelta(days=1)
    assert fault_of(MINTED, MINTED_BATCH.valid_from - day) is CardFault.NOT_YET_VALID
    assert fault_of(MINTED, MINTED_BATCH.valid_to + day) is CardFault.EXPIRED
    with pytest.raises(FieldError):
        dataclasses.replace(MINTED_BATCH, valid_to=MINTED_BATCH.valid_from + 35 * day)


@pytest.mark.threat("T-12")
def test_card_batch_and_minter_must_name_one_another() -> None:
    other = dataclasses.replace(MINTED_BATCH, minter=cards.CARD.card_id)
    assert fault_of(with_batch(other)) is CardFault.CHAIN_BROKEN
    renamed = dataclasses.replace(MINTED_BATCH, batch_id=givens.an_id(BatchId, "another"))
    assert fault_of(with_batch(renamed)) is CardFault.CHAIN_BROKEN
    real = dataclasses.replace(MINTED_BATCH, deployment=Deployment.PRODUCTION)
    assert fault_of(with_batch(real)) is CardFault.ANOTHER_DEPLOYMENT


@pytest.mark.threat("T-12")
def test_a_minted_card_ends_with_its_minters_key() -> None:
    """The revocation may come with the card, or from elsewhere; then it is remembered."""
    revocation = signer_after(SIGNER_CARD, status=CardStatus.REVOKED)
    revoked = signed(revocation, *DIRECTORY[:2])
    told = dataclasses.replace(MINTED, minters=(*MINTED.minters, revoked.decode()))
    assert fault_of(told) is CardFault.REVOKED
    trail = read_minters(MINTED, EXPECTED_MINTER, more=[revoked])
    with pytest.raises(CardError):
        verify_minted_card(MINTED, trail, on=TODAY)
    aware = dataclasses.replace(EXPECTED_MINTER, pin=trail.pin)
    with pytest.raises(CardError) as refusal:
        read_minters(MINTED, aware)
    assert refusal.value.fault is CardFault.ROLLED_BACK


def test_only_a_minting_card_mints() -> None:
    pulling = dataclasses.replace(EXPECTED_MINTER, purpose=SignerPurpose.PULL)
    card = signed(dataclasses.replace(SIGNER_CARD, purpose=SignerPurpose.PULL), *DIRECTORY[:2])
    by_puller = dataclasses.replace(MINTED, minters=(card.decode(),))
    for expected in (pulling, EXPECTED_MINTER):
        with pytest.raises(CardError) as refusal:
            read_minters(by_puller, expected)
        assert refusal.value.fault is CardFault.ANOTHER_PURPOSE


def test_a_card_names_nobody() -> None:
    assert set(OneTimeCard.__slots__) == {"batch_id", "deployment", "recipient"}
