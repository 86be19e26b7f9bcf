"""One writer for each upload, and a silent one gives way.

A circuit that broke leaves a request behind that waits for bytes which never come. Whoever comes
back to go on must not wait for its timer, and whoever really writes must not be disturbed.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from amana.wire.upload import UploadFault
from portal.errors import UploadRefusedError
from portal.uploads import UploadId

_LETTING_GO_SECONDS: Final = 20  # what was gathered is written and committed within it


class Hold:
    """What a writer holds while it writes."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._last = self._loop.time()
        self._timer: asyncio.Timeout | None = None
        self.is_stopped = False
        self.released = asyncio.Event()

    async def next_of(self, chunks: AsyncIterator[bytes], idle_seconds: float) -> bytes | None:
        """Give the next chunk; None at the end. TimeoutError: none came, or another writer did."""
        if self.is_stopped:
            raise TimeoutError
        try:
            async with asyncio.timeout(idle_seconds) as self._timer:
                chunk = await anext(chunks, None)
        finally:
            self._timer = None  # one that has ended cannot be put forward
        self._last = self._loop.time()
        return chunk

    def stop(self) -> None:
        """Let the writer end as if no byte came any more."""
        self.is_stopped = True
        if self._timer is not None and not self._timer.expired():
            self._timer.reschedule(self._loop.time())

    def is_silent(self, seconds: float) -> bool:
        """Tell whether no byte came for so long."""
        return self._loop.time() - self._last >= seconds


class Holds:
    """Who writes to which upload."""

    def __init__(self, stall_seconds: float) -> None:
        self._stall_seconds = stall_seconds
        self._held: dict[UploadId, Hold] = {}

    @asynccontextmanager
    async def take(self, upload_id: UploadId) -> AsyncIterator[Hold]:
        """Hold an upload for one request. UploadRefusedError: WRITER_BUSY."""
        await self.settle(upload_id, must=True)
        hold = Hold()
        self._held[upload_id] = hold
        try:
            yield hold
        finally:
            del self._held[upload_id]
            hold.released.set()

    async def settle(self, upload_id: UploadId, *, must: bool) -> None:
        """End a silent writer, so that what it gathered is counted.

        must: raise UploadRefusedError, WRITER_BUSY, when somebody writes, or does not let go.
        """
        while (held := self._held.get(upload_id)) is not None:
            if held.is_silent(self._stall_seconds):
                held.stop()
                try:
                    async with asyncio.timeout(_LETTING_GO_SECONDS):
                        await held.released.wait()
                except TimeoutError:
                    pass
                else:
                    continue
            if must:
                raise UploadRefusedError(UploadFault.WRITER_BUSY)
            return
