"""Nothing gets out of the sandbox but answers, and an answer is parsed like any untrusted bytes."""

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.worker.scan import hostile
from worker.errors import LateAnswerError, SandboxError, UntrustedAnswerError
from worker.inside.channel import ANSWER, FRAME_HEAD, PIECE, Ending
from worker.memory import MemoryBudget, SealedMemory
from worker.sandbox import INSTALL, Sandbox, Session, UntrustedMember, walls

pytestmark = pytest.mark.threat("T-22")
INTERPRETER = str(pathlib.Path(sys.executable).resolve())

# Each line tries one thing and prints its number if it was possible.
TRIALS = """
import os, socket, sys
def can(number, what):
    try: what()
    except OSError: return
    print(number)
can(1, lambda: os.listdir("/proc"))
can(2, lambda: os.listdir("/home"))
can(3, lambda: os.listdir("/etc"))
can(4, lambda: open("/inside/new", "w"))
can(5, lambda: open("/new", "w"))
can(6, lambda: open("/usr/new", "w"))
can(7, lambda: socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1))
can(8, lambda: os.kill(int(sys.argv[2]), 0))
can(9, lambda: os.setuid(0))
can(10, lambda: os.listdir(sys.argv[3]))
print(sorted(os.environ), os.getuid(), socket.gethostname())
"""
# What a reader may no longer do once it is locked.
CAGED = """
import os, socket, sys
from worker.inside.cage import lock
lock(5)
failed = 0
for what in (
    lambda: open("/etc/passwd"), lambda: os.fork(), lambda: socket.socket(), lambda: os.getcwd(),
    lambda: os.kill(1, 0), lambda: os.memfd_create("x"), lambda: os.execv("/bin/true", ["true"]),
    lambda: os.unlink("/nothing"), lambda: os.listdir("/"),
):
    try: what()
    except PermissionError: failed += 1
print(failed)
sys.stdout.flush()
os._exit(0)
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(item_cpu_seconds=20) as running:
        yield running


def memory_of(content: bytes) -> SealedMemory:
    size = len(content) + 1
    ((memory, _),) = (
        MemoryBudget(size).allot(size).cut([content], window_bytes=size, overlap_bytes=0)
    )
    return memory


def program() -> str:
    found = shutil.which("bwrap")
    if found is None:
        pytest.fail(INSTALL)
    return found


def test_the_walls_leave_no_network_no_file_of_ours_and_no_other_process(
    root: pathlib.Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        arguments = [str(listening.getsockname()[1]), str(os.getppid()), str(root / "worker")]
        done = subprocess.run(
            [program(), *walls(5), INTERPRETER, "-E", "-s", "-S", "-c", TRIALS, *arguments],
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout == "['LC_ALL', 'LC_CTYPE', 'LIBARCHIVE', 'PWD'] 65534 inside\n".replace(
        "['LC_ALL', 'LC_CTYPE'", "['AMANA_INSIDE_CPU_SECONDS', 'LC_ALL'"
    )


def test_a_locked_reader_can_open_and_start_nothing(root: pathlib.Path) -> None:
    done = subprocess.run(
        [INTERPRETER, "-S", "-c", CAGED],
        capture_output=True,
        text=True,
        check=True,
        cwd=root,
        env={"PYTHONPATH": str(root)},
    )
    assert done.stdout == "9\n"


def test_the_members_of_a_container_come_in_order_with_their_bytes(sandbox: Sandbox) -> None:
    with sandbox.session(20) as session, memory_of(hostile.tarred({"a": b"1", "b": b"2"})) as tar:
        kind = session.walk(tar)
        assert (kind.is_container, kind.media_type) == (True, "application/x-tar")
        for name in (b"a", b"b"):
            member = session.member()
            assert member == UntrustedMember(name=name, is_name_cut=False)
            pieces = session.pieces()
            assert b"".join(pieces) == {b"a": b"1", b"b": b"2"}[name]
            assert pieces.ending is Ending.COMPLETE
            session.next()
        assert session.member() is Ending.COMPLETE


def test_two_items_have_two_readers_and_one_that_ends_leaves_the_other(sandbox: Sandbox) -> None:
    with memory_of(b"text") as text, sandbox.session(20) as first:
        assert not first.walk(text).is_container
        with sandbox.session(20) as second:
            assert not second.walk(text).is_container
        assert first.member() is Ending.COMPLETE


def test_a_zip_of_zeros_is_no_container_and_a_media_type_is_a_hint(sandbox: Sandbox) -> None:
    for content, media in (
        (bytes(4_096), None),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", "image/jpeg"),
    ):
        with sandbox.session(20) as session, memory_of(content) as memory:
            kind = session.walk(memory)
            assert not kind.is_container
            assert media is None or kind.media_type == media


def test_a_sandbox_that_has_been_stopped_gives_no_reader() -> None:
    sandbox = Sandbox(item_cpu_seconds=5)
    with pytest.raises(SandboxError), sandbox.session(5):
        pass
    sandbox.start()
    with sandbox.session(5):
        sandbox.stop()
        sandbox.stop()
    with pytest.raises(SandboxError), sandbox.session(5):
        pass


def test_files_that_are_no_containers_share_a_reader_until_one_opens(sandbox: Sandbox) -> None:
    def serve(content: bytes) -> Session:
        with sandbox.session(20) as session, memory_of(content) as memory:
            session.walk(memory)
            while isinstance(session.member(), UntrustedMember):
                list(session.pieces())
                session.next()
        return session

    first = serve(b"text")
    assert serve(b"other text") is first
    assert serve(hostile.tarred({"a": b"1"})) is first
    assert serve(b"text") is not first


def test_a_reader_that_was_left_in_the_midst_serves_nobody_else(sandbox: Sandbox) -> None:
    with sandbox.session(20) as left, memory_of(b"text") as memory:
        left.walk(memory)
    with sandbox.session(20) as other:
        assert other is not left


@contextlib.contextmanager
def fed(*frames: bytes) -> Iterator[Session]:
    """A session whose other side says these bytes and is gone."""
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(b"".join(frames))
    session = Session(ours)
    session.begin(5)
    try:
        yield session
    finally:
        session.close()


def frame(letter: bytes, data: bytes) -> bytes:
    return FRAME_HEAD.pack(letter, len(data)) + data


MEMBER = b'{"answer":"member","is_name_cut":false,"name":"6162"}'


def test_a_member_is_read_from_its_exact_form_only() -> None:
    with fed(frame(ANSWER, MEMBER)) as session:
        assert session.member() == UntrustedMember(name=b"ab", is_name_cut=False)


@pytest.mark.threat("T-13")
@pytest.mark.parametrize(
    "frames",
    [
        (b"",),
        (b"J\x00",),
        (FRAME_HEAD.pack(ANSWER, 1 << 30),),
        (FRAME_HEAD.pack(b"X", 1),),
        (frame(PIECE, b"bytes"),),
        (frame(ANSWER, b"[]"),),
        (frame(ANSWER, MEMBER + b" "),),
        (frame(ANSWER, MEMBER[:-1]),),
        (frame(ANSWER, MEMBER.replace(b"6162", b"616")),),
        (frame(ANSWER, MEMBER.replace(b"6162", b"61" * 4_097)),),
        (frame(ANSWER, MEMBER.replace(b"false", b"0")),),
        (frame(ANSWER, MEMBER.replace(b'"name"', b'"extra":1,"name"')),),
        (frame(ANSWER, b'{"answer":"end","ending":"somehow"}'),),
        (frame(ANSWER, b'{"answer":"end","ending":"complete","more":1}'),),
    ],
)
def test_an_answer_that_is_not_one_is_refused(frames: tuple[bytes, ...]) -> None:
    with fed(*frames) as session, pytest.raises(UntrustedAnswerError):
        session.member()


@given(untrusted=st.binary(max_size=60), letter=st.sampled_from([ANSWER, PIECE, b"?"]))
def test_arbitrary_answers_raise_only_our_own_error(untrusted: bytes, letter: bytes) -> None:
    for said in (untrusted, frame(letter, untrusted)):
        for question in (Session.member, Session.piece):
            with fed(said) as session:
                try:
                    question(session)
                except UntrustedAnswerError:
                    continue


@given(position=st.integers(0, len(MEMBER) - 1), byte=st.integers(0, 255))
def test_a_changed_answer_is_another_or_refused(position: int, byte: int) -> None:
    changed = bytearray(MEMBER)
    changed[position] = byte
    with fed(frame(ANSWER, bytes(changed))) as session:
        try:
            assert isinstance(session.member(), UntrustedMember)
        except UntrustedAnswerError:
            return


def test_a_reader_that_says_nothing_is_late() -> None:
    ours, theirs = socket.socketpair()
    with theirs, ours:
        session = Session(ours)
        session.begin(0.2)
        with pytest.raises(LateAnswerError):
            session.member()
        with pytest.raises(LateAnswerError):
            session.next()
