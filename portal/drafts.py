"""All drafts: who writes to one, how long it lives, what its sealed objects take up.

A row is written when everything it names is on the disk, never before; what lies in a draft's
folder and is not named by its box is removed before more is written. The end of a draft is counted
in memory, so that no time is written down: a restart gives each its full time again. Nobody here
can read a draft without its cookie. Format: docs/format/18-portal.md section 8.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from amana.durable import sync_folder
from amana.store.engine import Database
from amana.wire.bundle import OBJECTS, object_path
from portal.account import Account
from portal.draft import Draft, DraftId, DraftSecret, from_box, to_box
from portal.errors import RefusedError
from portal.limits import Limits
from portal.places import Places
from portal.records.tables import DRAFT
from portal.refusal import Refusal

_LETTING_GO_SECONDS: Final = 20  # one job of a thread and one commit are done within it

T = TypeVar("T")


class Writing:
    """One draft, while one request may change it. folder: where its sealed objects lie."""

    def __init__(self, drafts: "Drafts", secret: DraftSecret, draft: Draft) -> None:
        self._drafts = drafts
        self._secret = secret
        self.draft = draft
        self.folder = drafts.folder(secret.draft_id)

    async def save(self, draft: Draft) -> None:
        """Keep this state of the draft. RefusedError: DRAFT_GONE, it was left meanwhile."""
        await self._drafts.save(self._secret, draft)
        self.draft = draft

    async def save_within(self, connection: AsyncConnection, draft: Draft) -> None:
        """Keep this state together with what else the transaction does."""
        await _update(connection, self._secret, draft)

    def heard(self) -> None:
        """Put the end of the draft off: bytes came."""
        self._drafts.heard(self._secret.draft_id)


class Drafts:
    """All drafts of this portal."""

    def __init__(
        self, places: Places, database: Database, limits: Limits, executor: Executor
    ) -> None:
        self._places = places
        self._database = database
        self._limits = limits
        self._executor = executor
        self._ends: dict[DraftId, float] = {}
        self._last: dict[DraftId, float] = {}
        self._bytes: dict[DraftId, int] = {}
        self._holders: dict[DraftId, Account] = {}
        self._promised_bytes = 0
        self._writers: dict[DraftId, asyncio.Task[object]] = {}

    def folder(self, draft_id: DraftId) -> Path:
        """Give the folder of one draft's sealed objects."""
        return self._places.drafts / draft_id

    async def load(self) -> None:
        """Take up the drafts from before a restart; remove folders that no row names."""
        self._places.drafts.mkdir(mode=0o700, exist_ok=True)
        found = {path.name for path in self._places.drafts.iterdir()}
        async with self._database.read() as connection:
            rows = await connection.scalars(select(DRAFT.c.lookup_sha256))
            known = [DraftId(each) for each in rows]
        for each in known:
            self._renew(each, self._limits.draft_seconds)
            self._bytes[each] = _size(self.folder(each))
        for name in found.difference(known):
            _remove(self._places.drafts / name)

    async def begin(self, draft: Draft, holder: Account) -> DraftSecret:
        """Keep a new draft. RefusedError: BUSY, there are too many.

        holder: held as long as the draft lives, so that who comes with the same words meets it.
        """
        if len(self._ends) >= self._limits.drafts:
            await self.sweep()
        if len(self._ends) >= self._limits.drafts:
            raise RefusedError(Refusal.BUSY)
        secret = DraftSecret.generate()
        row = {"lookup_sha256": secret.draft_id, "box": to_box(draft, secret)}
        self._renew(secret.draft_id, self._limits.draft_seconds)
        self._holders[secret.draft_id] = holder
        async with self._database.write() as connection:
            await connection.execute(insert(DRAFT).values(row))
        return secret

    async def read(self, untrusted_cookie: str) -> Draft:
        """Give the draft of a cookie, and put its end off. RefusedError: DRAFT_GONE."""
        secret = DraftSecret.read(untrusted_cookie)
        await self._require_living(secret)
        draft = await self._find(secret)
        if draft.receipt is None:
            self._renew(secret.draft_id, self._limits.draft_seconds)
        return draft

    async def write(self, untrusted_cookie: str, work: Callable[[Writing], Awaitable[T]]) -> T:
        """Let one request change a draft. RefusedError: DRAFT_GONE; DRAFT_BUSY, another one does.

        Whoever leaves meanwhile ends the work at once.
        """
        secret = DraftSecret.read(untrusted_cookie)
        draft_id = secret.draft_id
        await self._require_living(secret)
        await self._stop_silent(draft_id)
        if draft_id in self._writers:
            raise RefusedError(Refusal.DRAFT_BUSY)
        task = asyncio.ensure_future(self._work(secret, work))
        self._writers[draft_id] = task
        self.heard(draft_id)
        try:
            return await task
        except asyncio.CancelledError:
            if (this := asyncio.current_task()) is not None and this.cancelling():
                raise
            # Not this request was ended, only what it did: the person left, or came again.
            is_there = draft_id in self._ends
            raise RefusedError(Refusal.DRAFT_BUSY if is_there else Refusal.DRAFT_GONE) from None
        finally:
            del self._writers[draft_id]

    async def save(self, secret: DraftSecret, draft: Draft) -> None:
        """Keep a state of a draft. RefusedError: DRAFT_GONE."""
        await asyncio.shield(self._save(secret, draft))
        self._bytes[secret.draft_id] = draft.sealed_bytes

    def heard(self, draft_id: DraftId) -> None:
        """Put the end of a draft off."""
        if draft_id in self._ends:
            self._last[draft_id] = asyncio.get_running_loop().time()
            self._renew(draft_id, self._limits.draft_seconds)

    async def handed_over(self, untrusted_cookie: str) -> None:
        """Let go of the objects of a draft that became a submission; its receipt stays a while."""
        draft_id = DraftSecret.read(untrusted_cookie).draft_id
        await self._in_thread(_remove, self.folder(draft_id))
        self._bytes.pop(draft_id, None)
        if draft_id in self._ends:
            self._renew(draft_id, self._limits.handed_seconds)

    async def leave(self, untrusted_cookie: str) -> None:
        """Remove a draft and its sealed objects now; a cookie that is none of ours does nothing."""
        try:
            secret = DraftSecret.read(untrusted_cookie)
            if secret.draft_id in self._ends:
                await self._find(secret)
        except RefusedError:
            return
        await self._remove(secret.draft_id)

    async def sweep(self) -> int:
        """Remove the drafts whose time is over and that nobody writes to. Give how many."""
        now = asyncio.get_running_loop().time()
        ended = [each for each, end in self._ends.items() if end <= now]
        ended = [each for each in ended if each not in self._writers]
        for each in ended:
            await self._remove(each)
        return len(ended)

    @contextmanager
    def promise(self, needed: int) -> Iterator[None]:
        """Keep so much of the drafts' room for one upload. RefusedError: NO_ROOM."""
        taken = sum(self._bytes.values()) + self._promised_bytes
        if taken + needed > self._limits.draft_pool_bytes:
            raise RefusedError(Refusal.NO_ROOM)
        self._promised_bytes += needed
        try:
            yield
        finally:
            self._promised_bytes -= needed

    async def _work(self, secret: DraftSecret, work: Callable[[Writing], Awaitable[T]]) -> T:
        draft = await self._find(secret)
        if draft.receipt is None:
            await self._in_thread(_tidy, self.folder(secret.draft_id), draft)
        return await work(Writing(self, secret, draft))

    async def _save(self, secret: DraftSecret, draft: Draft) -> None:
        async with self._database.write() as connection:
            await _update(connection, secret, draft)

    async def _require_living(self, secret: DraftSecret) -> None:
        draft_id = secret.draft_id
        now = asyncio.get_running_loop().time()
        if self._ends.get(draft_id, now) > now or draft_id in self._writers:
            return
        if draft_id in self._ends:
            await self._remove(draft_id)
        raise RefusedError(Refusal.DRAFT_GONE)

    async def _find(self, secret: DraftSecret) -> Draft:
        is_it = DRAFT.c.lookup_sha256 == secret.draft_id
        async with self._database.read() as connection:
            box = await connection.scalar(select(DRAFT.c.box).where(is_it))
        if box is None:
            raise RefusedError(Refusal.DRAFT_GONE)
        return from_box(box, secret)

    async def _stop_silent(self, draft_id: DraftId) -> None:
        """End a writer from whom nothing came for long: most likely its circuit is gone."""
        writer = self._writers.get(draft_id)
        silence = asyncio.get_running_loop().time() - self._last.get(draft_id, 0.0)
        if writer is not None and silence >= self._limits.stall_seconds:
            await self._stop(writer)
            await asyncio.sleep(0)  # the request that waits for it lets go of the draft

    async def _stop(self, writer: "asyncio.Task[object]") -> None:
        writer.cancel()
        await asyncio.wait([writer], timeout=_LETTING_GO_SECONDS)

    async def _remove(self, draft_id: DraftId) -> None:
        # First it is forgotten: nobody begins to write to what is being removed.
        for each in (self._ends, self._last, self._bytes):
            each.pop(draft_id, None)
        self._holders.pop(draft_id, None)
        if (writer := self._writers.get(draft_id)) is not None:
            await self._stop(writer)
        async with self._database.write() as connection:
            await connection.execute(delete(DRAFT).where(DRAFT.c.lookup_sha256 == draft_id))
        await self._in_thread(_remove, self.folder(draft_id))
        self._bytes.pop(draft_id, None)

    def _renew(self, draft_id: DraftId, seconds: float) -> None:
        self._ends[draft_id] = asyncio.get_running_loop().time() + seconds

    async def _in_thread(self, work: Callable[..., T], *arguments: object) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, lambda: work(*arguments))


async def _update(connection: AsyncConnection, secret: DraftSecret, draft: Draft) -> None:
    is_it = DRAFT.c.lookup_sha256 == secret.draft_id
    done = await connection.execute(update(DRAFT).where(is_it).values(box=to_box(draft, secret)))
    if done.rowcount != 1:
        raise RefusedError(Refusal.DRAFT_GONE)


def _tidy(folder: Path, draft: Draft) -> None:
    """Remove what a kill left in the folder and the box does not name; make it if need be."""
    (folder / OBJECTS).mkdir(mode=0o700, parents=True, exist_ok=True)
    sync_folder(folder.parent)
    named = {
        object_path(sealed.object_id).name
        for each in draft.items
        for sealed in (each.content, each.manifest)
    }
    for path in (folder / OBJECTS).iterdir():
        if path.name not in named:
            path.unlink()


def _remove(folder: Path) -> None:
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)
        sync_folder(folder.parent)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.age"))
