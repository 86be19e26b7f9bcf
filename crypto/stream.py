"""The payload of an age file: chunks of 64 KiB, each authenticated, the last one marked.

A payload is a 16-byte nonce and then chunks under ChaCha20-Poly1305. A chunk's nonce is its number
and a flag that says whether it is the last, so that a chunk cannot be moved, dropped, repeated or
added unseen. This module must never encrypt two plaintexts at one place under one key: a sealer is
used once, front to back.
Format: c2sp.org/age, "Payload"; docs/format/01-sealed-object.md section 4.
"""

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from crypto.errors import FinishedError, PayloadError
from crypto.filekey import FileKey

NONCE_SIZE: Final = 16
"""Bytes of the random nonce before the first chunk (c2sp.org/age, "Payload")."""
CHUNK_SIZE: Final = 65_536
"""Plaintext bytes in every chunk but the last (c2sp.org/age, "Payload")."""
TAG_SIZE: Final = 16
"""Bytes that ChaCha20-Poly1305 adds to a chunk (RFC 8439 section 2.8)."""
SEALED_CHUNK_SIZE: Final = CHUNK_SIZE + TAG_SIZE

_BLOCK_SIZE: Final = 16 * SEALED_CHUNK_SIZE  # About 1 MiB for each read: fewer system calls.

ByteLike: TypeAlias = bytes | bytearray | memoryview
"""Any buffer of bytes that lies in one piece."""


def sealed_payload_size(payload_size: int) -> int:
    """Return how many bytes a payload takes when sealed: nonce, plaintext, and a tag per chunk."""
    chunks = max(1, -(-payload_size // CHUNK_SIZE))
    return NONCE_SIZE + payload_size + TAG_SIZE * chunks


def opened_payload_size(sealed_size: int) -> int | None:
    """Return the plaintext size inside a sealed payload of this size, or None if there is none.

    Sealing adds 17 bytes, not one, where a new chunk begins, so 16 sizes in every 65 552 cannot be.
    """
    chunks_size = sealed_size - NONCE_SIZE
    if chunks_size == TAG_SIZE:
        return 0
    full_chunks, last_chunk = divmod(chunks_size, SEALED_CHUNK_SIZE)
    if chunks_size < TAG_SIZE or 0 < last_chunk <= TAG_SIZE:
        return None
    return chunks_size - TAG_SIZE * (full_chunks + (last_chunk > 0))


class ChunkSealer:
    """Seals one payload, front to back: plaintext goes in cut anywhere, sealed chunks come out.

    Holds at most one chunk of plaintext. The payload nonce is not written here; it belongs before
    the first byte that update() or finish() returns.
    """

    def __init__(self, file_key: FileKey, nonce: bytes) -> None:
        self._cipher = ChaCha20Poly1305(file_key.payload_key(nonce))
        self._pending = bytearray()
        self._chunks = 0
        self._is_finished = False

    def update(self, data: ByteLike) -> bytes:
        """Take more plaintext; return the chunks that it completed, perhaps none.

        FinishedError: finish() was called before.
        """
        if self._is_finished:
            raise FinishedError("the payload is finished")
        view = memoryview(data).cast("B")
        if len(self._pending) + len(view) <= CHUNK_SIZE:
            # Keep a full chunk back: only the end of the stream knows which chunk is the last.
            self._pending += view
            return b""
        pieces = []
        if self._pending:
            missing = CHUNK_SIZE - len(self._pending)
            self._pending += view[:missing]
            pieces.append(self._seal(self._pending, is_last=False))
            self._pending.clear()
            view = view[missing:]
        start = 0
        while len(view) - start > CHUNK_SIZE:
            pieces.append(self._seal(view[start : start + CHUNK_SIZE], is_last=False))
            start += CHUNK_SIZE
        self._pending += view[start:]
        return b"".join(pieces)

    def finish(self) -> bytes:
        """Return the last chunk, marked as the last. Nothing can be added afterwards."""
        if self._is_finished:
            raise FinishedError("the payload is finished")
        self._is_finished = True
        return self._seal(self._pending, is_last=True)

    def _seal(self, chunk: ByteLike, *, is_last: bool) -> bytes:
        sealed = self._cipher.encrypt(_chunk_nonce(self._chunks, is_last=is_last), chunk, None)
        self._chunks += 1
        return sealed


class ChunkOpener:
    """Opens the chunks of one payload, in any order; each is authenticated by itself."""

    def __init__(self, file_key: FileKey, nonce: bytes) -> None:
        self._cipher = ChaCha20Poly1305(file_key.payload_key(nonce))

    def open_chunk(self, number: int, untrusted_chunk: ByteLike, *, is_last: bool) -> bytes:
        """Return the plaintext of the chunk with this number, counted from zero.

        PayloadError: it is not that chunk of this payload, or it is not (or is) the last one, or it
        is a last chunk without content after others, which the format forbids.
        """
        try:
            chunk = self._cipher.decrypt(
                _chunk_nonce(number, is_last=is_last), untrusted_chunk, None
            )
        except InvalidTag as failure:
            raise PayloadError("a chunk was changed, moved, cut or dropped") from failure
        if not chunk and number:
            raise PayloadError("the last chunk is empty though others come before it")
        return chunk


def open_chunks(opener: ChunkOpener, read: Callable[[int], bytes]) -> Iterator[bytes]:
    """Yield the plaintext of a payload chunk by chunk, in order.

    read(size) gives the next sealed bytes, fewer than `size` only at the end. What was yielded is
    the true beginning of the payload, and the whole of it only when the iterator ends without
    PayloadError.
    """
    block, number = read(_BLOCK_SIZE), 0
    while block:
        following = read(_BLOCK_SIZE) if len(block) == _BLOCK_SIZE else b""
        view = memoryview(block)
        for start in range(0, len(block), SEALED_CHUNK_SIZE):
            end = start + SEALED_CHUNK_SIZE
            is_last = not following and end >= len(block)
            yield from _open_in_place(opener, number, view[start:end], is_last=is_last)
            number += 1
        block = following
    if number == 0:
        raise PayloadError("the payload has no chunk")


def _open_in_place(
    opener: ChunkOpener, number: int, untrusted_chunk: memoryview, *, is_last: bool
) -> Iterator[bytes]:
    try:
        chunk = opener.open_chunk(number, untrusted_chunk, is_last=is_last)
    except PayloadError:
        # A full chunk may be true, but the last where more follows, or not the last where nothing
        # does. The official vectors want it released before the failure.
        if len(untrusted_chunk) == SEALED_CHUNK_SIZE:
            yield opener.open_chunk(number, untrusted_chunk, is_last=not is_last)
        raise
    yield chunk


def _chunk_nonce(number: int, *, is_last: bool) -> bytes:
    """Build a chunk's nonce: 11 bytes of number, then the flag (c2sp.org/age, "Payload")."""
    return (number << 8 | is_last).to_bytes(12, "big")
