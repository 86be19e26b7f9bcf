"""The portal answers the quarantine and nobody else, once for each signature, and always alike."""

import asyncio
import base64
import secrets
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from amana.wire import pull as wire
from amana.wire.ids import LogOrigin
from amana.wire.pull import PullList
from amana.wire.request import HEADER
from amana.wire.vocabulary import Deployment
from portal.errors import KeysError
from portal.pull_keys import PullKeys
from tests.portal.pulled import COSIGNER, PULLER, STRANGER, Pulled, make

LIST = wire.list_path()


@pytest.fixture
def portal(tmp_path: Path) -> Pulled:
    return make(tmp_path)


@pytest.fixture
def link(portal: Pulled) -> Iterator[httpx.Client]:
    with portal.serve() as link:
        yield link


def test_a_signed_request_is_answered_once(portal: Pulled, link: httpx.Client) -> None:
    headers = portal.header("GET", LIST, 7)
    assert PullList.from_bytes(link.get(LIST, headers=headers).content).entries == ()
    assert link.get(LIST, headers=headers).status_code == 404
    assert link.get(LIST, headers=portal.header("GET", LIST, 6)).status_code == 404
    assert link.get(LIST, headers=portal.header("GET", LIST, 8)).status_code == 200


def test_a_counter_is_remembered_by_the_next_process(portal: Pulled) -> None:
    with portal.serve() as link:
        assert link.get(LIST, headers=portal.header("GET", LIST, 7)).status_code == 200
    with portal.serve() as link:
        assert link.get(LIST, headers=portal.header("GET", LIST, 7)).status_code == 404
        assert link.get(LIST, headers=portal.header("GET", LIST, 8)).status_code == 200


async def test_of_one_request_sent_many_times_at_once_one_is_acted_on(portal: Pulled) -> None:
    with portal.serve():
        transport = httpx.AsyncHTTPTransport(uds=str(portal.socket))
        async with httpx.AsyncClient(transport=transport, base_url="http://portal") as link:
            headers = portal.header("GET", LIST, 9)
            answers = await asyncio.gather(*(link.get(LIST, headers=headers) for _ in range(12)))
    assert sorted(each.status_code for each in answers) == [200] + 11 * [404]


@pytest.mark.threat("T-08")
def test_whatever_is_wrong_the_answer_is_the_same(portal: Pulled, link: httpx.Client) -> None:
    note = portal.give(b"material")
    path = wire.note_path(note.submission_id)
    post = wire.acknowledge_path(note.submission_id)
    body = portal.acknowledgement(note)
    right = portal.header("GET", path, 1)
    value = right[HEADER]
    flipped = ("A" if value[40] != "A" else "B").join((value[:40], value[41:]))
    unknown = wire.note_path(type(note.submission_id)("0" * 64))
    strange = portal.acknowledgement(note, STRANGER)
    wrong = [
        link.get(path),
        link.get(path, headers={HEADER: ""}),
        link.get(path, headers={HEADER: "x" * 13_000}),
        link.get(path, headers={HEADER: base64.urlsafe_b64encode(b"no note").decode()}),
        link.get(path, headers={HEADER: flipped}),
        link.get(path, headers=[(HEADER, value), (HEADER, value)]),
        link.get(path + "?x=1", headers=right),
        link.get(path, headers=portal.header("GET", path, 1, signer=STRANGER)),
        link.get(path, headers=portal.header("GET", path, 1, audience="other.example/portal")),
        link.get(path, headers=portal.header("GET", path, 1, deployment=Deployment.PRODUCTION)),
        link.get(path, headers=portal.header("POST", path, 1)),
        link.get(path, headers=portal.header("GET", LIST, 1)),
        link.get(path, headers=portal.header("GET", path, 1, b"a body")),
        link.get(unknown, headers=portal.header("GET", unknown, 1)),
        link.get("/", headers=portal.header("GET", "/", 2)),
        link.get(f"{LIST}/", headers=portal.header("GET", f"{LIST}/", 2)),
        link.put(LIST, headers=portal.header("PUT", LIST, 2)),
        link.get(f"{LIST}?after=0", headers=portal.header("GET", f"{LIST}?after=0", 3)),
        link.post(post, content=body + b"x", headers=portal.header("POST", post, 4, body)),
        link.post(post, content=b"", headers=portal.header("POST", post, 5)),
        link.post(post, content=strange, headers=portal.header("POST", post, 6, strange)),
    ]
    assert {(each.status_code, each.content) for each in wrong} == {(404, b"")}
    assert len({tuple(sorted(each.headers.items())) for each in wrong}) == 1
    # Nothing of it was done, and the right one still counts.
    answer = link.get(path, headers=portal.header("GET", path, 7))
    assert (
        answer.content == (portal.places.bundle(note.submission_id) / "package.note").read_bytes()
    )
    assert portal.places.event(note.submission_id).exists()


def test_a_body_over_its_limit_or_of_a_stranger_is_not_kept(
    portal: Pulled, link: httpx.Client
) -> None:
    body = secrets.token_bytes(wire.CHECKPOINT_LIMIT_BYTES + 1)
    headers = portal.header("POST", wire.COSIGN_PATH, 1, body)
    assert link.post(wire.COSIGN_PATH, content=body, headers=headers).status_code == 404
    headers = portal.header("POST", wire.COSIGN_PATH, 2, b"", signer=STRANGER)
    assert link.post(wire.COSIGN_PATH, content=body, headers=headers).status_code == 404
    assert not any(portal.places.spool.iterdir())


@pytest.mark.parametrize(
    ("asked", "start"), [("bytes=0-", 0), ("bytes=1-", 1), ("bytes=65000-", 65_000), (None, None)]
)
def test_an_object_is_read_out_from_any_byte_on(
    portal: Pulled, link: httpx.Client, asked: str | None, start: int | None
) -> None:
    note = portal.give(b"material")
    stated = note.objects[0]
    path = wire.sealed_path(note.submission_id, stated.object_id)
    headers = portal.header("GET", path, 1) | ({"range": asked} if asked else {})
    answer = link.get(path, headers=headers)
    whole = (
        portal.places.bundle(note.submission_id) / "objects" / f"{stated.object_id}.age"
    ).read_bytes()
    assert answer.content == whole[start or 0 :]
    size = stated.sealed_size
    expected = None if start is None else f"bytes {start}-{size - 1}/{size}"
    assert answer.headers.get("content-range") == expected
    assert answer.status_code == (200 if asked is None else 206)


@pytest.mark.parametrize("asked", ["bytes=5-9", "bytes=-5", "bytes=0-,2-", "lines=1-", "bytes=٣-"])
def test_another_kind_of_range_gives_the_whole(
    portal: Pulled, link: httpx.Client, asked: str
) -> None:
    note = portal.give(b"material")
    stated = note.objects[0]
    path = wire.sealed_path(note.submission_id, stated.object_id)
    signed = {key.encode(): text.encode() for key, text in portal.header("GET", path, 1).items()}
    answer = link.get(path, headers=signed | {b"range": asked.encode()})
    assert (answer.status_code, len(answer.content)) == (200, stated.sealed_size)


def test_an_object_of_another_submission_is_not_read_out(
    portal: Pulled, link: httpx.Client
) -> None:
    one, other = portal.give(b"one"), portal.give(b"other")
    path = wire.sealed_path(one.submission_id, other.objects[0].object_id)
    assert link.get(path, headers=portal.header("GET", path, 1)).status_code == 404


@pytest.mark.threat("T-16")
def test_the_log_and_the_answers_tell_nothing_but_days_and_counts(
    portal: Pulled, link: httpx.Client
) -> None:
    note = portal.give(b"material")
    answer = link.get(LIST, headers=portal.header("GET", LIST, 1))
    assert not {"date", "server", "etag"} & answer.headers.keys()
    path = wire.acknowledge_path(note.submission_id)
    body = portal.acknowledgement(note)
    link.post(path, content=body, headers=portal.header("POST", path, 2, body))
    assert portal.log == ["2026-10-02 pull-serving"]


def test_a_failing_database_ends_the_request_and_not_the_portal(
    portal: Pulled, link: httpx.Client
) -> None:
    assert link.get(LIST, headers=portal.header("GET", LIST, 1)).status_code == 200
    database = portal.settings.data_directory / "portal.db"
    with database.open("r+b") as file:
        file.truncate(100)
    assert link.get(LIST, headers=portal.header("GET", LIST, 2)).status_code == 503
    assert portal.log[-1] == "2026-10-02 pull-failed"


@pytest.mark.parametrize("lines", [0, 1, 2, 3, 5])
def test_a_portal_without_four_lines_of_keys_does_not_start(tmp_path: Path, lines: int) -> None:
    texts = [*PULLER.key.to_texts(), *COSIGNER.key.to_texts(), PULLER.key.to_texts()[0]]
    path = tmp_path / "pull.keys"
    path.write_text("\n".join(texts[:lines]))
    with pytest.raises(KeysError):
        PullKeys.load(path)


def test_keys_in_the_wrong_order_or_malformed_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "pull.keys"
    with pytest.raises(KeysError):
        PullKeys.load(path)
    texts = [*COSIGNER.key.to_texts(), *PULLER.key.to_texts()]
    for content in ("\n".join(texts).encode(), b"\xff\n" * 4, b"x" * 20_000):
        path.write_bytes(content)
        with pytest.raises(KeysError):
            PullKeys.load(path)


def test_the_log_of_another_name_has_another_key(portal: Pulled) -> None:
    other = portal.keys.log_key(LogOrigin("other.example/portal"))
    assert other != portal.keys.log_key(portal.origin)
