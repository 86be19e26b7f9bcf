"""Write the bytes of one request to an upload: gathered, checked, on the disk, then counted.

The event loop receives; a thread writes and hashes about 1 MiB at a time beside it. What has come
when a circuit breaks is kept, unless a checksum was to be compared over all of it. The first bytes
must be the head of a sealed object: anything else is refused before more is taken.
Format: docs/format/23-upload.md section 4.
"""

import asyncio
import errno
import hashlib
import hmac
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Final

from amana.wire.upload import UploadFault
from crypto import header
from crypto.padding import HYBRID_HEADER_SIZE, Kind
from portal.errors import UploadRefusedError
from portal.limits import UploadLimits
from portal.uploads import Upload, Uploads
from portal.uploads_holds import Hold

GATHERED_BYTES: Final = 1 << 20
"""Handed to the thread at once, as in portal.intake."""

NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What the system answers when a disk, a quota or a limit is full."""

_FIRST_LINE: Final = b"age-encryption.org/v1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checksum:
    """What the bytes of one request must hash to. algorithm: as hashlib names it."""

    algorithm: str
    digest: bytes


class UploadWriter:
    """One request that adds to one upload, which it holds."""

    def __init__(
        self,
        uploads: Uploads,
        upload: Upload,
        limits: UploadLimits,
        checksum: Checksum | None,
    ) -> None:
        self._uploads = uploads
        self._upload = upload
        self._limits = limits
        self._checksum = checksum
        self._request_hash = None if checksum is None else hashlib.new(checksum.algorithm)
        self._file = -1
        self._gathered: list[bytes] = []
        self._gathered_bytes = 0
        self._received = upload.committed
        self._written = upload.committed
        self._job: asyncio.Task[None] | None = None
        self._has_failed = False
        self._is_unsure = False

    async def run(
        self, chunks: AsyncIterator[bytes], hold: Hold, renew: Callable[[], None]
    ) -> Upload:
        """Take all chunks; give the upload as it then is, with its digest when it is whole.

        renew: told when bytes have come. UploadRefusedError: TOO_LARGE, TOO_SLOW, NOT_SEALED,
        CHECKSUM_DIFFERS, NO_ROOM, UNKNOWN (its file is gone). Whatever `chunks` raises passes
        through. What was durable before stays, and what came is kept where it may be.
        """
        self._file = self._open()
        try:
            try:
                await self._receive(chunks, hold, renew)
                await self._start(self._finish)
                await self._settle()
            except BaseException:
                # A cancelled task too must count what it took.
                await asyncio.shield(self._break_off())
                raise
        except OSError as failure:
            if failure.errno in NO_ROOM:
                raise UploadRefusedError(UploadFault.NO_ROOM) from failure
            raise
        finally:
            os.close(self._file)
        if self._upload.is_whole:
            await self._uploads.digest(self._upload)
        return self._upload

    async def _receive(
        self, chunks: AsyncIterator[bytes], hold: Hold, renew: Callable[[], None]
    ) -> None:
        while True:
            try:
                chunk = await hold.next_of(chunks, self._limits.idle_seconds)
            except TimeoutError as failure:
                raise UploadRefusedError(UploadFault.TOO_SLOW) from failure
            if chunk is None:
                return
            fitting = chunk[: self._upload.length - self._received]
            self._received += len(fitting)
            self._gathered.append(fitting)
            self._gathered_bytes += len(fitting)
            if len(fitting) < len(chunk):
                raise UploadRefusedError(UploadFault.TOO_LARGE)
            if self._gathered_bytes >= GATHERED_BYTES:
                renew()
                await self._start(self._flush)

    async def _start(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """Let one thing be done beside receiving, when the one before is done: never two at once.

        Two would write at one offset.
        """
        await self._settle()
        self._job = asyncio.create_task(work())

    async def _settle(self) -> None:
        if self._job is not None:
            await asyncio.shield(self._job)
            self._job = None

    async def _finish(self) -> None:
        """Write, judge and count what is left of a request that came whole."""
        await self._flush()
        if not self._fits():
            raise UploadRefusedError(UploadFault.CHECKSUM_DIFFERS)
        await self._commit()

    async def _break_off(self) -> None:
        """Count what may be counted of a request that did not come whole."""
        if self._job is not None:
            await asyncio.wait([self._job])
        if self._is_unsure:
            return  # the row may be ahead of what is known here: the next writer cuts the file
        if self._has_failed or self._checksum is not None:
            await self._uploads.in_thread(os.ftruncate, self._file, self._upload.committed)
            return
        await self._flush()
        await self._commit()

    async def _flush(self) -> None:
        piece = self._take_gathered()
        try:
            await self._uploads.in_thread(self._write, piece)
        except BaseException:
            self._has_failed = True
            raise
        is_due = self._written - self._upload.committed >= self._limits.commit_bytes
        if is_due and self._checksum is None:
            await self._commit()

    async def _commit(self) -> None:
        if self._written == self._upload.committed:
            return
        self._is_unsure = True
        await self._uploads.in_thread(self._sync)
        self._upload = await self._uploads.commit(self._upload, self._written)
        self._is_unsure = False

    def _take_gathered(self) -> bytes:
        piece = b"".join(self._gathered)
        self._gathered, self._gathered_bytes = [], 0
        return piece

    def _open(self) -> int:
        try:
            path = self._uploads.path(self._upload.upload_id)
            found = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        except FileNotFoundError as failure:
            raise UploadRefusedError(UploadFault.UNKNOWN) from failure
        if os.fstat(found).st_size < self._upload.committed:
            os.close(found)
            raise UploadRefusedError(UploadFault.UNKNOWN)
        # What a kill left behind the last count may be half a block of anything.
        os.ftruncate(found, self._upload.committed)
        return found

    def _write(self, piece: bytes) -> None:
        if self._request_hash is not None:
            self._request_hash.update(piece)
        before, left = self._written, memoryview(piece)
        while left:  # a write may take less than it was given
            count = os.pwrite(self._file, left, self._written)
            left = left[count:]
            self._written += count
        if piece and before < HYBRID_HEADER_SIZE:
            self._require_sealed()

    def _sync(self) -> None:
        os.fsync(self._file)
        if os.fstat(self._file).st_size != self._written:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def _require_sealed(self) -> None:
        """Judge the head as far as it has come. UploadRefusedError: NOT_SEALED."""
        head = os.pread(self._file, HYBRID_HEADER_SIZE, 0)
        if head[: len(_FIRST_LINE)] != _FIRST_LINE[: len(head)]:
            raise UploadRefusedError(UploadFault.NOT_SEALED)
        if len(head) < HYBRID_HEADER_SIZE:
            return
        # The finest steps are those of records; which kind it is, the note says later.
        seen = header.inspect(head, sealed_size=self._upload.length, kind=Kind.RECORD)
        if isinstance(seen, header.Refusal):
            raise UploadRefusedError(UploadFault.NOT_SEALED)

    def _fits(self) -> bool:
        if self._checksum is None or self._request_hash is None:
            return True
        return hmac.compare_digest(self._request_hash.digest(), self._checksum.digest)
