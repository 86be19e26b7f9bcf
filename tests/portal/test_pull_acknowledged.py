"""Bytes leave the portal's disk when the quarantine has said that it has them, and never before."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Select, select

from amana.exitcodes import ExitCode
from amana.link.client import open_link
from amana.wire import pull as wire
from amana.wire.bundle import NOTE
from amana.wire.ids import Digest, LogOrigin
from amana.wire.note import PackageNote
from amana.wire.pull import Acknowledged, PullList
from amana.wire.vocabulary import Deployment
from portal import acknowledged, pull_records
from portal.ledger import recorded
from portal.records.tables import ACKNOWLEDGED, SEALED_OBJECT
from tests.portal.pulled import STRANGER, TODAY, Pulled, make

pytestmark = pytest.mark.threat("T-28")

LIST = wire.list_path()
RUN = "import sys; from portal.commands.portal import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture
def portal(tmp_path: Path) -> Pulled:
    return make(tmp_path)


@pytest.fixture
def link(portal: Pulled) -> Iterator[httpx.Client]:
    with portal.serve() as link:
        yield link


class Teller:
    """Sends acknowledgements, each with the next counter."""

    def __init__(self, portal: Pulled, link: httpx.Client) -> None:
        self._portal = portal
        self._link = link
        self._counter = 0

    def tell(self, note: PackageNote, body: bytes) -> httpx.Response:
        return self.post(wire.acknowledge_path(note.submission_id), body)

    def post(self, path: str, body: bytes) -> httpx.Response:
        self._counter += 1
        headers = self._portal.header("POST", path, self._counter, body)
        return self._link.post(path, content=body, headers=headers)

    def get(self, path: str) -> httpx.Response:
        self._counter += 1
        return self._link.get(path, headers=self._portal.header("GET", path, self._counter))


@pytest.fixture
def teller(portal: Pulled, link: httpx.Client) -> Teller:
    return Teller(portal, link)


def rows(portal: Pulled, query: Select[Any]) -> list[Any]:
    async def found() -> list[Any]:
        async with database.read() as connection:
            return list((await connection.execute(query)).all())

    with portal.database() as database:
        return portal.run(found())


def remove(portal: Pulled) -> int:
    with portal.database() as database:
        return portal.run(
            acknowledged.remove_due(database, portal.places, portal.clock.now().date())
        )


def is_there(portal: Pulled, note: PackageNote) -> bool:
    folder = portal.places.bundle(note.submission_id)
    found = {folder.exists(), portal.places.event(note.submission_id).exists()}
    assert len(found) == 1
    return found.pop()


@pytest.mark.parametrize(
    "other",
    [
        {"drop": 1},
        {"drop": 2},
        {"note_sha256": Digest("0" * 64)},
        {"audience": LogOrigin("other.example/portal")},
        {"deployment": Deployment.PRODUCTION},
        {"signer": STRANGER},
    ],
    ids=lambda other: next(iter(other)),
)
def test_an_acknowledgement_that_does_not_name_all_of_it_changes_nothing(
    portal: Pulled, teller: Teller, other: dict[str, Any]
) -> None:
    note = portal.give(b"material")
    answer = teller.tell(note, portal.acknowledgement(note, **other))
    assert (answer.status_code, answer.content) == (404, b"")
    assert rows(portal, select(ACKNOWLEDGED)) == []
    assert len(PullList.from_bytes(teller.get(LIST).content).entries) == 1


def test_an_acknowledgement_of_another_submission_changes_nothing(
    portal: Pulled, teller: Teller
) -> None:
    one, other = portal.give(b"one"), portal.give(b"other")
    assert teller.tell(one, portal.acknowledgement(other)).status_code == 404
    mixed = portal.acknowledgement(one, submission_id=other.submission_id)
    assert teller.tell(other, mixed).status_code == 404
    more = tuple(each.sealed_sha256 for note in (one, other) for each in note.everything())
    assert teller.tell(one, portal.acknowledgement(one, sealed_sha256=more)).status_code == 404
    assert rows(portal, select(ACKNOWLEDGED)) == []


def test_bytes_are_kept_for_their_days_and_rows_for_good(portal: Pulled, teller: Teller) -> None:
    note, other = portal.give(b"material"), portal.give(b"other")
    body = portal.acknowledgement(note)
    first = teller.tell(note, body)
    told = Acknowledged.from_bytes(first.content)
    assert (told.kept_until - TODAY).days == 14
    path = wire.sealed_path(note.submission_id, note.objects[0].object_id)
    portal.clock.advance(13 * 86_400)
    assert remove(portal) == 0
    assert teller.get(path).status_code == 200
    before = rows(portal, select(SEALED_OBJECT))
    portal.clock.advance(86_400)
    assert remove(portal) == 1
    assert remove(portal) == 0
    assert not is_there(portal, note)
    assert is_there(portal, other)
    assert rows(portal, select(SEALED_OBJECT)) == before
    [row] = rows(portal, select(ACKNOWLEDGED))
    assert (row.removed_on, row.statement) == (told.kept_until.isoformat(), body)
    assert teller.get(path).status_code == 404
    assert teller.get(wire.note_path(note.submission_id)).status_code == 404
    # Told again, later and with other signatures, it is the same answer.
    again = teller.tell(note, body)
    assert again.content == first.content
    assert [
        each.submission_id for each in PullList.from_bytes(teller.get(LIST).content).entries
    ] == [other.submission_id]


def test_without_days_to_keep_the_bytes_go_at_once(tmp_path: Path) -> None:
    portal = make(tmp_path, keep_days=0)
    note = portal.give(b"material")
    with portal.serve() as link:
        answer = Teller(portal, link).tell(note, portal.acknowledgement(note))
    assert answer.status_code == 200
    assert not is_there(portal, note)
    assert "2026-10-02 acknowledged-removed submissions=1" in portal.log


def test_what_a_kill_left_half_removed_is_no_bundle_and_is_removed_next_time(
    portal: Pulled, teller: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = portal.give(b"material")
    teller.tell(note, portal.acknowledgement(note))
    portal.clock.advance(14 * 86_400)

    def stop(_folder: Path) -> None:
        raise PermissionError

    with monkeypatch.context() as broken:
        broken.setattr("portal.acknowledged.shutil.rmtree", stop)
        with pytest.raises(PermissionError):
            remove(portal)
    folder = portal.places.bundle(note.submission_id)
    assert folder.exists()
    assert not (folder / NOTE).exists()
    assert remove(portal) == 1
    assert not folder.exists()


def test_what_cannot_be_removed_is_told_and_the_word_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    portal = make(tmp_path, keep_days=0)
    note = portal.give(b"material")

    def stop(_folder: Path) -> None:
        raise PermissionError

    monkeypatch.setattr("portal.acknowledged.shutil.rmtree", stop)
    with portal.serve() as link:
        answer = Teller(portal, link).tell(note, portal.acknowledgement(note))
    assert answer.status_code == 200
    assert portal.log[1] == "2026-10-02 acknowledged-not-removed"


def test_an_acknowledged_submission_is_no_leftover_for_the_public_portal(
    portal: Pulled, teller: Teller
) -> None:
    note = portal.give(b"material")
    teller.tell(note, portal.acknowledgement(note))
    with portal.database() as database:
        assert note.submission_id in portal.run(recorded(database))
        assert portal.run(pull_records.is_held(database, note.submission_id))


async def test_told_many_times_at_once_it_is_written_once(portal: Pulled) -> None:
    note = await asyncio.to_thread(portal.give, b"material")
    body = portal.acknowledgement(note)
    path = wire.acknowledge_path(note.submission_id)
    with portal.serve():
        transport = httpx.AsyncHTTPTransport(uds=str(portal.socket))
        async with httpx.AsyncClient(transport=transport, base_url="http://portal") as link:
            answers = await asyncio.gather(
                *(
                    link.post(path, content=body, headers=portal.header("POST", path, count, body))
                    for count in range(1, 7)
                )
            )
    assert {each.content for each in answers if each.status_code == 200}
    assert len({each.content for each in answers if each.status_code == 200}) == 1


def test_the_pull_is_a_process_beside_the_public_one(portal: Pulled) -> None:
    """Its own lock; killed in the midst of an answer, it serves again; nothing is cleaned away."""
    note = portal.give(bytes(8 << 20))
    on_its_way = portal.places.receiving / "on-its-way"
    on_its_way.mkdir()
    left = portal.places.spool / "left"
    left.write_bytes(b"of a kill")
    environment = {
        "PATH": os.defpath,
        "AMANA_DATA_DIRECTORY": str(portal.settings.data_directory),
        "AMANA_PORTAL_PULL_LISTEN": "unix:pull.sock",
    }
    path = wire.sealed_path(note.submission_id, note.objects[0].object_id)
    with portal.places.held():
        for turn in (1, 2):
            with running(environment) as process:
                second = subprocess.run(
                    [sys.executable, "-c", RUN, "pull"],
                    env=environment,
                    capture_output=True,
                    check=False,
                )
                assert second.returncode == ExitCode.REFUSED
                assert b"already-served" in second.stdout
                with (
                    open_link(f"unix:{portal.socket}") as link,
                    link.stream("GET", path, headers=portal.header("GET", path, turn)) as answer,
                ):
                    assert len(next(answer.iter_raw())) > 0
                    process.kill()
    assert on_its_way.exists()
    assert not left.exists()
    assert is_there(portal, note)


@contextmanager
def running(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """The process, when it serves; killed in the end."""
    command = [sys.executable, "-c", RUN, "pull"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            while not process.stdout.readline().endswith(b" pull-serving\n"):
                assert process.poll() is None
            yield process
        finally:
            process.kill()
