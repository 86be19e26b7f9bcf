"""What the answers of a clamd mean, when they are answers at all."""

import pathlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.worker.scan.ground import Desk
from worker.clamd_wire import ClamdClient, UntrustedReply
from worker.errors import RetryError, RetryReason
from worker.memory import MemoryBudget, SealedMemory


@contextmanager
def answering(path: pathlib.Path, answer: bytes) -> Iterator[ClamdClient]:
    """A peer that reads an order, and the descriptor with it, and says one thing."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()

        def serve() -> None:
            peer, _ = listening.accept()
            with peer:
                order = peer.recv(64)
                if order == b"nFILDES\n":
                    socket.recv_fds(peer, 1, 1)
                peer.sendall(answer)

        serving = threading.Thread(target=serve)
        serving.start()
        yield ClamdClient(path, least_seconds=5)
        serving.join()
    path.unlink()


@contextmanager
def content(data: bytes = b"content") -> Iterator[SealedMemory]:
    with MemoryBudget(64).allot(64) as allotment:
        ((memory, _),) = allotment.cut([data], window_bytes=64, overlap_bytes=0)
        with memory:
            yield memory


def scanned(folder: pathlib.Path, answer: bytes) -> UntrustedReply | RetryReason:
    with answering(folder / "peer", answer) as client, content() as memory:
        try:
            return client.scan(memory)
        except RetryError as failure:
            return failure.reason


@pytest.mark.parametrize(
    ("answer", "status", "finding"),
    [
        (b"fd[9]: OK\n", "OK", None),
        (b"fd[12]: Win.Test-1.UNOFFICIAL FOUND\n", "FOUND", "Win.Test-1.UNOFFICIAL"),
        (b"fd[12]: Can't write to file ERROR\n", "ERROR", "Can't write to file"),
    ],
)
def test_a_reply_comes_in_its_parts_with_the_size_that_was_sent(
    ground: pathlib.Path, answer: bytes, status: str, finding: str | None
) -> None:
    assert scanned(ground, answer) == UntrustedReply(sent_bytes=7, status=status, finding=finding)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", RetryReason.SCANNER_SILENT),
        (b"fd[9]: O", RetryReason.SCANNER_SILENT),
        (b"fd[9]: OK", RetryReason.SCANNER_SILENT),
        (b"x" * 9_000 + b"\n", RetryReason.SCANNER_SILENT),
        (b"stream: OK\n", RetryReason.SCANNER_FAULT),
        (b"OK\n", RetryReason.SCANNER_FAULT),
        (b"COMMAND READ TIMED OUT\n", RetryReason.SCANNER_FAULT),
        (b"UNKNOWN COMMAND\n", RetryReason.SCANNER_FAULT),
        (b"fd[9]: \xff\xfe FOUND\n", RetryReason.SCANNER_FAULT),
    ],
)
def test_what_is_no_reply_is_never_taken_for_nothing_found(
    ground: pathlib.Path, answer: bytes, reason: RetryReason
) -> None:
    assert scanned(ground, answer) is reason


@settings(max_examples=60)
@given(answer=st.binary(max_size=80))
def test_arbitrary_answers_are_replies_or_our_own_errors(
    shared_ground: pathlib.Path, answer: bytes
) -> None:
    found = scanned(shared_ground, answer)
    assert isinstance(found, RetryReason) or answer.startswith(b"fd[")


def test_clamd_answers_ping_and_says_its_version(desk: Desk) -> None:
    desk.client.ping()
    version = desk.client.version()
    assert version.engine.startswith("ClamAV 1.")
    assert version.database is None


@pytest.mark.parametrize(
    ("answer", "database"),
    [
        (b"ClamAV 1.4.6/27812/Sat Nov 21 09:11:00 2026\n", "27812"),
        (b"ClamAV 1.4.6\n", None),
    ],
)
def test_the_version_names_the_official_database(
    ground: pathlib.Path, answer: bytes, database: str | None
) -> None:
    with answering(ground / "peer", answer) as client:
        assert client.version().database == database


@pytest.mark.parametrize("answer", [b"", b"PANG\n", b"something ERROR\n", b"ClamAV\n"])
def test_a_strange_answer_to_a_question_is_no_answer(ground: pathlib.Path, answer: bytes) -> None:
    for question in (ClamdClient.ping, ClamdClient.version):
        with answering(ground / "peer", answer) as client, pytest.raises(RetryError):
            question(client)
