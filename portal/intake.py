"""Take what visitors give: a whole form in one body, or what a draft has come to.

A body that ends without its closing boundary, for whatever reason, leaves nothing behind. No byte
of it is read before a place is free, a card is valid and there is room on the disk; the place and
the room are taken when the token has come, so that nobody holds them who did not come through the
page. What comes piece by piece is portal.draft_intake's.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from amana.clock import Clock, today
from amana.i18n import Language
from amana.store.engine import Database
from amana.web.tokens import FormTokens
from amana.wire.bundle import OBJECTS
from amana.wire.ids import LogOrigin
from portal import ledger
from portal.account import Account, Mailboxes
from portal.card import CardSource, WitnessCard
from portal.consent import consent_document
from portal.custody import PortalKeys
from portal.errors import RefusedError
from portal.finishing import Arrival, Finisher, Received
from portal.form import FormReader
from portal.limits import Limits
from portal.multipart import PartReader, boundary_of
from portal.objects import discard, forget_set_aside, set_aside
from portal.places import Places
from portal.receiving import Body, Receiver, raise_refusal_of
from portal.refusal import Refusal
from portal.sealing import ItemSealer
from portal.underway import SealedItem, Underway

FORM: Final = "give"
"""What form tokens of this form are issued for."""

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
            needed = self.needed(length, self.limits)
            on, card = self.open_today()
            self.require(needed)
            body = Body(chunks, self.limits)
            async with AsyncExitStack() as held:
                parts = PartReader(boundary_of(content_type))
                upload = _WholeForm(self, card, on, language)
                return await upload.run(body, parts, lambda: self.take_place(held, needed))
        except RefusedError as refused:
            return refused.refusal

    @staticmethod
    def needed(length: int | None, limits: Limits) -> int:
        """Give the bytes of disk for a body; of unknown length, it may be as long as one may be.

        RefusedError: TOO_LARGE.
        """
        if length is not None and length > limits.body_bytes:
            raise RefusedError(Refusal.TOO_LARGE)
        most = limits.body_bytes if length is None else length
        # Many small items take the most; one more for the records.
        items = min(limits.items, most // _BODY_PER_ITEM) + 1
        return int(most * _SEALED_PER_BYTE) + items * _SEALED_PER_ITEM

    async def take_place(self, held: AsyncExitStack, needed: int) -> None:
        """Take a place, and room on the disk, until `held` ends. RefusedError: BUSY, NO_ROOM."""
        self.require(needed)
        held.enter_context(self.room.promise(needed))
        await held.enter_async_context(self.uploads)

    def require(self, needed: int) -> None:
        """Raise RefusedError unless a place is free and there is so much room."""
        if self.uploads.locked():
            raise RefusedError(Refusal.BUSY)
        self.room.require(self.places, needed, self.limits.spare_bytes)

    def open_today(self) -> tuple[date, WitnessCard]:
        """Give the day, and what is sealed to on it. RefusedError: CLOSED, no card is valid."""
        on = today(self.clock)
        card = self.cards.current(on)
        if card is None:
            raise RefusedError(Refusal.CLOSED)
        return on, card

    def arrival(self, on: date) -> Arrival:
        """Give what a submission of this day arrives at."""
        return Arrival(on=on, deployment=self.cards.deployment, log=self.log)

    async def in_thread(self, work: Callable[..., T], *arguments: object) -> T:
        """Do one thing in a worker thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.executor, lambda: work(*arguments))

    async def complete(
        self,
        work: Callable[[], Received],
        finisher: Finisher,
        also: Callable[[AsyncConnection, Received], Awaitable[None]] | None = None,
    ) -> Received:
        """Let a thread make a submission whole, and record it; take it back if that fails.

        also: done in the same transaction. What the records have, or may have, is never taken
        back. RefusedError: NO_ROOM; BUSY, as ledger.record().
        """
        finishing = asyncio.ensure_future(self.in_thread(work))
        recording: asyncio.Future[None] | None = None
        try:
            received = await asyncio.shield(finishing)
            recording = asyncio.ensure_future(ledger.record(self.database, received, also))
            await asyncio.shield(recording)
        except BaseException as failure:
            await asyncio.shield(self._take_back(finishing, recording, finisher))
            raise_refusal_of(failure)
            raise
        return received

    async def _take_back(
        self,
        finishing: "asyncio.Future[Received]",
        recording: "asyncio.Future[None] | None",
        finisher: Finisher,
    ) -> None:
        await asyncio.gather(finishing, return_exceptions=True)
        if recording is not None:
            # A commit that failed may still have happened: clean() sees at the next start.
            await asyncio.wait([recording])
            if not _was_refused(recording):
                return
        await self.in_thread(discard, self.places, finisher.underway.submission_id)

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


class _WholeForm:
    """One body that is a whole submission."""

    def __init__(self, intake: Intake, card: WitnessCard, on: date, language: Language) -> None:
        self._intake = intake
        self._card = card
        self._on = on
        self._language = language
        self._form = FormReader(lambda token: intake.tokens.is_valid(FORM, token), intake.limits)
        self._underway: Underway | None = None
        self._items: tuple[SealedItem, ...] = ()

    async def run(
        self, body: Body, parts: PartReader, take_place: Callable[[], Awaitable[None]]
    ) -> Received:
        """Receive all of it. RefusedError and whatever `body` raises: nothing is left of it."""
        intake = self._intake
        receiver = Receiver(
            self._form,
            parts,
            intake.executor,
            begin=self._begin,
            keep=self._keep,
            token_bytes=intake.limits.token_bytes,
            salvages=False,
        )
        try:
            await receiver.run(body, take_place)
        except BaseException:
            if self._underway is not None:
                await asyncio.shield(
                    intake.in_thread(discard, intake.places, self._underway.submission_id)
                )
            raise
        if self._underway is None:
            raise RefusedError(Refusal.NOTHING_GIVEN)
        finisher = self._finisher(self._underway)
        return await intake.complete(lambda: finisher.finish(intake.keys), finisher)

    async def _begin(self) -> ItemSealer:
        phrase, self._form.phrase = self._form.phrase, None  # let go of the words
        account = (
            Account.without_return()
            if phrase is None
            else await self._intake.mailboxes.account_of(phrase)
        )
        has_consent = bool(self._form.answers.purposes)
        underway = Underway.begin(self._card, account, has_consent=has_consent)
        folder = self._intake.places.receiving / underway.submission_id
        self._underway = underway
        await self._intake.in_thread(_make_folder, folder)
        return ItemSealer(folder, underway)

    async def _keep(self, items: tuple[SealedItem, ...]) -> None:
        self._items += items

    def _finisher(self, underway: Underway) -> Finisher:
        consent = consent_document(
            self._form.answers,
            consent_id=underway.consent_id,
            language=self._language,
            on=self._on,
        )
        return Finisher(
            places=self._intake.places,
            underway=underway,
            items=self._items,
            consent=consent,
            arrival=self._intake.arrival(self._on),
        )


def _make_folder(folder: Path) -> None:
    (folder / OBJECTS).mkdir(mode=0o700, parents=True)


def _was_refused(recording: "asyncio.Future[None]") -> bool:
    """Tell whether the records refused by themselves, so that nothing of it can be in them."""
    return not recording.cancelled() and isinstance(recording.exception(), RefusedError)
