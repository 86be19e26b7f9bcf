"""What the pipeline reads from its books: submissions, items, releases, events, as plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from amana.store.log import inclusion_proof
from amana.store.tables import LOG
from amana.wire.event import CustodyEvent
from amana.wire.ids import AccountId, CardId, Digest, ItemId, RecipientText, SubmissionId
from amana.wire.manifest import ItemKind
from amana.wire.package import CustodyLine, PackageId, RegistrationNumber
from amana.wire.reasons import ReasonCode
from amana.wire.words import MediaType
from crypto.merkle import TreeHash
from terms.feedback import NotKeptReason
from terms.vocabulary import HandlingClass
from worker.errors import PipelineError
from worker.pipeline.states import ItemState, PackageState, SubmissionState
from worker.records.tables import (
    CUSTODY_EVENT,
    DECISION,
    ITEM,
    PACKAGE,
    RELEASED_ITEM,
    SUBMISSION,
)
from worker.verdict import Verdict

BARE_TYPES: Final = MappingProxyType(
    {
        ItemKind.FOLDER: MediaType("inode/directory"),
        ItemKind.LINK: MediaType("inode/symlink"),
    }
)
"""What stands as the type of an item without bytes: the words of shared-mime-info for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionRow:
    """One submission as the books have it.

    note_sha256: of the note that came; nothing else in its folder is this submission. is_observed:
    whether the portal signed its note, so that it is a witness's. is_told: whether the portal knows
    that it is here. is_one_time: whether its card serves no other. overruled: what an officer
    overruled of what it was held for. visit: how often it came back from being held. cycle: which
    release is the next, or under way. run: the number of the engine's next run.
    """

    submission_id: SubmissionId
    account: AccountId
    card: CardId
    note_sha256: Digest
    state: SubmissionState
    reason: ReasonCode | None
    is_observed: bool
    is_told: bool
    is_one_time: bool
    reply: RecipientText | None
    overruled: ReasonCode | None
    visit: int
    cycle: int
    run: int
    fetched_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRow:
    """One item as the books have it. verdict: None as long as there is none."""

    item_id: ItemId
    submission_id: SubmissionId
    place: int
    state: ItemState
    reason: str | None
    verdict: Verdict | None
    media_type: MediaType | None
    handling_class: HandlingClass | None
    registration: RegistrationNumber | None
    visit: int
    tries: int

    @property
    def is_bare(self) -> bool:
        """Whether it is a folder or a link, and has no bytes that anything could be in."""
        return self.media_type in BARE_TYPES.values()


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageRow:
    """One package that was handed over."""

    package_id: PackageId
    state: PackageState
    cycle: int
    sealed_sha256: Digest


async def submissions(
    connection: AsyncConnection, *states: SubmissionState
) -> tuple[SubmissionRow, ...]:
    """Give the submissions in these states, or all, in the order of their ids."""
    query = select(SUBMISSION).order_by(SUBMISSION.c.submission_id)
    if states:
        query = query.where(SUBMISSION.c.state.in_([each.value for each in states]))
    return tuple(_submission(dict(row)) for row in (await connection.execute(query)).mappings())


async def find_submission(
    connection: AsyncConnection, submission: SubmissionId
) -> SubmissionRow | None:
    """Give one submission; None if the books do not know it."""
    query = select(SUBMISSION).where(SUBMISSION.c.submission_id == submission)
    row = (await connection.execute(query)).mappings().first()
    return None if row is None else _submission(dict(row))


async def the_submission(connection: AsyncConnection, submission: SubmissionId) -> SubmissionRow:
    """Give one submission. PipelineError: the books do not know it."""
    found = await find_submission(connection, submission)
    if found is None:
        raise PipelineError("there is no such submission")
    return found


async def items_of(
    connection: AsyncConnection, submission: SubmissionId, *states: ItemState
) -> tuple[ItemRow, ...]:
    """Give a submission's items in these states, or all, in the order of their places."""
    query = select(ITEM).where(ITEM.c.submission_id == submission).order_by(ITEM.c.place)
    if states:
        query = query.where(ITEM.c.state.in_([each.value for each in states]))
    return tuple(_item(dict(row)) for row in (await connection.execute(query)).mappings())


async def counts_of(
    connection: AsyncConnection, submission: SubmissionId
) -> Mapping[ItemState, int]:
    """Give how many items of a submission are in each state."""
    query = (
        select(ITEM.c.state, func.count())
        .where(ITEM.c.submission_id == submission)
        .group_by(ITEM.c.state)
    )
    return {ItemState(state): count for state, count in await connection.execute(query)}


async def packages_of(
    connection: AsyncConnection, submission: SubmissionId, *states: PackageState
) -> tuple[PackageRow, ...]:
    """Give a submission's packages in these states, or all."""
    query = (
        select(PACKAGE)
        .where(PACKAGE.c.submission_id == submission)
        .order_by(PACKAGE.c.cycle, PACKAGE.c.package_id)
    )
    if states:
        query = query.where(PACKAGE.c.state.in_([each.value for each in states]))
    return tuple(
        PackageRow(
            package_id=PackageId(row["package_id"]),
            state=PackageState(row["state"]),
            cycle=row["cycle"],
            sealed_sha256=Digest(row["sealed_sha256"]),
        )
        for row in (await connection.execute(query)).mappings()
    )


async def released_items(
    connection: AsyncConnection, submission: SubmissionId
) -> Mapping[ItemId, tuple[int, PackageId | None]]:
    """Give the cycle in which each item was released, and the package in which it lies."""
    query = select(RELEASED_ITEM).where(RELEASED_ITEM.c.submission_id == submission)
    return {
        ItemId(row["item_id"]): (row["cycle"], row["package_id"])
        for row in (await connection.execute(query)).mappings()
    }


async def not_kept_reasons(
    connection: AsyncConnection, submission: SubmissionId
) -> Mapping[ItemId, NotKeptReason]:
    """Give why each item that is not kept is not."""
    query = (
        select(ITEM.c.item_id, ITEM.c.reason)
        .where(ITEM.c.submission_id == submission, ITEM.c.state == ItemState.NOT_KEPT.value)
        .order_by(ITEM.c.place)
    )
    return {ItemId(item): NotKeptReason(reason) for item, reason in await connection.execute(query)}


async def custody_lines(
    connection: AsyncConnection, submission: SubmissionId, size: int
) -> Sequence[tuple[ItemId | None, CustodyLine]]:
    """Give the events of a submission that stand in the log's first `size` leaves, oldest first.

    Each with the item whose history it belongs to, and its proof in the tree of that size.
    """
    query = (
        select(CUSTODY_EVENT.c.item_id, CUSTODY_EVENT.c.event, CUSTODY_EVENT.c.leaf)
        .join(LOG, LOG.c.hash == CUSTODY_EVENT.c.leaf)
        .where(CUSTODY_EVENT.c.submission_id == submission, LOG.c.number % 2 == 0)
        .order_by(LOG.c.number)
    )
    lines: list[tuple[ItemId | None, CustodyLine]] = []
    for item, event, leaf in (await connection.execute(query)).all():
        proof = await inclusion_proof(connection, TreeHash(leaf), size)
        if proof is not None:
            line = CustodyLine(
                event=CustodyEvent.from_bytes(event),
                index=proof.index,
                hashes=tuple(Digest(each.hex()) for each in proof.hashes),
            )
            lines.append((None if item is None else ItemId(item), line))
    return lines


async def decisions_of(
    connection: AsyncConnection, item: ItemId
) -> tuple[Mapping[str, object], ...]:
    """Give what officers decided on an item, as rows."""
    query = select(DECISION).where(DECISION.c.item_id == item).order_by(DECISION.c.decided_on)
    return tuple(dict(row) for row in (await connection.execute(query)).mappings())


def _submission(row: Mapping[str, object]) -> SubmissionRow:
    reason, reply, overruled = row["reason"], row["reply"], row["overruled"]
    return SubmissionRow(
        submission_id=SubmissionId(str(row["submission_id"])),
        account=AccountId(str(row["account"])),
        card=CardId(str(row["card"])),
        note_sha256=Digest(str(row["note_sha256"])),
        state=SubmissionState(str(row["state"])),
        reason=None if reason is None else ReasonCode(str(reason)),
        is_observed=bool(row["is_observed"]),
        is_told=bool(row["is_told"]),
        is_one_time=bool(row["is_one_time"]),
        reply=None if reply is None else RecipientText(str(reply)),
        overruled=None if overruled is None else ReasonCode(str(overruled)),
        visit=_number(row["visit"]),
        cycle=_number(row["cycle"]),
        run=_number(row["run"]),
        fetched_on=date.fromisoformat(str(row["fetched_on"])),
    )


def _item(row: Mapping[str, object]) -> ItemRow:
    def text(name: str) -> str | None:
        value = row[name]
        return None if value is None else str(value)

    verdict, media = text("verdict"), text("media_type")
    handling, registration = text("handling_class"), text("registration")
    return ItemRow(
        item_id=ItemId(str(row["item_id"])),
        submission_id=SubmissionId(str(row["submission_id"])),
        place=_number(row["place"]),
        state=ItemState(str(row["state"])),
        reason=text("reason"),
        verdict=None if verdict is None else Verdict(verdict),
        media_type=None if media is None else MediaType(media),
        handling_class=None if handling is None else HandlingClass(handling),
        registration=None if registration is None else RegistrationNumber(registration),
        visit=_number(row["visit"]),
        tries=_number(row["tries"]),
    )


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise PipelineError("a column that holds numbers holds something else")
    return value
