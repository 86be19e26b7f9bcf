"""Write a BagIt bag as a tar, front to back, in one pass and in constant memory.

RFC 8493 does not fix an order, so manifests come last and nothing is read twice or kept in a
temporary file. Order and time are the caller's: the same calls give the same bytes.
Format: docs/format/20-package.md sections 2 and 3.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Final

from amana.wire import bag, tar
from amana.wire.bag import Algorithm, Digests
from amana.wire.pack import END, fill
from worker.errors import MismatchError

GATHER_BYTES: Final = 1 << 20
"""Content is handled in pieces of about this size: a hop to another thread for less costs more
than it saves (measured by bench/package.py)."""

_WORTH_A_THREAD_BYTES: Final = 256 << 10

Sink = Callable[[bytes], None]
"""Takes the next bytes of the archive."""


class BagStream:
    """One bag on its way. Call add() for each file and finish() once.

    executor: with two threads, which hash while the sink works.
    """

    def __init__(
        self, sink: Sink, *, top: str, modified: int, executor: ThreadPoolExecutor
    ) -> None:
        self._sink = sink
        self._top = top
        self._modified = modified
        self._executor = executor
        self._payload: list[tuple[str, Digests]] = []
        self._tags: list[tuple[str, Digests]] = []
        self._octets = 0
        self.add(bag.DECLARATION_NAME, len(bag.DECLARATION), [bag.DECLARATION])

    def add(self, path: str, size: int, pieces: Iterable[bytes]) -> Digests:
        """Write one file, and give its digests. MismatchError: the pieces have another size."""
        member = tar.Member(path=self._top + path, size=size, modified=self._modified)
        self._sink(tar.header(member))
        hasher, written = _Hasher(self._executor), 0
        for piece in gather(pieces):
            written += len(piece)
            wait = hasher.update(piece)
            self._sink(piece)
            wait()
        if written != size:
            raise MismatchError("a file of the package has another size than stated")
        self._sink(fill(size))
        digests = hasher.digests()
        if path.startswith(bag.PAYLOAD):
            self._payload.append((path, digests))
            self._octets += size
        else:
            self._tags.append((path, digests))
        return digests

    def finish(self, bagged_on: date) -> None:
        """Write bag-info, the manifests, and the end of the archive."""
        about = bag.info(
            identifier=None, bagged_on=bagged_on, octets=self._octets, files=len(self._payload)
        )
        self.add(bag.INFO_NAME, len(about), [about])
        for algorithm in Algorithm:
            self._manifest(algorithm.manifest, self._payload, algorithm)
        tags = tuple(self._tags)
        for algorithm in Algorithm:
            self._manifest(algorithm.tag_manifest, tags, algorithm)
        self._sink(END)

    def _manifest(
        self, name: str, files: Iterable[tuple[str, Digests]], algorithm: Algorithm
    ) -> None:
        lines = [bag.manifest_line(digests.by(algorithm), path) for path, digests in files]
        self.add(name, sum(map(len, lines)), lines)


def gather(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in pieces of GATHER_BYTES or somewhat more."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= GATHER_BYTES:
            yield held[0] if len(held) == 1 else b"".join(held)
            held, size = [], 0
    if size:
        yield b"".join(held)


class _Hasher:
    """Both digests of one file, each in a thread of its own where that is worth a hop."""

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        self._executor = executor
        self._sha256 = hashlib.sha256()
        self._sha512 = hashlib.sha512()

    def update(self, piece: bytes) -> Callable[[], None]:
        """Take more bytes; call what it gives before the next call."""
        if len(piece) < _WORTH_A_THREAD_BYTES:
            self._sha256.update(piece)
            self._sha512.update(piece)
            return _nothing
        hashing = [
            self._executor.submit(each.update, piece) for each in (self._sha512, self._sha256)
        ]

        def wait() -> None:
            for future in hashing:
                future.result()

        return wait

    def digests(self) -> Digests:
        """Give the digests of everything taken."""
        return Digests(sha256=self._sha256.hexdigest(), sha512=self._sha512.hexdigest())


def _nothing() -> None:
    """Wait for nothing: the bytes are hashed already."""
