"""Talking to clamd over its unix socket: what the PyPI package does, and what it leaves out.

The package speaks the protocol (its commands, how a reply reads). Added here: the timeout
before the connection and not after it, everything sent and not as much as fits, FILDES, the reply
that clamd left before it closed, and that the end of the connection is an error. The package
returns None there, which reads as "nothing found". Nothing of a reply goes into an error.
"""

import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import clamd  # type: ignore[import-untyped]

from worker.errors import RetryError, RetryReason

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST_TIMEOUT_SECONDS: Final = 60.0
"""What even the smallest scan gets: a busy clamd queues. Ours."""
LEAST_SPEED: Final = 5_000_000
"""Bytes a second below which a scan is given up: a ninth of the slowest that was measured."""
CONTROL_TIMEOUT_SECONDS: Final = 10.0
"""For questions that need no scan. Ours."""

_REPLY_LIMIT: Final = 4_096
"""clamd's own longest reply line is below this (PATH_MAX is 4,096; we send no path)."""
_FILDES_PATH: Final = re.compile(r"fd\[[0-9]{1,9}\]", re.ASCII)
_VERSION: Final = re.compile(
    r"(ClamAV [0-9A-Za-z.+~-]{1,40})(?:/([0-9]{1,9})/[A-Za-z0-9: ]{1,40})?", re.ASCII
)
_CLOSED_BY_CLAMD: Final = (BrokenPipeError, ConnectionResetError)


class Scannable(Protocol):
    """Something in memory that does not change: a SealedMemory."""

    size_bytes: int

    def reader(self) -> int:
        """Give a new descriptor, which the caller closes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class UntrustedReply:
    """What clamd said of one descriptor, in its parts, not yet judged.

    sent_bytes: the size of what was handed over, as the kernel counts it. finding: the name before
    the status word, if there was one.
    """

    sent_bytes: int
    status: str
    finding: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerVersion:
    """What clamd says of itself. database: its official database's number, if it loaded one."""

    engine: str
    database: str | None


class ClamdClient:
    """One clamd, by its socket. Any number of threads: each question is a connection of its own."""

    def __init__(self, socket_path: Path, *, least_seconds: float = LEAST_TIMEOUT_SECONDS) -> None:
        self._path = socket_path
        self._least = least_seconds

    def ping(self) -> None:
        """Return if clamd answers. RetryError: it does not."""
        if self._ask(_Connection.ping) != "PONG":
            raise RetryError(RetryReason.SCANNER_FAULT)

    def version(self) -> ScannerVersion:
        """Give what clamd says of itself. RetryError: nothing that we understand."""
        text = self._ask(_Connection.version)
        if (match := _VERSION.fullmatch(text)) is None:
            raise RetryError(RetryReason.SCANNER_FAULT)
        return ScannerVersion(engine=match[1], database=match[2])

    def scan(self, content: Scannable) -> UntrustedReply:
        """Have one content scanned and give the reply. RetryError: there was none that counts."""
        seconds = max(self._least, content.size_bytes / LEAST_SPEED)
        return _Connection(str(self._path), seconds).scan_descriptor(content)

    def _ask(self, question: "Callable[[_Connection], str]") -> str:
        try:
            seconds = min(self._least, CONTROL_TIMEOUT_SECONDS)
            return question(_Connection(str(self._path), seconds))
        except clamd.ResponseError as failure:
            raise RetryError(RetryReason.SCANNER_FAULT) from failure


class _Connection(clamd.ClamdUnixSocket):  # type: ignore[misc]
    """The package's client for one question, with what it leaves out."""

    def scan_descriptor(self, content: Scannable) -> UntrustedReply:
        """Hand over a descriptor (clamd(8), FILDES) and give the reply to it."""
        descriptor = content.reader()
        try:
            sent_bytes = os.fstat(descriptor).st_size
            self._init_socket()
            try:
                self._send_command("FILDES")
                self._send_descriptor(descriptor)
                path, finding, status = self._parse_response(self._recv_response())
            finally:
                self._close_socket()
        except clamd.ResponseError as failure:
            raise RetryError(RetryReason.SCANNER_FAULT) from failure
        finally:
            os.close(descriptor)
        if _FILDES_PATH.fullmatch(path) is None:
            raise RetryError(RetryReason.SCANNER_FAULT)
        return UntrustedReply(sent_bytes=sent_bytes, status=status, finding=finding)

    def _init_socket(self) -> None:
        self.clamd_socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.clamd_socket.settimeout(self.timeout)
        try:
            self.clamd_socket.connect(self.unix_socket)
        except OSError as failure:
            self.clamd_socket.close()
            raise _unreachable(failure) from failure

    def _send_command(self, cmd: str, *_args: str) -> None:
        try:
            self.clamd_socket.sendall(f"n{cmd}\n".encode("ascii"))
        except _CLOSED_BY_CLAMD:
            return  # It may have said why before it closed: the reply is read next.
        except OSError as failure:
            raise _unreachable(failure) from failure

    def _send_descriptor(self, descriptor: int) -> None:
        try:
            # One byte must go with the descriptor; clamd reads a zero there.
            socket.send_fds(self.clamd_socket, [b"\0"], [descriptor])
        except _CLOSED_BY_CLAMD:
            return
        except OSError as failure:
            raise _unreachable(failure) from failure

    def _recv_response(self) -> str:
        try:
            with self.clamd_socket.makefile("rb") as replies:
                line = replies.readline(_REPLY_LIMIT)
        except _CLOSED_BY_CLAMD as failure:
            raise RetryError(RetryReason.SCANNER_SILENT) from failure
        except OSError as failure:
            raise _unreachable(failure) from failure
        if not line.endswith(b"\n"):
            raise RetryError(RetryReason.SCANNER_SILENT)
        try:
            return line[:-1].decode("ascii")
        except UnicodeDecodeError as failure:
            raise RetryError(RetryReason.SCANNER_FAULT) from failure


def _unreachable(failure: OSError) -> RetryError:
    late = isinstance(failure, TimeoutError)
    return RetryError(RetryReason.SCANNER_TIMEOUT if late else RetryReason.SCANNER_UNREACHABLE)
