"""A slow line between providers and the portal, which breaks when it is told to.

On loopback a small upload is over before anybody could kill anything in the middle of it. Bytes are
passed on as they are, in both directions; only what goes to the portal is slow.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Final, Self

_PIECE_BYTES: Final = 64 << 10
_CONNECT_SECONDS: Final = 5.0


class Line:
    """Listens on a port of its own: `with Line(8700, 3 << 20) as line:`."""

    def __init__(self, portal_port: int, bytes_per_second: int) -> None:
        self._portal = ("127.0.0.1", portal_port)
        self._pause = _PIECE_BYTES / bytes_per_second
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._accept, name="line", daemon=True)

    @property
    def url(self) -> str:
        """Where providers find the portal."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def cut(self) -> int:
        """Break every connection; give how many there were."""
        with self._lock:
            cut = list(self._open)
        for each in cut:
            _break(each)
        return len(cut) // 2

    def __enter__(self) -> Self:
        """Start to listen."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End, and break what is open."""
        _break(self._listener)
        self._listener.close()
        self.cut()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                provider, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(provider,), daemon=True).start()

    def _pass_on(self, provider: socket.socket) -> None:
        with provider:
            try:
                portal = socket.create_connection(self._portal, _CONNECT_SECONDS)
            except OSError:
                return  # nobody there: the provider sees a line that ends at once
            portal.settimeout(None)
            with portal, self._counted(provider, portal):
                back = threading.Thread(target=_pump, args=(portal, provider, 0.0), daemon=True)
                back.start()
                _pump(provider, portal, self._pause)
                back.join()

    @contextlib.contextmanager
    def _counted(self, *ends: socket.socket) -> Iterator[None]:
        with self._lock:
            self._open.update(ends)
        try:
            yield
        finally:
            with self._lock:
                self._open.difference_update(ends)


def _pump(source: socket.socket, target: socket.socket, pause: float) -> None:
    try:
        while piece := source.recv(_PIECE_BYTES):
            target.sendall(piece)
            time.sleep(pause * len(piece) / _PIECE_BYTES)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        _break(source)
        _break(target)


def _break(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
