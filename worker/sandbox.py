"""The sandbox, from outside: bubblewrap around the readers of clear, hostile files.

It has no network, no home, no /proc, no other process, no variable of ours; of the file system it
sees the system's programs, read-only, and worker/inside. Whatever opens as a container has a reader
process to itself; files of one submission that are none share one for a while. What comes out is
untrusted, bounded and parsed here; a reader that breaks, or lies in its form, makes its item "not
scanned" and nothing else. Without bubblewrap there is no walk and so no verdict. Frames:
docs/format/19-scan-report.md.
"""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from amana.wire.errors import FieldError
from amana.wire.words import MEDIA_TYPE, MediaType
from crypto import canonical
from crypto.canonical import JsonValue
from crypto.errors import CanonicalError
from worker.clamd_wire import Scannable
from worker.errors import LateAnswerError, SandboxError, UntrustedAnswerError
from worker.inside import channel
from worker.inside.channel import Ending

INSTALL: Final = (
    "the sandbox is missing: apt-get install --no-install-recommends bubblewrap libarchive13"
)
"""What an operator, or whoever runs the tests, has to do."""

_READY_SECONDS: Final = 20.0
_MOST_SERVED: Final = 256
"""Items after which a reader is changed. Ours: the start of one, some 5 ms, is then forgotten."""
_LIBRARY: Final = "libarchive.so.13"
_PACKAGES: Final = ("libarchive", "puremagic")
_INSIDE: Final = "/inside"
_NOBODY: Final = "65534"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a content is."""

    is_container: bool
    media_type: MediaType | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UntrustedMember:
    """One entry of a container, as its reader gives it. The name is any bytes."""

    name: bytes
    is_name_cut: bool


class Session:
    """A reader. Close it, and the reader ends.

    may_go_on: whether it may serve another item. Only one that said to its end of every item so far
    that it is no container may, and no more than _MOST_SERVED items.
    """

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream
        self._deadline = 0.0
        self._served = 0
        self._has_opened = False
        self.may_go_on = False

    def begin(self, seconds: float) -> None:
        """Begin with an item, which may take no longer than so many seconds."""
        self._deadline = time.monotonic() + seconds
        self._served += 1
        self.may_go_on = False

    def walk(self, content: Scannable) -> Kind:
        """Hand in a content and learn what it is. Then ask for members until there is none."""
        self.may_go_on = False
        descriptor = content.reader()
        try:
            self._send(channel.ORDER_WALK, descriptor)
        finally:
            os.close(descriptor)
        match self._answer():
            case {"answer": "kind", "is_container": bool(is_it), "media_type": media, **more} if (
                not more
            ):
                self._has_opened |= is_it
                return Kind(is_container=is_it, media_type=_media_type(media))
            case _:
                raise UntrustedAnswerError("the reader did not say what the content is")

    def member(self) -> UntrustedMember | Ending:
        """Give the next member, whose pieces must be taken next, or how the container ended."""
        match self._answer():
            case {"answer": "end", "ending": str(untrusted), **more} if not more:
                ending = _ending(untrusted)
                self.may_go_on = not self._has_opened and self._served < _MOST_SERVED
                return ending
            case {"answer": "member", "name": str(name), "is_name_cut": bool(is_cut), **more} if (
                not more and len(name) <= 2 * channel.NAME_BYTES
            ):
                return UntrustedMember(name=_from_hex(name), is_name_cut=is_cut)
            case _:
                raise UntrustedAnswerError("the reader gave neither a member nor an end")

    def pieces(self) -> "Pieces":
        """Give the bytes of the member that was given last, once."""
        return Pieces(self)

    def next(self) -> None:
        """Have the reader go on after a member, when all that is to be walked in it has been."""
        self._send(channel.ORDER_NEXT)

    def piece(self) -> bytes | Ending:
        """Give the next piece of a member, or how it ended."""
        letter, data = self._frame()
        if letter == channel.PIECE and data:
            return data
        if letter == channel.ANSWER:
            match _parsed(data):
                case {"answer": "ended", "ending": str(ending), **more} if not more:
                    return _ending(ending)
                case _:
                    pass
        raise UntrustedAnswerError("the reader gave neither a piece nor an end of a member")

    def _answer(self) -> dict[str, JsonValue]:
        letter, data = self._frame()
        if letter != channel.ANSWER:
            raise UntrustedAnswerError("the reader gave a piece in place of an answer")
        return _parsed(data)

    def _frame(self) -> tuple[bytes, bytes]:
        head = self._receive(channel.FRAME_HEAD.size)
        letter, length = channel.FRAME_HEAD.unpack(head)
        limits = {channel.ANSWER: channel.ANSWER_BYTES, channel.PIECE: channel.PIECE_BYTES}
        if length > limits.get(letter, -1):
            raise UntrustedAnswerError("the reader gave an unknown or too long frame")
        return letter, self._receive(length)

    def _receive(self, length: int) -> bytes:
        data = bytearray(length)
        rest = memoryview(data)
        try:
            while rest:
                self._stream.settimeout(self._left())
                count = self._stream.recv_into(rest)
                if count == 0:
                    raise UntrustedAnswerError("the reader is gone")
                rest = rest[count:]
        except TimeoutError as failure:
            raise LateAnswerError("the reader is late") from failure
        except OSError as failure:
            raise UntrustedAnswerError("the reader is gone") from failure
        return bytes(data)

    def _send(self, order: bytes, descriptor: int | None = None) -> None:
        try:
            self._stream.settimeout(self._left())
            socket.send_fds(self._stream, [order], [] if descriptor is None else [descriptor])
        except TimeoutError as failure:
            raise LateAnswerError("the reader is late") from failure
        except OSError as failure:
            raise UntrustedAnswerError("the reader is gone") from failure

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise LateAnswerError("the time of this item is over")
        return left

    def close(self) -> None:
        """End the reader."""
        self._stream.close()


class Pieces:
    """A member's bytes, once through; afterwards `ending` says whether they were all of it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.ending: Ending | None = None

    def __iter__(self) -> Iterator[bytes]:
        while self.ending is None:
            match self._session.piece():
                case Ending() as ending:
                    self.ending = ending
                case piece:
                    yield piece


class Sandbox:
    """A running sandbox: `with Sandbox(item_cpu_seconds=…) as sandbox`. Any number of threads.

    One is for one submission at most: its readers go from item to item, and whoever took one over
    could speak for the next. It ends with the thread that started it, at the latest.
    """

    def __init__(self, *, item_cpu_seconds: int) -> None:
        self._cpu_seconds = item_cpu_seconds
        self._sending = threading.Lock()
        self._idle: list[Session] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None

    def start(self) -> None:
        """Start it and see that it answers. SandboxError: it cannot run on this machine."""
        program = shutil.which("bwrap")
        if program is None:
            raise SandboxError(INSTALL)
        self._orders, theirs = socket.socketpair()
        nothing: dict[str, str] = {}
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - fixed programs, our own paths
                [program, *walls(self._cpu_seconds), *_reader_command()],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=nothing,
            )
        try:
            self._orders.settimeout(_READY_SECONDS)
            self._orders.sendall(channel.ORDER_READY)
            answer = self._orders.recv(1)
        except OSError as failure:
            self.stop()
            raise SandboxError("the sandbox does not run on this machine") from failure
        if answer != channel.ORDER_READY:
            self.stop()
            raise SandboxError("the sandbox does not run on this machine")

    def stop(self) -> None:
        """End it, every reader with it; a second call does nothing."""
        while self._idle:
            self._idle.pop().close()
        if self._orders is not None:
            self._orders.close()
            self._orders = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @contextmanager
    def session(self, seconds: float) -> Iterator[Session]:
        """Give a reader for one item, which may take no longer than so many seconds.

        SandboxError: the sandbox is gone.
        """
        with self._sending:
            session = self._idle.pop() if self._idle else self._new_session()
        session.begin(seconds)
        try:
            yield session
        finally:
            if session.may_go_on:
                with self._sending:
                    self._idle.append(session)
            else:
                session.close()

    def _new_session(self) -> Session:
        if self._orders is None:
            raise SandboxError("the sandbox has not been started")
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._orders, [channel.ORDER_ITEM], [theirs.fileno()])
            except OSError as failure:
                ours.close()
                raise SandboxError("the sandbox is gone") from failure
        return Session(ours)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def walls(cpu_seconds: int) -> list[str]:
    """Give bubblewrap's options (bwrap(1)); the program to run inside comes after them."""
    options = ["--unshare-user", "--unshare-all", "--disable-userns", "--die-with-parent"]
    options += ["--new-session", "--hostname", "inside", "--uid", _NOBODY, "--gid", _NOBODY]
    options += ["--cap-drop", "ALL", "--clearenv", "--setenv", "LC_ALL", "C.UTF-8"]
    options += ["--setenv", "LIBARCHIVE", _LIBRARY]
    options += ["--setenv", channel.CPU_VARIABLE, str(cpu_seconds), "--ro-bind", "/usr", "/usr"]
    for name in ("/lib", "/lib64"):
        link = Path(name)
        if link.is_symlink():
            options += ["--symlink", str(link.readlink()), name]
        elif link.exists():
            options += ["--ro-bind", name, name]
    if not Path(sys.base_prefix).is_relative_to("/usr"):
        options += ["--ro-bind", sys.base_prefix, sys.base_prefix]
    ours = Path(__file__).parent
    options += ["--ro-bind", str(ours / "__init__.py"), f"{_INSIDE}/worker/__init__.py"]
    options += ["--ro-bind", str(ours / "inside"), f"{_INSIDE}/worker/inside"]
    for package in _PACKAGES:
        options += ["--ro-bind", str(_folder_of(package)), f"{_INSIDE}/{package}"]
    return [*options, "--remount-ro", "/", "--chdir", _INSIDE, "--"]


def _reader_command() -> list[str]:
    # Neither site-packages nor variables nor byte code: what is bound is what can be imported.
    interpreter = Path(sys.executable).resolve()
    return [str(interpreter), "-E", "-s", "-S", "-B", "-m", "worker.inside"]


def _folder_of(package: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise SandboxError(f"the package {package} is not installed")
    return Path(found.origin).parent


def _parsed(untrusted: bytes) -> dict[str, JsonValue]:
    try:
        value = canonical.decode(untrusted, limit_bytes=channel.ANSWER_BYTES)
    except CanonicalError as failure:
        raise UntrustedAnswerError("an answer is not canonical JSON") from failure
    if not isinstance(value, dict):
        raise UntrustedAnswerError("an answer is not an object")
    return value


def _ending(untrusted: str) -> Ending:
    try:
        return Ending(untrusted)
    except ValueError as failure:
        raise UntrustedAnswerError("an ending is not a word of its list") from failure


def _from_hex(untrusted: str) -> bytes:
    try:
        return bytes.fromhex(untrusted)
    except ValueError as failure:
        raise UntrustedAnswerError("a name is not hexadecimal") from failure


def _media_type(untrusted: JsonValue) -> MediaType | None:
    try:
        return None if untrusted is None else MEDIA_TYPE.read(untrusted)
    except FieldError as failure:
        raise UntrustedAnswerError("a media type is none") from failure
