"""Custody events: one id for one event, a leaf that cannot be guessed, PREMIS types."""

import dataclasses
from datetime import timedelta

import pytest

from amana.wire.errors import FieldError
from amana.wire.event import (
    Agent,
    CustodyEvent,
    EventType,
    Outcome,
    Role,
    Thing,
    ThingKind,
    derive_event_id,
)
from amana.wire.ids import ThingId, random_salt
from amana.wire.reasons import ReasonCode
from amana.wire.signers import key_id
from crypto import merkle
from tests.wire import examples, givens
from tests.wire.examples import EVENT
from tests.wire.givens import NOON, TODAY

ITEM = Thing(kind=ThingKind.ITEM, id=ThingId(examples.BARE_ITEM.item_id))
PACKAGE = Thing(kind=ThingKind.PACKAGE, id=ThingId("ab" * 32))

PREMIS = """acc dea der del dsg dig dis enc fix for ipc ips ing ine ins mes mee mem poa qua red tra
unq vir"""


def test_a_step_that_runs_twice_is_one_event() -> None:
    again = CustodyEvent.of(
        salt=random_salt(),
        type=EVENT.type,
        thing=EVENT.thing,
        deployment=EVENT.deployment,
        on=TODAY + timedelta(days=1),
        agent=EVENT.agent,
        outcome=Outcome.SUCCESS,
    )
    assert again.event_id == EVENT.event_id
    assert again.leaf != EVENT.leaf


def test_what_is_not_the_same_event_has_another_id() -> None:
    ids = {
        derive_event_id(EventType.FIXITY_CHECK, ITEM, (), 0),
        derive_event_id(EventType.FIXITY_CHECK, ITEM, (), 1),
        derive_event_id(EventType.DECRYPTION, ITEM, (), 0),
        derive_event_id(EventType.FIXITY_CHECK, PACKAGE, (), 0),
        derive_event_id(EventType.FIXITY_CHECK, ITEM, (PACKAGE,), 0),
        derive_event_id(EventType.FIXITY_CHECK, PACKAGE, (ITEM,), 0),
    }
    assert len(ids) == 6


@pytest.mark.threat("T-09")
def test_an_event_with_an_id_of_another_is_refused() -> None:
    with pytest.raises(FieldError, match="event_id"):
        dataclasses.replace(EVENT, occurrence=1)


@pytest.mark.threat("T-09")
def test_any_change_of_an_event_is_another_leaf() -> None:
    changed = [
        dataclasses.replace(EVENT, outcome=Outcome.FAIL),
        dataclasses.replace(EVENT, reason=ReasonCode.FROZEN),
        dataclasses.replace(EVENT, at=NOON + timedelta(seconds=1)),
        dataclasses.replace(EVENT, digest_after=givens.a_digest("other")),
        dataclasses.replace(EVENT, agent=Agent(role=Role.PORTAL, key_id=key_id(givens.MEMBER.key))),
        dataclasses.replace(EVENT, salt=random_salt()),
    ]
    assert len({event.leaf for event in (EVENT, *changed)}) == 1 + len(changed)


def test_a_leaf_is_the_hash_of_the_bytes() -> None:
    assert EVENT.leaf == merkle.leaf_hash(EVENT.to_bytes())


def test_a_witness_event_has_a_day_and_no_time() -> None:
    timed = dataclasses.replace(EVENT, at=NOON)
    assert b"12:00" in timed.to_bytes()
    assert CustodyEvent.from_bytes(timed.to_bytes()) == timed
    assert b"12:00" not in EVENT.to_bytes()
    assert CustodyEvent.from_bytes(EVENT.to_bytes()) == EVENT
    with pytest.raises(FieldError):
        dataclasses.replace(timed, on=TODAY + timedelta(days=1))


def test_types_are_the_codes_of_premis() -> None:
    assert {kind.value for kind in EventType} == set(PREMIS.split())
    assert EventType.DECRYPTION.uri == ("http://id.loc.gov/vocabulary/preservation/eventType/der")
