"""Who may upload: a signature opens a session, a secret holds it, silence and suspension end it."""

import asyncio
import dataclasses
from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import select

from amana.store.engine import open_database
from amana.wire.request import HEADER
from amana.wire.upload import ROOT, SESSION_PATH, UploadFault, UploadPortal, UploadRefused
from amana.wire.vocabulary import Deployment
from crypto.sign import NoteSigner
from portal.limits import UploadLimits
from portal.records.tables import UPLOAD_SESSION
from tests.portal.conftest import House, Site
from tests.portal.members import Organisation, Uploader, enrol, organisation

pytestmark = pytest.mark.threat("T-25")

LIMITS = UploadLimits(witness_bytes=0, sessions=2)


@pytest.fixture
def cso(house: House) -> Organisation:
    made = organisation(house)
    enrol(house, made)
    return made


@pytest.fixture
def client(serve: Callable[..., Site]) -> httpx.Client:
    return serve(upload_limits=LIMITS).client


def fault(answer: httpx.Response) -> UploadFault:
    return UploadRefused.from_bytes(answer.content).fault


def opened(client: httpx.Client, header: str) -> httpx.Response:
    return client.post(SESSION_PATH, headers={HEADER: header})


def test_a_portal_says_for_whom_one_signs(client: httpx.Client) -> None:
    said = UploadPortal.from_bytes(client.get(ROOT).content)
    assert (said.log, said.deployment) == ("training.invalid/portal", Deployment.TRAINING)


def test_a_request_counts_once(client: httpx.Client, cso: Organisation) -> None:
    header = cso.request(counter=10_000)
    assert opened(client, header).status_code == 201
    assert fault(opened(client, header)) is UploadFault.COUNTER_OLD
    assert fault(opened(client, cso.request(counter=9_999))) is UploadFault.COUNTER_OLD
    assert opened(client, cso.request(counter=10_001)).status_code == 201


@pytest.mark.threat("T-12")
def test_a_request_for_another_portal_or_by_a_stranger_opens_nothing(
    client: httpx.Client, cso: Organisation, house: House
) -> None:
    elsewhere = cso.request(audience="training.invalid/other")
    assert fault(opened(client, elsewhere)) is UploadFault.NOT_SIGNED
    assert fault(opened(client, organisation(house).request())) is UploadFault.NOT_SIGNED
    impostor = Organisation(
        account=cso.account,
        member=NoteSigner.generate(cso.member.key.name),
        intake=cso.intake,
        card=cso.card,
    )
    assert fault(opened(client, impostor.request())) is UploadFault.NOT_SIGNED
    assert fault(opened(client, "")) is UploadFault.NOT_SIGNED
    assert fault(opened(client, "A" * 2_000)) is UploadFault.NOT_SIGNED


def test_a_request_with_a_body_opens_nothing(client: httpx.Client, cso: Organisation) -> None:
    answer = client.post(SESSION_PATH, content=b"x", headers={HEADER: cso.request()})
    assert fault(answer) is UploadFault.HEADER_MALFORMED


def test_without_the_file_of_the_enrolled_nobody_comes_in(
    client: httpx.Client, cso: Organisation, house: House
) -> None:
    assert Uploader(client, cso).place(65_536)
    house.places.enrolled.unlink()
    assert fault(opened(client, cso.request())) is UploadFault.CLOSED
    house.places.enrolled.write_bytes(b"{}")
    assert fault(opened(client, cso.request())) is UploadFault.CLOSED
    enrol(house, cso)
    assert opened(client, cso.request()).status_code == 201


def test_who_is_suspended_is_out_at_once(
    client: httpx.Client, cso: Organisation, house: House
) -> None:
    uploader = Uploader(client, cso)
    assert uploader.place(65_536)
    enrol(house, organisation(house))
    assert fault(uploader.create(65_536)) is UploadFault.NO_SESSION
    assert fault(opened(client, cso.request())) is UploadFault.NOT_SIGNED


@pytest.mark.threat("T-12")
def test_a_session_ends_when_another_key_gets_the_name_of_the_one_that_opened_it(
    client: httpx.Client, cso: Organisation, house: House
) -> None:
    uploader = Uploader(client, cso)
    assert uploader.create(65_536).status_code == 201
    enrol(house, dataclasses.replace(cso, member=NoteSigner.generate(cso.member.key.name)))
    assert fault(uploader.create(65_536)) is UploadFault.NO_SESSION


def test_one_session_too_many_ends_the_oldest(client: httpx.Client, cso: Organisation) -> None:
    first, second, third = (Uploader(client, cso) for _ in range(3))
    assert fault(first.create(65_536)) is UploadFault.NO_SESSION
    assert second.place(65_536)
    assert third.place(65_536)


def test_a_silent_session_ends_and_every_request_puts_it_off(
    serve: Callable[..., Site], cso: Organisation
) -> None:
    limits = UploadLimits(witness_bytes=0, session_seconds=1)
    uploader = Uploader(serve(upload_limits=limits).client, cso)
    for _ in range(4):
        asyncio.run(asyncio.sleep(0.4))
        assert uploader.place(65_536)
    asyncio.run(asyncio.sleep(1.2))
    assert fault(uploader.create(65_536)) is UploadFault.NO_SESSION


async def test_a_session_outlives_a_restart_as_a_hash_and_a_day(
    serve: Callable[..., Site], cso: Organisation, house: House
) -> None:
    first = serve(upload_limits=LIMITS)
    uploader = Uploader(first.client, cso)
    place = uploader.put(cso.seal(b"x"))
    first.end()
    database = open_database(house.settings.portal.database_url)
    async with database.read() as connection:
        (row,) = (await connection.execute(select(UPLOAD_SESSION))).all()
    await database.close()
    assert (row.account, row.since) == (cso.account, "2026-10-02")
    uploader.client = serve(upload_limits=LIMITS).client
    assert uploader.offset(place) == 65_536
