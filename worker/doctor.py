"""Looks at a quarantine as it is installed, and says what is wrong with it; changes nothing.

It opens no key and no material: it asks the key agent how things stand, and the kernel who can read
what. docs/guides/operator.md says what to do about each finding.
"""

import asyncio
import ctypes.util
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from enum import StrEnum, unique
from pathlib import Path
from typing import Final

from sqlalchemy import func, select

from amana.clock import Clock, today
from amana.findings import Finding, Severity
from amana.machine import (
    clock_behind,
    database_unusable,
    examine_disk,
    examine_folder,
    examine_kernel,
)
from amana.settings import Settings
from amana.store.engine import Database, open_database
from amana.store.errors import StoreError
from amana.store.migrate import require_format
from amana.wire.vocabulary import Deployment
from worker.agent_client import AgentClient
from worker.agent_places import KeyPlaces
from worker.clamd_service import PROGRAM_PATH
from worker.errors import KeysUnavailableError, SignatureBaseError, SignersError
from worker.pipeline.states import PackageState
from worker.places import Places
from worker.records.tables import PACKAGE, WORKER
from worker.signatures import SignatureProfile, describe
from worker.signers import Signers
from worker.tmpfs import file_system_of

UNANSWERED_DAYS: Final = 3
"""After how many days somebody must ask the repository for its answer; as the portal's 72 hours."""

SIGNATURE_DAYS: Final = 14
"""How old a signature database may be (worker/inspector.py, most_signature_days)."""

_REHEARSAL: Final = "training.invalid/"
_AGENT_SECONDS: Final = 5.0


@unique
class WorkerFinding(StrEnum):
    """What may be wrong with a quarantine."""

    SIGNERS_UNUSABLE = "quarantine-signers-unusable"
    REHEARSAL_SIGNERS = "rehearsal-signers"
    NO_SCANNER = "no-scanner"
    NO_SANDBOX = "no-sandbox"
    SIGNATURES_UNUSABLE = "signatures-unusable"
    SIGNATURES_STALE = "signatures-stale"
    SIGNATURES_DEMO = "signatures-demo"
    SCRATCH_ON_DISK = "scratch-on-disk"
    AGENT_SILENT = "agent-silent"
    AGENT_LOCKED = "agent-locked"
    AGENT_UNLOCKED = "agent-unlocked"
    AGENT_SWAPPABLE = "agent-swappable"
    NO_REPOSITORY = "no-repository"
    UNANSWERED = "unanswered"
    REFUSED = "packages-refused"


def examine(settings: Settings, clock: Clock) -> tuple[Finding, ...]:
    """Give everything that is wrong, in no particular order."""
    places = Places(data_directory=settings.data_directory)
    keys = KeyPlaces(data_directory=settings.data_directory)
    findings = [
        *examine_kernel(),
        *examine_folder(places.home, (keys.signers, keys.journal, places.officers), clock),
        *_examine_signers(keys),
        *_examine_scanner(settings, today(clock)),
        *_examine_agent(keys),
    ]
    if not (settings.data_directory / settings.worker.repository_end).exists():
        findings.append(Finding(code=WorkerFinding.NO_REPOSITORY, severity=Severity.WARNING))
    # Without this secret it was never set up, and to open a database would make one.
    if places.officers.exists():
        findings += asyncio.run(_examine_records(settings, today(clock)))
    return tuple(findings)


def _examine_signers(keys: KeyPlaces) -> Iterator[Finding]:
    try:
        signers = Signers.load(keys.signers)
    except SignersError:
        yield Finding(code=WorkerFinding.SIGNERS_UNUSABLE, severity=Severity.DANGER)
        return
    if signers.note.key.name.startswith(_REHEARSAL):
        yield Finding(code=WorkerFinding.REHEARSAL_SIGNERS, severity=Severity.DANGER)


def _examine_scanner(settings: Settings, on: date) -> Iterator[Finding]:
    if shutil.which("clamd", path=PROGRAM_PATH) is None:
        yield Finding(code=WorkerFinding.NO_SCANNER, severity=Severity.DANGER)
    if shutil.which("bwrap") is None or ctypes.util.find_library("archive") is None:
        yield Finding(code=WorkerFinding.NO_SANDBOX, severity=Severity.DANGER)
    scratch = Path(settings.worker.scratch)
    if file_system_of(scratch if scratch.exists() else scratch.parent) != "tmpfs":
        yield Finding(code=WorkerFinding.SCRATCH_ON_DISK, severity=Severity.DANGER)
    try:
        base = describe(settings.data_directory / settings.worker.signatures)
    except SignatureBaseError:
        # Nothing is scanned then, so nothing passes.
        yield Finding(code=WorkerFinding.SIGNATURES_UNUSABLE, severity=Severity.WARNING)
        return
    if base.profile is SignatureProfile.DEMO:
        yield Finding(code=WorkerFinding.SIGNATURES_DEMO, severity=Severity.DANGER)
    if not base.is_usable_on(on, SIGNATURE_DAYS):
        values = {"count": max(base.age_days(on), 0)}
        yield Finding(code=WorkerFinding.SIGNATURES_STALE, severity=Severity.WARNING, values=values)


def _examine_agent(keys: KeyPlaces) -> Iterator[Finding]:
    try:
        status = AgentClient(keys.socket, seconds=_AGENT_SECONDS).status()
    except KeysUnavailableError:
        yield Finding(code=WorkerFinding.AGENT_SILENT, severity=Severity.WARNING)
        return
    if status.is_locked:
        yield Finding(code=WorkerFinding.AGENT_LOCKED, severity=Severity.NOTE)
    else:
        values = {"count": status.unwraps_left}
        yield Finding(code=WorkerFinding.AGENT_UNLOCKED, severity=Severity.NOTE, values=values)
    if not status.is_memory_locked:
        yield Finding(code=WorkerFinding.AGENT_SWAPPABLE, severity=Severity.DANGER)


async def _examine_records(settings: Settings, on: date) -> list[Finding]:
    home = Places(data_directory=settings.data_directory).home
    findings = list(examine_disk(home))
    try:
        database = open_database(settings.worker.database_url)
        try:
            found = await require_format(database, WORKER, Deployment(settings.deployment.value))
            findings += await _examine_packages(database, on)
        finally:
            await database.close()
    except StoreError as failure:
        return [*findings, database_unusable(failure)]
    if found.created_on > on:
        findings.append(clock_behind(found.created_on - on))
    return findings


async def _examine_packages(database: Database, on: date) -> list[Finding]:
    before = (on - timedelta(UNANSWERED_DAYS)).isoformat()
    spooled = PACKAGE.c.state == PackageState.SPOOLED.value
    asked = {
        WorkerFinding.UNANSWERED: spooled & (PACKAGE.c.made_on <= before),
        WorkerFinding.REFUSED: PACKAGE.c.state == PackageState.REFUSED.value,
    }
    findings = []
    async with database.read() as connection:
        for code, which in asked.items():
            query = select(func.count()).select_from(PACKAGE).where(which)
            if count := int(await connection.scalar(query) or 0):
                values = {"count": count}
                findings.append(Finding(code=code, severity=Severity.WARNING, values=values))
    return findings
