"""Circuits that break, hang or double, and a disk that fills: nothing that was counted is lost."""

import os
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from amana.clock import SystemClock, today
from amana.wire.upload import CHUNK_TYPE, UploadFault, UploadRefused
from portal.limits import UploadLimits
from tests.portal.conftest import House, Site
from tests.portal.members import Organisation, Uploader, enrol, organisation
from tests.portal.test_program import Program

pytestmark = pytest.mark.threat("T-23")

LIMITS = UploadLimits(witness_bytes=0, idle_seconds=2, stall_seconds=0.3)
MEGABYTE = 1 << 20


@pytest.fixture
def cso(house: House) -> Organisation:
    made = organisation(house)
    enrol(house, made)
    return made


@pytest.fixture
def uploader(serve: Callable[..., Site], cso: Organisation) -> Uploader:
    return Uploader(serve(upload_limits=LIMITS).client, cso)


@pytest.fixture
def hanging(house: House) -> Iterator[Callable[[Uploader, str, bytes, int], socket.socket]]:
    """Send some bytes of a longer PATCH, and then nothing."""
    made: list[socket.socket] = []

    def begin(uploader: Uploader, place: str, content: bytes, announced: int) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        made.append(connection)
        connection.connect(str(house.settings.data_directory / "portal.sock"))
        headers = uploader.headers | {
            "host": "x",
            "upload-offset": "0",
            "content-type": CHUNK_TYPE,
            "content-length": str(announced),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        connection.sendall(f"PATCH {place} HTTP/1.1\r\n{lines}\r\n".encode() + content)
        return connection

    yield begin
    for each in made:
        each.close()


def until_offset(uploader: Uploader, place: str, least: int) -> int:
    for _ in range(200):
        if (offset := uploader.offset(place)) >= least:
            return offset
        time.sleep(0.02)
    raise AssertionError("the bytes were not counted")


def test_what_came_before_a_circuit_broke_is_kept(
    uploader: Uploader, hanging: Callable[..., socket.socket]
) -> None:
    sealed = uploader.organisation.seal(os.urandom(300_000))
    place = uploader.place(len(sealed))
    hanging(uploader, place, sealed[:200_000], len(sealed)).close()
    assert until_offset(uploader, place, 200_000) == 200_000
    assert uploader.patch(place, 200_000, sealed[200_000:]).status_code == 204


def test_two_do_not_write_at_once_and_a_silent_one_gives_way(
    uploader: Uploader, hanging: Callable[..., socket.socket]
) -> None:
    sealed = uploader.organisation.seal(os.urandom(300_000))
    place = uploader.place(len(sealed))
    first = hanging(uploader, place, sealed[:100_000], len(sealed))
    time.sleep(0.05)
    answer = uploader.patch(place, 0, sealed)
    assert (answer.status_code, UploadRefused.from_bytes(answer.content).fault) == (
        423,
        UploadFault.WRITER_BUSY,
    )
    # Nobody comes to an end by being asked about.
    assert uploader.offset(place) == 0
    time.sleep(0.5)
    assert uploader.offset(place) == 100_000
    assert uploader.patch(place, 100_000, sealed[100_000:]).status_code == 204
    assert first.recv(100).startswith(b"HTTP/1.1 408")


def test_a_request_that_falls_silent_is_ended_and_counted(
    uploader: Uploader, hanging: Callable[..., socket.socket]
) -> None:
    sealed = uploader.organisation.seal(os.urandom(300_000))
    place = uploader.place(len(sealed))
    connection = hanging(uploader, place, sealed[:100_000], len(sealed))
    connection.settimeout(20)
    assert connection.recv(100).startswith(b"HTTP/1.1 408")
    assert uploader.offset(place) == 100_000


@pytest.fixture
def small_disk(house: House) -> Iterator[Program]:
    """A portal whose files can be no longer than 4 MiB, as on a disk that is full."""
    running = Program(house, 4 * MEGABYTE)
    running.wait()
    yield running
    running.end()


def test_a_full_disk_is_507_and_what_was_counted_stays(house: House, small_disk: Program) -> None:
    cso = organisation(house, on=today(SystemClock()))
    enrol(house, cso)
    uploader = Uploader(small_disk.client, cso)
    sealed = cso.seal(os.urandom(6 * MEGABYTE))
    place = uploader.place(len(sealed))
    assert uploader.patch(place, 0, sealed[:MEGABYTE]).status_code == 204
    answer = uploader.patch(place, MEGABYTE, sealed[MEGABYTE:])
    assert (answer.status_code, UploadRefused.from_bytes(answer.content).fault) == (
        507,
        UploadFault.NO_ROOM,
    )
    offset = uploader.offset(place)
    assert offset >= MEGABYTE
    (path,) = house.places.uploads.iterdir()
    assert path.read_bytes()[:offset] == sealed[:offset]
    assert uploader.patch(place, offset, sealed[offset : offset + 1_000]).status_code == 204
    given = cso.consign(b"small")
    for each in given.objects.values():
        uploader.put(each)
    assert uploader.submit(given.signed).status_code == 200
