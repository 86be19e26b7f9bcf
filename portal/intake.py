"""Receive one upload: read, judge, seal and write at the same time, in memory that does not grow.

The event loop reads and cuts; one job at a time for each upload, in a worker thread, hashes, seals
and writes about 1 MiB while the next is being received. A body that ends without its closing
boundary, for whatever reason, leaves nothing behind. No byte of it is read before a place is free,
a card is valid and there is room on the disk; the place and the room are taken when the token has
come, so that nobody holds them who did not come through the page.
"""

import asyncio
import errno
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar

from amana.clock import Clock, today
from amana.i18n import Language
from amana.store.engine import Database
from amana.web.tokens import FormTokens
from amana.wire.ids import LogOrigin
from portal import ledger
from portal.account import Account, Mailboxes
from portal.card import CardSource
from portal.custody import PortalKeys
from portal.errors import RefusedError
from portal.form import FormReader, Step
from portal.limits import Limits
from portal.multipart import PartReader, boundary_of
from portal.objects import discard, forget_set_aside, set_aside
from portal.places import Places
from portal.refusal import Refusal
from portal.sealing import Received, SubmissionSealer, Visit

GATHERED_BYTES: Final = 1 << 20
"""Handed to the thread at once. Measured: less costs more hops, more leaves the cache."""

FORM: Final = "give"
"""What form tokens of this form are issued for."""

_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# Padding adds at most 12 % (docs/format/01-sealed-object.md); the rest is manifests.
_SEALED_PER_BYTE: Final = 1.13
# An item of one byte takes a step of 64 KiB and a manifest of 4 KiB (same chapter), and its places
# in the submission's manifest and note, below 4 KiB together. In a body it has at least its head.
_SEALED_PER_ITEM: Final = 72 << 10
_BODY_PER_ITEM: Final = len('--b\r\nContent-Disposition:form-data;name="files";filename=""\r\n\r\n')

T = TypeVar("T")


class Room:
    """The bytes of disk that uploads on their way may still need, all of them together.

    What an upload has written counts twice until it ends: rather one too few than a full disk.
    """

    def __init__(self) -> None:
        self.promised_bytes = 0

    def require(self, places: Places, needed: int, spare: int) -> None:
        """Raise RefusedError unless so much is there beside what was promised."""
        if shutil.disk_usage(places.home).free < self.promised_bytes + needed + spare:
            raise RefusedError(Refusal.NO_ROOM)

    @contextmanager
    def promise(self, needed: int) -> Iterator[None]:
        """Keep so much for one upload."""
        self.promised_bytes += needed
        try:
            yield
        finally:
            self.promised_bytes -= needed


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Everything that receiving needs. `uploads` counts the places that are free."""

    places: Places
    cards: CardSource
    keys: PortalKeys
    tokens: FormTokens
    mailboxes: Mailboxes
    log: LogOrigin
    database: Database
    clock: Clock
    limits: Limits
    executor: ThreadPoolExecutor
    uploads: asyncio.Semaphore = field(repr=False)
    room: Room = field(default_factory=Room, repr=False)

    async def receive(
        self,
        content_type: bytes,
        length: int | None,
        chunks: AsyncIterator[bytes],
        language: Language,
    ) -> Received | Refusal:
        """Take one body. What is returned as received is durable and in the records.

        length: the body's length as announced, None if it was not. chunks: raises what it likes
        when the visitor has gone; that passes through, and nothing is left of the upload.
        """
        try:
            # A body of unknown length may be as long as one may be.
            needed = self._needed(self.limits.body_bytes if length is None else length)
            visit = self._visit(length, language)
            self._require(needed)
            body = _Body(chunks, self.limits)
            async with AsyncExitStack() as held:
                parts = PartReader(boundary_of(content_type))
                return await _Upload(self, visit, parts).run(body, lambda: self._take(held, needed))
        except RefusedError as refused:
            return refused.refusal

    async def _take(self, held: AsyncExitStack, needed: int) -> None:
        """Take a place, and room on the disk, until the upload ends."""
        self._require(needed)
        held.enter_context(self.room.promise(needed))
        await held.enter_async_context(self.uploads)

    def _require(self, needed: int) -> None:
        if self.uploads.locked():
            raise RefusedError(Refusal.BUSY)
        self.room.require(self.places, needed, self.limits.spare_bytes)

    def _needed(self, length: int) -> int:
        """Give the most disk that a body of this length takes; many small items take the most."""
        items = min(self.limits.items, length // _BODY_PER_ITEM) + 1  # one for the records
        return int(length * _SEALED_PER_BYTE) + items * _SEALED_PER_ITEM

    def _visit(self, length: int | None, language: Language) -> Visit:
        if length is not None and length > self.limits.body_bytes:
            raise RefusedError(Refusal.TOO_LARGE)
        on = today(self.clock)
        card = self.cards.current(on)
        if card is None:
            raise RefusedError(Refusal.CLOSED)
        return Visit(
            on=on,
            card=card,
            language=language,
            deployment=self.cards.deployment,
            log=self.log,
        )

    async def clean(self) -> int:
        """Remove what no record names: uploads that a kill or a power cut ended. Give how many.

        A whole bundle is set aside instead: where an older database was put back, it may be one
        that a receipt was given for.
        """
        folders = (self.places.receiving, self.places.received)
        found = {path.name for folder in folders for path in folder.iterdir()}
        found |= {path.stem for path in self.places.events.iterdir()}
        # Only then the rows: what is recorded in between is not among what was found.
        known = await ledger.recorded(self.database)
        for each in found - known:
            set_aside(self.places, each)
            discard(self.places, each)
        forget_set_aside(self.places, known)
        return len(found - known)


class _Body:
    """The chunks of a body, as long as they come fast enough and are not too many."""

    def __init__(self, chunks: AsyncIterator[bytes], limits: Limits) -> None:
        self._chunks = chunks
        self._limits = limits
        self.has_token = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
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
                yield chunk


class _Upload:
    """One body on its way into one submission."""

    def __init__(self, intake: Intake, visit: Visit, parts: PartReader) -> None:
        self._intake = intake
        self._visit = visit
        self._parts = parts
        self._form = FormReader(lambda token: intake.tokens.is_valid(FORM, token), intake.limits)
        self._sealer: SubmissionSealer | None = None
        self._gathered: list[Step] = []
        self._gathered_bytes = 0
        self._job: Awaitable[object] | None = None
        self._recording: asyncio.Future[None] | None = None

    async def run(self, body: _Body, take_place: Callable[[], Awaitable[None]]) -> Received:
        """Receive all of it. RefusedError and whatever `body` raises: nothing is left of it.

        take_place: called once, when a valid token has come.
        """
        try:
            async for chunk in body:
                self._gathered += self._form.take(self._parts.feed(chunk))
                self._gathered_bytes += len(chunk)
                if not body.has_token and self._is_admitted():
                    await take_place()
                    body.has_token = True
                if self._gathered_bytes >= GATHERED_BYTES:
                    await self._hand_over()
            await self._hand_over()
            received = await self._finish()
        except BaseException as failure:
            # A cancelled task too must take back what it began.
            await asyncio.shield(self._abandon())
            if isinstance(failure, OSError) and failure.errno in _NO_ROOM:
                raise RefusedError(Refusal.NO_ROOM) from failure
            raise
        return received

    def _is_admitted(self) -> bool:
        """Say whether the token has come; it may not be waited for beyond its limit."""
        has_token = self._form.has_token
        if not has_token and self._gathered_bytes > self._intake.limits.token_bytes:
            raise RefusedError(Refusal.FORM_OLD)
        return has_token

    async def _finish(self) -> Received:
        if not self._parts.is_complete:
            raise RefusedError(Refusal.UNREADABLE)
        await self._settle()
        if self._sealer is None:
            raise RefusedError(Refusal.NOTHING_GIVEN)
        received = await self._in_thread(self._sealer.finish, self._intake.keys)
        record = ledger.record(self._intake.database, received)
        self._recording = asyncio.ensure_future(record)
        await asyncio.shield(self._recording)
        return received

    async def _hand_over(self) -> None:
        """Wait for the job before, and start the next; receiving goes on beside it."""
        steps, self._gathered, self._gathered_bytes = self._gathered, [], 0
        await self._settle()
        if not steps:
            return
        if self._sealer is None:
            account = await self._account()
            self._sealer = await self._in_thread(
                SubmissionSealer, self._intake.places, self._visit, self._form.answers, account
            )
        self._start(self._sealer.take, steps)

    async def _account(self) -> Account:
        """Give the account that the words lead to, and let go of the words."""
        phrase, self._form.phrase = self._form.phrase, None
        if phrase is None:
            return Account.without_return()
        return await self._intake.mailboxes.account_of(phrase)

    async def _settle(self) -> None:
        if self._job is not None:
            await asyncio.shield(self._job)
            self._job = None

    async def _abandon(self) -> None:
        """Take everything back, unless the records have it or may have it."""
        if self._recording is not None:
            # A commit that failed may still have happened: clean() sees at the next start.
            await asyncio.wait([self._recording])
            if not _was_refused(self._recording):
                return
        if self._job is not None:
            await asyncio.gather(self._job, return_exceptions=True)
        if self._sealer is not None:
            await self._in_thread(self._sealer.abandon)

    async def _in_thread(self, work: Callable[..., T], *arguments: object) -> T:
        """Do one thing in the thread; a cancelled visit still waits for it in _abandon."""
        job = self._start(work, *arguments)
        result = await asyncio.shield(job)
        self._job = None
        return result

    def _start(self, work: Callable[..., T], *arguments: object) -> "asyncio.Future[T]":
        loop = asyncio.get_running_loop()
        job = loop.run_in_executor(self._intake.executor, lambda: work(*arguments))
        self._job = job
        return job


def _was_refused(recording: "asyncio.Future[None]") -> bool:
    """Tell whether the records refused by themselves, so that nothing of it can be in them."""
    return not recording.cancelled() and isinstance(recording.exception(), RefusedError)
