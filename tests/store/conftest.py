"""Real databases for the tests: a new SQLite file, or a new database of a private PostgreSQL.

PostgreSQL is not optional: without it these tests fail, and say what to install.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from amana.store.engine import Database, open_database
from amana.store.migrate import upgrade
from amana.wire.vocabulary import Deployment
from portal.records.tables import PORTAL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

SCRIPT = Path(__file__).parents[2] / "scripts" / "postgres"
START_SECONDS = 30


@pytest.fixture(scope="session")
def postgresql_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The directory of a running private server, which ends with the test session."""
    # Not pytest's own directory: root's is closed to the user that the server runs as.
    parent = Path(os.environ.get("TMPDIR", "/tmp"))  # noqa: S108 - a random name, made with 0700
    directory = parent / f"amana-postgres-{secrets.token_hex(8)}"
    log = tmp_path_factory.mktemp("postgres") / "log"
    with log.open("wb") as said, subprocess.Popen([SCRIPT, directory], stderr=said) as server:
        try:
            _wait_for(server, directory / "data" / "postmaster.pid", log)
            yield directory
        finally:
            server.send_signal(signal.SIGINT)


def _wait_for(server: subprocess.Popen[bytes], state: Path, log: Path) -> None:
    """Wait until the server says that it is ready, in the file by which pg_ctl waits too."""
    give_up_at = time.monotonic() + START_SECONDS
    while not (state.exists() and state.read_text().rstrip().endswith("ready")):
        if server.poll() is not None:
            pytest.fail(log.read_text())
        if time.monotonic() > give_up_at:
            pytest.fail("PostgreSQL did not start in time; try scripts/postgres by hand")
        time.sleep(0.05)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'amana.db'}"


@pytest_asyncio.fixture
async def postgresql_url(postgresql_directory: Path) -> str:
    def url(name: str) -> str:
        return f"postgresql+asyncpg://amana@/{name}?host={postgresql_directory}"

    name = f"test_{secrets.token_hex(8)}"
    server = create_async_engine(url("postgres"), isolation_level="AUTOCOMMIT")
    async with server.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    await server.dispose()
    return url(name)


@pytest_asyncio.fixture
async def empty(url: str) -> AsyncIterator[Database]:
    """A database in which nothing was made yet."""
    database = open_database(url)
    yield database
    await database.close()


@pytest_asyncio.fixture
async def database(empty: Database) -> Database:
    """A portal's training database of the newest format."""
    await upgrade(empty, PORTAL, Deployment.TRAINING, date(2026, 10, 2))
    return empty
