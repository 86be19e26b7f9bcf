"""Whoever had the database to himself, and took the triggers away, is still found out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest
import pytest_asyncio
from sqlalchemy import text

from amana.store.audit import Audit, Wrong, audit_log
from amana.store.log import append, checkpoint
from amana.store.tables import LOG
from crypto import merkle
from crypto.checkpoint import Checkpoint
from crypto.merkle import LeafRange, TreeHash

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy import Executable, Update
    from sqlalchemy.ext.asyncio import AsyncConnection

    from amana.store.engine import Database

SIZE: Final = 23
LEAVES: Final = [TreeHash(hashlib.sha256(b"%d" % each).digest()) for each in range(SIZE)]
OTHER: Final = hashlib.sha256(b"another event").digest()
ORIGIN: Final = "example.org/custody"
LAST_ROW: Final = 2 * SIZE - 2
ROWS: Final = sorted(set(range(LAST_ROW)) - {31, 39, 43})
"""Every row but the last; three subtrees are not full in a log of 23 leaves."""


async def disarm(connection: AsyncConnection) -> None:
    if connection.dialect.name == "postgresql":
        await connection.execute(text("ALTER TABLE log DISABLE TRIGGER ALL"))
        for name in ("hash_is_sha256", "number_is_not_negative"):
            await connection.execute(text(f"ALTER TABLE log DROP CONSTRAINT ck_log_{name}"))
    else:
        await connection.execute(text("PRAGMA ignore_check_constraints = ON"))
        for name in ("update", "delete", "replace"):
            await connection.execute(text(f"DROP TRIGGER log_refuses_{name}"))


def change(row: int, **values: object) -> Update:
    return LOG.update().where(LOG.c.number == row).values(**values)


@dataclass(frozen=True, kw_only=True)
class Intruder:
    """Somebody who has a log of SIZE leaves to himself, in one transaction."""

    connection: AsyncConnection
    held: Checkpoint

    async def tries(self, *statements: Executable) -> Audit:
        """Change rows, recount against the checkpoint from before, and put the rows back."""
        savepoint = await self.connection.begin_nested()
        for statement in statements:
            await self.connection.execute(statement)
        audit = await audit_log(self.connection, self.held)
        await savepoint.rollback()
        return audit

    async def is_found(self, *statements: Executable) -> tuple[Wrong, int | None, LeafRange]:
        audit = await self.tries(*statements)
        assert audit.finding is not None
        return audit.finding.wrong, audit.finding.number, audit.finding.leaves


@pytest_asyncio.fixture
async def intruder(database: Database) -> AsyncIterator[Intruder]:
    async with database.write() as connection:
        await append(connection, LEAVES)
        held = await checkpoint(connection, ORIGIN)
        await disarm(connection)
        yield Intruder(connection=connection, held=held)


class AuditConformance:
    async def test_an_empty_log_is_sound(self, database: Database) -> None:
        async with database.read() as connection:
            audit = await audit_log(connection)
        assert audit == Audit(size=0, root=merkle.EMPTY_ROOT, finding=None)

    async def test_a_sound_log_gives_its_root_and_agrees_with_every_checkpoint(
        self, database: Database
    ) -> None:
        for size in range(1, SIZE + 1):
            async with database.write() as connection:
                await append(connection, LEAVES[:size])
                for old in (0, 1, size // 2, size - 1, size):
                    root = merkle.root(LEAVES[:old])
                    held = Checkpoint(origin=ORIGIN, size=old, root=root)
                    audit = await audit_log(connection, held)
                    assert audit == Audit(size=size, root=merkle.root(LEAVES[:size]), finding=None)

    @pytest.mark.threat("T-09")
    async def test_every_changed_row_is_found(self, intruder: Intruder) -> None:
        """Leaf or subtree: what is named covers the row that was changed."""
        for row in ROWS:
            wrong, _number, leaves = await intruder.is_found(change(row, hash=OTHER))
            assert wrong is Wrong.UNFOUNDED
            assert leaves.start <= row // 2 < leaves.end

    @pytest.mark.threat("T-09")
    async def test_a_changed_leaf_that_no_subtree_covers_is_found_by_a_checkpoint(
        self, intruder: Intruder
    ) -> None:
        """The last leaf of a log with an odd number of them."""
        found = await intruder.is_found(change(LAST_ROW, hash=OTHER))
        assert found == (Wrong.OTHER_HISTORY, None, LeafRange(start=0, end=SIZE))

    @pytest.mark.threat("T-09")
    async def test_every_dropped_row_is_named(self, intruder: Intruder) -> None:
        for row in ROWS:
            wrong, number, _leaves = await intruder.is_found(
                LOG.delete().where(LOG.c.number == row)
            )
            assert (wrong, number) == (Wrong.MISSING, row)

    @pytest.mark.threat("T-09")
    async def test_swapped_rows_are_found(self, intruder: Intruder) -> None:
        for one, other, named in ((8, 10, 9), (8, 12, 9), (0, 44, 1), (5, 9, 5)):
            wrong, number, _leaves = await intruder.is_found(
                change(one, number=1000), change(other, number=one), change(1000, number=other)
            )
            assert (wrong, number) == (Wrong.UNFOUNDED, named)

    @pytest.mark.threat("T-09")
    async def test_a_log_cut_at_its_end_is_found_by_a_checkpoint(self, intruder: Intruder) -> None:
        found = await intruder.is_found(LOG.delete().where(LOG.c.number > 40))
        assert found == (Wrong.CUT, 42, LeafRange(start=21, end=22))

    @pytest.mark.threat("T-09")
    async def test_an_inserted_row_is_found(self, intruder: Intruder) -> None:
        subtree = await intruder.is_found(LOG.insert().values(number=99999999999, hash=OTHER))
        assert subtree[:2] == (Wrong.EXTRA, 99999999999)
        # A leaf far away makes a long log, of which the first row that is not there is named.
        leaf = await intruder.is_found(LOG.insert().values(number=99999999998, hash=OTHER))
        assert leaf[:2] == (Wrong.MISSING, 31)
        nowhere = await intruder.is_found(LOG.insert().values(number=-1, hash=OTHER))
        assert nowhere[:2] == (Wrong.EXTRA, -1)

    @pytest.mark.threat("T-09")
    async def test_a_row_without_a_hash_is_named(self, intruder: Intruder) -> None:
        found = await intruder.is_found(change(12, hash=b"short"))
        assert found == (Wrong.NO_HASH, 12, LeafRange(start=6, end=7))

    @pytest.mark.threat("T-09")
    async def test_a_log_made_anew_is_found_by_a_checkpoint(self, database: Database) -> None:
        """Who rewrites every row makes a sound log; only what others hold contradicts it."""
        async with database.write() as connection:
            await append(connection, LEAVES)
        held = Checkpoint(origin="o", size=SIZE, root=merkle.root(reversed(LEAVES)))
        async with database.read() as connection:
            audit = await audit_log(connection, held)
        assert audit.finding is not None
        assert audit.finding.wrong is Wrong.OTHER_HISTORY
        assert audit.finding.leaves == LeafRange(start=0, end=SIZE)


class TestOnSqlite(AuditConformance):
    @pytest.fixture
    def url(self, sqlite_url: str) -> str:
        return sqlite_url


class TestOnPostgresql(AuditConformance):
    @pytest.fixture
    def url(self, postgresql_url: str) -> str:
        return postgresql_url
