"""Sealed objects on their way from members: how much of each is durable, whose it is, its room.

An upload is one file under a hash of its secret address, and one row. The row is never ahead of
the file: bytes are brought to the disk first and counted then, so a kill at any instant leaves a
file that is at least as long as its row says, and what is longer is cut off before more is
written. Format: docs/format/23-upload.md sections 4 to 6.
"""

import asyncio
import hashlib
import os
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final, NewType, TypeVar

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from amana.clock import Clock, today
from amana.durable import sync_folder
from amana.store.engine import Database
from amana.wire.errors import FieldError
from amana.wire.ids import AccountId, Digest
from amana.wire.upload import UPLOAD_SECRET, UploadFault, UploadSecret
from portal.errors import RefusedError, UploadRefusedError
from portal.intake import Room
from portal.limits import UploadLimits
from portal.places import Places
from portal.records.tables import UPLOAD

UploadId = NewType("UploadId", str)
"""SHA-256 of an upload's secret: names its row and its file, and gives no access to it."""

_SECRET_BYTES: Final = 16
_READ_BYTES: Final = 1 << 20

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One upload as its row says. sealed_sha256: None until all is there and hashed."""

    upload_id: UploadId
    account: AccountId
    length: int
    committed: int
    sealed_sha256: Digest | None

    @property
    def is_whole(self) -> bool:
        """Whether every byte is durable."""
        return self.committed == self.length


_COLUMNS: Final = (
    UPLOAD.c.upload_sha256,
    UPLOAD.c.account,
    UPLOAD.c.length,
    UPLOAD.c.committed,
    UPLOAD.c.sealed_sha256,
)


class Uploads:
    """All uploads that are in no submission yet."""

    def __init__(
        self,
        *,
        places: Places,
        database: Database,
        clock: Clock,
        limits: UploadLimits,
        room: Room,
        executor: Executor,
    ) -> None:
        self._places = places
        self._database = database
        self._clock = clock
        self._limits = limits
        self._room = room
        self._executor = executor
        self._counts: Counter[AccountId] = Counter()
        self._pool_bytes = 0
        self._digesting: dict[UploadId, asyncio.Task[Digest]] = {}

    async def load(self) -> None:
        """Take up what was there before a restart; remove files without a row, rows without a file.

        A row whose file is missing or shorter came back with an old database: its bytes are not
        here, and it would stand in the way of every submission of its account.
        """
        self._places.uploads.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = {path.name: path.stat().st_size for path in self._places.uploads.iterdir()}
        async with self._database.read() as connection:
            rows = [_upload(row) for row in await connection.execute(select(*_COLUMNS))]
        for each in rows:
            self._count(each, 1)
        for name in found.keys() - {each.upload_id for each in rows}:
            (self._places.uploads / name).unlink()
        for each in rows:
            if found.get(each.upload_id, -1) < each.committed:
                await self.remove(each)

    async def create(self, account: AccountId, length: int) -> UploadSecret:
        """Reserve room for one sealed object; give the secret of its address.

        UploadRefusedError: NO_ROOM, TOO_MANY.
        """
        if self._counts[account] >= self._limits.uploads:
            raise UploadRefusedError(UploadFault.TOO_MANY)
        if self._pool_bytes + length > self._limits.pool_bytes:
            raise UploadRefusedError(UploadFault.NO_ROOM)
        try:
            self._room.require(self._places, length, self._limits.witness_bytes)
        except RefusedError as refused:
            raise UploadRefusedError(UploadFault.NO_ROOM) from refused
        secret = UploadSecret(secrets.token_urlsafe(_SECRET_BYTES))
        upload = Upload(
            upload_id=_hash(secret),
            account=account,
            length=length,
            committed=0,
            sealed_sha256=None,
        )
        self._count(upload, 1)  # before anything is awaited: nobody else gets the same room
        try:
            await self.in_thread(_make, self.path(upload.upload_id))
            await self._insert(upload)
        except BaseException:
            self._count(upload, -1)
            raise
        return secret

    async def find(self, account: AccountId, untrusted_secret: str) -> Upload:
        """Give an upload of this account. UploadRefusedError: UNKNOWN."""
        try:
            upload_id = _hash(UPLOAD_SECRET.read(untrusted_secret))
        except FieldError as failure:
            raise UploadRefusedError(UploadFault.UNKNOWN) from failure
        found = await self.refreshed(upload_id)
        if found.account != account:
            raise UploadRefusedError(UploadFault.UNKNOWN)
        return found

    async def refreshed(self, upload_id: UploadId) -> Upload:
        """Give an upload as its row is now. UploadRefusedError: UNKNOWN."""
        query = select(*_COLUMNS).where(UPLOAD.c.upload_sha256 == upload_id)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            raise UploadRefusedError(UploadFault.UNKNOWN)
        return _upload(row)

    async def commit(self, upload: Upload, committed: int) -> Upload:
        """Count bytes that are on the disk; give the upload as it is now.

        UploadRefusedError: UNKNOWN, it was removed meanwhile, and the bytes with it.
        """
        day = self._day.isoformat()
        if not await self._update(upload, {"committed": committed, "touched_on": day}):
            raise UploadRefusedError(UploadFault.UNKNOWN)
        self._room.promised_bytes -= committed - upload.committed
        return Upload(
            upload_id=upload.upload_id,
            account=upload.account,
            length=upload.length,
            committed=committed,
            sealed_sha256=None,
        )

    async def digest(self, upload: Upload) -> Digest:
        """Give the SHA-256 of a whole upload, and let its row have it."""
        if upload.sealed_sha256 is not None:
            return upload.sealed_sha256
        running = self._digesting.get(upload.upload_id)
        if running is None:
            # A task of its own: it goes on when whoever asked has gone.
            running = asyncio.create_task(self._digest(upload))
            self._digesting[upload.upload_id] = running
            running.add_done_callback(lambda _: self._digesting.pop(upload.upload_id, None))
        return await asyncio.shield(running)

    async def of_account(self, account: AccountId) -> tuple[Upload, ...]:
        """Give the whole uploads of an account, each with its digest."""
        query = select(*_COLUMNS).where(
            UPLOAD.c.account == account, UPLOAD.c.committed == UPLOAD.c.length
        )
        async with self._database.read() as connection:
            rows = [_upload(row) for row in await connection.execute(query)]
        for each in rows:
            if each.sealed_sha256 is None:
                await self.digest(each)
        if any(each.sealed_sha256 is None for each in rows):
            return await self.of_account(account)
        return tuple(rows)

    async def remove(self, upload: Upload) -> None:
        """Remove an upload, its room and its file."""
        async with self._database.write() as connection:
            removed = await take_rows(connection, [upload.upload_id])
        await self.forget(removed)

    async def forget(self, uploads: Sequence[Upload]) -> None:
        """Let go of uploads whose rows are gone, and of their files."""
        for each in uploads:
            self._count(each, -1)
        paths = [self.path(each.upload_id) for each in uploads]
        await self.in_thread(_unlink, paths, self._places.uploads)

    async def expire(self) -> int:
        """Remove what nothing was added to for too many days; give how many."""
        last = self._day - timedelta(days=self._limits.keep_days)
        query = select(*_COLUMNS).where(UPLOAD.c.touched_on < last.isoformat())
        async with self._database.read() as connection:
            old = [_upload(row) for row in await connection.execute(query)]
        for each in old:
            await self.remove(each)
        return len(old)

    @property
    def expires_on(self) -> date:
        """The first day on which an upload that is touched today is removed."""
        return self._day + timedelta(days=self._limits.keep_days + 1)

    def path(self, upload_id: UploadId) -> Path:
        """Give the file of an upload."""
        return self._places.uploads / upload_id

    async def in_thread(self, work: Callable[..., T], *arguments: object) -> T:
        """Do work on the disk beside the event loop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, lambda: work(*arguments))

    async def _digest(self, upload: Upload) -> Digest:
        # Read back from the disk: what was received once says nothing of what lies there.
        digest = await self.in_thread(_hash_file, self.path(upload.upload_id))
        await self._update(upload, {"sealed_sha256": digest})
        return digest

    async def _insert(self, upload: Upload) -> None:
        row = insert(UPLOAD).values(
            upload_sha256=upload.upload_id,
            account=upload.account,
            length=upload.length,
            committed=0,
            touched_on=self._day.isoformat(),
        )
        async with self._database.write() as connection:
            await connection.execute(row)

    async def _update(self, upload: Upload, values: dict[str, str | int]) -> bool:
        """Change a row; False: there is none any more."""
        is_it = UPLOAD.c.upload_sha256 == upload.upload_id
        async with self._database.write() as connection:
            changed = await connection.execute(update(UPLOAD).where(is_it).values(**values))
            return bool(changed.rowcount)

    def _count(self, upload: Upload, sign: int) -> None:
        self._counts[upload.account] += sign
        self._pool_bytes += sign * upload.length
        self._room.promised_bytes += sign * (upload.length - upload.committed)

    @property
    def _day(self) -> date:
        return today(self._clock)


async def take_rows(connection: AsyncConnection, ids: Sequence[UploadId]) -> list[Upload]:
    """Delete rows of uploads; give those that were still there, for Uploads.forget().

    Whoever deletes a row lets go of its room, and nobody else: room given back twice is room that
    is not there.
    """
    gone = delete(UPLOAD).where(UPLOAD.c.upload_sha256.in_(ids))
    return [_upload(row) for row in await connection.execute(gone.returning(*_COLUMNS))]


def _upload(row: Sequence[object]) -> Upload:
    upload_id, account, length, committed, digest = row
    return Upload(
        upload_id=UploadId(str(upload_id)),
        account=AccountId(str(account)),
        length=int(str(length)),
        committed=int(str(committed)),
        sealed_sha256=None if digest is None else Digest(str(digest)),
    )


def _hash(secret: UploadSecret) -> UploadId:
    # 128 random bits need no salt and no slow hash.
    return UploadId(hashlib.sha256(f"amana/upload-secret/v1\n{secret}".encode("ascii")).hexdigest())


def _make(path: Path) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
    sync_folder(path.parent)


def _unlink(paths: Sequence[Path], folder: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
    sync_folder(folder)


def _hash_file(path: Path) -> Digest:
    state = hashlib.sha256()
    with path.open("rb") as source:
        while piece := source.read(_READ_BYTES):
            state.update(piece)
    return Digest(state.hexdigest())
