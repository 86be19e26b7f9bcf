"""An upload that is stopped from our own side takes back what it began."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256

import pytest
from sqlalchemy import insert, text

from amana.i18n import Language
from amana.store.engine import open_database
from amana.store.errors import DatabaseFailureError
from amana.web.tokens import FormTokens
from amana.wire.ids import LogOrigin
from crypto.phrase import ReturnPhrase, derive
from portal import ledger
from portal.card import CardSource
from portal.finishing import Received
from portal.intake import FORM, Intake
from portal.mailbox import PhraseMailboxes
from portal.records.tables import MAILBOX
from portal.refusal import Refusal
from tests.portal.body import CONTENT_TYPE, body, field, file
from tests.portal.conftest import LIMITS, House


@pytest.fixture
async def intake(house: House) -> AsyncIterator[Intake]:
    database = open_database(house.settings.portal.database_url)
    with ThreadPoolExecutor(1) as executor:
        yield Intake(
            places=house.places,
            cards=CardSource.of(house.settings),
            keys=house.keys,
            tokens=FormTokens(house.keys.form_secret, house.clock),
            mailboxes=PhraseMailboxes(database, house.places, bytes(32)),
            log=LogOrigin(house.settings.portal.log_origin),
            database=database,
            clock=house.clock,
            limits=LIMITS,
            executor=executor,
            uploads=asyncio.Semaphore(1),
        )
    await database.close()


def whole_form(intake: Intake) -> bytes:
    return body(field("token", intake.tokens.issue(FORM)), file("a", b"A" * 3_000_000))


async def pieces(whole: bytes, then: asyncio.Event | None = None) -> AsyncIterator[bytes]:
    for start in range(0, len(whole), 100_000):
        yield whole[start : start + 100_000]
    if then is not None:
        await then.wait()


@pytest.mark.threat("T-06")
async def test_a_visit_that_the_server_ends_leaves_nothing_and_frees_its_place(
    house: House, intake: Intake
) -> None:
    whole = whole_form(intake)
    chunks = pieces(whole[:-200], asyncio.Event())
    visit = asyncio.create_task(intake.receive(CONTENT_TYPE.encode(), None, chunks, Language.EN))
    while not house.left:  # noqa: ASYNC110 - a folder tells nobody when it fills
        await asyncio.sleep(0.01)
    visit.cancel()
    with pytest.raises(asyncio.CancelledError):
        await visit
    assert house.left == set()
    outcome = await intake.receive(CONTENT_TYPE.encode(), None, pieces(whole), Language.EN)
    assert isinstance(outcome, Received)


async def test_what_the_records_have_is_never_taken_back(house: House, intake: Intake) -> None:
    """Cancelled at every moment: afterwards the disk and the records tell the same."""
    for turns in range(0, 60, 8):
        chunks = pieces(whole_form(intake))
        visit = asyncio.create_task(
            intake.receive(CONTENT_TYPE.encode(), None, chunks, Language.EN)
        )
        for _ in range(turns):
            await asyncio.sleep(0.001)
        visit.cancel()
        outcome = (await asyncio.gather(visit, return_exceptions=True))[0]
        assert isinstance(outcome, asyncio.CancelledError | Received | Refusal)
        there = {path.name for path in house.places.received.iterdir()}
        assert there == await ledger.recorded(intake.database)
        assert {path.stem for path in house.places.events.iterdir()} == there
        assert list(house.places.receiving.iterdir()) == []
    assert await intake.clean() == 0


async def test_what_may_have_been_recorded_is_kept_until_the_next_start(
    house: House, intake: Intake
) -> None:
    """The rows cannot be written: nobody here knows whether the database kept them."""
    async with intake.database.write() as connection:
        await connection.execute(text("ALTER TABLE waiting_leaf RENAME TO elsewhere"))
    with pytest.raises(DatabaseFailureError):
        await intake.receive(CONTENT_TYPE.encode(), None, pieces(whole_form(intake)), Language.EN)
    assert len(list(house.places.received.iterdir())) == 1
    assert await intake.clean() == 1
    assert {each.partition("/")[0] for each in house.left} == {"set-aside"}
    assert await intake.clean() == 0


async def test_a_place_is_taken_only_when_a_valid_token_has_come(intake: Intake) -> None:
    """One place; a body that has not shown its token does not hold it."""
    whole = whole_form(intake)
    silent = asyncio.create_task(
        intake.receive(
            CONTENT_TYPE.encode(), None, pieces(whole[:60], asyncio.Event()), Language.EN
        )
    )
    await asyncio.sleep(0.05)
    outcome = await intake.receive(CONTENT_TYPE.encode(), len(whole), pieces(whole), Language.EN)
    assert isinstance(outcome, Received)
    silent.cancel()
    await asyncio.gather(silent, return_exceptions=True)
    assert (intake.uploads.locked(), intake.room.promised_bytes) == (False, 0)


async def test_a_token_that_does_not_come_is_not_waited_for(intake: Intake) -> None:
    start = whole_form(intake)[:60]
    hurried = replace(intake, limits=replace(LIMITS, token_seconds=0.1))
    chunks = pieces(start, asyncio.Event())
    outcome = await hurried.receive(CONTENT_TYPE.encode(), None, chunks, Language.EN)
    assert outcome is Refusal.TOO_SLOW
    small = replace(intake, limits=replace(LIMITS, token_bytes=50))
    chunks = pieces(start, asyncio.Event())
    outcome = await small.receive(CONTENT_TYPE.encode(), None, chunks, Language.EN)
    assert outcome is Refusal.FORM_OLD


async def test_room_that_was_promised_to_one_is_not_promised_to_another(
    house: House, intake: Intake
) -> None:
    free = shutil.disk_usage(house.places.home).free
    limits = replace(LIMITS, body_bytes=int(free * 0.6))
    two = replace(intake, limits=limits, uploads=asyncio.Semaphore(2))
    whole = whole_form(intake)
    chunks = pieces(whole[:-200], asyncio.Event())
    first = asyncio.create_task(two.receive(CONTENT_TYPE.encode(), None, chunks, Language.EN))
    while not house.left:  # noqa: ASYNC110 - a folder tells nobody when it fills
        await asyncio.sleep(0.01)
    outcome = await two.receive(CONTENT_TYPE.encode(), None, pieces(whole), Language.EN)
    assert outcome is Refusal.NO_ROOM
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert two.room.promised_bytes == 0
    assert isinstance(
        await two.receive(CONTENT_TYPE.encode(), None, pieces(whole), Language.EN), Received
    )


async def test_words_that_became_anothers_account_on_the_way_leave_nothing(
    house: House, intake: Intake
) -> None:
    """Another process recorded the same new words first: the manifest names the wrong account."""
    phrase = ReturnPhrase.generate()
    parts = [field("token", intake.tokens.issue(FORM)), field("words", " ".join(phrase.groups))]
    whole = body(*parts, file("a", b"A" * 3_000_000))
    root = derive(phrase, directory_root=bytes(32))
    row = {"lookup_sha256": sha256(root.lookup_id).hexdigest(), "account": "0" * 32}

    async def slowly() -> AsyncIterator[bytes]:
        yield whole[:2_000_000]
        while not house.left:  # noqa: ASYNC110 - a folder tells nobody when it fills
            await asyncio.sleep(0.01)
        async with intake.database.write() as connection:
            await connection.execute(insert(MAILBOX).values(row))
        yield whole[2_000_000:]

    outcome = await intake.receive(CONTENT_TYPE.encode(), None, slowly(), Language.EN)
    assert outcome is Refusal.BUSY
    assert house.left == set()
    again = await intake.receive(CONTENT_TYPE.encode(), None, pieces(whole), Language.EN)
    assert isinstance(again, Received)
    assert again.note.account == "0" * 32
