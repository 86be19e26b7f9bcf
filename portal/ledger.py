"""What the portal's database is told of submissions, each in one transaction.

A row is written when everything that it names is on the disk, never before. Leaves of witnesses
join the log after their day, shuffled, among dummies, so that the log shows neither the order in
which they came nor how many. Format: docs/format/18-portal.md section 4.
"""

import secrets
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Final

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from amana.store.engine import Database
from amana.store.log import append
from amana.wire.ids import SubmissionId
from amana.wire.note import PackageNote
from amana.wire.sealed import SealedObject
from crypto.merkle import HASH_BYTES, TreeHash
from portal.errors import RefusedError
from portal.finishing import Received
from portal.records.tables import (
    MAILBOX,
    MERGED,
    SEALED_OBJECT,
    SUBMISSION,
    WAITING_LEAF,
    ObjectRole,
    SubmissionState,
)
from portal.refusal import Refusal

LEAVES_AT_ONCE: Final = 64
"""Leaves that join the log together: so many a day, whether one came or sixty-four. Ours; a busier
day adds as many again. 23,000 a year are a proof of fifteen hashes."""


async def record(
    database: Database,
    received: Received,
    also: Callable[[AsyncConnection, Received], Awaitable[None]] | None = None,
) -> None:
    """Write down that a submission came in, and let its leaf wait for the log.

    also: what happens in the same transaction, or not at all. RefusedError: BUSY, when the same
    words became another account's in this very moment.
    """
    note = received.note
    day = received.on.isoformat()
    async with database.write() as connection:
        await _keep_mailbox(connection, received)
        await write_submission(connection, note, received.event, received.on)
        await connection.execute(insert(WAITING_LEAF).values(hash=received.leaf, since=day))
        if also is not None:
            await also(connection, received)


async def write_submission(
    connection: AsyncConnection, note: PackageNote, event: SealedObject, on: date
) -> None:
    """Write the rows of a submission and of all its sealed objects; event: of its arrival."""
    await connection.execute(
        insert(SUBMISSION).values(
            submission_id=note.submission_id,
            account=note.account,
            card=note.card,
            received_on=on.isoformat(),
            note_sha256=note.digest,
            state=SubmissionState.RECEIVED.value,
        )
    )
    rows = [
        _row(note.submission_id, ObjectRole.SUBMISSION_MANIFEST, note.submission_manifest),
        *(_row(note.submission_id, ObjectRole.ITEM_MANIFEST, _) for _ in note.item_manifests),
        *(_row(note.submission_id, ObjectRole.RECORD, _) for _ in note.records),
        *(_row(note.submission_id, ObjectRole.CONTENT, _) for _ in note.objects),
        _row(note.submission_id, ObjectRole.EVENT, event),
    ]
    # In the order of their keys: what is written together tells no order either.
    await connection.execute(
        insert(SEALED_OBJECT), sorted(rows, key=lambda row: str(row["object_id"]))
    )


async def recorded(database: Database) -> frozenset[SubmissionId]:
    """Give every submission that there is a row for."""
    async with database.read() as connection:
        return frozenset(
            SubmissionId(each)
            for each in await connection.scalars(select(SUBMISSION.c.submission_id))
        )


async def merge_leaves(database: Database, today: date) -> int:
    """Let the leaves of earlier days join the log, once a day; give how many rows joined.

    0: it was done today. Dummies fill up to a multiple of LEAVES_AT_ONCE, at least one.
    """
    async with database.write() as connection:
        last = await connection.scalar(select(MERGED.c.day))
        if last is not None and last >= today.isoformat():
            return 0
        is_earlier = WAITING_LEAF.c.since < today.isoformat()
        found = await connection.scalars(select(WAITING_LEAF.c.hash).where(is_earlier))
        leaves = [TreeHash(each) for each in found]
        dummies = LEAVES_AT_ONCE - len(leaves) % LEAVES_AT_ONCE
        if leaves and dummies == LEAVES_AT_ONCE:
            dummies = 0
        leaves += [TreeHash(secrets.token_bytes(HASH_BYTES)) for _ in range(dummies)]
        # Both kinds are uniform: in the order of their bytes nothing of their origin is left.
        leaves.sort()
        await connection.execute(delete(WAITING_LEAF).where(is_earlier))
        await connection.execute(delete(MERGED))
        await connection.execute(insert(MERGED).values(day=today.isoformat()))
        await append(connection, leaves)
    return len(leaves)


async def _keep_mailbox(connection: AsyncConnection, received: Received) -> None:
    if received.mailbox is None:
        return
    account = received.note.account
    is_same = MAILBOX.c.lookup_sha256 == received.mailbox
    known = await connection.scalar(select(MAILBOX.c.account).where(is_same))
    if known is None:
        row = {"lookup_sha256": received.mailbox, "account": account}
        await connection.execute(insert(MAILBOX).values(row))
    elif known != account:
        raise RefusedError(Refusal.BUSY)


def _row(submission: SubmissionId, role: ObjectRole, sealed: SealedObject) -> dict[str, str | int]:
    return {
        "object_id": sealed.object_id,
        "submission_id": submission,
        "role": role.value,
        "sealed_size": sealed.sealed_size,
        "sealed_sha256": sealed.sealed_sha256,
    }
