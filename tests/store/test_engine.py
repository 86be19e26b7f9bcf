"""A database is opened only in a state in which what it says it has kept, it has kept."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from amana.store.engine import SQLITE_PRAGMAS, open_database
from amana.store.errors import (
    DatabaseFailureError,
    DatabaseUrlError,
    DurabilityError,
    LooseFileError,
)
from amana.store.log import append, frontier
from amana.store.tables import FORMAT
from crypto.merkle import TreeHash

if TYPE_CHECKING:
    from pathlib import Path

    from amana.store.engine import Database

CANARY = "2077-07-07"


async def created_on(database: Database) -> str:
    async with database.read() as connection:
        return str(await connection.scalar(text("SELECT created_on FROM format")))


async def move_and_record(database: Database) -> None:
    """A change of state and its custody event, as a zone makes them."""
    async with database.write() as connection:
        await connection.execute(FORMAT.update().values(created_on=CANARY))
        await append(connection, [TreeHash(bytes(32))])


def modes_in(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


def bytes_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


class EngineConformance:
    async def test_a_change_and_its_event_happen_together(self, database: Database) -> None:
        await move_and_record(database)
        assert await created_on(database) == CANARY
        async with database.read() as connection:
            assert (await frontier(connection)).size == 1

    async def test_an_event_that_is_refused_undoes_the_change(self, database: Database) -> None:
        async def move_and_fail() -> None:
            async with database.write() as connection:
                await connection.execute(FORMAT.update().values(created_on=CANARY))
                await connection.execute(text("INSERT INTO log VALUES (0, NULL)"))

        with pytest.raises(DatabaseFailureError):
            await move_and_fail()
        assert await created_on(database) != CANARY

    async def test_a_cancelled_change_is_undone_and_the_next_one_goes_on(
        self, database: Database
    ) -> None:
        changed = asyncio.Event()

        async def move_and_wait() -> None:
            async with database.write() as connection:
                await connection.execute(FORMAT.update().values(created_on=CANARY))
                changed.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(move_and_wait())
        await changed.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await created_on(database) != CANARY
        await move_and_record(database)

    async def test_who_reads_cannot_write(self, database: Database) -> None:
        async def write_while_reading() -> None:
            async with database.read() as connection:
                await connection.execute(FORMAT.update().values(created_on=CANARY))

        with pytest.raises(DatabaseFailureError):
            await write_while_reading()
        assert await created_on(database) != CANARY

    async def test_one_transaction_reads_while_another_writes(self, database: Database) -> None:
        before = await created_on(database)
        async with database.write() as writing:
            await writing.execute(FORMAT.update().values(created_on=CANARY))
            assert await created_on(database) == before
        assert await created_on(database) == CANARY

    async def test_an_error_tells_no_value(self, database: Database) -> None:
        """An operator's log is read by people who may not see what the rows hold."""
        with pytest.raises(DatabaseFailureError) as refused:
            async with database.write() as connection:
                await connection.execute(text("INSERT INTO format VALUES (:it)"), {"it": CANARY})
        assert CANARY not in f"{refused.value}{refused.value.__cause__}"


class TestOnSqlite(EngineConformance):
    @pytest.fixture
    def url(self, sqlite_url: str) -> str:
        return sqlite_url

    async def test_every_connection_has_the_settings_that_durability_rests_on(
        self, database: Database
    ) -> None:
        for transaction, query_only in ((database.read, 1), (database.write, 0)):
            async with transaction() as connection:
                for pragma, value in {**SQLITE_PRAGMAS, "query_only": query_only}.items():
                    assert await connection.scalar(text(f"PRAGMA {pragma}")) == value

    async def test_nobody_else_can_read_its_files(self, database: Database, tmp_path: Path) -> None:
        await move_and_record(database)
        assert modes_in(tmp_path) == {
            "amana.db": 0o600,
            "amana.db-wal": 0o600,
            "amana.db-shm": 0o600,
        }

    async def test_what_was_overwritten_is_not_in_the_file(
        self, database: Database, tmp_path: Path
    ) -> None:
        await move_and_record(database)
        async with database.write() as connection:
            await connection.execute(FORMAT.update().values(created_on="2026-10-02"))
        await database.close()
        left = bytes_in(tmp_path)
        assert b"2026-10-02" in left
        assert CANARY.encode() not in left


class TestOnPostgresql(EngineConformance):
    @pytest.fixture
    def url(self, postgresql_url: str) -> str:
        return postgresql_url

    async def test_a_commit_is_answered_when_it_is_on_disk(self, database: Database) -> None:
        async with database.write() as connection:
            assert await connection.scalar(text("SHOW synchronous_commit")) == "on"

    async def test_a_database_that_the_server_has_not_is_a_failure_with_a_name(
        self, url: str
    ) -> None:
        database = open_database(url.replace("/test_", "/never_"))
        with pytest.raises(DatabaseFailureError):
            await created_on(database)
        await database.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "amana.db",
        "sqlite:////srv/amana.db",
        "sqlite+pysqlite:////srv/amana.db",
        "sqlite+aiosqlite://",
        "sqlite+aiosqlite:///:memory:",
        "sqlite+aiosqlite:///amana.db",
        "sqlite+aiosqlite:////srv/amana.db?mode=ro",
        "sqlite+aiosqlite:////srv/amana.db?uri=true",
        "sqlite+aiosqlite://amana@host/srv/amana.db",
        "postgresql+asyncpg://amana@host",
        "postgresql+asyncpg://amana@/amana?passfile=secret",
        "postgresql://amana@/amana",
        "postgresql+psycopg://amana@/amana",
        "mysql+aiomysql://amana@localhost/amana",
        "postgresql+asyncpg://amana:secret@host:no-port/amana",
    ],
)
def test_no_other_kind_of_database_is_opened(url: str) -> None:
    with pytest.raises(DatabaseUrlError) as refused:
        open_database(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, sqlite_url: str, mode: int) -> None:
    path = tmp_path / "amana.db"
    path.touch()
    path.chmod(mode)
    with pytest.raises(LooseFileError):
        open_database(sqlite_url)


def test_a_link_in_place_of_the_file_is_refused(tmp_path: Path, sqlite_url: str) -> None:
    (tmp_path / "amana.db").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DatabaseFailureError):
        open_database(sqlite_url)
    assert not (tmp_path / "elsewhere").exists()


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path, sqlite_url: str) -> None:
    path = tmp_path / "amana.db"
    path.write_bytes(b"not a database at all" * 100)
    path.chmod(0o600)
    database = open_database(sqlite_url)
    with pytest.raises((DatabaseFailureError, DurabilityError)):
        await created_on(database)
    await database.close()


async def test_a_server_that_is_not_there_is_a_failure_with_a_name(tmp_path: Path) -> None:
    database = open_database(f"postgresql+asyncpg://amana@/amana?host={tmp_path}")
    with pytest.raises(DatabaseFailureError):
        await created_on(database)
    await database.close()
