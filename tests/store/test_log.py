"""The custody log keeps RFC 6962's promises, on every database that the engine opens."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, text

from amana.store.errors import DatabaseFailureError, LeafHashError, LogDamagedError, LogSizeError
from amana.store.log import append, checkpoint, consistency_proof, frontier, inclusion_proof
from crypto import merkle
from crypto.merkle import EMPTY_ROOT, TreeHash, verify_consistency, verify_inclusion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from amana.store.engine import Database

ORIGIN = "example.org/custody"
SIZES = range(1, 70)
UPSERT = """
INSERT INTO log SELECT * FROM log WHERE true
ON CONFLICT (number) DO UPDATE SET hash = excluded.hash
"""


def leaf(number: int) -> TreeHash:
    return TreeHash(hashlib.sha256(b"leaf %d" % number).digest())


LEAVES = [leaf(number) for number in SIZES]


async def append_all(database: Database, leaf_hashes: Sequence[TreeHash]) -> tuple[int, ...]:
    async with database.write() as connection:
        return await append(connection, leaf_hashes)


async def disarm(connection: AsyncConnection) -> None:
    """Take the triggers away, as somebody does who has the database to himself."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("ALTER TABLE log DISABLE TRIGGER ALL"))
        return
    for name in ("update", "delete", "replace"):
        await connection.execute(text(f"DROP TRIGGER log_refuses_{name}"))


async def refuses(database: Database, statement: str) -> None:
    await append_all(database, LEAVES[:3])
    with pytest.raises(DatabaseFailureError) as refused:
        async with database.write() as connection:
            await connection.execute(text(statement))
    assert "the log is append-only" in str(refused.value.__cause__)
    async with database.read() as connection:
        assert (await frontier(connection)).root == merkle.root(LEAVES[:3])


class LogConformance:
    async def test_an_empty_log_has_the_empty_root(self, database: Database) -> None:
        async with database.read() as connection:
            now = await checkpoint(connection, ORIGIN)
        assert (now.origin, now.size, now.root) == (ORIGIN, 0, EMPTY_ROOT)

    async def test_the_root_is_the_trees_root_whatever_the_batches(
        self, database: Database
    ) -> None:
        size = 0
        for batch in (1, 1, 5, 0, 2, 23, 1, 36):
            indices = await append_all(database, LEAVES[size : size + batch])
            assert indices == tuple(range(size, size + batch))
            size += batch
            async with database.read() as connection:
                now = await checkpoint(connection, ORIGIN)
            assert (now.size, now.root) == (size, merkle.root(LEAVES[:size]))
        assert size == len(LEAVES)

    async def test_a_leaf_stands_in_the_log_once(self, database: Database) -> None:
        """A custody event has a derived id, so a step that runs again appends nothing."""
        await append_all(database, LEAVES[:3])
        repeated = [leaf(99), LEAVES[2], leaf(99), LEAVES[0]]
        assert await append_all(database, repeated) == (3, 2, 3, 0)
        assert await append_all(database, repeated) == (3, 2, 3, 0)
        async with database.read() as connection:
            assert (await frontier(connection)).root == merkle.root([*LEAVES[:3], leaf(99)])

    @pytest.mark.threat("T-09")
    async def test_every_leaf_is_proven_in_every_tree_that_holds_it(
        self, database: Database
    ) -> None:
        await append_all(database, LEAVES)
        async with database.read() as connection:
            for size in SIZES:
                root = merkle.root(LEAVES[:size])
                for index in range(size):
                    proof = await inclusion_proof(connection, LEAVES[index], size)
                    assert proof is not None
                    assert (proof.index, proof.size) == (index, size)
                    verify_inclusion(
                        proof.hashes, leaf=LEAVES[index], index=index, size=size, root=root
                    )

    @pytest.mark.threat("T-09")
    async def test_every_tree_is_proven_to_continue_every_earlier_one(
        self, database: Database
    ) -> None:
        await append_all(database, LEAVES)
        roots = [merkle.root(LEAVES[:size]) for size in range(len(LEAVES) + 1)]
        async with database.read() as connection:
            for size in range(len(roots)):
                for old in range(size + 1):
                    proof = await consistency_proof(connection, old, size)
                    verify_consistency(
                        proof, old_size=old, old_root=roots[old], size=size, root=roots[size]
                    )

    async def test_a_leaf_that_is_not_in_the_tree_has_no_proof(self, database: Database) -> None:
        await append_all(database, LEAVES[:5])
        async with database.read() as connection:
            assert await inclusion_proof(connection, leaf(99), 5) is None
            assert await inclusion_proof(connection, LEAVES[4], 4) is None
            # The hash of an inner row is no leaf.
            inner = merkle.node_hash(LEAVES[0], LEAVES[1])
            assert await inclusion_proof(connection, inner, 5) is None

    async def test_a_size_that_the_log_has_not_reached_is_refused(self, database: Database) -> None:
        await append_all(database, LEAVES[:5])
        async with database.read() as connection:
            for size in (-1, 0, 6, 8, 1 << 61, 1 << 80):
                with pytest.raises(LogSizeError):
                    await inclusion_proof(connection, LEAVES[0], size)
            for size in (-1, 6, 8, 1 << 61, 1 << 80):
                with pytest.raises(LogSizeError):
                    await consistency_proof(connection, 0, size)

    async def test_a_tree_does_not_shrink(self, database: Database) -> None:
        await append_all(database, LEAVES[:5])
        async with database.read() as connection:
            with pytest.raises(LogSizeError):
                await consistency_proof(connection, 4, 3)

    async def test_only_hashes_are_appended(self, database: Database) -> None:
        for length in (0, 31, 33):
            with pytest.raises(LeafHashError):
                await append_all(database, [LEAVES[0], TreeHash(bytes(length))])
        async with database.read() as connection:
            assert (await frontier(connection)).size == 0

    async def test_an_undone_transaction_leaves_the_log_as_it_was(self, database: Database) -> None:
        await append_all(database, LEAVES[:2])

        async def append_then_fail() -> None:
            async with database.write() as connection:
                await append(connection, LEAVES[2:5])
                raise ConnectionAbortedError

        with pytest.raises(ConnectionAbortedError):
            await append_then_fail()
        assert await append_all(database, LEAVES[5:6]) == (2,)

    @pytest.mark.threat("T-09")
    async def test_appenders_at_the_same_time_never_fork_the_log(self, database: Database) -> None:
        batches = [LEAVES[first : first + 3] for first in range(0, len(LEAVES), 3)]
        given = await asyncio.gather(*(append_all(database, batch) for batch in batches))
        assert sorted(index for indices in given for index in indices) == list(range(len(LEAVES)))
        ordered = dict(zip((i for many in given for i in many), LEAVES, strict=True))
        async with database.read() as connection:
            now = await frontier(connection)
        assert now.root == merkle.root(ordered[index] for index in range(len(LEAVES)))

    @pytest.mark.threat("T-09")
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE log SET hash = hash",
            "UPDATE log SET number = number + 100 WHERE number = 4",
            "DELETE FROM log WHERE number = 4",
            "DELETE FROM log",
            UPSERT,
        ],
    )
    async def test_the_database_itself_refuses_to_change_the_log(
        self, database: Database, statement: str
    ) -> None:
        await refuses(database, statement)

    async def test_a_proof_is_one_query(self, database: Database) -> None:
        await append_all(database, LEAVES)
        statements: list[str] = []
        async with database.read() as connection:
            event.listen(
                connection.sync_connection,
                "before_cursor_execute",
                lambda *arguments: statements.append(arguments[2]),
            )
            await inclusion_proof(connection, LEAVES[40], 69)
            assert len(statements) == 1
            await consistency_proof(connection, 40, 69)
            assert len(statements) == 2

    @pytest.mark.threat("T-09")
    async def test_a_lost_row_gives_no_proof(self, database: Database) -> None:
        await append_all(database, LEAVES[:8])
        async with database.write() as connection:
            await disarm(connection)
            await connection.execute(text("DELETE FROM log WHERE number = 2"))
        async with database.read() as connection:
            with pytest.raises(LogDamagedError):
                await inclusion_proof(connection, LEAVES[0], 8)


class TestOnSqlite(LogConformance):
    @pytest.fixture
    def url(self, sqlite_url: str) -> str:
        return sqlite_url

    @pytest.mark.threat("T-09")
    @pytest.mark.parametrize(
        "statement",
        [
            "INSERT OR REPLACE INTO log SELECT number, zeroblob(32) FROM log WHERE number = 4",
            "INSERT OR REPLACE INTO log SELECT 10, hash FROM log WHERE number = 4",
            "REPLACE INTO log SELECT * FROM log",
        ],
    )
    async def test_replacing_a_row_is_refused_too(self, database: Database, statement: str) -> None:
        """SQLite's REPLACE deletes a row without asking the trigger that guards deletion."""
        await refuses(database, statement)


class TestOnPostgresql(LogConformance):
    @pytest.fixture
    def url(self, postgresql_url: str) -> str:
        return postgresql_url

    @pytest.mark.threat("T-09")
    async def test_emptying_the_table_is_refused_too(self, database: Database) -> None:
        await refuses(database, "TRUNCATE log")
