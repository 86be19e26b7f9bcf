"""Looks at a portal as it is installed, and says what is wrong with it; changes nothing.

The serious half is what would break a promise unseen: keys that others can read, memory that
reaches a disk, rehearsal keys in earnest, material that nobody fetches. docs/guides/operator.md
says what to do about each.
"""

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta
from enum import StrEnum, unique
from typing import Final

from sqlalchemy import func, select

from amana.clock import Clock, today
from amana.findings import Finding, Severity
from amana.machine import (
    clock_behind,
    database_unusable,
    examine_address,
    examine_disk,
    examine_folder,
    examine_kernel,
)
from amana.settings import Settings
from amana.store.engine import Database, open_database
from amana.store.errors import StoreError
from amana.store.migrate import require_format
from amana.wire.vocabulary import Deployment
from portal.card import CardSource
from portal.custody import PortalKeys
from portal.errors import DirectoryError, KeysError
from portal.places import Places
from portal.records.tables import ACKNOWLEDGED, PORTAL, SEALED_OBJECT, SUBMISSION

UNFETCHED_DAYS: Final = 3
"""After how many days somebody must look why nothing is fetched: 72 hours, in the days that the
portal knows."""

CARD_DAYS: Final = 7
"""How long before its end the witnesses' card is asked for again. Ours: the ceremony's notice."""

_REHEARSAL: Final = "training.invalid/"


@unique
class PortalFinding(StrEnum):
    """What may be wrong with a portal."""

    KEYS_UNUSABLE = "portal-keys-unusable"
    DIRECTORY_UNUSABLE = "directory-unusable"
    REHEARSAL_KEYS = "rehearsal-keys"
    NO_CARD = "no-card"
    CARD_ENDS = "card-ends"
    UNFETCHED = "unfetched"
    NO_PULL_KEYS = "no-pull-keys"


def examine(settings: Settings, clock: Clock) -> tuple[Finding, ...]:
    """Give everything that is wrong, in no particular order."""
    places = Places(data_directory=settings.data_directory)
    portal = settings.portal
    findings = [
        *examine_kernel(),
        *examine_folder(places.home, (places.keys, places.phrase_root), clock),
        *examine_address("listen", portal.listen),
        *examine_address("pull_listen", portal.pull_listen),
        *_examine_keys(settings, today(clock)),
    ]
    if not (settings.data_directory / portal.pull_keys).exists():
        findings.append(Finding(code=PortalFinding.NO_PULL_KEYS, severity=Severity.WARNING))
    # Without keys it was never set up, and to open a database would make one.
    if places.keys.exists():
        findings += asyncio.run(_examine_records(settings, today(clock)))
    return tuple(findings)


def _examine_keys(settings: Settings, on: date) -> Iterator[Finding]:
    names: list[str] = []
    try:
        keys = PortalKeys.load(Places(data_directory=settings.data_directory).keys)
        names.append(keys.public.name)
    except KeysError:
        yield Finding(code=PortalFinding.KEYS_UNUSABLE, severity=Severity.DANGER)
    try:
        cards = CardSource.of(settings)
    except DirectoryError:
        yield Finding(code=PortalFinding.DIRECTORY_UNUSABLE, severity=Severity.DANGER)
    else:
        names += [key.name for key in cards.directory]
        yield from _examine_card(cards, on)
    if rehearsals := sum(name.startswith(_REHEARSAL) for name in names):
        values = {"count": rehearsals}
        yield Finding(code=PortalFinding.REHEARSAL_KEYS, severity=Severity.DANGER, values=values)


def _examine_card(cards: CardSource, on: date) -> Iterator[Finding]:
    if cards.current(on) is None:
        yield Finding(code=PortalFinding.NO_CARD, severity=Severity.WARNING)
        return
    ends = (days for days in range(1, CARD_DAYS + 1) if not cards.current(on + timedelta(days)))
    if (left := next(ends, None)) is not None:
        values = {"count": left}
        yield Finding(code=PortalFinding.CARD_ENDS, severity=Severity.WARNING, values=values)


async def _examine_records(settings: Settings, on: date) -> list[Finding]:
    home = Places(data_directory=settings.data_directory).home
    try:
        database = open_database(settings.portal.database_url)
        try:
            found = await require_format(database, PORTAL, Deployment(settings.deployment.value))
            findings = list(examine_disk(home, await _busiest_day_bytes(database)))
            findings += await _examine_waiting(database, on)
        finally:
            await database.close()
    except StoreError as failure:
        return [*examine_disk(home), database_unusable(failure)]
    if found.created_on > on:
        findings.append(clock_behind(found.created_on - on))
    return findings


async def _examine_waiting(database: Database, on: date) -> list[Finding]:
    waiting = await _unfetched(database, on - timedelta(UNFETCHED_DAYS))
    if not waiting:
        return []
    values = {"count": waiting}
    return [Finding(code=PortalFinding.UNFETCHED, severity=Severity.WARNING, values=values)]


async def _busiest_day_bytes(database: Database) -> int:
    """Give the sealed bytes that came in on the day on which most came."""
    total = func.sum(SEALED_OBJECT.c.sealed_size)
    query = (
        select(total)
        .join(SUBMISSION, SUBMISSION.c.submission_id == SEALED_OBJECT.c.submission_id)
        .group_by(SUBMISSION.c.received_on)
        .order_by(total.desc())
        .limit(1)
    )
    async with database.read() as connection:
        return int(await connection.scalar(query) or 0)


async def _unfetched(database: Database, before: date) -> int:
    """Count the submissions of that day and earlier that nobody has acknowledged."""
    query = (
        select(func.count())
        .select_from(SUBMISSION)
        .outerjoin(ACKNOWLEDGED, ACKNOWLEDGED.c.submission_id == SUBMISSION.c.submission_id)
        .where(
            ACKNOWLEDGED.c.submission_id.is_(None), SUBMISSION.c.received_on <= before.isoformat()
        )
    )
    async with database.read() as connection:
        return int(await connection.scalar(query) or 0)
