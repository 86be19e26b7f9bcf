"""Time one custody proof in logs of growing size.

    python bench/log.py [LEAVES ...]

Builds a log of each size (10,000 and 100,000 leaves if none is given) in an SQLite file of its own
in var/bench-log, which is made anew. Prints a line per log: what building it took, the median and
the slowest of PROOFS proofs of leaves spread over the log, queries and rows of one proof, the most
memory that one proof took, the recount of the whole log, and the file's size.
To reach (docs/performance.md): one query and constant memory, at 5 million leaves.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import statistics
import sys
import time
import tracemalloc
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import event

from amana.store.audit import audit_log
from amana.store.engine import open_database
from amana.store.log import append, frontier, inclusion_proof
from amana.store.migrate import upgrade
from amana.wire.vocabulary import Deployment
from crypto.merkle import TreeHash, verify_inclusion
from portal.records.tables import PORTAL

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from amana.store.engine import Database

PROOFS = 301
BATCH = 20_000
HEAD = "   leaves  build s  proof ms  slowest ms  queries  hashes  memory KiB  recount s  file MiB"


def leaf(index: int) -> TreeHash:
    """Give the leaf hash that the bench puts at this index."""
    return TreeHash(hashlib.sha256(index.to_bytes(8)).digest())


async def build(database: Database, size: int) -> float:
    """Fill a new log, and give the seconds that it took."""
    began = time.perf_counter()
    await upgrade(database, PORTAL, Deployment.TRAINING, date(2026, 10, 2))
    for first in range(0, size, BATCH):
        batch = [leaf(index) for index in range(first, min(first + BATCH, size))]
        async with database.write() as connection:
            await append(connection, batch)
    return time.perf_counter() - began


async def prove(connection: AsyncConnection, size: int) -> list[float]:
    """Prove and verify leaves spread over the log; give the milliseconds of each proof."""
    root = (await frontier(connection)).root
    took = []
    for turn in range(PROOFS):
        # A step that shares no factor with the size visits near and far leaves in turn.
        index = turn * 7_368_787 % size
        began = time.perf_counter()
        proof = await inclusion_proof(connection, leaf(index), size)
        took.append(1000 * (time.perf_counter() - began))
        if proof is None:
            raise SystemExit("a leaf of the log has no proof")
        verify_inclusion(proof.hashes, leaf=leaf(index), index=index, size=size, root=root)
    return took


async def weigh(connection: AsyncConnection, size: int) -> tuple[int, int, float]:
    """Give the queries, the hashes and the most KiB of memory of one proof."""
    statements: list[object] = []
    event.listen(
        connection.sync_connection,
        "before_cursor_execute",
        lambda *arguments: statements.append(arguments[2]),
    )
    tracemalloc.start()
    proof = await inclusion_proof(connection, leaf(size // 3), size)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return len(statements), len(proof.hashes) if proof else 0, peak / 1024


async def measure(path: Path, size: int) -> str:
    """Give the line of the table for one size."""
    database = open_database(f"sqlite+aiosqlite:///{path}")
    build_seconds = await build(database, size)
    async with database.read() as connection:
        took = await prove(connection, size)
        queries, hashes, memory = await weigh(connection, size)
        began = time.perf_counter()
        audit = await audit_log(connection)
        recount_seconds = time.perf_counter() - began
    await database.close()
    if audit.finding is not None or audit.size != size:
        raise SystemExit("the log is not sound")
    return (
        f"{size:9,d}{build_seconds:9.1f}{statistics.median(took):10.2f}{max(took):12.2f}"
        f"{queries:9d}{hashes:8d}{memory:12.1f}{recount_seconds:11.1f}"
    )


def main() -> None:
    """Read the arguments, and print the table line by line."""
    directory = Path("var/bench-log").resolve()
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    sizes = [int(argument) for argument in sys.argv[1:]] or [10_000, 100_000]
    print(HEAD)
    for size in sizes:
        path = directory / f"log-{size}.db"
        line = asyncio.run(measure(path, size))
        print(f"{line}{path.stat().st_size / 2**20:10.1f}", flush=True)


if __name__ == "__main__":
    main()
