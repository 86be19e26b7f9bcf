"""Exact lengths out of bytes that are cut anywhere, where every byte is known before it is read.

Nothing is parsed here: whoever reads says what must come next. Formats: docs/format/16-pack.md,
20-package.md section 3.
"""

from collections.abc import Iterable, Iterator

from amana.wire.errors import WireError


class ExactReader:
    """Reads a stream part by part; each part is used up before the next one is asked for.

    fault: the error that each method raises when the stream is not what it should be.
    """

    def __init__(self, chunks: Iterable[bytes], fault: type[WireError]) -> None:
        self._chunks = iter(chunks)
        self._fault = fault
        self._rest = memoryview(b"")
        self._owed = 0

    def take(self, size: int) -> Iterator[bytes]:
        """Yield the next `size` bytes in pieces."""
        self._owed = size
        return self._pieces()

    def exactly(self, size: int) -> bytes:
        """Give the next `size` bytes at once, after the part before them was used up."""
        if self._owed:
            raise self._fault("a part of the stream was not read to its end")
        return b"".join(self.take(size))

    def require(self, wanted: bytes) -> None:
        """Read what must stand here."""
        if self.exactly(len(wanted)) != wanted:
            raise self._fault("the stream holds bytes that nothing explains")

    def end(self) -> None:
        """Make sure that nothing follows."""
        if self._rest or any(self._chunks):
            raise self._fault("the stream goes on after its end")

    def _pieces(self) -> Iterator[bytes]:
        while self._owed:
            while not self._rest:
                self._rest = memoryview(self._next_chunk())
            piece, self._rest = self._rest[: self._owed], self._rest[self._owed :]
            self._owed -= len(piece)
            yield bytes(piece)

    def _next_chunk(self) -> bytes:
        chunk = next(self._chunks, None)
        if chunk is None:
            raise self._fault("the stream ends before its end")
        return chunk
