"""Moves: a change of state, its custody events and their leaves, in one transaction or not at all.

An event's id follows from what happened to what (amana/wire/event.py), never from a clock, so a
step that runs again after a crash finds its event there and adds nothing. The log's `append` comes
last in the transaction. Officers and machines stand in events by a key id, never by a name.
Format: docs/format/26-quarantine.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Final, TypeAlias

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from amana.clock import Clock
from amana.store.log import LOOKUP_ROWS, append
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
from amana.wire.ids import (
    Digest,
    EventId,
    ItemId,
    KeyId,
    SubmissionId,
    ThingId,
    random_salt,
)
from amana.wire.reasons import ReasonCode
from amana.wire.vocabulary import Deployment
from worker.errors import MoveError
from worker.pipeline.states import ITEM_MOVES, SUBMISSION_MOVES, ItemState, SubmissionState
from worker.records.tables import CUSTODY_EVENT, ITEM, SUBMISSION

Value: TypeAlias = str | int | None
"""What a column of ours can hold besides bytes."""

NOTHING: Final[Mapping[str, Value]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What was done, before it is known whether it stands in the books already.

    by: the key of whoever did it; None for the quarantine's own. item: under whose history it is
    kept; None for the submission's.
    """

    type: EventType
    thing: Thing
    role: Role = Role.QUARANTINE
    by: KeyId | None = None
    item: ItemId | None = None
    others: tuple[Thing, ...] = ()
    occurrence: int = 0
    digest_before: Digest | None = None
    digest_after: Digest | None = None
    outcome: Outcome = Outcome.SUCCESS
    reason: ReasonCode | None = None
    terms: Digest | None = None

    @property
    def event_id(self) -> EventId:
        """The id of the event that it becomes."""
        return derive_event_id(self.type, self.thing, self.others, self.occurrence)

    def is_told_by(self, event: CustodyEvent) -> bool:
        """Tell whether an event of this id says what was done here."""
        done = (self.digest_before, self.digest_after, self.outcome, self.reason, self.terms)
        told = (event.digest_before, event.digest_after, event.outcome, event.reason, event.terms)
        return done == told


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemMove:
    """An item's new state, and what is written beside it."""

    item_id: ItemId
    to: ItemState
    values: Mapping[str, Value] = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Custodian:
    """On whose behalf events are made, and when."""

    key_id: KeyId
    deployment: Deployment
    clock: Clock

    def event(self, deed: Deed, *, with_time: bool) -> CustodyEvent:
        """Give a new event. with_time: false wherever a witness's time could show."""
        now = self.clock.now()
        return CustodyEvent.of(
            salt=random_salt(),
            type=deed.type,
            thing=deed.thing,
            others=deed.others,
            occurrence=deed.occurrence,
            deployment=self.deployment,
            on=now.date(),
            at=now if with_time else None,
            agent=Agent(role=deed.role, key_id=deed.by or self.key_id),
            digest_before=deed.digest_before,
            digest_after=deed.digest_after,
            outcome=deed.outcome,
            reason=deed.reason,
            terms=deed.terms,
        )

    @property
    def today(self) -> date:
        """The day, in UTC."""
        return self.clock.now().date()


def about(submission: SubmissionId) -> Thing:
    """Give a submission as an event names it."""
    return Thing(kind=ThingKind.SUBMISSION, id=ThingId(submission))


def about_item(item: ItemId) -> Thing:
    """Give an item as an event names it."""
    return Thing(kind=ThingKind.ITEM, id=ThingId(item))


async def move(
    connection: AsyncConnection,
    custodian: Custodian,
    submission: SubmissionId,
    *,
    to: SubmissionState | None = None,
    values: Mapping[str, Value] = NOTHING,
    items: Sequence[ItemMove] = (),
    deeds: Sequence[Deed] = (),
) -> tuple[CustodyEvent, ...]:
    """Change states, write events and let their leaves join the log; give the events, in order.

    The last statement of its transaction. Done again, it changes nothing and gives the same events.
    MoveError: a state from which there is no such move, a submission or item that is not there, or
    an event of the same id that tells of something else.
    """
    if to is not None or values:
        await _move_submission(connection, submission, to, values)
    await _move_items(connection, submission, items)
    return await witness(connection, custodian, submission, deeds)


async def witness(
    connection: AsyncConnection,
    custodian: Custodian,
    submission: SubmissionId,
    deeds: Sequence[Deed],
) -> tuple[CustodyEvent, ...]:
    """Write the events of deeds that change no state, as `move` does."""
    known = await _known(connection, submission, deeds)
    is_observed = await connection.scalar(
        select(SUBMISSION.c.is_observed).where(SUBMISSION.c.submission_id == submission)
    )
    if is_observed is None:
        raise MoveError("there is no such submission")
    events = dict(known)
    fresh: list[dict[str, object]] = []
    for deed in deeds:
        if deed.event_id not in events:
            event = custodian.event(deed, with_time=not is_observed)
            events[event.event_id] = event
            fresh.append(_row(submission, deed, event))
    if fresh:
        await connection.execute(insert(CUSTODY_EVENT), fresh)
        await append(connection, [event.leaf for event in events.values()])
    return tuple(events[deed.event_id] for deed in deeds)


def _row(submission: SubmissionId, deed: Deed, event: CustodyEvent) -> dict[str, object]:
    return {
        "event_id": event.event_id,
        "submission_id": submission,
        "item_id": deed.item,
        "leaf": event.leaf,
        "event": event.to_bytes(),
    }


async def _known(
    connection: AsyncConnection, submission: SubmissionId, deeds: Sequence[Deed]
) -> dict[EventId, CustodyEvent]:
    """Give the events that stand already. MoveError: one of them is of something else.

    What a sender chose (an id of an object, of an item) is in event ids: a deed that is taken for
    another one would be missing from the history of what it was done to.
    """
    wanted = {deed.event_id: deed for deed in deeds}
    ids = list(wanted)
    found: dict[EventId, CustodyEvent] = {}
    for first in range(0, len(ids), LOOKUP_ROWS):
        query = select(CUSTODY_EVENT.c.submission_id, CUSTODY_EVENT.c.event).where(
            CUSTODY_EVENT.c.event_id.in_(ids[first : first + LOOKUP_ROWS])
        )
        for owner, kept in await connection.execute(query):
            event = CustodyEvent.from_bytes(kept)
            if owner != submission or not wanted[event.event_id].is_told_by(event):
                raise MoveError("an event of this id tells of something else")
            found[event.event_id] = event
    return found


async def _move_submission(
    connection: AsyncConnection,
    submission: SubmissionId,
    to: SubmissionState | None,
    values: Mapping[str, Value],
) -> None:
    mine = SUBMISSION.c.submission_id == submission
    found = await connection.scalar(select(SUBMISSION.c.state).where(mine))
    if found is None:
        raise MoveError("there is no such submission")
    state = SubmissionState(found)
    if to is not None and to is not state and to not in SUBMISSION_MOVES[state]:
        raise MoveError(f"a submission does not go from {state} to {to}")
    written = dict(values) if to is None else {"state": to.value, **values}
    await connection.execute(update(SUBMISSION).where(mine).values(written))


async def _move_items(
    connection: AsyncConnection, submission: SubmissionId, items: Sequence[ItemMove]
) -> None:
    for first in range(0, len(items), LOOKUP_ROWS):
        some = items[first : first + LOOKUP_ROWS]
        query = select(ITEM.c.item_id, ITEM.c.state).where(
            ITEM.c.submission_id == submission, ITEM.c.item_id.in_([each.item_id for each in some])
        )
        states = {row.item_id: ItemState(row.state) for row in await connection.execute(query)}
        for each in some:
            state = states.get(each.item_id)
            if state is None or (each.to is not state and each.to not in ITEM_MOVES[state]):
                raise MoveError(f"an item does not go from {state} to {each.to}")
    by_columns: dict[tuple[str, ...], list[dict[str, Value]]] = {}
    for each in items:
        written = {"state": each.to.value, **each.values}
        row = {f"new_{name}": value for name, value in written.items()}
        by_columns.setdefault(tuple(written), []).append({"which": each.item_id, **row})
    for columns, rows in by_columns.items():
        statement = (
            update(ITEM)
            .where(ITEM.c.item_id == bindparam("which"))
            .values({name: bindparam(f"new_{name}") for name in columns})
        )
        await connection.execute(statement, rows)
