"""Key cards: two of three must say so, and nobody can be taken back or aside."""

import dataclasses
from datetime import date, timedelta

import pytest

from amana.wire.card import (
    Audience,
    CardStatus,
    KeyCard,
    Pin,
    check_usable,
    next_card,
    verify_card,
)
from amana.wire.errors import CardError, CardFault, FieldError, UnsignedError, WireError
from amana.wire.ids import AccountId
from amana.wire.kit import EnrolmentKit
from amana.wire.vocabulary import Deployment
from crypto.sign import NoteSigner
from tests.wire import givens
from tests.wire.cards import CARD, EXPECTED, KIT, card_after
from tests.wire.givens import DIRECTORY, DIRECTORY_KEYS, TODAY, signed

NOTE = signed(CARD, *DIRECTORY[:2])


def fault_of(card: KeyCard, on: date = TODAY) -> CardFault:
    with pytest.raises(CardError) as refusal:
        verify_card(signed(card, *DIRECTORY[:2]), EXPECTED, on=on)
    return refusal.value.fault


def test_the_card_of_the_kit_is_believed() -> None:
    kit = EnrolmentKit.from_bytes(KIT.to_bytes())
    assert verify_card(NOTE, kit.expected, on=TODAY) == CARD


@pytest.mark.threat("T-12")
@pytest.mark.parametrize(
    "signers",
    [DIRECTORY[:1], (DIRECTORY[0], DIRECTORY[0]), (DIRECTORY[0], givens.MEMBER)],
    ids=["one", "one-twice", "one-and-a-stranger"],
)
def test_a_card_signed_by_too_few_is_refused(signers: tuple[NoteSigner, ...]) -> None:
    with pytest.raises(UnsignedError):
        verify_card(signed(CARD, *signers), EXPECTED, on=TODAY)


@pytest.mark.threat("T-08")
def test_a_wrong_signature_beside_two_right_ones_rejects_the_card() -> None:
    other = signed(card_after(CARD), DIRECTORY[2]).splitlines(keepends=True)
    with pytest.raises(UnsignedError):
        verify_card(NOTE + b"".join(other[-2:]), EXPECTED, on=TODAY)


@pytest.mark.threat("T-12")
def test_a_card_is_for_its_days_only() -> None:
    day = timedelta(days=1)
    assert fault_of(CARD, on=CARD.valid_from - day) is CardFault.NOT_YET_VALID
    assert fault_of(CARD, on=CARD.valid_to + day) is CardFault.EXPIRED
    assert verify_card(NOTE, EXPECTED, on=CARD.valid_from) == CARD
    assert verify_card(NOTE, EXPECTED, on=CARD.valid_to) == CARD


@pytest.mark.threat("T-12")
def test_a_revoked_or_suspended_card_is_refused() -> None:
    assert fault_of(card_after(CARD, CardStatus.REVOKED)) is CardFault.REVOKED
    assert fault_of(card_after(CARD, CardStatus.SUSPENDED)) is CardFault.REVOKED


@pytest.mark.threat("T-12")
def test_a_card_of_another_account_audience_or_deployment_is_refused() -> None:
    other = givens.an_id(AccountId, "another")
    assert fault_of(dataclasses.replace(CARD, account=other)) is CardFault.ANOTHER_ACCOUNT
    month = dataclasses.replace(
        CARD, audience=Audience.WITNESS_MONTH, account=None, valid_to=date(2026, 10, 15)
    )
    assert fault_of(month) is CardFault.ANOTHER_AUDIENCE
    real = dataclasses.replace(CARD, deployment=Deployment.PRODUCTION)
    assert fault_of(real) is CardFault.ANOTHER_DEPLOYMENT


@pytest.mark.threat("T-12")
def test_a_reader_is_not_taken_back_nor_aside() -> None:
    second = card_after(CARD)
    assert verify_card(signed(second, *DIRECTORY), EXPECTED, on=TODAY) == second
    ahead = dataclasses.replace(EXPECTED, pin=Pin.of(second))
    with pytest.raises(CardError) as refusal:
        verify_card(NOTE, ahead, on=TODAY)
    assert refusal.value.fault is CardFault.ROLLED_BACK
    aside = dataclasses.replace(second, recipient=givens.a_recipient("mallory"))
    for forked in (aside, dataclasses.replace(CARD, recipient=aside.recipient)):
        pin = ahead if forked is aside else EXPECTED
        with pytest.raises(CardError) as refusal:
            verify_card(signed(forked, *DIRECTORY), pin, on=TODAY)
        assert refusal.value.fault is CardFault.CHAIN_BROKEN


@pytest.mark.threat("T-12")
def test_a_gap_is_crossed_only_over_every_card_between() -> None:
    second = card_after(CARD)
    third = card_after(second)
    newest = signed(third, *DIRECTORY)
    assert fault_of(third) is CardFault.CHAIN_BROKEN
    assert verify_card(newest, EXPECTED, on=TODAY, links=[signed(second, *DIRECTORY)]) == third
    with pytest.raises(UnsignedError):
        verify_card(newest, EXPECTED, on=TODAY, links=[signed(second, DIRECTORY[0])])


@pytest.mark.threat("T-12")
def test_a_number_in_the_chain_cannot_be_left_out() -> None:
    """Two directory keys sign a third card that names the first as the one before it."""
    leap = dataclasses.replace(card_after(CARD), sequence=3)
    assert fault_of(leap) is CardFault.CHAIN_BROKEN


@pytest.mark.threat("T-12")
@pytest.mark.parametrize("status", [CardStatus.REVOKED, CardStatus.SUSPENDED])
def test_a_card_that_may_not_be_used_is_the_next_one_all_the_same(status: CardStatus) -> None:
    """A reader remembers it; so the card before it is refused from then on."""
    revoked = next_card(signed(card_after(CARD, status), *DIRECTORY[:2]), EXPECTED)
    with pytest.raises(CardError) as refusal:
        check_usable(revoked, TODAY)
    assert refusal.value.fault is CardFault.REVOKED
    with pytest.raises(CardError) as refusal:
        next_card(NOTE, dataclasses.replace(EXPECTED, pin=Pin.of(revoked)))
    assert refusal.value.fault is CardFault.ROLLED_BACK


def test_the_months_card_of_witnesses_needs_no_pin() -> None:
    """Whoever has none cannot see a rollback; its short life bounds what that could do."""
    month = dataclasses.replace(
        CARD, audience=Audience.WITNESS_MONTH, account=None, valid_to=date(2026, 10, 15)
    )
    expected = dataclasses.replace(
        EXPECTED, audience=Audience.WITNESS_MONTH, account=None, pin=None
    )
    assert verify_card(signed(month, *DIRECTORY[1:]), expected, on=TODAY) == month
    with pytest.raises(FieldError, match="valid_to"):
        dataclasses.replace(month, valid_to=date(2026, 10, 16))


def test_a_card_that_contradicts_itself_is_refused() -> None:
    day = timedelta(days=1)
    with pytest.raises(FieldError, match="account"):
        dataclasses.replace(CARD, account=None)
    with pytest.raises(FieldError, match="previous"):
        dataclasses.replace(CARD, previous=CARD.card_id)
    with pytest.raises(FieldError, match="previous"):
        dataclasses.replace(CARD, sequence=2)
    for last in (CARD.valid_from - day, CARD.valid_from + 215 * day):
        with pytest.raises(FieldError, match="valid_to"):
            dataclasses.replace(CARD, valid_to=last)


@pytest.mark.parametrize("junk", [b"", b"\n\n", NOTE[:-9], NOTE + b"x", b"\xff" * 99])
def test_what_is_no_card_is_refused_in_our_own_words(junk: bytes) -> None:
    with pytest.raises(WireError):
        verify_card(junk, EXPECTED, on=TODAY)


def test_a_kit_has_three_different_signers() -> None:
    first, second, _ = DIRECTORY_KEYS
    with pytest.raises(FieldError):
        dataclasses.replace(KIT, directory=(first, second, second))
    with pytest.raises(FieldError):
        dataclasses.replace(KIT, directory=(first, second, givens.LOG.key))
