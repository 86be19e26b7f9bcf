"""Which card counts on which day, whose word the day is, and what an officer may overrule."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from amana.wire.bundle import NOTE
from amana.wire.card import CardStatus, KeyCard
from amana.wire.event import Agent, CustodyEvent, EventType, Outcome, Role
from amana.wire.ids import Digest, KeyId, RecipientText, ThingId, random_salt
from amana.wire.note import PackageNote
from amana.wire.reasons import ReasonCode
from amana.wire.vocabulary import Deployment
from crypto.opening import HybridIdentity
from portal.places import Places
from tests.worker.opening.forge import text_of
from tests.worker.opening.world import World
from worker.agent_messages import CardHolder
from worker.enrolled import MemberStatus, Register
from worker.enrolling import Registrar
from worker.errors import KeyMissingError, RegisterError
from worker.opening import OVERRULABLE, Held, Opened, open_again, open_submission
from worker.sealed_files import EVENT


@pytest.fixture
def own(world: World, tmp_path: Path) -> Registrar:
    """A register of its own for a test that writes into it."""
    return Registrar(register=world.register(tmp_path / "own"), on=world.today)


def reason(found: Opened | Held) -> ReasonCode | None:
    return found.reason if isinstance(found, Held) else None


def follow(world: World, own: Registrar, card: KeyCard) -> KeyCard:
    own.add_cards(card.account, [world.card_note(card)])
    return card


@pytest.mark.threat("T-12")
def test_a_card_of_nobody_and_a_card_of_somebody_else_are_held(
    world: World, bundle: Path, own: Registrar
) -> None:
    """The note names a card that is in no chain of its account, though another account has it."""
    register = own.register
    note = PackageNote.from_bytes(text_of(bundle).encode())
    other = replace(note, card=world.month_card.card_id)
    (bundle / NOTE).write_bytes(world.member.signer.sign(other.to_bytes().decode()).to_bytes())
    assert reason(world.open(bundle, register)) is ReasonCode.CARD_DISAGREES
    assert world.keys.asked == []


@pytest.mark.threat("T-12")
@pytest.mark.parametrize("status", [CardStatus.REVOKED, CardStatus.SUSPENDED])
def test_what_was_sealed_to_a_card_that_was_ended_since_is_held_and_no_key_is_asked_for(
    status: CardStatus, world: World, bundle: Path, own: Registrar
) -> None:
    follow(world, own, world.rehearsal.make_card(previous=world.card, status=status))
    assert reason(world.open(bundle, own.register)) is ReasonCode.CARD_REVOKED
    assert world.keys.asked == []


@pytest.mark.threat("T-12")
def test_a_revoked_card_stays_revoked_when_another_recipient_follows(
    world: World, bundle: Path, own: Registrar
) -> None:
    revoked = world.rehearsal.make_card(previous=world.card, status=CardStatus.REVOKED)
    follow(world, own, revoked)
    fresh = RecipientText(HybridIdentity.generate().recipient.to_text())
    follow(world, own, replace(world.rehearsal.make_card(previous=revoked), recipient=fresh))
    assert reason(world.open(bundle, own.register)) is ReasonCode.CARD_REVOKED


def test_an_older_card_that_was_in_force_is_good_beside_a_newer_one(
    world: World, bundle: Path, own: Registrar
) -> None:
    fresh = RecipientText(HybridIdentity.generate().recipient.to_text())
    follow(world, own, replace(world.rehearsal.make_card(previous=world.card), recipient=fresh))
    assert reason(world.open(bundle, own.register)) is None


def test_a_card_counts_on_the_day_of_arrival_and_not_on_the_day_of_opening(
    world: World, bundle: Path, register: Register
) -> None:
    late = world.card.valid_to + timedelta(days=30)
    assert reason(world.open(bundle, register, on=world.card.valid_to)) is None
    assert reason(world.open(bundle, register, on=late)) is ReasonCode.CARD_EXPIRED
    note = PackageNote.from_bytes(text_of(bundle).encode())
    world.put_event(bundle, world.portal.arrival(note, world.card.valid_to))
    assert reason(world.open(bundle, register, on=late)) is None
    world.put_event(bundle, world.portal.arrival(note, late))
    assert reason(world.open(bundle, register, on=late)) is ReasonCode.CARD_EXPIRED
    before = world.card.valid_from - timedelta(days=1)
    world.put_event(bundle, world.portal.arrival(note, before))
    assert reason(world.open(bundle, register, on=late)) is ReasonCode.CARD_EXPIRED


def test_an_arrival_after_today_is_held(world: World, bundle: Path, register: Register) -> None:
    note = PackageNote.from_bytes(text_of(bundle).encode())
    world.put_event(bundle, world.portal.arrival(note, world.today + timedelta(days=1)))
    assert reason(world.open(bundle, register)) is None
    world.put_event(bundle, world.portal.arrival(note, world.today + timedelta(days=2)))
    assert reason(world.open(bundle, register)) is ReasonCode.NOTE_DISAGREES


def test_an_officer_may_overrule_a_cards_end_and_nothing_else(
    world: World, bundle: Path, own: Registrar
) -> None:
    follow(world, own, world.rehearsal.make_card(previous=world.card, status=CardStatus.REVOKED))
    late = world.card.valid_to + timedelta(days=30)
    everything = frozenset(ReasonCode)

    def opened(despite: frozenset[ReasonCode]) -> ReasonCode | None:
        deployment = Deployment.TRAINING
        return reason(
            open_submission(bundle, own.register, world.keys, deployment, on=late, despite=despite)
        )

    assert opened(frozenset({ReasonCode.CARD_REVOKED})) is ReasonCode.CARD_EXPIRED
    assert opened(OVERRULABLE) is None
    (bundle / NOTE).write_bytes(b"")
    assert opened(everything) is ReasonCode.NOTE_DISAGREES


def test_a_suspended_member_hands_over_nothing_and_what_was_opened_before_opens_again(
    world: World, bundle: Path, own: Registrar
) -> None:
    account, name = world.rehearsal.account, world.member.signer.key.name
    own.set_status(account, name, MemberStatus.SUSPENDED)
    follow(world, own, world.rehearsal.make_card(previous=world.card, status=CardStatus.REVOKED))
    assert reason(world.open(bundle, own.register)) is ReasonCode.NOTE_UNSIGNED
    again = open_again(bundle, own.register, world.keys, Deployment.TRAINING, on=world.today)
    assert isinstance(again, Opened)
    assert again.note == PackageNote.from_bytes(text_of(bundle).encode())
    (bundle / NOTE).write_bytes((bundle / NOTE).read_bytes()[:-10])
    again = open_again(bundle, own.register, world.keys, Deployment.TRAINING, on=world.today)
    assert isinstance(again, Held)


def test_another_deployment_is_held_and_another_deployments_register_is_not_used(
    world: World, bundle: Path, register: Register
) -> None:
    note = PackageNote.from_bytes(text_of(bundle).encode())
    real = replace(note, deployment=Deployment.PRODUCTION)
    (bundle / NOTE).write_bytes(world.member.signer.sign(real.to_bytes().decode()).to_bytes())
    assert reason(world.open(bundle, register)) is ReasonCode.OTHER_DEPLOYMENT
    with pytest.raises(RegisterError):
        open_submission(bundle, register, world.keys, Deployment.PRODUCTION, on=world.today)


def test_a_destroyed_key_is_a_reason_and_a_missing_one_is_not(
    world: World, bundle: Path, register: Register
) -> None:
    holder = CardHolder(card=world.card.card_id)
    identity = world.keys.identities.pop(holder)
    try:
        with pytest.raises(KeyMissingError):
            world.open(bundle, register)
        world.keys.destroyed.add(holder)
        assert reason(world.open(bundle, register)) is ReasonCode.KEY_DESTROYED
    finally:
        world.keys.destroyed.clear()
        world.keys.identities[holder] = identity


# What the portal wrote down of the arrival.

NOWHERE = "0" * 64


def lies() -> dict[str, Callable[[CustodyEvent], CustodyEvent]]:
    def anew(event: CustodyEvent, **changes: object) -> CustodyEvent:
        kept = {
            "salt": random_salt(),
            "type": event.type,
            "thing": event.thing,
            "deployment": event.deployment,
            "on": event.on,
            "agent": event.agent,
            "digest_after": event.digest_after,
            "outcome": event.outcome,
        }
        return CustodyEvent.of(**(kept | changes))  # type: ignore[arg-type]

    stranger = Agent(role=Role.PORTAL, key_id=KeyId(NOWHERE))
    return {
        "another note": lambda e: anew(e, digest_after=Digest(NOWHERE)),
        "another submission": lambda e: anew(e, thing=replace(e.thing, id=ThingId(NOWHERE))),
        "another type": lambda e: anew(e, type=EventType.DELETION),
        "another portal": lambda e: anew(e, agent=stranger),
        "another role": lambda e: anew(e, agent=replace(e.agent, role=Role.OPERATOR)),
        "another deployment": lambda e: anew(e, deployment=Deployment.PRODUCTION),
        "another outcome": lambda e: anew(e, outcome=Outcome.FAIL),
        "another day": lambda e: anew(e, on=e.on - timedelta(days=1)),
    }


@pytest.mark.threat("T-09")
def test_an_arrival_that_tells_another_story_is_held(
    world: World, register: Register, tmp_path: Path
) -> None:
    folder = world.give({b"name": b"content"}, Places(data_directory=tmp_path))
    honest = world.opened(folder, register).arrival
    assert honest is not None
    for name, lie in lies().items():
        world.put_event(folder, lie(honest))
        assert reason(world.open(folder, register)) is ReasonCode.NOTE_DISAGREES, name
    world.put_event(folder, honest)
    assert reason(world.open(folder, register)) is None


@pytest.mark.threat("T-13")
@pytest.mark.parametrize("content", [b"", b"age", bytes(4_096), bytes(1 << 20)])
def test_an_arrival_that_is_no_sealed_event_is_held(
    content: bytes, world: World, bundle: Path, register: Register
) -> None:
    (bundle / EVENT).write_bytes(content)
    assert reason(world.open(bundle, register)) is ReasonCode.NOTE_DISAGREES


def test_a_witnesss_card_counts_on_the_day_that_the_portal_observed(
    world: World, register: Register, tmp_path: Path
) -> None:
    folder = world.give({b"name": b"content"}, Places(data_directory=tmp_path))
    much_later = world.today + timedelta(days=300)
    assert reason(world.open(folder, register, on=much_later)) is None
    assert reason(world.open(folder, register, on=world.today - timedelta(days=1))) is None
    early = world.today - timedelta(days=2)
    assert reason(world.open(folder, register, on=early)) is ReasonCode.NOTE_DISAGREES
