"""What the portal's database is asked and told when the quarantine pulls.

Rows are only added here: what was acknowledged stays listed as acknowledged for good, and the
digests of its objects with it. Format: docs/format/22-pull.md section 6.
"""

from datetime import date, timedelta
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    case,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from amana.store.engine import Database
from amana.wire.ids import Digest, KeyId, ObjectId, SubmissionId
from amana.wire.pull import (
    PAGE_ENTRIES,
    Acknowledged,
    Listed,
    PullAcknowledgement,
    PullList,
)
from amana.wire.sealed import SealedObject
from portal.records.tables import (
    ACKNOWLEDGED,
    REQUEST_COUNTER,
    SEALED_OBJECT,
    SEALED_RECEIPT,
    SUBMISSION,
    ObjectRole,
)

BULK_BYTES: Final = 64 << 20
"""A submission above this waits for the smaller ones. Ours: half an hour at 40 KB a second."""

_NOTED: Final = SEALED_OBJECT.c.role != ObjectRole.EVENT.value


async def advance(database: Database, signer: KeyId, counter: int) -> bool:
    """Write down that a request with this counter is being acted on; False: it is not above."""
    table = REQUEST_COUNTER
    async with database.write() as connection:
        kind = sqlite if connection.dialect.name == "sqlite" else postgresql
        raised = (
            kind.insert(table)
            .values(key_id=signer, counter=counter)
            .on_conflict_do_update(
                index_elements=[table.c.key_id],
                set_={"counter": counter},
                where=table.c.counter < counter,
            )
            .returning(table.c.counter)
        )
        return await connection.scalar(raised) is not None


async def last_counter(database: Database, signer: KeyId) -> int:
    """Give the counter of the signer's last request that was acted on; 0 for none."""
    found = select(REQUEST_COUNTER.c.counter).where(REQUEST_COUNTER.c.key_id == signer)
    async with database.read() as connection:
        return await connection.scalar(found) or 0


async def waiting(database: Database, after: SubmissionId | None) -> PullList | None:
    """Give a page of what nobody acknowledged; None: nothing is known of `after`.

    The small before the large, the earlier day before the later. `after` may have been
    acknowledged since its page.
    """
    bulk = case((func.sum(SEALED_OBJECT.c.sealed_size) > BULK_BYTES, 1), else_=0)
    query = _waiting(bulk)
    async with database.read() as connection:
        if after is not None:
            place = (await connection.execute(_place(bulk, after))).one_or_none()
            if place is None:
                return None
            query = query.having(_is_behind(bulk, place, after))
        rows = (await connection.execute(query)).all()
        events = await _events(connection, [row.submission_id for row in rows])
    entries = tuple(
        Listed(
            submission_id=SubmissionId(row.submission_id),
            note_sha256=Digest(row.note_sha256),
            received_on=date.fromisoformat(row.received_on),
            objects=row.objects,
            sealed_bytes=row.sealed_bytes,
            event=events.get(row.submission_id),
        )
        for row in rows[:PAGE_ENTRIES]
    )
    return PullList(entries=entries, more=len(rows) > PAGE_ENTRIES)


async def is_held(database: Database, submission: SubmissionId) -> bool:
    """Say whether a submission's bytes are here, acknowledged or not."""
    query = (
        select(literal(1))
        .select_from(SUBMISSION.outerjoin(ACKNOWLEDGED))
        .where(SUBMISSION.c.submission_id == submission, ACKNOWLEDGED.c.removed_on.is_(None))
    )
    async with database.read() as connection:
        return await connection.scalar(query) is not None


async def is_received(database: Database, submission: SubmissionId) -> bool:
    """Say whether a submission ever came in."""
    query = select(literal(1)).where(SUBMISSION.c.submission_id == submission)
    async with database.read() as connection:
        return await connection.scalar(query) is not None


async def sealed_size(
    database: Database, submission: SubmissionId, object_id: ObjectId
) -> int | None:
    """Give the size of one object of a submission whose bytes are here; None: there is none."""
    query = (
        select(SEALED_OBJECT.c.sealed_size)
        .select_from(
            SEALED_OBJECT.outerjoin(
                ACKNOWLEDGED, SEALED_OBJECT.c.submission_id == ACKNOWLEDGED.c.submission_id
            )
        )
        .where(
            SEALED_OBJECT.c.object_id == object_id,
            SEALED_OBJECT.c.submission_id == submission,
            _NOTED,
            ACKNOWLEDGED.c.removed_on.is_(None),
        )
    )
    async with database.read() as connection:
        return await connection.scalar(query)


async def acknowledge(
    database: Database, word: PullAcknowledgement, statement: bytes, today: date, keep_days: int
) -> Acknowledged | None:
    """Write down that the quarantine has a submission; None: it does not name what is here.

    The second time the first answer is given again, and nothing is written.
    """
    async with database.write() as connection:
        if not await _names_all(connection, word):
            return None
        found = await _acknowledged(connection, word.submission_id)
        if found is not None:
            return found
        until = today + timedelta(days=keep_days)
        await connection.execute(
            insert(ACKNOWLEDGED).values(
                submission_id=word.submission_id,
                acknowledged_on=today.isoformat(),
                kept_until=until.isoformat(),
                statement=statement,
                removed_on=None,
            )
        )
    return Acknowledged(submission_id=word.submission_id, acknowledged_on=today, kept_until=until)


async def removable(database: Database, today: date) -> tuple[SubmissionId, ...]:
    """Give the acknowledged submissions whose bytes are kept no longer."""
    query = select(ACKNOWLEDGED.c.submission_id).where(
        ACKNOWLEDGED.c.removed_on.is_(None), ACKNOWLEDGED.c.kept_until <= today.isoformat()
    )
    async with database.read() as connection:
        return tuple(SubmissionId(each) for each in await connection.scalars(query))


async def mark_removed(database: Database, submission: SubmissionId, today: date) -> None:
    """Write down that the bytes of a submission are gone."""
    done = (
        update(ACKNOWLEDGED)
        .where(ACKNOWLEDGED.c.submission_id == submission, ACKNOWLEDGED.c.removed_on.is_(None))
        .values(removed_on=today.isoformat())
    )
    async with database.write() as connection:
        await connection.execute(done)


async def keep_receipt(
    database: Database, submission: SubmissionId, receipt: SealedObject, today: date
) -> None:
    """Write down that a sealed receipt is on the disk; the second time nothing is written."""
    digest = receipt.sealed_sha256
    there = select(literal(1)).where(SEALED_RECEIPT.c.sealed_sha256 == digest)
    async with database.write() as connection:
        if await connection.scalar(there) is None:
            await connection.execute(
                insert(SEALED_RECEIPT).values(
                    sealed_sha256=digest,
                    submission_id=submission,
                    sealed_size=receipt.sealed_size,
                    posted_on=today.isoformat(),
                )
            )


async def receipts_of(database: Database, submission: SubmissionId) -> tuple[Digest, ...]:
    """Give the sealed receipts of a submission, by day."""
    query = (
        select(SEALED_RECEIPT.c.sealed_sha256)
        .where(SEALED_RECEIPT.c.submission_id == submission)
        .order_by(SEALED_RECEIPT.c.posted_on, SEALED_RECEIPT.c.sealed_sha256)
    )
    async with database.read() as connection:
        return tuple(Digest(each) for each in await connection.scalars(query))


def _waiting(bulk: ColumnElement[int]) -> Select[tuple[str, str, str, int, int]]:
    mine = and_(SEALED_OBJECT.c.submission_id == SUBMISSION.c.submission_id, _NOTED)
    return (
        select(
            SUBMISSION.c.submission_id,
            SUBMISSION.c.note_sha256,
            SUBMISSION.c.received_on,
            func.count().label("objects"),
            func.sum(SEALED_OBJECT.c.sealed_size).label("sealed_bytes"),
        )
        .select_from(SUBMISSION.join(SEALED_OBJECT, mine).outerjoin(ACKNOWLEDGED))
        .where(ACKNOWLEDGED.c.submission_id.is_(None))
        .group_by(SUBMISSION.c.submission_id, SUBMISSION.c.note_sha256, SUBMISSION.c.received_on)
        .order_by(bulk, SUBMISSION.c.received_on, SUBMISSION.c.submission_id)
        # One more than a page tells whether there are more.
        .limit(PAGE_ENTRIES + 1)
    )


def _place(bulk: ColumnElement[int], submission: SubmissionId) -> Select[tuple[int, str]]:
    mine = and_(SEALED_OBJECT.c.submission_id == SUBMISSION.c.submission_id, _NOTED)
    return (
        select(bulk.label("bulk"), SUBMISSION.c.received_on)
        .select_from(SUBMISSION.join(SEALED_OBJECT, mine))
        .where(SUBMISSION.c.submission_id == submission)
        .group_by(SUBMISSION.c.submission_id, SUBMISSION.c.received_on)
    )


def _is_behind(
    bulk: ColumnElement[int], place: Row[tuple[int, str]], submission: SubmissionId
) -> ColumnElement[bool]:
    day = SUBMISSION.c.received_on
    return or_(
        bulk > place.bulk,
        and_(
            bulk == place.bulk,
            or_(
                day > place.received_on,
                and_(day == place.received_on, SUBMISSION.c.submission_id > submission),
            ),
        ),
    )


async def _events(connection: AsyncConnection, submissions: list[str]) -> dict[str, SealedObject]:
    rows = await connection.execute(
        select(SEALED_OBJECT).where(
            SEALED_OBJECT.c.submission_id.in_(submissions),
            SEALED_OBJECT.c.role == ObjectRole.EVENT.value,
        )
    )
    return {
        row.submission_id: SealedObject(
            object_id=ObjectId(row.object_id),
            sealed_size=row.sealed_size,
            sealed_sha256=Digest(row.sealed_sha256),
        )
        for row in rows
    }


async def _names_all(connection: AsyncConnection, word: PullAcknowledgement) -> bool:
    """Say whether a word names the note and the bytes that are here, all of them and no other."""
    note = select(SUBMISSION.c.note_sha256).where(SUBMISSION.c.submission_id == word.submission_id)
    if await connection.scalar(note) != word.note_sha256:
        return False
    found = await connection.scalars(
        select(SEALED_OBJECT.c.sealed_sha256).where(
            SEALED_OBJECT.c.submission_id == word.submission_id
        )
    )
    return set(found) == set(word.sealed_sha256)


async def _acknowledged(
    connection: AsyncConnection, submission: SubmissionId
) -> Acknowledged | None:
    query = select(ACKNOWLEDGED.c.acknowledged_on, ACKNOWLEDGED.c.kept_until).where(
        ACKNOWLEDGED.c.submission_id == submission
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return Acknowledged(
        submission_id=submission,
        acknowledged_on=date.fromisoformat(row.acknowledged_on),
        kept_until=date.fromisoformat(row.kept_until),
    )
