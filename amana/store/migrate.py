"""Bring a zone's database to the newest format, and refuse one that is not what it should be.

A format version is the number of the last migration that ran (0001 is version 1). There is no
way back: an old program refuses a newer database, it never rewrites it.
Format: docs/format/14-stores.md section 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, NamedTuple

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import func, inspect, select

from amana.store.errors import (
    FormatError,
    NewerFormatError,
    NoFormatError,
    OlderFormatError,
    WrongDeploymentError,
    WrongZoneError,
)
from amana.store.tables import FORMAT
from amana.wire.vocabulary import Deployment

if TYPE_CHECKING:
    from sqlalchemy import Connection, MetaData

    from amana.store.engine import Database

_MIGRATION_LOCK: Final = int.from_bytes(b"amana/mg", "big")
"""PostgreSQL's advisory lock that keeps two upgrades apart; a number is all it can be named by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A zone's part of its database: its name, its tables, and where its migrations lie.

    `versions` is a package and a folder in it, as Alembic writes them: `portal.records:versions`.
    """

    name: str
    metadata: MetaData
    versions: str


class Format(NamedTuple):
    """What a database says about itself."""

    zone: str
    version: int
    deployment: Deployment
    created_on: date


async def upgrade(database: Database, zone: Zone, deployment: Deployment, today: date) -> Format:
    """Bring the database to this program's newest format; the second time does nothing.

    All of it happens in one transaction. `today` is written down when the database is new.
    Raises NewerFormatError, WrongZoneError or WrongDeploymentError, and then changes nothing.
    """
    async with database.write() as connection:
        return await connection.run_sync(_upgrade, zone, deployment, today)


async def require_format(database: Database, zone: Zone, deployment: Deployment) -> Format:
    """Give the format of a database that this program, zone and deployment may use as it is.

    What every process calls before its first transaction. Raises the FormatError that says why not.
    """
    async with database.read() as connection:
        found = await connection.run_sync(_read_format)
    if found is None:
        raise NoFormatError("the database was never set up")
    if _versions_behind(found, zone, deployment) > 0:
        raise OlderFormatError("the database must be upgraded first")
    return found


def newest_version(zone: Zone) -> int:
    """Give the format version that this program's migrations lead to."""
    head = ScriptDirectory.from_config(_config(zone)).get_current_head()
    return int(head or "0")


def _upgrade(connection: Connection, zone: Zone, deployment: Deployment, today: date) -> Format:
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
    found = _read_format(connection)
    if found is not None and _versions_behind(found, zone, deployment) == 0:
        return found
    config = _config(zone)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    version = newest_version(zone)
    if found is not None:
        connection.execute(FORMAT.update().values(version=version))
        return found._replace(version=version)
    made = Format(zone.name, version, deployment, today)
    connection.execute(
        FORMAT.insert().values(
            zone=made.zone,
            version=made.version,
            deployment=made.deployment.value,
            created_on=made.created_on.isoformat(),
        )
    )
    return made


def _config(zone: Zone) -> Config:
    """Give Alembic's settings; both places are found in a checkout and in an installed wheel."""
    config = Config()
    config.set_main_option("script_location", "amana.store:migrations")
    config.set_main_option("version_locations", zone.versions)
    config.set_main_option("path_separator", "newline")
    return config


def _read_format(connection: Connection) -> Format | None:
    if not inspect(connection).has_table(FORMAT.name):
        return None
    rows = connection.execute(
        select(FORMAT.c.zone, FORMAT.c.version, FORMAT.c.deployment, FORMAT.c.created_on)
    ).all()
    if len(rows) != 1:
        raise FormatError("the database does not say which format it has")
    zone, version, deployment, created_on = rows[0]
    try:
        return Format(zone, version, Deployment(deployment), date.fromisoformat(created_on))
    except ValueError as failure:
        raise FormatError("the database says something unknown about its format") from failure


def _versions_behind(found: Format, zone: Zone, deployment: Deployment) -> int:
    """Give how many migrations the database still needs, if it is ours to use at all."""
    if found.zone != zone.name:
        raise WrongZoneError("the database belongs to another zone")
    if found.deployment is not deployment:
        raise WrongDeploymentError(f"the database is for {found.deployment.value} only")
    behind = newest_version(zone) - found.version
    if behind < 0:
        raise NewerFormatError("the database is of a newer format than this program")
    return behind
