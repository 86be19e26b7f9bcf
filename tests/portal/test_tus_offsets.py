"""However requests come, break off or are killed: what is counted is on the disk, and right."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amana.clock import FixedClock, today
from amana.store.engine import open_database
from amana.store.migrate import upgrade
from amana.wire.ids import AccountId, random_id
from amana.wire.vocabulary import Deployment
from crypto.opening import HybridIdentity
from crypto.padding import Kind
from crypto.seal import seal
from portal.errors import UploadRefusedError
from portal.intake import Room
from portal.limits import UploadLimits
from portal.places import Places
from portal.records.tables import PORTAL
from portal.uploads import Upload, Uploads
from portal.uploads_holds import Hold
from portal.uploads_writer import Checksum, UploadWriter
from tests.portal.conftest import NOON

pytestmark = pytest.mark.threat("T-23")

SEALED = b"".join(seal([os.urandom(100_000)], HybridIdentity.generate().recipient, Kind.RAW))
LIMITS = UploadLimits(commit_bytes=7_000, witness_bytes=0)
NUMBERS = count()


@dataclass(frozen=True, slots=True)
class Request:
    """One request: so many bytes in so many chunks, and how it ends.

    breaks: the circuit goes before the end. checksum: None, or whether it is right. killed: the
    process ends after it, and leaves so many bytes behind that it had not counted.
    """

    size: int
    chunks: int
    breaks: bool
    checksum: bool | None
    killed: int


REQUESTS = st.lists(
    st.builds(
        Request,
        size=st.integers(0, 60_000),
        chunks=st.integers(1, 9),
        breaks=st.booleans(),
        checksum=st.sampled_from([None, None, True, False]),
        killed=st.sampled_from([0, 0, 1, 5_000]),
    ),
    max_size=8,
)


class BrokenOffError(Exception):
    """The circuit is gone."""


async def chunks_of(content: bytes, request: Request) -> AsyncIterator[bytes]:
    step = max(1, -(-len(content) // request.chunks))
    for start in range(0, len(content), step):
        yield content[start : start + step]
        await asyncio.sleep(0)
    if request.breaks:
        raise BrokenOffError


def checksum_of(content: bytes, request: Request) -> Checksum | None:
    if request.checksum is None:
        return None
    digest = hashlib.sha256(content if request.checksum else content + b"x").digest()
    return Checksum(algorithm="sha256", digest=digest)


async def play(folder: Path, requests: list[Request]) -> None:
    places = Places(data_directory=folder)
    places.make()
    clock = FixedClock(NOON)
    database = open_database(f"sqlite+aiosqlite:///{folder}/portal.db")
    await upgrade(database, PORTAL, Deployment.TRAINING, today(clock))
    room = Room()
    with ThreadPoolExecutor(2) as executor:

        async def started() -> Uploads:
            made = Uploads(
                places=places,
                database=database,
                clock=clock,
                limits=LIMITS,
                room=room,
                executor=executor,
            )
            await made.load()
            return made

        uploads = await started()
        account = random_id(AccountId)
        secret = await uploads.create(account, len(SEALED))
        upload = await uploads.find(account, secret)
        for request in (*requests, Request(len(SEALED), 3, breaks=False, checksum=None, killed=0)):
            upload = await one(uploads, upload, request)
            assert room.promised_bytes == len(SEALED) - upload.committed
            if request.killed and not upload.is_whole:
                with uploads.path(upload.upload_id).open("ab") as left:
                    left.write(os.urandom(request.killed))
                room.promised_bytes = 0
                uploads = await started()
        assert upload.sealed_sha256 == hashlib.sha256(SEALED).hexdigest()
        assert uploads.path(upload.upload_id).read_bytes() == SEALED
    await database.close()


async def one(uploads: Uploads, before: Upload, request: Request) -> Upload:
    """Play one request, and look at what is counted after it."""
    content = SEALED[before.committed : before.committed + request.size]
    writer = UploadWriter(uploads, before, LIMITS, checksum_of(content, request))
    is_lost = request.checksum is not None and (request.breaks or not request.checksum)
    try:
        await writer.run(chunks_of(content, request), Hold(), lambda: None)
        assert not request.breaks
        assert not is_lost
    except BrokenOffError:
        assert request.breaks
    except UploadRefusedError:
        assert request.checksum is False
    after = await uploads.refreshed(before.upload_id)
    assert after.committed == before.committed + (0 if is_lost else len(content))
    file = uploads.path(after.upload_id).read_bytes()
    assert file[: after.committed] == SEALED[: after.committed]
    return after


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(requests=REQUESTS)
@pytest.mark.threat("T-01")
def test_what_is_counted_is_on_the_disk_and_right(tmp_path: Path, requests: list[Request]) -> None:
    asyncio.run(play(tmp_path / str(next(NUMBERS)), requests))
