"""What this machine believes of keys."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from amana.wire.card import CardStatus
from client.errors import KeysError
from client.trust import believe_card, load_kit
from examples.rehearsal import Rehearsal, prepare

pytestmark = pytest.mark.threat("T-12")


@pytest.fixture
def fresh(tmp_path: Path, day: date) -> Rehearsal:
    return prepare(tmp_path / "fresh", day)


def believe(rehearsal: Rehearsal, *cards: Path, on: date | None = None) -> str:
    """Return what the person is told, or the number of the card that is believed."""
    try:
        kit = load_kit(rehearsal.kit)
        card = believe_card(rehearsal.kit, kit, cards, on or rehearsal.today)
    except KeysError as refusal:
        return refusal.sentence.key
    return str(card.sequence)


def test_the_card_of_the_kit_is_believed_on_each_of_its_days(fresh: Rehearsal) -> None:
    assert believe(fresh, fresh.card) == "1"
    assert believe(fresh, fresh.card, on=fresh.today + timedelta(days=180)) == "1"
    assert believe(fresh, fresh.card, on=fresh.today + timedelta(days=181)) == "client.card-expired"
    assert (
        believe(fresh, fresh.card, on=fresh.today - timedelta(days=1))
        == "client.card-not-yet-valid"
    )


def test_one_signature_of_the_directory_is_too_few(fresh: Rehearsal) -> None:
    alone = fresh.write_card(fresh.make_card(), fresh.folder / "alone", signers=1)
    assert believe(fresh, alone) == "client.card-not-believed"


def test_another_directory_is_not_believed(fresh: Rehearsal, rehearsal: Rehearsal) -> None:
    assert believe(fresh, rehearsal.card) == "client.card-not-believed"


def test_once_a_newer_card_was_seen_the_old_one_is_refused(fresh: Rehearsal) -> None:
    second = fresh.write_card(fresh.make_card(previous=fresh.make_card()), fresh.folder / "second")
    assert believe(fresh, second) == "2"
    assert believe(fresh, fresh.card) == "client.card-rolled-back"
    assert believe(fresh, second) == "2"


def test_a_card_that_skips_one_needs_the_one_between(fresh: Rehearsal) -> None:
    one = fresh.make_card()
    two = fresh.make_card(previous=one)
    three = fresh.make_card(previous=two)
    between = fresh.write_card(two, fresh.folder / "two")
    newest = fresh.write_card(three, fresh.folder / "three")
    assert believe(fresh, newest) == "client.card-chain-broken"
    assert believe(fresh, between, newest) == "3"


def test_a_revoked_card_is_refused(fresh: Rehearsal) -> None:
    revoked = fresh.make_card(previous=fresh.make_card(), status=CardStatus.REVOKED)
    path = fresh.write_card(revoked, fresh.folder / "revoked")
    assert believe(fresh, path) == "client.card-revoked"


@pytest.mark.parametrize("status", [CardStatus.REVOKED, CardStatus.SUSPENDED])
def test_once_a_card_was_revoked_the_one_before_it_is_refused_too(
    fresh: Rehearsal, status: CardStatus
) -> None:
    """Otherwise whoever has the lost key only has to hand out the old card again."""
    first = fresh.make_card()
    revoked = fresh.make_card(previous=first, status=status)
    path = fresh.write_card(revoked, fresh.folder / "revoked")
    assert believe(fresh, fresh.card) == "1"
    assert believe(fresh, path) == "client.card-revoked"
    assert believe(fresh, fresh.card) == "client.card-rolled-back"
    third = fresh.write_card(fresh.make_card(previous=revoked), fresh.folder / "third")
    assert believe(fresh, third) == "3"


def test_a_card_that_has_ended_or_not_begun_is_remembered(fresh: Rehearsal) -> None:
    second = fresh.write_card(fresh.make_card(previous=fresh.make_card()), fresh.folder / "second")
    late = fresh.today + timedelta(days=200)
    assert believe(fresh, second, on=late) == "client.card-expired"
    assert believe(fresh, fresh.card) == "client.card-rolled-back"


def test_each_card_of_a_chain_is_remembered_though_the_next_is_refused(fresh: Rehearsal) -> None:
    second = fresh.make_card(previous=fresh.make_card())
    between = fresh.write_card(second, fresh.folder / "second")
    alone = fresh.write_card(fresh.make_card(previous=second), fresh.folder / "third", signers=1)
    assert believe(fresh, between, alone) == "client.card-not-believed"
    assert believe(fresh, fresh.card) == "client.card-rolled-back"


def test_a_card_that_is_not_the_next_is_not_remembered(fresh: Rehearsal) -> None:
    """Nobody can lock a machine out with a card that two directory keys never signed, or aside."""
    aside = fresh.write_card(fresh.make_card(days=100), fresh.folder / "aside")
    second = fresh.make_card(previous=fresh.make_card())
    alone = fresh.write_card(second, fresh.folder / "alone", signers=1)
    for refused in (aside, alone):
        assert believe(fresh, refused).startswith("client.card-")
    assert believe(fresh, fresh.card) == "1"


def test_a_card_aside_of_the_chain_is_refused(fresh: Rehearsal) -> None:
    """Two directory keys may be forced to sign a second card of the same number."""
    aside = fresh.write_card(fresh.make_card(days=100), fresh.folder / "aside")
    assert believe(fresh, aside) == "client.card-chain-broken"


def test_a_card_of_another_account_is_refused(fresh: Rehearsal, rehearsal: Rehearsal) -> None:
    stranger = replace(fresh.make_card(), account=rehearsal.account)
    path = fresh.write_card(stranger, fresh.folder / "stranger")
    assert believe(fresh, path) == "client.card-another-account"


def test_a_damaged_memory_is_never_forgotten(fresh: Rehearsal) -> None:
    """Who damages the memory may want the old card to count again."""
    second = fresh.write_card(fresh.make_card(previous=fresh.make_card()), fresh.folder / "second")
    believe(fresh, second)
    (fresh.folder / "kit.json.seen").write_bytes(b"{}")
    assert believe(fresh, fresh.card) == "client.memory-of-cards-damaged"


@pytest.mark.parametrize("content", [b"", b"{}", b"not a kit", b"\xff" * 100])
def test_a_malformed_kit_or_card_is_refused(fresh: Rehearsal, content: bytes) -> None:
    path = fresh.folder / "malformed"
    path.write_bytes(content)
    assert believe(fresh, path) == "client.card-not-believed"
    fresh.kit.write_bytes(content)
    assert believe(fresh, fresh.card) == "client.not-a-kit"


def test_a_missing_file_is_named(fresh: Rehearsal) -> None:
    assert believe(fresh, fresh.folder / "missing") == "client.no-such-file"
    assert believe(fresh, fresh.folder) == "client.file-unreadable"
