"""Officers decide, item by item or by thousands; a decision is rows and custody events, no more.

It names a handling class and the officer's key id, never a person. Nothing is taken back: what was
accepted stays accepted unless the repository refuses it, and what was held is examined again from
the beginning. The pipeline does the rest. Format: docs/format/26-quarantine.md.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Final

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from amana.wire.event import EventType, Role, Thing, ThingKind
from amana.wire.ids import ID_BYTES, KeyId, SubmissionId, ThingId, random_id
from amana.wire.package import RegistrationNumber
from amana.wire.reasons import ReasonCode
from terms.feedback import NotKeptReason
from terms.vocabulary import HandlingClass
from worker.custody import Custodian, Deed, ItemMove, Value, about, about_item, move
from worker.errors import MoveError
from worker.pipeline.rows import ItemRow, SubmissionRow, items_of
from worker.pipeline.states import ItemState, SubmissionState
from worker.records.tables import DECISION


@unique
class Choice(StrEnum):
    """What an officer can decide on an item."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    HOLD = "hold"
    ASK = "ask"
    AGAIN = "again"


@unique
class Scope(StrEnum):
    """How the items of a decision were picked."""

    ITEM = "item"
    SUBMISSION = "submission"
    ALL_CLEAN = "all-clean"


_TO: Final[Mapping[Choice, ItemState]] = {
    Choice.ACCEPT: ItemState.ACCEPTED,
    Choice.REFUSE: ItemState.NOT_KEPT,
    Choice.HOLD: ItemState.HELD,
    Choice.ASK: ItemState.ASKED,
    Choice.AGAIN: ItemState.FOUND,
}
_TYPES: Final[Mapping[Choice, EventType]] = {
    Choice.ACCEPT: EventType.ACCESSION,
    Choice.REFUSE: EventType.DEACCESSION,
    Choice.HOLD: EventType.QUARANTINE,
    Choice.ASK: EventType.QUARANTINE,
    Choice.AGAIN: EventType.UNQUARANTINE,
}
_WHY_NOT: Final[Mapping[NotKeptReason, ReasonCode]] = {
    NotKeptReason.COULD_NOT_BE_OPENED: ReasonCode.UNREADABLE,
    NotKeptReason.UNSAFE_TO_OPEN: ReasonCode.FLAGGED,
    NotKeptReason.OUTSIDE_MANDATE: ReasonCode.OUTSIDE_MANDATE,
    NotKeptReason.YOU_ASKED: ReasonCode.PROVIDER_ASKED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What is decided, by whom.

    handling_class: with ACCEPT and only there. not_kept: with REFUSE and only there.
    """

    choice: Choice
    officer: KeyId
    scope: Scope
    handling_class: HandlingClass | None = None
    not_kept: NotKeptReason | None = None

    @property
    def reason(self) -> ReasonCode | None:
        """The reason as custody events have it."""
        if self.choice is Choice.ASK:
            return ReasonCode.AWAITING_PROVIDER
        return None if self.not_kept is None else _WHY_NOT[self.not_kept]


async def decide(
    connection: AsyncConnection,
    custodian: Custodian,
    submission: SubmissionId,
    items: Sequence[ItemRow],
    ruling: Ruling,
) -> None:
    """Decide on items of one submission, all or none of them.

    MoveError: an item is in a state in which this cannot be decided, or it is not any more what the
    officer saw.
    """
    now = {each.item_id: each for each in await items_of(connection, submission)}
    if any(now.get(each.item_id) != each for each in items):
        raise MoveError("an item was changed since it was looked at")
    decision = secrets.token_hex(ID_BYTES)
    rows = [
        {
            "decision_id": decision,
            "item_id": each.item_id,
            "submission_id": submission,
            "choice": ruling.choice.value,
            "handling_class": ruling.handling_class,
            "reason": ruling.not_kept,
            "scope": ruling.scope.value,
            "officer": ruling.officer,
            "decided_on": custodian.today.isoformat(),
        }
        for each in items
    ]
    if not rows:
        return
    await connection.execute(insert(DECISION), rows)
    moves = [
        ItemMove(item_id=each.item_id, to=_TO[ruling.choice], values=_values(each, ruling))
        for each in items
    ]
    deeds = [_deed(each, ruling, decision) for each in items]
    await move(connection, custodian, submission, items=moves, deeds=deeds)


async def again(
    connection: AsyncConnection,
    custodian: Custodian,
    row: SubmissionRow,
    officer: KeyId,
    overruled: ReasonCode | None,
) -> None:
    """Let a submission that is held be examined again, with everything of it that is held.

    overruled: what the opener is to overlook, of worker.opening.OVERRULABLE. MoveError: it is not
    held.
    """
    held = await items_of(connection, row.submission_id, ItemState.HELD)
    ruling = Ruling(choice=Choice.AGAIN, officer=officer, scope=Scope.SUBMISSION)
    await decide(connection, custodian, row.submission_id, held, ruling)
    deed = Deed(
        type=EventType.UNQUARANTINE,
        thing=about(row.submission_id),
        role=Role.INTAKE_OFFICER,
        by=officer,
        occurrence=row.visit,
        reason=overruled,
    )
    await move(
        connection,
        custodian,
        row.submission_id,
        to=SubmissionState.FETCHED,
        values={
            "reason": None,
            "overruled": overruled,
            "visit": row.visit + 1,
            "cycle": row.cycle + 1,
        },
        deeds=[deed],
    )


def _values(row: ItemRow, ruling: Ruling) -> Mapping[str, Value]:
    match ruling.choice:
        case Choice.ACCEPT:
            # A number is permanent: an item that comes back keeps the one it has.
            number = row.registration or random_id(RegistrationNumber)
            return {
                "handling_class": ruling.handling_class,
                "registration": number,
                "reason": None,
            }
        case Choice.REFUSE:
            return {"reason": ruling.not_kept}
        case Choice.AGAIN:
            return {"visit": row.visit + 1, "tries": 0, "reason": None}
        case Choice.HOLD | Choice.ASK:
            return {"reason": ruling.reason}


def _deed(row: ItemRow, ruling: Ruling, decision: str) -> Deed:
    return Deed(
        type=_TYPES[ruling.choice],
        thing=about_item(row.item_id),
        role=Role.INTAKE_OFFICER,
        by=ruling.officer,
        item=row.item_id,
        others=(Thing(kind=ThingKind.DECISION, id=ThingId(decision)),),
        reason=ruling.reason,
    )
