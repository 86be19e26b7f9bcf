"""The key agent's socket: who may ask, how much, how long; one request for each connection.

Nobody who sends too much, too slowly or nonsense stops the agent or holds up the others.
Format: docs/format/25-key-store.md section 6.
"""

import contextlib
import os
import selectors
import socket
import struct
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from amana.wire.errors import WireError
from worker.agent_client import short_path
from worker.agent_frames import read_message, to_frame
from worker.agent_messages import (
    LENGTH_BYTES,
    MESSAGE_LIMIT_BYTES,
    REQUESTS,
    AgentRefusal,
    Answer,
    Refusal,
    Request,
)

REQUEST_SECONDS: Final = 10.0
"""Ours: a request of a megabyte on a local socket takes milliseconds."""
MOST_CONNECTIONS: Final = 64
"""Ours: the quarantine has a handful of processes."""

_WAKE_SECONDS: Final = 1.0
_PIECE_BYTES: Final = 65_536
_CREDENTIALS: Final = struct.Struct("iII")  # struct ucred: unix(7), SO_PEERCRED
_MALFORMED: Final = Refusal(reason=AgentRefusal.MALFORMED, index=None)


@dataclass(slots=True, kw_only=True, eq=False)
class _Caller:
    """A connection whose request is on its way."""

    connection: socket.socket
    until: float
    received: bytearray = field(default_factory=bytearray)

    @property
    def is_whole(self) -> bool:
        """Whether the frame is here, or can be refused already."""
        if len(self.received) < LENGTH_BYTES:
            return False
        size = int.from_bytes(self.received[:LENGTH_BYTES])
        return size > MESSAGE_LIMIT_BYTES or len(self.received) >= LENGTH_BYTES + size

    @property
    def message(self) -> bytes | None:
        """The content of the one frame, or None when it is over the limit or more than one."""
        size = int.from_bytes(self.received[:LENGTH_BYTES])
        if size > MESSAGE_LIMIT_BYTES or len(self.received) != LENGTH_BYTES + size:
            return None
        return bytes(self.received[LENGTH_BYTES:])


class Server:
    """Serves one socket in one thread.

    answer: gives the answer to a request. uids: who may ask. monotonic: seconds.
    """

    def __init__(
        self,
        listener: socket.socket,
        answer: Callable[[Request], Answer],
        *,
        uids: Collection[int],
        monotonic: Callable[[], float],
    ) -> None:
        self._listener = listener
        self._answer = answer
        self._uids = frozenset(uids)
        self._monotonic = monotonic
        self._selector = selectors.DefaultSelector()
        self._callers: set[_Caller] = set()
        listener.settimeout(0)
        self._selector.register(listener, selectors.EVENT_READ, self._accept)

    def watch(self, wakened: socket.socket) -> None:
        """Wake up when this socket, to which signals write, brings something."""
        wakened.settimeout(0)

        def drain() -> None:
            with contextlib.suppress(BlockingIOError):
                wakened.recv(_PIECE_BYTES)

        self._selector.register(wakened, selectors.EVENT_READ, drain)

    def serve_once(self) -> None:
        """Wait for a moment, at most a second, and do what is due."""
        events = self._selector.select(_WAKE_SECONDS)
        # Who has gone makes room before somebody new is let in.
        for key, _ in sorted(events, key=lambda event: event[0].fileobj is self._listener):
            act: Callable[[], None] = key.data
            act()
        now = self._monotonic()
        for caller in [each for each in self._callers if each.until <= now]:
            self._leave(caller)

    def close(self) -> None:
        """Close every connection and the socket."""
        for caller in tuple(self._callers):
            self._leave(caller)
        self._selector.close()
        self._listener.close()

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return  # whoever it was is gone already, or no descriptor is left for now
        is_full = len(self._callers) >= MOST_CONNECTIONS
        if is_full or _uid_of(connection) not in self._uids:
            connection.close()
            return
        connection.settimeout(0)
        caller = _Caller(connection=connection, until=self._monotonic() + REQUEST_SECONDS)
        self._callers.add(caller)
        self._selector.register(connection, selectors.EVENT_READ, lambda: self._receive(caller))

    def _receive(self, caller: _Caller) -> None:
        try:
            piece = caller.connection.recv(_PIECE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        caller.received += piece
        if caller.is_whole:
            self._reply(caller)
        elif not piece:
            self._leave(caller)

    def _reply(self, caller: _Caller) -> None:
        frame = to_frame(self._answer_to(caller.message))
        with contextlib.suppress(OSError):
            caller.connection.settimeout(_WAKE_SECONDS)
            caller.connection.sendall(frame)
        self._leave(caller)

    def _answer_to(self, untrusted: bytes | None) -> Answer:
        if untrusted is None:
            return _MALFORMED
        try:
            request = read_message(untrusted, REQUESTS)
        except WireError:
            return _MALFORMED
        return self._answer(request)

    def _leave(self, caller: _Caller) -> None:
        self._callers.discard(caller)
        self._selector.unregister(caller.connection)
        caller.connection.close()


def listen(path: Path, *, mode: int) -> socket.socket:
    """Listen on a unix socket; one that a kill left behind is replaced.

    The caller has made sure that nobody else listens there. mode: who may connect at all.
    """
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        # Linux gives the socket's file this mode, so at no time is it open to more.
        os.fchmod(listener.fileno(), mode)
        with short_path(path) as short:
            listener.bind(short)
        listener.listen(MOST_CONNECTIONS)
    except BaseException:
        listener.close()
        raise
    return listener


def _uid_of(connection: socket.socket) -> int:
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(raw)
    return int(uid)
