"""Append leaves to a log until done or killed: the process that tests/store/test_crash.py runs.

Prints `size root` of the log after each committed transaction.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys

from amana.store.engine import open_database
from amana.store.log import append, frontier
from crypto.merkle import TreeHash


async def run(url: str, name: str, transactions: int, leaves: int) -> None:
    database = open_database(url)
    for step in range(transactions):
        texts = (f"{name} {step} {place}" for place in range(leaves))
        batch = [TreeHash(hashlib.sha256(each.encode()).digest()) for each in texts]
        async with database.write() as connection:
            await append(connection, batch)
            now = await frontier(connection)
        sys.stdout.write(f"{now.size} {now.root.hex()}\n")
        sys.stdout.flush()
    await database.close()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
