"""Open a zone's database, and run its transactions.

SQLite on one machine, PostgreSQL beyond it, chosen by the URL, used by the same code. No other
database is opened, and a database that does not take the settings on which durability and
erasure rest is refused. No statement's parameters ever reach an error message or a log.
Format and settings: docs/format/14-stores.md.
"""

from __future__ import annotations

import asyncio
import os
import stat
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from amana.store.errors import (
    DatabaseFailureError,
    DatabaseUrlError,
    DurabilityError,
    LooseFileError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from sqlalchemy.engine import Connection
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

SQLITE_SCHEME: Final = "sqlite+aiosqlite"
"""The scheme of a database in one file (docs/format/14-stores.md: one machine)."""

POSTGRESQL_SCHEME: Final = "postgresql+asyncpg"
"""The scheme of a PostgreSQL database (the same chapter: beyond one machine)."""

SQLITE_PRAGMAS: Final[Mapping[str, str | int]] = MappingProxyType(
    {
        "journal_mode": "wal",
        "synchronous": 2,
        "secure_delete": 1,
        "busy_timeout": 10_000,
        "foreign_keys": 1,
    }
)
"""What every SQLite connection is set to, and reads back before it is used.

WAL with synchronous = 2 (FULL) makes a commit durable with one fdatasync; secure_delete = 1
overwrites what is deleted with zeros; busy_timeout is in milliseconds. Numbers
as sqlite.org/pragma.html gives them; why these: docs/format/14-stores.md.
"""

POSTGRESQL_SETTINGS: Final = MappingProxyType({"synchronous_commit": "on", "jit": "off"})
"""Session settings of PostgreSQL: a commit is answered when it is on disk, whatever the server's
default; compiling costs more than our short statements take."""

POSTGRESQL_OPTIONS: Final = frozenset({"host", "port", "ssl"})
"""What may stand behind the ? of a PostgreSQL URL: a socket's directory, or how TLS is checked."""

SQLITE_READERS: Final = 4
"""Connections that read at once in one process; a reader never waits for the writer in WAL mode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """One open database: short transactions that read, and transactions that write."""

    _reader: AsyncEngine
    _writer: AsyncEngine

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection that sees one state of the database and cannot change it.

        Raises DatabaseFailureError, also for a statement that tries to write.
        """
        async with _transaction(self._reader) as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection whose statements all happen, durably, or none does.

        A change of state and its custody event belong into one such block. The log's `append`
        comes last in it: the log has one writer at a time, and what it makes wait must not
        hold what others need. In SQLite the block waits for its turn before the first
        statement. Raises DatabaseFailureError; any exception undoes the block.
        """
        async with _transaction(self._writer) as connection:
            yield connection

    async def close(self) -> None:
        """Close every connection; the database can be opened again."""
        await self._reader.dispose()
        await self._writer.dispose()


def open_database(url: str) -> Database:
    """Open the database that the URL names.

    `sqlite+aiosqlite:////an/absolute/path` (made with mode 0600 if it is not there) or
    `postgresql+asyncpg://…`. Raises DatabaseUrlError, and LooseFileError for a file that others
    may read. Connects when it is first used.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The library's own message repeats the URL, and with it a password.
        raise DatabaseUrlError("the database's URL cannot be read") from None
    if parsed.drivername == SQLITE_SCHEME:
        return _open_sqlite(parsed)
    if parsed.drivername == POSTGRESQL_SCHEME:
        return _open_postgresql(parsed)
    raise DatabaseUrlError(f"a database's URL begins with {SQLITE_SCHEME} or {POSTGRESQL_SCHEME}")


@asynccontextmanager
async def _transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    connection = engine.connect()
    try:
        await connection.start()
    except (SQLAlchemyError, OSError) as failure:
        raise DatabaseFailureError("the database cannot be reached") from failure
    try:
        async with connection.begin():
            yield connection
    except SQLAlchemyError as failure:
        raise DatabaseFailureError("the database refused a statement") from failure
    finally:
        # A cancelled task must still give its connection back.
        await asyncio.shield(connection.close())


def _open_postgresql(url: URL) -> Database:
    if not url.database or url.query.keys() - POSTGRESQL_OPTIONS:
        raise DatabaseUrlError("a PostgreSQL URL names a database, and no unknown option")
    engine = create_async_engine(
        url,
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        connect_args={"server_settings": dict(POSTGRESQL_SETTINGS)},
    )
    return Database(_reader=engine.execution_options(postgresql_readonly=True), _writer=engine)


def _open_sqlite(url: URL) -> Database:
    path = Path(url.database or "")
    if not path.is_absolute() or url != URL.create(SQLITE_SCHEME, database=url.database):
        raise DatabaseUrlError("an SQLite database is named by an absolute path and nothing else")
    _require_private_file(path)
    # One writer in a process: others wait in the pool's fair queue, not by polling a lock.
    writer = create_async_engine(url, hide_parameters=True, pool_size=1, max_overflow=0)
    reader = create_async_engine(
        url, hide_parameters=True, pool_size=SQLITE_READERS, max_overflow=0
    )
    _prepare_connections(writer, begin="BEGIN IMMEDIATE", query_only=False)
    _prepare_connections(reader, begin="BEGIN", query_only=True)
    return Database(_reader=reader, _writer=writer)


def _require_private_file(path: Path) -> None:
    """Make the file if it is not there; SQLite gives its -wal and -shm files the same mode."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as failure:
        raise DatabaseFailureError("the database file cannot be opened") from failure
    try:
        mode = os.fstat(descriptor).st_mode
    finally:
        os.close(descriptor)
    if not stat.S_ISREG(mode) or stat.S_IMODE(mode) & 0o077:
        raise LooseFileError("the database file must be a plain file of mode 0600")


def _prepare_connections(engine: AsyncEngine, *, begin: str, query_only: bool) -> None:
    """Take transaction control from the driver, and set and check the pragmas.

    The sqlite3 module begins a transaction only before some statements; SQLAlchemy's documented
    way on every Python we support is to switch that off and to say BEGIN ourselves. A writer
    says BEGIN IMMEDIATE: two readers that both want to become writers would otherwise refuse
    each other.
    """

    def connected(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        for pragma, value in {**SQLITE_PRAGMAS, "query_only": int(query_only)}.items():
            _set_pragma(connection, pragma, value)

    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine.sync_engine, "connect", connected)
    event.listen(engine.sync_engine, "begin", begun)


def _set_pragma(connection: DBAPIConnection, pragma: str, value: str | int) -> None:
    cursor = connection.cursor()
    try:
        cursor.execute(f"PRAGMA {pragma} = {value}")
        cursor.execute(f"PRAGMA {pragma}")
        row = cursor.fetchone()
    finally:
        cursor.close()
    if row is None or row[0] != value:
        raise DurabilityError(f"the database does not keep {pragma} at {value}")
