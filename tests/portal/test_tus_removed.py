"""An upload that is gone stays gone: nothing more is confirmed, and its room comes back once."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.requests import ClientDisconnect

from amana.store.engine import Database, open_database
from amana.wire.ids import AccountId
from amana.wire.upload import UploadFault
from portal.errors import UploadRefusedError
from portal.intake import Room
from portal.limits import UploadLimits
from portal.uploads import Upload, Uploads, take_rows
from portal.uploads_holds import Hold
from tests.portal.conftest import House

pytestmark = pytest.mark.threat("T-23")

ACCOUNT = AccountId("ab" * 16)
SIZE = 65_536


@pytest.fixture
async def database(house: House) -> AsyncIterator[Database]:
    opened = open_database(house.settings.portal.database_url)
    yield opened
    await opened.close()


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
async def uploads(house: House, database: Database, room: Room) -> AsyncIterator[Uploads]:
    with ThreadPoolExecutor(1) as executor:
        yield Uploads(
            places=house.places,
            database=database,
            clock=house.clock,
            limits=UploadLimits(witness_bytes=0, uploads=1),
            room=room,
            executor=executor,
        )


async def made(uploads: Uploads) -> Upload:
    return await uploads.find(ACCOUNT, await uploads.create(ACCOUNT, SIZE))


async def test_what_was_removed_while_somebody_wrote_confirms_nothing(
    uploads: Uploads, room: Room
) -> None:
    upload = await made(uploads)
    await uploads.remove(upload)
    with pytest.raises(UploadRefusedError) as refused:
        await uploads.commit(upload, 4_096)
    assert refused.value.fault is UploadFault.UNKNOWN
    assert room.promised_bytes == 0


async def test_whoever_takes_a_row_second_gets_nothing_to_let_go_of(
    uploads: Uploads, database: Database, room: Room
) -> None:
    upload = await made(uploads)
    await asyncio.gather(uploads.remove(upload), uploads.remove(upload))
    async with database.write() as connection:
        assert await take_rows(connection, [upload.upload_id]) == []
    assert room.promised_bytes == 0
    await made(uploads)
    with pytest.raises(UploadRefusedError) as refused:
        await made(uploads)
    assert refused.value.fault is UploadFault.TOO_MANY


@pytest.mark.parametrize("is_there", [False, True])
async def test_a_row_that_counts_bytes_that_are_not_there_does_not_outlive_a_start(
    uploads: Uploads, room: Room, *, is_there: bool
) -> None:
    """As after an old database was put back: it would stand in the way of every submission."""
    upload = await uploads.commit(await made(uploads), SIZE)
    if not is_there:
        uploads.path(upload.upload_id).unlink()
    room.promised_bytes = 0
    await uploads.load()
    assert await uploads.of_account(ACCOUNT) == ()
    assert not uploads.path(upload.upload_id).exists()
    assert room.promised_bytes == 0


async def test_a_writer_whose_circuit_broke_can_still_be_told_to_stop() -> None:
    """It may be bringing to the disk what it has, while whoever comes back waits for it."""

    async def broken() -> AsyncIterator[bytes]:
        yield b"some"
        raise ClientDisconnect

    hold, chunks = Hold(), broken()
    assert await hold.next_of(chunks, 20) == b"some"
    with pytest.raises(ClientDisconnect):
        await hold.next_of(chunks, 20)
    hold.stop()
    with pytest.raises(TimeoutError):
        await hold.next_of(chunks, 20)
