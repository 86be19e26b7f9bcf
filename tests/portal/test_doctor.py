"""A portal's doctor sees what would break a promise unseen."""

import asyncio
import datetime as dt
import json
import os
from dataclasses import replace

import pytest
from sqlalchemy import insert

from amana.exitcodes import ExitCode
from amana.i18n import Language, Speaker
from amana.settings import Settings
from amana.store.engine import open_database
from portal.commands.portal import main
from portal.custody import PortalKeys
from portal.doctor import CARD_DAYS, PortalFinding, examine
from portal.records.tables import ACKNOWLEDGED, SEALED_OBJECT, SUBMISSION
from tests.portal.conftest import NOON, TODAY, House
from tests.wire.givens import an_id

# What depends on the machine that runs the tests, and what a house of these tests always is.
EXPECTED = {
    "swap-on",
    "core-dumps-piped",
    "kernel-hidden",
    "disk-low",
    "rehearsal-keys",
    "no-pull-keys",
}
EXPECTED |= {"listens-on-port"}  # the pull's default

Values = dict[str, str | int]


async def examined(house: House, settings: Settings | None = None) -> dict[str, Values]:
    """What is found, by code."""
    past = (NOON - dt.timedelta(hours=1)).timestamp()
    if house.places.home.exists():
        for path in (house.places.home, *house.places.home.iterdir()):
            os.utime(path, (past, past))
    findings = await asyncio.to_thread(examine, settings or house.settings, house.clock)
    return {str(each.code): dict(each.values) for each in findings}


async def seen(house: House, settings: Settings | None = None) -> dict[str, Values]:
    """The same, without what is expected."""
    found = await examined(house, settings)
    return {code: values for code, values in found.items() if code not in EXPECTED}


async def test_a_portal_in_order_has_nothing_but_its_rehearsal(house: House) -> None:
    assert await seen(house) == {}
    found = await examined(house)
    assert found["rehearsal-keys"] == {"count": 4}
    (house.settings.data_directory / house.settings.portal.pull_keys).touch()
    assert "no-pull-keys" not in await examined(house)


async def test_a_portal_that_was_never_set_up_is_told_so_and_nothing_is_made(house: House) -> None:
    elsewhere = house.settings.data_directory / "none"
    settings = replace(house.settings, data_directory=elsewhere)
    found = await seen(house, settings)
    assert found.keys() == {"folder-missing", "portal-keys-unusable", "directory-unusable"}
    assert not elsewhere.exists()


async def test_keys_that_others_can_read_are_found_twice(house: House) -> None:
    """They are not used, and they may have been read."""
    house.places.keys.chmod(0o640)
    assert await seen(house) == {"portal-keys-unusable": {}, "keys-readable": {"count": 1}}


async def test_a_folder_that_others_can_enter_is_found(house: House) -> None:
    house.places.home.chmod(0o711)
    assert (await seen(house)).keys() == {"folder-open"}


async def test_keys_made_in_earnest_are_no_rehearsal(house: House) -> None:
    house.places.keys.unlink()
    PortalKeys.generate("portal.example.org/receipts").save(house.places.keys)
    assert (await examined(house))["rehearsal-keys"] == {"count": 3}


@pytest.mark.parametrize("left", [1, CARD_DAYS])
async def test_a_card_that_ends_soon_is_asked_for(house: House, left: int) -> None:
    card = replace(house.card(), valid_to=TODAY + dt.timedelta(days=left - 1))
    house.write_card(card)
    assert await seen(house) == {"card-ends": {"count": left}}


async def test_without_a_card_nothing_is_taken_and_that_is_said(house: House) -> None:
    house.write_card(house.card(), signers=1)
    assert (await seen(house)).keys() == {"no-card"}


async def put(house: House, name: str, days_ago: int, *, is_acknowledged: bool = False) -> None:
    """A submission that came so many days ago."""
    day = (TODAY - dt.timedelta(days=days_ago)).isoformat()
    submission_id = an_id(str, name)
    database = open_database(house.settings.portal.database_url)
    async with database.write() as connection:
        await connection.execute(
            insert(SUBMISSION).values(
                submission_id=submission_id,
                account=an_id(str, "account"),
                card=an_id(str, "card"),
                received_on=day,
                note_sha256=name,
                state="RECEIVED",
            )
        )
        await connection.execute(
            insert(SEALED_OBJECT).values(
                object_id=an_id(str, f"object of {name}"),
                submission_id=submission_id,
                role="content",
                sealed_size=1 << 50,
                sealed_sha256=f"digest of {name}",
            )
        )
        if is_acknowledged:
            await connection.execute(
                insert(ACKNOWLEDGED).values(
                    submission_id=submission_id,
                    acknowledged_on=day,
                    kept_until=day,
                    statement=b"-",
                )
            )
    await database.close()


async def test_what_nobody_fetched_for_72_hours_raises_the_alarm(house: House) -> None:
    await put(house, "old", 3)
    await put(house, "older", 40)
    await put(house, "fetched", 40, is_acknowledged=True)
    await put(house, "young", 2)
    assert (await seen(house))["unfetched"] == {"count": 2}


async def test_a_disk_that_one_more_such_day_fills_is_found(house: House) -> None:
    await put(house, "huge", 1)
    found = await examined(house)
    assert found.get("disk-days") == {"count": 0} or "disk-low" in found


async def test_a_database_from_tomorrow_says_that_the_clock_is_behind(house: House) -> None:
    house.clock.at -= dt.timedelta(days=1)
    found = await seen(house)
    assert found["clock-behind"] == {"count": 24}


async def test_a_database_that_others_can_read_is_found(house: House) -> None:
    (house.settings.data_directory / "portal.db").chmod(0o644)
    assert await seen(house) == {"database-unusable": {"why": "LooseFileError"}}


async def test_an_open_address_is_found(house: House) -> None:
    portal = replace(house.settings.portal, listen="0.0.0.0:80", pull_listen="unix:pull.sock")
    found = await examined(house, replace(house.settings, portal=portal))
    assert found["listens-outside"] == {"setting": "listen"}
    assert "listens-on-port" not in found


@pytest.mark.parametrize("language", [Language.EN, Language.AR])
@pytest.mark.parametrize("code", PortalFinding)
def test_every_finding_has_its_sentence(language: Language, code: PortalFinding) -> None:
    assert Speaker(language).knows(f"finding.{code}")


@pytest.mark.parametrize(
    ("deployment", "code"), [("TRAINING", ExitCode.OK), ("PRODUCTION", ExitCode.REFUSED)]
)
def test_the_command_refuses_a_production_that_is_in_danger(
    house: House,
    deployment: str,
    code: ExitCode,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AMANA_DATA_DIRECTORY", str(house.settings.data_directory))
    monkeypatch.setenv("AMANA_DEPLOYMENT", deployment)
    for zone in ("PORTAL", "WORKER"):
        monkeypatch.setenv(f"AMANA_{zone}_LOG_ORIGIN", "example.org/log")
    assert main(["doctor", "--json"]) == code
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    severity = "danger" if code else "warning"
    assert {"code": "rehearsal-keys", "severity": severity, "values": {"count": 4}} in found
    assert main(["doctor"]) == code
    assert "4 keys in use were made for a rehearsal. [rehearsal-keys]" in capsys.readouterr().out
