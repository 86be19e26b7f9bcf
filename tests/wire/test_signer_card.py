"""Signer cards: a key signs for one purpose and some days, and a revocation is not forgotten."""

import dataclasses
from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from amana.wire.card import CardStatus, Pin
from amana.wire.errors import CardError, CardFault, FieldError, UnsignedError
from amana.wire.signer_card import ExpectedSigner, SignerCard, SignerPurpose, read_signers
from amana.wire.vocabulary import Deployment
from tests.wire import cards, givens
from tests.wire.cards import EXPECTED_MINTER, SIGNER_CARD, signer_after
from tests.wire.givens import DIRECTORY, TODAY, signed

DAY = timedelta(days=1)

REVOKED = signer_after(SIGNER_CARD, status=CardStatus.REVOKED)
RENEWED = signer_after(REVOKED, givens.a_signer("minter-2").key)
FRESH = signer_after(SIGNER_CARD, givens.a_signer("minter-2").key)


def notes(*chain: SignerCard) -> Sequence[bytes]:
    return [signed(card, *DIRECTORY[:2]) for card in chain]


def pinned(card: SignerCard) -> ExpectedSigner:
    pin = Pin(card_id=card.card_id, sequence=card.sequence)
    return dataclasses.replace(EXPECTED_MINTER, pin=pin)


def certified(
    chain: Sequence[SignerCard], expected: ExpectedSigner = EXPECTED_MINTER, on: date = TODAY
) -> SignerCard:
    """The first card of a chain, if it counts."""
    return read_signers(notes(*chain), expected).certify(chain[0].card_id, on=on)


def fault_of(
    chain: Sequence[SignerCard], expected: ExpectedSigner = EXPECTED_MINTER, on: date = TODAY
) -> CardFault:
    with pytest.raises(CardError) as refusal:
        certified(chain, expected, on)
    return refusal.value.fault


@pytest.mark.threat("T-12")
def test_a_certified_key_signs_for_its_purpose_and_days_only() -> None:
    assert certified([SIGNER_CARD]) == SIGNER_CARD
    pulling = dataclasses.replace(EXPECTED_MINTER, purpose=SignerPurpose.PULL)
    assert fault_of([SIGNER_CARD], pulling) is CardFault.ANOTHER_PURPOSE
    assert fault_of([SIGNER_CARD], on=SIGNER_CARD.valid_to + DAY) is CardFault.EXPIRED
    assert fault_of([SIGNER_CARD], on=SIGNER_CARD.valid_from - DAY) is CardFault.NOT_YET_VALID
    real = dataclasses.replace(SIGNER_CARD, deployment=Deployment.PRODUCTION)
    assert fault_of([real]) is CardFault.ANOTHER_DEPLOYMENT
    with pytest.raises(FieldError):
        dataclasses.replace(SIGNER_CARD, valid_to=SIGNER_CARD.valid_from + 90 * DAY)


@pytest.mark.threat("T-12")
def test_two_directory_keys_must_have_signed_every_card_of_a_trail() -> None:
    alone = [signed(SIGNER_CARD, DIRECTORY[0])]
    with pytest.raises(UnsignedError):
        read_signers(alone, EXPECTED_MINTER)
    with pytest.raises(UnsignedError):
        read_signers([*notes(SIGNER_CARD), signed(FRESH, DIRECTORY[0])], EXPECTED_MINTER)
    with pytest.raises(CardError):
        read_signers([], EXPECTED_MINTER)


@pytest.mark.threat("T-12")
def test_who_saw_a_key_revoked_never_takes_the_card_before_it_back() -> None:
    trail = read_signers(notes(REVOKED), pinned(SIGNER_CARD))
    assert trail.pin == pinned(REVOKED).pin
    with pytest.raises(CardError) as refusal:
        trail.certify(REVOKED.card_id, on=TODAY)
    assert refusal.value.fault is CardFault.REVOKED
    assert fault_of([SIGNER_CARD], pinned(REVOKED)) is CardFault.ROLLED_BACK
    assert fault_of([SIGNER_CARD, REVOKED], pinned(REVOKED)) is CardFault.REVOKED
    assert fault_of([SIGNER_CARD, FRESH], pinned(REVOKED)) is CardFault.CHAIN_BROKEN


@pytest.mark.threat("T-12")
def test_nobody_goes_on_along_the_chain_past_a_revocation_unseen() -> None:
    """The next key follows the revocation, so who shows it must show that as well."""
    assert certified([RENEWED], pinned(REVOKED)) == RENEWED
    assert fault_of([RENEWED], pinned(SIGNER_CARD)) is CardFault.CHAIN_BROKEN
    assert fault_of([SIGNER_CARD, RENEWED]) is CardFault.CHAIN_BROKEN
    assert fault_of([SIGNER_CARD, REVOKED, RENEWED], pinned(RENEWED)) is CardFault.REVOKED


def test_a_card_stays_good_beside_the_next_one() -> None:
    """Cards overlap, so that what was minted under the one before still counts."""
    assert certified([SIGNER_CARD, FRESH], pinned(FRESH)) == SIGNER_CARD
    assert certified([SIGNER_CARD, FRESH], pinned(SIGNER_CARD)) == SIGNER_CARD


def test_a_revocation_says_from_which_day_signatures_do_not_count() -> None:
    """An older one, whose day a log or a stamp shows, is not undone by a theft after it."""
    assert certified([SIGNER_CARD, REVOKED], on=REVOKED.valid_from - DAY) == SIGNER_CARD
    assert fault_of([SIGNER_CARD, REVOKED], on=REVOKED.valid_from) is CardFault.REVOKED
    ended = REVOKED.valid_to + DAY
    assert fault_of([SIGNER_CARD, REVOKED], on=ended) is CardFault.REVOKED
    assert fault_of([REVOKED], on=REVOKED.valid_from - DAY) is CardFault.REVOKED


def test_a_suspended_key_counts_again_when_a_later_card_says_so() -> None:
    suspended = signer_after(SIGNER_CARD, status=CardStatus.SUSPENDED)
    assert fault_of([SIGNER_CARD, suspended]) is CardFault.REVOKED
    assert certified([SIGNER_CARD, suspended, signer_after(suspended)]) == SIGNER_CARD


def test_a_card_that_is_not_in_the_trail_is_not_certified_by_it() -> None:
    trail = read_signers(notes(SIGNER_CARD), EXPECTED_MINTER)
    with pytest.raises(CardError) as refusal:
        trail.certify(FRESH.card_id, on=TODAY)
    assert refusal.value.fault is CardFault.CHAIN_BROKEN


def test_only_the_first_card_of_a_purpose_follows_none() -> None:
    with pytest.raises(FieldError, match="previous"):
        dataclasses.replace(SIGNER_CARD, sequence=2)
    with pytest.raises(FieldError, match="previous"):
        dataclasses.replace(SIGNER_CARD, previous=SIGNER_CARD.card_id)


def test_a_log_key_is_certified_as_one() -> None:
    with pytest.raises(FieldError):
        dataclasses.replace(SIGNER_CARD, purpose=SignerPurpose.PORTAL_LOG)
    card = dataclasses.replace(SIGNER_CARD, purpose=SignerPurpose.PORTAL_LOG, key=givens.LOG.key)
    assert SignerCard.from_bytes(card.to_bytes()) == card


@pytest.mark.threat("T-12")
def test_the_kit_pins_signer_cards_too() -> None:
    minting = cards.KIT.expected_signer(SignerPurpose.MINTING)
    assert minting == pinned(SIGNER_CARD)
    assert cards.KIT.expected_signer(SignerPurpose.PULL).pin is None
    with pytest.raises(FieldError, match="signers"):
        dataclasses.replace(cards.KIT, signers=cards.KIT.signers * 2)
