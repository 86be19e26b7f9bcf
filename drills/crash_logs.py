"""Both custody logs, seen again and again while programs die: none may forget what it was once.

What is seen in between is the log's size and root in the database itself; at the end every root is
proven to be a part of the last one, and the last one is worked out anew from its leaves.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from amana.settings import Settings
from amana.store.engine import open_database
from amana.store.log import checkpoint, consistency_proof, inclusion_proof
from amana.store.tables import LOG
from amana.verify.receipts import judge, read_file
from amana.wire.receipt import ReceiptR1
from crypto import merkle
from crypto.checkpoint import Checkpoint
from crypto.errors import ProofError
from crypto.merkle import TreeHash
from crypto.note import DualKey, SignedNote
from crypto.tlogproof import LogPolicy, believe
from portal.records.tables import COSIGNED_CHECKPOINT, SUBMISSION, WAITING_LEAF
from worker.equipment import portal_log_key
from worker.records.tables import CUSTODY_EVENT

_NOTE_BYTES: Final = 1 << 20
T = TypeVar("T")


@dataclass(slots=True)
class Logs:
    """What was seen of the logs of one deployment."""

    settings: Settings
    portal: list[Checkpoint] = field(default_factory=list)
    quarantine: list[Checkpoint] = field(default_factory=list)

    def look(self) -> None:
        """See both logs as they are now."""
        portal, worker = self.settings.portal, self.settings.worker
        origins = (portal.log_origin, worker.log_origin)
        self.portal.append(read(portal.database_url, lambda _: checkpoint(_, origins[0])))
        self.quarantine.append(read(worker.database_url, lambda _: checkpoint(_, origins[1])))

    def faults(self, receipts: list[Path]) -> Iterator[str]:
        """Yield what is wrong with the logs at the end. receipts: files of receipts R1."""
        self.look()
        portal, worker = self.settings.portal, self.settings.worker
        for name, url, seen in (
            ("portal", portal.database_url, self.portal),
            ("quarantine", worker.database_url, self.quarantine),
        ):
            for fault in read(url, partial(_log_faults, seen=seen)):
                yield f"the {name}'s log: {fault}"
        key = portal_log_key(self.settings.data_directory / worker.portal_log)
        if key is not None:
            yield from read(portal.database_url, partial(_cosigned_faults, key=key))
        yield from read(portal.database_url, partial(_arrival_faults, receipts=receipts))
        yield from read(worker.database_url, _event_faults)


async def _log_faults(connection: AsyncConnection, seen: list[Checkpoint]) -> list[str]:
    last, faults = seen[-1], []
    leaves = await _leaves(connection)
    if len(leaves) != last.size or merkle.root(leaves) != last.root:
        faults.append("its leaves do not make its root")
    if len(set(leaves)) != len(leaves):
        faults.append("a leaf stands in it twice")
    for size, root in {(each.size, each.root) for each in seen}:
        if size > last.size:
            faults.append(f"it had {size} leaves once, and has {last.size}")
            continue
        hashes = await consistency_proof(connection, size, last.size)
        try:
            merkle.verify_consistency(
                hashes, old_size=size, old_root=root, size=last.size, root=last.root
            )
        except ProofError:
            faults.append(f"it does not continue what it was with {size} leaves")
    return faults


async def _cosigned_faults(connection: AsyncConnection, key: DualKey) -> list[str]:
    """Check what the quarantine cosigned: signed by the log, and a part of it."""
    faults = []
    leaves = await _leaves(connection)
    for raw in await connection.scalars(select(COSIGNED_CHECKPOINT.c.note)):
        note = SignedNote.parse(raw, limit_bytes=_NOTE_BYTES)
        cosigned = believe(note, LogPolicy(log=key)).checkpoint
        if merkle.root(leaves[: cosigned.size]) != cosigned.root:
            faults.append(f"the checkpoint of {cosigned.size} leaves was cosigned of another log")
    return faults


async def _arrival_faults(connection: AsyncConnection, receipts: list[Path]) -> list[str]:
    """Check that the leaf of each receipt stands in the log, and each other's waits for it."""
    faults = []
    size = (await checkpoint(connection, "any.invalid/log")).size
    for path in receipts:
        receipt = judge(read_file(path.read_bytes())).receipt
        if not isinstance(receipt, ReceiptR1):
            faults.append(f"{path} is no receipt of an arrival")
        elif await inclusion_proof(connection, receipt.event.leaf, size) is None:
            faults.append(f"the leaf of {path} is not in the portal's log")
    waiting = await connection.scalar(select(func.count()).select_from(WAITING_LEAF)) or 0
    came = await connection.scalar(select(func.count()).select_from(SUBMISSION)) or 0
    if came != waiting + len(receipts):
        faults.append(f"{came} submissions, {len(receipts)} receipts and {waiting} waiting leaves")
    return faults


async def _event_faults(connection: AsyncConnection) -> list[str]:
    """Check that every event of the quarantine stands in its log, and nothing else does."""
    events = set(await connection.scalars(select(CUSTODY_EVENT.c.leaf)))
    leaves = set(await _leaves(connection))
    if events == leaves:
        return []
    lost, strange = len(events - leaves), len(leaves - events)
    return [f"the quarantine's log lacks {lost} events, and has {strange} leaves of none"]


async def _leaves(connection: AsyncConnection) -> list[TreeHash]:
    query = select(LOG.c.hash).where(LOG.c.number % 2 == 0).order_by(LOG.c.number)
    return [TreeHash(each) for each in await connection.scalars(query)]


def read(url: str, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Give what one look into a database finds."""

    async def read() -> T:
        database = open_database(url)
        try:
            async with database.read() as connection:
                return await work(connection)
        finally:
            await database.close()

    return asyncio.run(read())
