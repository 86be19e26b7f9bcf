"""What the key agent does with its keys, step by step, on a clock that stands still."""

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from amana.wire.ids import CardId, RecipientText, SubmissionId
from crypto.identities import HybridIdentity
from crypto.padding import HYBRID_HEADER_SIZE, Kind
from crypto.recipients import HybridRecipient
from crypto.seal import seal
from terms.vocabulary import HandlingClass
from tests.worker.agents import OFFICER, PHRASE, QUICK, make_store
from worker.agent_desk import Desk, Limits
from worker.agent_journal import Act, Journal, read_journal
from worker.agent_messages import (
    AgentRefusal,
    AgentStatus,
    AskClassRecipient,
    AskFileKeys,
    AskStatus,
    Bind,
    CardHolder,
    ClassHolder,
    Done,
    GivenFileKeys,
    GivenRecipient,
    Holder,
    HolderName,
    MakeIntake,
    OfficerName,
    Refusal,
    SealedHeader,
    Unlock,
)
from worker.agent_places import KeyPlaces

SUBMISSION = SubmissionId("5a" * 32)
CARD = CardId("c4" * 32)
HOLDER = CardHolder(card=CARD)
UNLOCK = Unlock(officer=OFFICER, passphrase=PHRASE)
LOCKED = Refusal(reason=AgentRefusal.LOCKED, index=None)
FAULT = Refusal(reason=AgentRefusal.FAULT, index=None)
IDLE = 60.0


class AlarmClock:
    """A clock that stands still, and rings once when it is looked at."""

    def __init__(self) -> None:
        self.alarm: Callable[[], None] | None = None

    def now(self) -> datetime:
        alarm, self.alarm = self.alarm, None
        if alarm is not None:
            alarm()
        return datetime(2026, 11, 22, 9, tzinfo=UTC)


class World:
    """A store, a journal and a desk, and the seconds that pass there."""

    def __init__(self, data: Path) -> None:
        self.store = make_store(data)
        self.places = KeyPlaces(data_directory=data)
        self.seconds = 0.0
        self.clock = AlarmClock()
        self.journal = Journal(self.places.journal, self.clock)
        self.desk = Desk(
            self.store,
            self.journal,
            limits=Limits(unwraps=10, idle_seconds=IDLE),
            monotonic=lambda: self.seconds,
            is_memory_locked=True,
        )

    def status(self) -> AgentStatus:
        status = self.desk.answer(AskStatus())
        assert isinstance(status, AgentStatus)
        return status

    def acts(self) -> list[Act]:
        return [each.act for each in read_journal(self.places.journal)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.journal.close()


def ask(recipient: HybridRecipient, holder: Holder = HOLDER) -> AskFileKeys:
    sealed = b"".join(seal((b"what somebody saw",), recipient, Kind.RECORD))
    header = SealedHeader(sealed[:HYBRID_HEADER_SIZE])
    return AskFileKeys(submission=SUBMISSION, holder=HolderName.of(holder), headers=(header,))


def bound(world: World) -> HybridRecipient:
    """The recipient of an intake identity that is bound to CARD."""
    given = world.desk.answer(MakeIntake())
    assert isinstance(given, GivenRecipient)
    assert world.desk.answer(Bind(card=CARD, recipient=given.recipient)) == Done()
    return HybridRecipient.from_text(given.recipient)


@pytest.mark.threat("T-19")
def test_keys_that_nobody_uses_are_forgotten_and_asking_how_things_stand_is_no_use(
    world: World,
) -> None:
    world.desk.answer(UNLOCK)
    world.seconds += IDLE - 1
    assert not world.status().is_locked
    world.desk.answer(MakeIntake())
    world.seconds += IDLE - 1
    assert not world.status().is_locked
    world.seconds += 1
    assert world.status().is_locked
    assert world.desk.answer(MakeIntake()) == LOCKED
    assert world.acts() == [Act.UNLOCKED, Act.INTAKE_MADE, Act.LOCKED]


@pytest.mark.threat("T-19")
def test_an_alarm_in_the_middle_of_an_answer_leaves_no_key_and_no_open_store(
    world: World,
) -> None:
    """It comes while the journal is written: after the keys were found, before they are given."""
    world.desk.answer(UNLOCK)
    recipient = bound(world)
    for request in (ask(recipient), UNLOCK):
        world.desk.answer(UNLOCK)
        world.clock.alarm = world.desk.forget
        assert world.desk.answer(request) == LOCKED
        assert world.status().is_locked


@contextmanager
def a_full_disk(at_bytes: int) -> Iterator[None]:
    """No file may grow over a size for now: setrlimit(2), RLIMIT_FSIZE."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (at_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_the_journal_cannot_take_is_not_done(world: World) -> None:
    world.desk.answer(UNLOCK)
    recipient = bound(world)
    before = world.places.journal.read_bytes()
    files = sorted(world.places.keys.rglob("*"))
    with a_full_disk(len(before) + 10):
        answers = [
            world.desk.answer(ask(recipient)),
            world.desk.answer(MakeIntake()),
            world.desk.answer(
                AskClassRecipient(submission=SUBMISSION, handling_class=HandlingClass.CHILD)
            ),
        ]
    assert answers == [FAULT] * 3
    assert world.places.journal.read_bytes() == before
    assert sorted(world.places.keys.rglob("*")) == files
    assert isinstance(world.desk.answer(ask(recipient)), GivenFileKeys)


def test_a_lock_that_the_journal_could_not_take_is_noted_later(world: World) -> None:
    world.desk.answer(UNLOCK)
    with a_full_disk(world.places.journal.stat().st_size):
        world.desk.forget()
        world.desk.tidy()
        assert world.status().is_locked
    world.desk.tidy()
    assert world.acts() == [Act.UNLOCKED, Act.LOCKED]


@pytest.mark.threat("T-02")
def test_an_officer_who_is_not_cleared_re_wraps_but_does_not_open(world: World) -> None:
    ring = world.store.unlock(OFFICER, PHRASE)
    phrase = PHRASE[::-1]
    world.store.add_officer(
        ring, "reader", groups=("triage", "standard"), passphrase=phrase, cost=QUICK
    )
    status = world.desk.answer(Unlock(officer=OfficerName("reader"), passphrase=phrase))
    assert isinstance(status, AgentStatus)
    assert status.cleared == (HandlingClass.STANDARD,)
    given = world.desk.answer(
        AskClassRecipient(submission=SUBMISSION, handling_class=HandlingClass.SGBV)
    )
    assert isinstance(given, GivenRecipient)
    sgbv = ClassHolder(submission=SUBMISSION, handling_class=HandlingClass.SGBV)
    request = ask(HybridRecipient.from_text(given.recipient), sgbv)
    refused = Refusal(reason=AgentRefusal.NOT_CLEARED, index=None)
    assert world.desk.answer(request) == refused
    world.desk.answer(UNLOCK)
    assert isinstance(world.desk.answer(request), GivenFileKeys)


@pytest.mark.threat("T-12")
def test_a_damaged_or_foreign_record_is_a_fault_and_says_nothing_of_the_object(
    world: World,
) -> None:
    world.desk.answer(UNLOCK)
    recipient = bound(world)
    (record,) = world.places.keys.glob("identities/*.json")
    content = record.read_bytes()
    record.write_bytes(content.replace(b'"group":"triage"', b'"group":"child"'))
    assert world.desk.answer(ask(recipient)) == FAULT
    record.write_bytes(content)
    record.chmod(0o644)
    assert world.desk.answer(ask(recipient)) == FAULT


def test_a_card_is_not_bound_to_a_recipient_that_came_from_elsewhere(world: World) -> None:
    world.desk.answer(UNLOCK)
    foreign = RecipientText(HybridIdentity.generate().recipient.to_text())
    missing = Refusal(reason=AgentRefusal.MISSING, index=None)
    assert world.desk.answer(Bind(card=CARD, recipient=foreign)) == missing
