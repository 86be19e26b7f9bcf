"""One multipart body on its way: read, judged, sealed and written at the same time.

The event loop reads and cuts; one job at a time, in a worker thread, hashes, seals and writes about
1 MiB while the next is being received, in memory that does not grow. Whoever receives is told of
each item once it is durable. Format: docs/format/18-portal.md section 1.
"""

import asyncio
import errno
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Executor
from typing import Final

from portal.errors import RefusedError
from portal.form import FormReader, Step
from portal.limits import Limits
from portal.multipart import PartReader
from portal.refusal import Refusal
from portal.sealing import ItemSealer
from portal.underway import SealedItem

GATHERED_BYTES: Final = 1 << 20
"""Handed to the thread at once. Measured: less costs more hops, more leaves the cache."""

_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Body:
    """The chunks of a body, as long as they come fast enough and are not too many.

    heard: told whenever bytes have come.
    """

    def __init__(
        self,
        chunks: AsyncIterator[bytes],
        limits: Limits,
        heard: Callable[[], None] = lambda: None,
    ) -> None:
        self._chunks = chunks
        self._limits = limits
        self._heard = heard
        self.has_token = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the chunks. RefusedError: TOO_SLOW, TOO_LARGE; what they raise passes through."""
        size = 0
        loop = asyncio.get_running_loop()
        last = loop.time() + self._limits.upload_seconds
        first = loop.time() + self._limits.token_seconds
        while True:
            until = min(last if self.has_token else first, loop.time() + self._limits.idle_seconds)
            try:
                async with asyncio.timeout_at(until):
                    chunk = await anext(self._chunks)
            except StopAsyncIteration:
                return
            except TimeoutError as failure:
                raise RefusedError(Refusal.TOO_SLOW) from failure
            size += len(chunk)
            if size > self._limits.body_bytes:
                raise RefusedError(Refusal.TOO_LARGE)
            if chunk:
                self._heard()
                yield chunk


class Receiver:
    """One body on its way to a sealer.

    begin: called once, when the first step has come, and so all that stands before it; gives the
    sealer. keep: told of items that are durable, in order, after a break as well. salvages: whether
    items that came whole before a break are worth anything.
    """

    def __init__(
        self,
        form: FormReader,
        parts: PartReader,
        executor: Executor,
        *,
        begin: Callable[[], Awaitable[ItemSealer]],
        keep: Callable[[tuple[SealedItem, ...]], Awaitable[None]],
        token_bytes: int,
        salvages: bool,
    ) -> None:
        self._salvages = salvages
        self._has_place = False
        self._form = form
        self._parts = parts
        self._executor = executor
        self._begin = begin
        self._keep = keep
        self._token_bytes = token_bytes
        self._sealer: ItemSealer | None = None
        self._gathered: list[Step] = []
        self._gathered_bytes = 0
        self._job: asyncio.Task[None] | None = None

    async def run(self, body: Body, take_place: Callable[[], Awaitable[None]]) -> None:
        """Receive all of it.

        RefusedError and whatever `body` raises: no item is there that `keep` was not told of.
        take_place: called once, when a valid token has come.
        """
        try:
            async for chunk in body:
                await self._read(chunk, body, take_place)
                if self._gathered_bytes >= GATHERED_BYTES:
                    await self._hand_over()
            await self._hand_over()
            self._require_whole()
            await self._settle()
        except BaseException as failure:
            # A cancelled task too must take back what it began.
            await asyncio.shield(self._break_off())
            raise_refusal_of(failure)
            raise

    async def _read(
        self, chunk: bytes, body: Body, take_place: Callable[[], Awaitable[None]]
    ) -> None:
        self._gathered_bytes += len(chunk)
        try:
            for step in self._form.take(self._parts.feed(chunk)):
                self._gathered.append(step)  # one by one: a refusal keeps those before it
        finally:
            # What came before a refusal needs its place as well.
            if not body.has_token and self._form.has_token:
                await take_place()
                body.has_token = self._has_place = True
        if not body.has_token and self._gathered_bytes > self._token_bytes:
            raise RefusedError(Refusal.FORM_OLD)  # it may not be waited for beyond its limit

    def _require_whole(self) -> None:
        if not self._parts.is_complete:
            raise RefusedError(Refusal.UNREADABLE)

    async def _hand_over(self) -> None:
        """Wait for the job before, and start the next; receiving goes on beside it."""
        steps, self._gathered, self._gathered_bytes = self._gathered, [], 0
        await self._settle()
        if steps:
            self._job = asyncio.create_task(self._seal(steps))

    async def _seal(self, steps: list[Step]) -> None:
        loop = asyncio.get_running_loop()
        if self._sealer is None:
            self._sealer = await self._begin()
        try:
            await loop.run_in_executor(self._executor, self._sealer.take, steps)
        finally:
            # A later item that fails does not take back the ones before it.
            if items := self._sealer.finished():
                await self._keep(items)

    @property
    def _has_failed(self) -> bool:
        """Whether sealing itself went wrong, and not what came."""
        job = self._job
        return job is not None and (job.cancelled() or job.exception() is not None)

    async def _settle(self) -> None:
        if self._job is not None:
            await asyncio.shield(self._job)
            self._job = None

    async def _break_off(self) -> None:
        if self._job is not None:
            await asyncio.gather(self._job, return_exceptions=True)
        if self._salvages and self._has_place and self._gathered and not self._has_failed:
            await asyncio.gather(self._seal(self._gathered), return_exceptions=True)
        if self._sealer is not None:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._executor, self._sealer.abandon)


def raise_refusal_of(failure: BaseException) -> None:
    """Raise RefusedError when the disk was full; do nothing for any other failure."""
    if isinstance(failure, OSError) and failure.errno in _NO_ROOM:
        raise RefusedError(Refusal.NO_ROOM) from failure
