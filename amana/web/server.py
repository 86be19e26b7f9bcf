"""The HTTP server as it is run: one process, a unix socket or loopback, no log of its own.

It stands behind Tor and nothing else: a proxy in between could write bodies to its disk. uvicorn
waits for the head of a first request for ever, so the protocol here has a timer of its own; and its
own answers to what is no HTTP carry the same headers as a page.
"""

import asyncio
import errno
import os
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from amana.web.headers import header_set

if TYPE_CHECKING:
    from starlette.types import ASGIApp

HEAD_SECONDS: Final = 60
"""How long the head of a request may take. Two seconds is usual over Tor; a bad circuit needs
ten times that."""

HEAD_BYTES: Final = 16 * 1024
"""The longest head, or trailer, that is kept in memory. A browser's head is under 2 KiB."""

HEAD_FIELDS: Final = 64
"""The most fields of a head and its trailer together. A browser sends about 15."""

DRAIN_SECONDS: Final = 10
"""How long the rest of a body is still read, and thrown away, behind the answer to it: a connection
that ends at once may take the answer with it."""

KEEP_ALIVE_SECONDS: Final = 120
"""A new stream over Tor costs half a second, an open one nothing: measured, not 5 as usual."""

MOST_CONNECTIONS: Final = 200
"""Open connections of one process. Each costs about 300 KB at most while it is sent to."""

_STOP_SECONDS: Final = 30
_UNIX: Final = "unix:"
_BACKLOG: Final = 128
_LAST_PORT: Final = 65_535


class AddressError(Exception):
    """The address to listen on is neither a unix socket nor this machine's loopback."""


class _HeadError(Exception):
    """A head is too long; the parser turns it into an answer of 400."""


class PatientProtocol(HttpToolsProtocol):
    """HTTP/1.1 with a timer and a limit on each request's head, and a limit on connections."""

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*arguments, **named)
        self._head_timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._head_fields = 0
        self._unread_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head, or turn the connection away when there are too many."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            self._answer(503)
        else:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless what comes is no body and still no whole head."""
        self._unread_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._unread_bytes > HEAD_BYTES:
            self._answer(431)
        elif self._is_idle and self._head_timer is None:
            # An empty line between two requests has ended the timer of the open connection.
            self._wait_for_head()

    def on_message_begin(self) -> None:
        """Begin to wait for the rest of a head."""
        super().on_message_begin()
        self._head_bytes = self._head_fields = 0
        self._wait_for_head()

    def on_url(self, url: bytes) -> None:
        """Take a piece of the address."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field of the head, or of the trailer."""
        self._head_fields += 1
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Stop waiting: the head is there, and the application times the body."""
        self._stop_waiting()
        self._unread_bytes = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._unread_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Stop waiting for the rest of a body that was answered already."""
        self._unread_bytes = 0
        if self._is_idle:
            self._stop_waiting()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Read the rest of a body that was answered already, but not for long."""
        super().on_response_complete()
        if self._is_idle and self.cycle.more_body and not self.transport.is_closing():
            self._stop_waiting()
            self._head_timer = self.loop.call_later(DRAIN_SECONDS, self.timeout_keep_alive_handler)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP with an empty page that has the usual headers."""
        del msg
        self._answer(400)

    @property
    def _is_idle(self) -> bool:
        # Before the first request there is none, whatever the library's annotation says.
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]

    def _count(self, count: int) -> None:
        self._head_bytes += count
        if self._head_bytes > HEAD_BYTES or self._head_fields > HEAD_FIELDS:
            raise _HeadError

    def _wait_for_head(self) -> None:
        self._stop_waiting()
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self.timeout_keep_alive_handler)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _answer(self, status: int) -> None:
        headers = (*header_set(), (b"content-length", b"0"), (b"connection", b"close"))
        lines = [b"%b: %b\r\n" % header for header in headers]
        if self._is_idle or not self.cycle.response_started:
            self.transport.write(b"".join([STATUS_LINE[status], *lines, b"\r\n"]))
        self.transport.close()


def listen(address: str, base: Path) -> socket.socket:
    """Open the socket that an address names: `unix:PATH`, relative to base, or `127.0.0.1:PORT`.

    A unix socket is for its owner and group. AddressError: another machine could reach it, or
    something that is no socket lies there. OSError: it is in use.
    """
    if address.startswith(_UNIX):
        return _listen_on_path(base / address.removeprefix(_UNIX))
    host, _, port = address.rpartition(":")
    if host != "127.0.0.1" or not (port.isascii() and port.isdecimal()) or int(port) > _LAST_PORT:
        raise AddressError("listen must be unix:PATH or 127.0.0.1:PORT")
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, int(port)))
    listener.listen(_BACKLOG)
    return listener


def server(app: "ASGIApp") -> uvicorn.Server:
    """Give the server for an application; `run(sockets=[...])` serves until it is told to stop."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=PatientProtocol,
            loop="uvloop",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
    )


def _require_dead(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)  # noqa: FBT003 - the library's own signature
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return
        except BlockingIOError:
            pass  # somebody listens, and is busy
    raise OSError(errno.EADDRINUSE, "somebody listens at the socket's path")


def _listen_on_path(path: Path) -> socket.socket:
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise AddressError("something that is no socket lies where the socket should be")
        _require_dead(path)
        path.unlink()  # left behind by a process that was killed
    except FileNotFoundError:
        pass
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    old = os.umask(0o117)
    try:
        listener.bind(str(path))
    finally:
        os.umask(old)
    listener.listen(_BACKLOG)
    return listener
