"""Read a provider's file exactly as it was when it was listed, hashing on the way.

A file that changes while it is read is refused: half of one state and half of another is no one's
original. Nothing is written, and links are not followed.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Final

from amana.wire.ids import ContentSha256, ContentSha512
from client.errors import ChangedError, shown
from client.tree import Entry

CHUNK_BYTES: Final = 1 << 20
"""Measured: fewer bytes cost more calls, more bytes leave the processor's cache."""

_WORTH_A_THREAD_BYTES: Final = 256 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentDigests:
    """Both digests of a file's bytes."""

    sha256: ContentSha256
    sha512: ContentSha512


class Hasher:
    """Hashes one file's bytes, beside the caller's own work where that is worth a hop."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._sha256 = hashlib.sha256()
        self._sha512 = hashlib.sha512()

    def update(self, chunk: bytes) -> "Future[None] | None":
        """Take more bytes. Wait for the future, if there is one, before the next call."""
        if len(chunk) < _WORTH_A_THREAD_BYTES:
            self._hash(chunk)
            return None
        return self._executor.submit(self._hash, chunk)

    def _hash(self, chunk: bytes) -> None:
        self._sha256.update(chunk)
        self._sha512.update(chunk)

    def digests(self) -> ContentDigests:
        """Give the digests of everything taken."""
        return ContentDigests(
            sha256=ContentSha256(self._sha256.hexdigest()),
            sha512=ContentSha512(self._sha512.hexdigest()),
        )


def read_unchanged(entry: Entry) -> Iterator[bytes]:
    """Yield a file's bytes; exactly as many as were listed.

    ChangedError: size or time differ from the listing before or after, or it is no longer a file.
    """
    try:
        source = os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as failure:
        raise ChangedError(
            "cannot-be-read", name=shown(entry.path), reason=failure.strerror or ""
        ) from failure
    try:
        _require_unchanged(source, entry)
        left = entry.size
        while chunk := os.read(source, CHUNK_BYTES):
            left -= len(chunk)
            if left < 0:
                break
            yield chunk
        _require_unchanged(source, entry)
        if left:
            raise ChangedError("changed", name=shown(entry.path))
    finally:
        os.close(source)


def _require_unchanged(source: int, entry: Entry) -> None:
    state = os.fstat(source)
    is_same = (state.st_size, state.st_mtime_ns) == (entry.size, entry.modified_ns)
    if not (is_same and stat.S_ISREG(state.st_mode)):
        raise ChangedError("changed", name=shown(entry.path))
