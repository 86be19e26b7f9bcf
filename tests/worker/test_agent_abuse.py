"""A key agent that is killed, flooded, fed nonsense and restarted."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from amana.exitcodes import ExitCode
from amana.wire.errors import WireError
from amana.wire.ids import CardId, RecipientText, SubmissionId
from crypto.identities import HybridIdentity
from crypto.padding import HYBRID_HEADER_SIZE, Kind
from crypto.recipients import HybridRecipient
from crypto.seal import seal
from terms.vocabulary import HandlingClass
from tests.worker.agents import OFFICER, PHRASE, Running, make_store, running
from worker.agent_client import AgentClient, CardHolder, ClassHolder
from worker.agent_frames import read_message, receive_frame, to_frame
from worker.agent_journal import read_journal
from worker.agent_messages import (
    ANSWERS,
    MESSAGE_LIMIT_BYTES,
    REQUESTS,
    AgentRefusal,
    AgentStatus,
    Answer,
    AskClassRecipient,
    AskFileKeys,
    AskStatus,
    Bind,
    Destroy,
    HolderName,
    Lock,
    MakeIntake,
    Message,
    Refusal,
    SealedHeader,
    Unlock,
)
from worker.agent_server import MOST_CONNECTIONS, Server, listen
from worker.errors import (
    AgentUnreachableError,
    BudgetSpentError,
    HeaderRefusedError,
    KeyDestroyedError,
    KeysLockedError,
)

pytestmark = pytest.mark.threat("T-31")

SUBMISSION = SubmissionId("5a" * 32)
CARD = CardId("c4" * 32)
HOLDER = CardHolder(card=CARD)
MALFORMED = Refusal(reason=AgentRefusal.MALFORMED, index=None)
PUBLIC = RecipientText(HybridIdentity.generate().recipient.to_text())
EVERY_REQUEST: tuple[Message, ...] = (
    Unlock(officer=OFFICER, passphrase="not " + PHRASE),
    Lock(),
    AskStatus(),
    AskFileKeys(
        submission=SUBMISSION,
        holder=HolderName.of(HOLDER),
        headers=(SealedHeader(bytes(HYBRID_HEADER_SIZE)),),
    ),
    AskClassRecipient(submission=SUBMISSION, handling_class=HandlingClass.SGBV),
    MakeIntake(),
    Bind(card=CARD, recipient=PUBLIC),
    Destroy(holder=HolderName.of(HOLDER)),
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    data = tmp_path_factory.mktemp("shared")
    make_store(data)
    with running(data) as agent:
        yield agent


def ask_raw(path: Path, content: bytes) -> Answer | None:
    """Send bytes as they are; give the answer, or None where the connection was closed."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(path))
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)
        try:
            return read_message(receive_frame(connection), ANSWERS)
        except (WireError, OSError):
            return None


def framed(content: bytes) -> bytes:
    return len(content).to_bytes(4) + content


FUZZ = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.threat("T-13")
@FUZZ
@given(content=st.binary(max_size=200))
@example(content=b"")
@example(content=b"{}")
@example(content=b'{"format":"amana/key-agent-lock/v2"}')
@example(content=b'{"format":"amana/key-agent-lock/v1","now":true}')
@example(content=b"[" * 1000)
def test_a_message_that_is_none_is_refused_and_the_agent_lives(
    content: bytes, shared: Running
) -> None:
    assert ask_raw(shared.places.socket, framed(content)) == MALFORMED
    assert shared.client.status().is_locked


@pytest.mark.threat("T-13")
@FUZZ
@given(data=st.data())
def test_a_request_with_one_byte_replaced_opens_nothing(
    data: st.DataObject, shared: Running
) -> None:
    whole = data.draw(st.sampled_from(EVERY_REQUEST)).to_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255))
    answer = ask_raw(shared.places.socket, framed(whole[:at] + bytes([byte]) + whole[at + 1 :]))
    assert answer is not None
    assert shared.client.status().is_locked


@pytest.mark.threat("T-13")
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\0",
        (100).to_bytes(4) + b"cut",
        (MESSAGE_LIMIT_BYTES + 1).to_bytes(4),
        b"\xff" * 100,
        to_frame(AskStatus()) * 2,
        to_frame(AskStatus()) + b"\0",
    ],
)
def test_a_frame_that_is_none_gets_no_answer_but_no(sent: bytes, shared: Running) -> None:
    assert ask_raw(shared.places.socket, sent) in (None, MALFORMED)
    assert shared.client.status().is_locked


def test_every_request_is_among_those_that_are_fuzzed() -> None:
    assert {type(each) for each in EVERY_REQUEST} == set(REQUESTS)


def test_who_sends_slowly_holds_nobody_up(shared: Running) -> None:
    with socket.socket(socket.AF_UNIX) as slow:
        slow.connect(str(shared.places.socket))
        slow.sendall(to_frame(AskStatus())[:7])
        started = time.monotonic()
        shared.client.status()
        assert time.monotonic() - started < 5


def test_a_flood_of_callers_ends_with_them(shared: Running) -> None:
    with ExitStack() as flood:
        for _ in range(MOST_CONNECTIONS):
            connection = flood.enter_context(socket.socket(socket.AF_UNIX))
            connection.connect(str(shared.places.socket))
            connection.sendall(b"\0")
        with pytest.raises(AgentUnreachableError):
            shared.client.status()
    shared.client.status()


def test_a_second_agent_over_the_same_keys_is_refused(shared: Running) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "amana.cli", "key", "agent"],
        env={**os.environ, "AMANA_DATA_DIRECTORY": str(shared.places.data_directory)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == ExitCode.REFUSED
    assert "[worker.AgentRunningError]" in second.stderr
    shared.client.status()


@pytest.mark.threat("T-19")
def test_another_user_is_not_answered(tmp_path: Path) -> None:
    """Seen from the other side: the agent answers other users than the one that asks here."""
    listener = listen(tmp_path / "agent.sock", mode=0o600)
    asked: list[Message] = []

    def answer(request: Message) -> Answer:
        asked.append(request)
        return MALFORMED

    server = Server(listener, answer, uids={os.geteuid() + 1}, monotonic=time.monotonic)
    thread = threading.Thread(target=server.serve_once)
    thread.start()
    with pytest.raises(AgentUnreachableError):
        AgentClient(tmp_path / "agent.sock", seconds=10).lock()
    thread.join()
    server.close()
    assert asked == []
    assert (tmp_path / "agent.sock").stat().st_mode & 0o777 == 0o600


def test_a_request_that_does_not_come_is_not_waited_for(tmp_path: Path) -> None:
    seconds = [0.0]
    listener = listen(tmp_path / "agent.sock", mode=0o600)
    server = Server(
        listener, lambda _: MALFORMED, uids={os.geteuid()}, monotonic=lambda: seconds[0]
    )
    with socket.socket(socket.AF_UNIX) as slow:
        slow.connect(str(tmp_path / "agent.sock"))
        server.serve_once()
        seconds[0] += 11
        server.serve_once()
        slow.settimeout(10)
        assert slow.recv(1) == b""
    server.close()


@pytest.mark.parametrize(
    "answer",
    [b"", b"\0\0\0\1x", framed(Lock().to_bytes()), to_frame(MALFORMED), b"\xff" * 8],
)
def test_what_answers_in_the_agents_place_is_not_believed(answer: bytes, tmp_path: Path) -> None:
    listener = listen(tmp_path / "agent.sock", mode=0o600)

    def pretend() -> None:
        connection, _ = listener.accept()
        with connection:
            receive_frame(connection)
            connection.sendall(answer)

    thread = threading.Thread(target=pretend)
    thread.start()
    with pytest.raises(AgentUnreachableError):
        AgentClient(tmp_path / "agent.sock", seconds=10).status()
    thread.join()
    listener.close()


def test_where_no_agent_is_it_is_said_so(tmp_path: Path) -> None:
    for path in (tmp_path / "agent.sock", tmp_path / "nothing" / "agent.sock"):
        with pytest.raises(AgentUnreachableError):
            AgentClient(path).status()


def test_one_unlocking_opens_as_many_as_it_may_and_no_more(tmp_path: Path) -> None:
    make_store(tmp_path)
    with running(tmp_path, ["--unwraps", "3"]) as agent:
        agent.unlock()
        recipient = agent.client.new_intake()
        agent.client.bind(CARD, recipient)
        sealed = b"".join(seal((b"x",), recipient, Kind.RECORD))
        agent.client.file_keys(SUBMISSION, HOLDER, [sealed])
        with pytest.raises(HeaderRefusedError):
            agent.client.file_keys(SUBMISSION, HOLDER, [bytes(HYBRID_HEADER_SIZE)])
        with pytest.raises(BudgetSpentError):
            agent.client.file_keys(SUBMISSION, HOLDER, [sealed, sealed])
        agent.client.file_keys(SUBMISSION, HOLDER, [sealed])
        assert agent.client.status().unwraps_left == 0
        agent.unlock()
        assert agent.client.status().unwraps_left == 3


@pytest.mark.threat("T-19")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_leaves_no_socket(number: signal.Signals, tmp_path: Path) -> None:
    make_store(tmp_path)
    with running(tmp_path) as agent:
        agent.unlock()
        agent.process.send_signal(number)
        assert agent.process.wait(20) == 0
        assert not agent.places.socket.exists()
        acts = [each.act.value for each in read_journal(agent.places.journal)]
        assert acts == ["started", "unlocked", "locked", "stopped"]


@pytest.mark.threat("T-07")
@pytest.mark.parametrize("milliseconds", [3, 40, 200])
def test_killed_at_any_moment_it_keeps_what_it_answered(milliseconds: int, tmp_path: Path) -> None:
    """Every answer was on the disk before it was given; after the kill the keys are locked."""
    make_store(tmp_path)
    made: dict[SubmissionId, HybridRecipient] = {}
    destroyed: list[SubmissionId] = []
    with running(tmp_path) as agent:
        agent.unlock()
        killer = threading.Timer(milliseconds / 1000, agent.kill)
        killer.start()
        work_until_killed(agent, made, destroyed)
        killer.join()
    with running(tmp_path) as again:
        assert again.client.status().is_locked
        with pytest.raises(KeysLockedError):
            again.client.new_intake()
        again.unlock()
        for submission in destroyed:
            with pytest.raises(KeyDestroyedError):
                again.client.class_recipient(submission, HandlingClass.SGBV)
        for submission, recipient in made.items():
            assert again.client.class_recipient(submission, HandlingClass.SGBV) == recipient
        assert not list(tmp_path.rglob("*.part"))
        journal = list(read_journal(again.places.journal))
        named = {each.holder.submission for each in journal if each.holder}
        assert {*made, *destroyed} <= named


def work_until_killed(
    agent: Running, made: dict[SubmissionId, HybridRecipient], destroyed: list[SubmissionId]
) -> None:
    """Make class identities and destroy every second one."""
    for number in range(10_000):
        submission = SubmissionId(f"{number:064x}")
        holder = ClassHolder(submission=submission, handling_class=HandlingClass.SGBV)
        try:
            recipient = agent.client.class_recipient(submission, HandlingClass.SGBV)
            made[submission] = recipient
            if number % 2:
                # From here on it may be destroyed already, without an answer.
                del made[submission]
                agent.client.destroy(holder)
                destroyed.append(submission)
        except AgentUnreachableError:
            return


def test_an_agent_without_a_key_store_says_how_to_make_one(tmp_path: Path) -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "amana.cli", "key", "agent"],
        env={**os.environ, "AMANA_DATA_DIRECTORY": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == ExitCode.REFUSED
    assert "[worker.KeyPlaceError]" in refused.stderr


def test_status_is_a_message_of_its_own(shared: Running) -> None:
    assert isinstance(ask_raw(shared.places.socket, to_frame(AskStatus())), AgentStatus)
    assert PHRASE not in repr(Unlock(officer=OFFICER, passphrase=PHRASE))
