"""A quarantine's doctor sees what would break a promise unseen, or let nothing pass."""

import asyncio
import datetime as dt
from dataclasses import fields, replace
from pathlib import Path

import pytest
from sqlalchemy import insert

from amana.clock import Clock, FixedClock, SystemClock, today
from amana.i18n import Language, Speaker
from amana.settings import Settings, WorkerSettings
from amana.store.engine import open_database
from amana.wire.ids import LogOrigin
from tests.wire.givens import an_id
from tests.worker.agents import make_store, running
from worker.agent_places import KeyPlaces
from worker.demo_signatures import write_demo
from worker.doctor import SIGNATURE_DAYS, WorkerFinding, examine
from worker.equipment import initialise
from worker.inspector import InspectorSettings
from worker.pipeline.states import PackageState, SubmissionState
from worker.records.tables import PACKAGE, SUBMISSION
from worker.signers import Signers

CLOCK = SystemClock()
# What depends on the machine that runs the tests.
MACHINE = {"swap-on", "core-dumps-piped", "kernel-hidden", "disk-low", "no-scanner", "no-sandbox"}
# A rehearsal's, with no agent that runs.
EXPECTED = {"signatures-demo", "rehearsal-signers", "agent-silent"}

Values = dict[str, str | int]


@pytest.fixture
async def settings(tmp_path: Path) -> Settings:
    """A quarantine that is set up for a rehearsal."""
    worker = WorkerSettings(database_url=f"sqlite+aiosqlite:///{tmp_path}/worker.db")
    made = Settings(data_directory=tmp_path, worker=worker)
    make_store(tmp_path)
    keys = KeyPlaces(data_directory=tmp_path)
    Signers.generate(LogOrigin("training.invalid/quarantine")).save(keys.signers)
    await asyncio.to_thread(initialise, made, CLOCK)
    write_demo(tmp_path / worker.signatures, today(CLOCK))
    (tmp_path / worker.repository_end).touch()
    return made


async def seen(settings: Settings, clock: Clock = CLOCK) -> dict[str, Values]:
    findings = await asyncio.to_thread(examine, settings, clock)
    found = {str(each.code): dict(each.values) for each in findings}
    return {code: values for code, values in found.items() if code not in MACHINE | EXPECTED}


async def test_a_quarantine_in_order_has_nothing_but_its_rehearsal(settings: Settings) -> None:
    assert await seen(settings) == {}
    findings = await asyncio.to_thread(examine, settings, CLOCK)
    assert {str(each.code) for each in findings} >= EXPECTED


async def test_a_quarantine_that_was_never_set_up_is_told_so_and_nothing_is_made(
    tmp_path: Path,
) -> None:
    elsewhere = tmp_path / "none"
    found = await seen(Settings(data_directory=elsewhere))
    missing = {"folder-missing", "quarantine-signers-unusable", "signatures-unusable"}
    assert found.keys() == missing | {"no-repository"}
    assert not elsewhere.exists()


async def test_a_running_agent_says_how_the_keys_stand(settings: Settings) -> None:
    with running(settings.data_directory) as agent:
        locked = await seen(settings)
        agent.unlock()
        unlocked = await seen(settings)
    assert "agent-locked" in locked
    assert int(unlocked["agent-unlocked"]["count"]) > 0
    assert "agent-locked" not in unlocked


async def test_signing_keys_that_others_can_read_are_found_twice(settings: Settings) -> None:
    KeyPlaces(data_directory=settings.data_directory).signers.chmod(0o644)
    assert await seen(settings) == {
        "quarantine-signers-unusable": {},
        "keys-readable": {"count": 1},
    }


async def test_signers_made_in_earnest_are_no_rehearsal(settings: Settings) -> None:
    path = KeyPlaces(data_directory=settings.data_directory).signers
    path.unlink()
    Signers.generate(LogOrigin("quarantine.example.org/log")).save(path)
    findings = await asyncio.to_thread(examine, settings, CLOCK)
    assert WorkerFinding.REHEARSAL_SIGNERS not in {each.code for each in findings}


async def test_old_signatures_are_found_before_everything_waits_for_them(
    settings: Settings,
) -> None:
    folder = settings.data_directory / settings.worker.signatures
    for path in folder.iterdir():
        path.unlink()
    assert (await seen(settings)).keys() == {"signatures-unusable"}
    write_demo(folder, today(CLOCK) - dt.timedelta(days=SIGNATURE_DAYS + 1))
    assert await seen(settings) == {"signatures-stale": {"count": SIGNATURE_DAYS + 1}}


def test_the_scanner_and_its_doctor_mean_the_same_age() -> None:
    (days,) = (each for each in fields(InspectorSettings) if each.name == "most_signature_days")
    assert days.default == SIGNATURE_DAYS


async def test_a_scratch_folder_on_a_disk_is_found(settings: Settings) -> None:
    worker = replace(settings.worker, scratch="/proc/self")  # proc is no tmpfs
    assert (await seen(replace(settings, worker=worker))).keys() == {"scratch-on-disk"}


async def put(settings: Settings, name: str, days_ago: int, state: PackageState) -> None:
    """A package that was made so many days ago."""
    day = (today(CLOCK) - dt.timedelta(days=days_ago)).isoformat()
    submission_id = an_id(str, name)
    database = open_database(settings.worker.database_url)
    async with database.write() as connection:
        await connection.execute(
            insert(SUBMISSION).values(
                submission_id=submission_id,
                account=an_id(str, "account"),
                card=an_id(str, "card"),
                state=SubmissionState.FORWARDED.value,
                fetched_on=day,
                note_sha256=an_id(str, "note"),
                is_observed=1,
                is_told=1,
                is_one_time=0,
                visit=0,
                cycle=0,
                run=0,
            )
        )
        await connection.execute(
            insert(PACKAGE).values(
                package_id=name,
                submission_id=submission_id,
                cycle=0,
                state=state.value,
                sealed_sha256=name,
                made_on=day,
            )
        )
    await database.close()


async def test_a_repository_that_is_silent_or_refuses_raises_the_alarm(settings: Settings) -> None:
    await put(settings, "old", 3, PackageState.SPOOLED)
    await put(settings, "young", 2, PackageState.SPOOLED)
    await put(settings, "answered", 9, PackageState.ACKNOWLEDGED)
    await put(settings, "refused", 0, PackageState.REFUSED)
    assert await seen(settings) == {"unanswered": {"count": 1}, "packages-refused": {"count": 1}}


async def test_a_clock_that_is_behind_is_found(settings: Settings) -> None:
    yesterday = FixedClock(CLOCK.now() - dt.timedelta(days=1))
    found = await seen(settings, yesterday)
    assert int(found["clock-behind"]["count"]) >= 23


async def test_a_database_of_another_zone_or_none_is_found(settings: Settings) -> None:
    url = f"sqlite+aiosqlite:///{settings.data_directory}/empty.db"
    worker = replace(settings.worker, database_url=url)
    found = await seen(replace(settings, worker=worker))
    assert found == {"database-unusable": {"why": "NoFormatError"}}


@pytest.mark.parametrize("language", [Language.EN, Language.AR])
@pytest.mark.parametrize("code", WorkerFinding)
def test_every_finding_has_its_sentence(language: Language, code: WorkerFinding) -> None:
    assert Speaker(language).knows(f"finding.{code}")
