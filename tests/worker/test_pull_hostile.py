"""A portal that was taken over makes the quarantine neither believe, nor stop, nor fill up."""

import dataclasses
import secrets
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from amana.wire import pull as wire
from amana.wire.ids import Digest, SubmissionId
from amana.wire.note import PackageNote
from amana.wire.pull import Acknowledged, Listed, PullList
from tests.portal.pulled import NOON
from tests.worker.hostile_portal import Answer, Hostile, pulling, signed, taken_over
from worker.pull import PullClient, PullError, PullFault

pytestmark = pytest.mark.threat("T-28")


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Hostile]:
    with taken_over(tmp_path) as hostile:
        yield hostile


@pytest.fixture
def client(portal: Hostile, tmp_path: Path) -> Iterator[PullClient]:
    assert not portal.asked
    with pulling(tmp_path) as client:
        yield client


def fault(failure: pytest.ExceptionInfo[PullError]) -> PullFault:
    return failure.value.fault


def endless() -> Iterator[bytes]:
    while True:
        yield bytes(1 << 16)


def listed(number: int) -> Listed:
    return Listed(
        submission_id=SubmissionId(f"{number:064x}"),
        note_sha256=Digest("0" * 64),
        received_on=date(2026, 10, 2),
        objects=1,
        sealed_bytes=1,
        event=None,
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", PullFault.MALFORMED),
        (b"{}", PullFault.MALFORMED),
        (b"\xff" * 100, PullFault.MALFORMED),
        (b"[" * 100_000, PullFault.MALFORMED),
        (bytes(PullList.LIMIT_BYTES + 1), PullFault.TOO_LONG),
    ],
    ids=["empty", "no-format", "no-text", "deep", "long"],
)
def test_a_list_that_is_none_is_refused(
    portal: Hostile, client: PullClient, content: bytes, expected: PullFault
) -> None:
    portal.say(wire.list_path(), content)
    with pytest.raises(PullError) as failure:
        list(client.waiting())
    assert fault(failure) is expected


def test_an_endless_answer_is_cut_at_its_limit(portal: Hostile, client: PullClient) -> None:
    portal.answers[wire.list_path()] = lambda _request: StreamingResponse(endless())
    with pytest.raises(PullError) as failure:
        list(client.waiting())
    assert fault(failure) is PullFault.TOO_LONG


def test_a_list_that_repeats_itself_is_refused(portal: Hostile, client: PullClient) -> None:
    page = PullList(entries=(listed(1), listed(2)), more=True)
    portal.say(wire.list_path(), page)
    portal.say(wire.list_path(listed(2).submission_id), page)
    with pytest.raises(PullError) as failure:
        list(client.waiting())
    assert fault(failure) is PullFault.MALFORMED
    assert len(portal.asked) == 2


def test_a_list_without_end_is_refused(
    portal: Hostile, client: PullClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.pull.MOST_WAITING", 20)
    for number in range(30):
        path = wire.list_path(listed(number - 1).submission_id if number else None)
        portal.say(path, PullList(entries=(listed(number),), more=True))
    with pytest.raises(PullError) as failure:
        list(client.waiting())
    assert fault(failure) is PullFault.MALFORMED
    assert len(portal.asked) == 21


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (301, PullFault.MALFORMED),
        (302, PullFault.MALFORMED),
        (403, PullFault.MALFORMED),
        (404, PullFault.REFUSED),
        (500, PullFault.UNAVAILABLE),
        (503, PullFault.UNAVAILABLE),
    ],
)
def test_another_status_says_no_and_no_redirect_is_followed(
    portal: Hostile, client: PullClient, status: int, expected: PullFault
) -> None:
    other = wire.list_path(listed(1).submission_id)
    portal.say(wire.list_path(), b"", status, location=other)
    portal.say(other, PullList(entries=(), more=False))
    with pytest.raises(PullError) as failure:
        list(client.waiting())
    assert fault(failure) is expected
    assert portal.asked == [wire.list_path()]


def test_a_portal_cannot_mark_whoever_asks(portal: Hostile, client: PullClient) -> None:
    seen: list[str | None] = []
    page = PullList(entries=(), more=False).to_bytes()

    def answer(request: Request) -> Response:
        seen.append(request.headers.get("cookie"))
        return Response(page, headers={"set-cookie": "who=you; Path=/"})

    portal.answers[wire.list_path()] = answer
    for _ in range(2):
        assert list(client.waiting()) == []
    assert seen == [None, None]


def test_the_note_of_another_submission_is_refused(
    portal: Hostile, client: PullClient, tmp_path: Path
) -> None:
    note, _ = portal.give(b"material")
    other = SubmissionId("0" * 64)
    portal.say(wire.note_path(other), signed(note))
    with pytest.raises(PullError) as failure:
        client.fetch(other, tmp_path / "x")
    assert fault(failure) is PullFault.MALFORMED
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("content", [b"", b"amana/package-note/v1\n{}\n\n", b"\x00" * 5_000])
def test_what_is_no_note_is_refused(
    portal: Hostile, client: PullClient, tmp_path: Path, content: bytes
) -> None:
    submission = SubmissionId("1" * 64)
    portal.say(wire.note_path(submission), content)
    with pytest.raises(PullError) as failure:
        client.fetch(submission, tmp_path / "x")
    assert fault(failure) is PullFault.MALFORMED


def object_of(note: PackageNote) -> tuple[str, int]:
    stated = note.objects[0]
    return wire.sealed_path(note.submission_id, stated.object_id), stated.sealed_size


@pytest.mark.threat("T-01")
@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda body: body[:-1] + bytes([body[-1] ^ 1]), PullFault.WRONG_BYTES),
        (lambda body: body + b"x", PullFault.TOO_LONG),
        # What is missing is asked for, and the portal begins anew instead.
        (lambda body: body[:-1], PullFault.MALFORMED),
        (lambda _body: b"", PullFault.UNREACHABLE),
        (lambda body: body[::-1], PullFault.WRONG_BYTES),
    ],
    ids=["flipped", "extended", "cut", "empty", "reversed"],
)
def test_wrong_bytes_never_become_a_submission(
    portal: Hostile,
    client: PullClient,
    tmp_path: Path,
    spoil: Callable[[bytes], bytes],
    expected: PullFault,
) -> None:
    note, bodies = portal.give(b"material")
    path, _size = object_of(note)
    right = bodies[note.objects[0].object_id]
    portal.say(path, spoil(right))
    folder = tmp_path / "x"
    with pytest.raises(PullError) as failure:
        client.fetch(note.submission_id, folder)
    assert fault(failure) is expected
    assert not folder.exists()
    # What spoiled it does not stay in the way.
    portal.answers[path] = ranged(right)
    client.fetch(note.submission_id, folder)
    assert (folder / "objects" / f"{note.objects[0].object_id}.age").read_bytes() == right


def test_an_endless_object_fills_no_disk(
    portal: Hostile, client: PullClient, tmp_path: Path
) -> None:
    note, _ = portal.give(b"material")
    path, size = object_of(note)
    portal.answers[path] = lambda _request: StreamingResponse(endless())
    with pytest.raises(PullError) as failure:
        client.fetch(note.submission_id, tmp_path / "x")
    assert fault(failure) is PullFault.TOO_LONG
    assert sum(each.stat().st_size for each in tmp_path.rglob("*.part") if each.is_file()) <= size


def test_an_object_larger_than_the_disk_is_not_begun(
    portal: Hostile, client: PullClient, tmp_path: Path
) -> None:
    note, _ = portal.give(b"material")
    huge = dataclasses.replace(note.objects[0], sealed_size=1 << 47)
    note = dataclasses.replace(note, objects=(huge,))
    portal.say(wire.note_path(note.submission_id), signed(note))
    with pytest.raises(PullError) as failure:
        client.fetch(note.submission_id, tmp_path / "x")
    assert fault(failure) is PullFault.NO_ROOM
    assert failure.value.is_for_later
    assert object_of(note)[0] not in portal.asked


def ranged(body: bytes, most: int | None = None) -> Answer:
    """An answer that honours a range, and gives at most so many bytes at a time."""

    def answer(request: Request) -> Response:
        text = request.headers.get("range", "")
        start = int(text.removeprefix("bytes=").removesuffix("-")) if text else 0
        headers = {"content-length": str(len(body) - start)}
        if text:
            headers["content-range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        end = len(body) if most is None else start + most
        return StreamingResponse(iter([body[start:end]]), 206 if text else 200, headers)

    return answer


def test_a_connection_that_breaks_is_taken_up_where_it_broke(
    portal: Hostile, client: PullClient, tmp_path: Path
) -> None:
    note, bodies = portal.give(secrets.token_bytes(200_000))
    path, size = object_of(note)
    portal.answers[path] = ranged(bodies[note.objects[0].object_id], size // 4)
    client.fetch(note.submission_id, tmp_path / "x")
    assert portal.asked.count(path) in (4, 5)


@pytest.mark.parametrize(
    "lie", [None, "bytes 0-9/10", "bytes 1-{last}/{size}", "bytes {start}-{last}/*"]
)
def test_an_answer_that_begins_elsewhere_is_refused(
    portal: Hostile, client: PullClient, tmp_path: Path, lie: str | None
) -> None:
    note, bodies = portal.give(secrets.token_bytes(200_000))
    path, size = object_of(note)
    body = bodies[note.objects[0].object_id]

    def answer(request: Request) -> Response:
        text = request.headers.get("range")
        if not text:
            headers = {"content-length": str(size)}
            return StreamingResponse(iter([body[:50_000]]), headers=headers)
        start = int(text.removeprefix("bytes=").removesuffix("-"))
        told = lie and lie.format(start=start, last=size - 1, size=size)
        return Response(body[start:], 206, {"content-range": told} if told else {})

    portal.answers[path] = answer
    with pytest.raises(PullError) as failure:
        client.fetch(note.submission_id, tmp_path / "x")
    assert fault(failure) is PullFault.MALFORMED


def test_a_custody_event_has_a_limit_and_may_be_missing(
    portal: Hostile, client: PullClient, tmp_path: Path
) -> None:
    note, _ = portal.give(b"material")
    path = wire.event_path(note.submission_id)
    portal.say(path, bytes(wire.EVENT_LIMIT_BYTES + 1))
    with pytest.raises(PullError) as failure:
        client.fetch(note.submission_id, tmp_path / "x")
    assert fault(failure) is PullFault.TOO_LONG
    del portal.answers[path]
    client.fetch(note.submission_id, tmp_path / "x")
    assert not (tmp_path / "x" / "event.age").exists()
    portal.say(path, b"sealed")
    client.fetch(note.submission_id, tmp_path / "x")
    assert (tmp_path / "x" / "event.age").read_bytes() == b"sealed"


def test_an_acknowledgement_answered_for_another_is_refused(
    portal: Hostile, client: PullClient, tmp_path: Path
) -> None:
    note, _ = portal.give(b"material")
    client.fetch(note.submission_id, tmp_path / "x")
    other = Acknowledged(
        submission_id=SubmissionId("0" * 64),
        acknowledged_on=NOON.date(),
        kept_until=NOON.date(),
    )
    portal.say(wire.acknowledge_path(note.submission_id), other)
    with pytest.raises(PullError) as failure:
        client.acknowledge(tmp_path / "x")
    assert fault(failure) is PullFault.MALFORMED


def test_a_portal_that_is_not_there_is_for_later(tmp_path: Path) -> None:
    # Nobody listens on the port of the TCP port service multiplexer.
    with pulling(tmp_path, "http://127.0.0.1:1") as client, pytest.raises(PullError) as failure:
        client.cosign()
    assert fault(failure) is PullFault.UNREACHABLE
    assert failure.value.is_for_later
