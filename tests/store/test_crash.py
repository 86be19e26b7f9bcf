"""A killed process, and two at once: the log stays one log, and keeps what was acknowledged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from amana.store.audit import audit_log
from amana.store.log import append, frontier
from amana.store.numbering import MAX_LEAVES
from crypto.checkpoint import Checkpoint
from crypto.merkle import TreeHash

if TYPE_CHECKING:
    from amana.store.engine import Database

APPENDER: Final = Path(__file__).with_name("appender.py")
ENDLESS: Final = MAX_LEAVES


def start(url: str, name: str, transactions: int, leaves: int) -> subprocess.Popen[str]:
    arguments = [url, name, str(transactions), str(leaves)]
    return subprocess.Popen(
        [sys.executable, APPENDER, *arguments], stdout=subprocess.PIPE, text=True
    )


def kill_while_it_appends(url: str, *, after: int, leaves: int) -> list[str]:
    """Kill -9 behind the acknowledgement with this number; give every acknowledgement."""
    with start(url, f"killed after {after}", ENDLESS, leaves) as process:
        assert process.stdout is not None
        acknowledged = [process.stdout.readline() for _ in range(after)]
        process.kill()
        # What it still said before it died was committed too; a torn last line says nothing.
        rest = process.stdout.read().splitlines(keepends=True)
    return acknowledged + [line for line in rest if line.endswith("\n")]


def both(url: str) -> list[str]:
    with start(url, "one", 12, 5) as one, start(url, "other", 12, 7) as other:
        said = one.communicate()[0] + other.communicate()[0]
        assert (one.returncode, other.returncode) == (0, 0)
    return said.splitlines()


async def assert_all_in_one_history(database: Database, said: list[str]) -> int:
    """Every size and root that was ever acknowledged belongs to the log as it is now."""
    async with database.read() as connection:
        for line in said:
            size, root = line.split()
            held = Checkpoint(
                origin="example.org/custody", size=int(size), root=TreeHash(bytes.fromhex(root))
            )
            audit = await audit_log(connection, held)
            assert audit.finding is None
        return (await frontier(connection)).size


class CrashConformance:
    @pytest.mark.threat("T-09")
    async def test_a_killed_appender_leaves_a_whole_log_with_all_it_acknowledged(
        self, url: str, database: Database
    ) -> None:
        acknowledged: list[str] = []
        for after, leaves in ((1, 300), (3, 40), (9, 3)):
            acknowledged += kill_while_it_appends(url, after=after, leaves=leaves)
        size = await assert_all_in_one_history(database, acknowledged)
        async with database.write() as connection:
            assert await append(connection, [TreeHash(bytes(32))]) == (size,)

    @pytest.mark.threat("T-09")
    async def test_two_processes_append_to_one_history(self, url: str, database: Database) -> None:
        said = both(url)
        assert len(said) == 24
        assert await assert_all_in_one_history(database, said) == 12 * (5 + 7)


class TestOnSqlite(CrashConformance):
    @pytest.fixture
    def url(self, sqlite_url: str) -> str:
        return sqlite_url


class TestOnPostgresql(CrashConformance):
    @pytest.fixture
    def url(self, postgresql_url: str) -> str:
        return postgresql_url
