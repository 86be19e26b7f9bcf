"""Seal content so that only one recipient can open it.

No private key is ever in this module. The one secret here is the object's own file key, known from
the first byte to the last and to nobody afterwards. Memory is constant: at most one chunk of
content is held, and padding is made as it is written.
Format: docs/format/01-sealed-object.md.
"""

import secrets
from collections.abc import Iterable, Iterator
from typing import Final

from crypto import padding
from crypto.errors import FinishedError
from crypto.filekey import FileKey
from crypto.header import Header
from crypto.padding import Kind, Trailer
from crypto.recipients import HybridRecipient
from crypto.stream import CHUNK_SIZE, NONCE_SIZE, ByteLike, ChunkSealer

_ZEROS: Final = bytes(
    16 * CHUNK_SIZE
)  # Padding can be gigabytes; it is written in pieces of 1 MiB.


class Sealer:
    """Seals one object while its content arrives: the push side, for a server.

    What update() and finish() return, written one after the other, is the object. Nothing less than
    all of it opens: an upload that breaks off can never look like a shorter, complete file.
    """

    def __init__(self, recipient: HybridRecipient, kind: Kind) -> None:
        file_key = FileKey.generate()
        nonce = secrets.token_bytes(NONCE_SIZE)
        self._head = Header.make((recipient.wrap(file_key),), file_key).to_bytes() + nonce
        self._chunks = ChunkSealer(file_key, nonce)
        self._kind = kind
        self._content_size = 0
        self._is_finished = False

    @property
    def content_size(self) -> int:
        """Bytes of content taken so far."""
        return self._content_size

    @property
    def sealed_size(self) -> int:
        """Bytes that the whole object has if it is finished now, or had when it was finished."""
        return padding.layout(self._content_size, self._kind).sealed_size

    def update(self, data: ByteLike) -> bytes:
        """Take content, cut anywhere; return the sealed bytes that are ready, perhaps none.

        The first call returns the header too. FinishedError: finish() was called before.
        """
        if self._is_finished:
            raise FinishedError("the object is finished")
        sealed = self._chunks.update(data)
        self._content_size += memoryview(data).nbytes
        return self._take_head() + sealed

    def finish(self) -> Iterator[bytes]:
        """End the content; yield the rest of the object: padding, trailer and the last chunk.

        Content that was never given (an empty file) seals too. The padding of a large object is
        large, so the rest comes in pieces of about 1 MiB and must be written to its end.
        FinishedError: finish() was called before. TrailerError: the content is over the limit.
        """
        if self._is_finished:
            raise FinishedError("the object is finished")
        sizes = padding.layout(self._content_size, self._kind)
        self._is_finished = True
        return self._rest(sizes)

    def _rest(self, sizes: padding.Layout) -> Iterator[bytes]:
        if head := self._take_head():
            yield head
        for start in range(0, sizes.padding_size, len(_ZEROS)):
            zeros = memoryview(_ZEROS)[: sizes.padding_size - start]
            if piece := self._chunks.update(zeros):
                yield piece
        trailer = Trailer(content_size=sizes.content_size, kind=self._kind)
        yield self._chunks.update(trailer.to_bytes()) + self._chunks.finish()

    def _take_head(self) -> bytes:
        head, self._head = self._head, b""
        return head


def seal(chunks: Iterable[ByteLike], recipient: HybridRecipient, kind: Kind) -> Iterator[bytes]:
    """Seal content that can be pulled: the pull side, for a file.

    chunks: the content, cut anywhere. Yields the object's bytes in order, in pieces of any size;
    their sum is padding.layout(content size, kind).sealed_size. Each call makes another object,
    with its own file key.
    """
    sealer = Sealer(recipient, kind)
    for chunk in chunks:
        if piece := sealer.update(chunk):
            yield piece
    yield from sealer.finish()
