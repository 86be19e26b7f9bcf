"""A database is brought to the newest format once, and a wrong one is left alone."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, Table, inspect, text

from amana.store.errors import (
    FormatError,
    NewerFormatError,
    NoFormatError,
    OlderFormatError,
    WrongDeploymentError,
    WrongZoneError,
)
from amana.store.migrate import Format, Zone, newest_version, require_format, upgrade
from amana.store.tables import NAMES
from amana.wire.vocabulary import Deployment
from portal.records.tables import PORTAL
from worker.records.tables import WORKER

if TYPE_CHECKING:
    from amana.store.engine import Database

TODAY: Final = date(2026, 10, 2)
LATER: Final = date(2027, 1, 1)
ROOT: Final = Path(__file__).parents[2]

NEWEST: Final = newest_version(PORTAL)

NEXT_MIGRATION: Final = f"""
from alembic import op
revision = "{NEWEST + 1:04}"
down_revision = "{NEWEST:04}"
def upgrade():
    op.execute("CREATE TABLE later (day TEXT)")
"""


def with_next_migration(folder: Path, text_of_it: str = NEXT_MIGRATION) -> Zone:
    """The portal as a later release knows it: one more migration."""
    for path in (ROOT / "portal" / "records" / "versions").glob("0*.py"):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / f"{NEWEST + 1:04}_next.py").write_text(text_of_it)
    return dataclasses.replace(PORTAL, versions=str(folder))


def differences(connection: Connection, zone: Zone) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), zone.metadata))


def tables_in(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


class MigrationConformance:
    @pytest.mark.parametrize("zone", [PORTAL, WORKER], ids=lambda zone: zone.name)
    async def test_the_migrations_make_the_tables_that_the_code_knows(
        self, empty: Database, zone: Zone
    ) -> None:
        made = await upgrade(empty, zone, Deployment.TRAINING, TODAY)
        assert made == Format(zone.name, newest_version(zone), Deployment.TRAINING, TODAY)
        async with empty.read() as connection:
            assert await connection.run_sync(differences, zone) == []
            ours = set(zone.metadata.tables)
            assert await connection.run_sync(tables_in) == ours | {"alembic_version"}

    async def test_a_difference_would_be_seen(self, database: Database) -> None:
        metadata = MetaData(naming_convention=dict(NAMES))
        for table in PORTAL.metadata.sorted_tables:
            table.to_metadata(metadata)
        Table("more", metadata)
        async with database.read() as connection:
            zone = dataclasses.replace(PORTAL, metadata=metadata)
            assert len(await connection.run_sync(differences, zone)) == 1

    async def test_the_second_upgrade_does_nothing(self, empty: Database) -> None:
        first = await upgrade(empty, PORTAL, Deployment.PRODUCTION, TODAY)
        assert await upgrade(empty, PORTAL, Deployment.PRODUCTION, LATER) == first
        assert await require_format(empty, PORTAL, Deployment.PRODUCTION) == first

    async def test_two_upgrades_at_once_are_one(self, empty: Database) -> None:
        days = [TODAY, LATER, TODAY]
        found = await asyncio.gather(
            *(upgrade(empty, PORTAL, Deployment.TRAINING, day) for day in days)
        )
        assert len(set(found)) == 1

    async def test_a_database_that_was_never_set_up_is_refused(self, empty: Database) -> None:
        with pytest.raises(NoFormatError):
            await require_format(empty, PORTAL, Deployment.TRAINING)

    @pytest.mark.parametrize("made_for", list(Deployment))
    async def test_training_and_production_never_share_a_database(
        self, empty: Database, made_for: Deployment
    ) -> None:
        (other,) = set(Deployment) - {made_for}
        await upgrade(empty, PORTAL, made_for, TODAY)
        with pytest.raises(WrongDeploymentError):
            await require_format(empty, PORTAL, other)
        with pytest.raises(WrongDeploymentError):
            await upgrade(empty, PORTAL, other, TODAY)

    async def test_a_zone_does_not_use_another_zones_database(self, database: Database) -> None:
        with pytest.raises(WrongZoneError):
            await require_format(database, WORKER, Deployment.TRAINING)
        with pytest.raises(WrongZoneError):
            await upgrade(database, WORKER, Deployment.TRAINING, TODAY)

    async def test_an_older_database_is_upgraded_and_keeps_its_first_day(
        self, database: Database, tmp_path: Path
    ) -> None:
        later = with_next_migration(tmp_path)
        with pytest.raises(OlderFormatError):
            await require_format(database, later, Deployment.TRAINING)
        assert newest_version(later) == NEWEST + 1
        upgraded = await upgrade(database, later, Deployment.TRAINING, LATER)
        assert upgraded == Format("portal", NEWEST + 1, Deployment.TRAINING, TODAY)
        assert await require_format(database, later, Deployment.TRAINING) == upgraded

    async def test_a_newer_database_is_refused(self, empty: Database, tmp_path: Path) -> None:
        """An old program would misread what a newer one wrote."""
        await upgrade(empty, with_next_migration(tmp_path), Deployment.TRAINING, TODAY)
        with pytest.raises(NewerFormatError):
            await require_format(empty, PORTAL, Deployment.TRAINING)
        with pytest.raises(NewerFormatError):
            await upgrade(empty, PORTAL, Deployment.TRAINING, TODAY)

    async def test_a_migration_that_fails_leaves_no_trace(
        self, database: Database, tmp_path: Path
    ) -> None:
        broken = NEXT_MIGRATION + "    raise ArithmeticError\n"
        with pytest.raises(ArithmeticError):
            await upgrade(
                database, with_next_migration(tmp_path, broken), Deployment.TRAINING, LATER
            )
        async with database.read() as connection:
            assert "later" not in await connection.run_sync(tables_in)
        await require_format(database, PORTAL, Deployment.TRAINING)

    @pytest.mark.parametrize(
        "statement",
        [
            "DELETE FROM format",
            "INSERT INTO format VALUES ('worker', 1, 'TRAINING', '2026-10-02')",
            "UPDATE format SET created_on = 'yesterday'",
        ],
    )
    async def test_a_database_that_does_not_say_its_format_is_refused(
        self, database: Database, statement: str
    ) -> None:
        async with database.write() as connection:
            await connection.execute(text(statement))
        with pytest.raises(FormatError):
            await require_format(database, PORTAL, Deployment.TRAINING)


class TestOnSqlite(MigrationConformance):
    @pytest.fixture
    def url(self, sqlite_url: str) -> str:
        return sqlite_url

    async def test_every_table_of_ours_is_strict(self, database: Database) -> None:
        async with database.read() as connection:
            rows = await connection.execute(
                text("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'")
            )
            strict = {name: bool(is_strict) for name, is_strict in rows}
        assert strict == dict.fromkeys(PORTAL.metadata.tables, True) | {
            "alembic_version": False
        } | {name: False for name in strict if name.startswith("sqlite_")}


class TestOnPostgresql(MigrationConformance):
    @pytest.fixture
    def url(self, postgresql_url: str) -> str:
        return postgresql_url
