"""Feedback batches on the portal: taken whole or not at all, shown from their day, then forgotten.

The sealed objects of a batch lie one behind the other in one file, so a file tells only how many
readers there are; whose each is, and its proof, stand in the records. The portal carries a batch:
that its entries are in its tree is checked here, whose signature it has is its readers' to judge.
Format: docs/format/24-feedback.md, 18-portal.md section 7.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterable, Sequence
from datetime import date, timedelta
from enum import StrEnum, unique
from pathlib import Path
from typing import BinaryIO, Final

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from amana.durable import durable, sync_folder
from amana.store.engine import Database
from amana.wire.feedback import (
    SEALED_BYTES,
    FeedbackAnswer,
    FeedbackBatch,
    FeedbackEntry,
    PostReader,
    read_batch_unsigned,
)
from amana.wire.fields import RawBytes
from amana.wire.ids import AccountId, Digest
from crypto.merkle import HASH_BYTES
from portal.places import Places
from portal.records.tables import FEEDBACK_BATCH, FEEDBACK_ENTRY

KEPT: Final = timedelta(days=90)
"""How long an entry is kept after its day: as long as replies are (chapter 13 section 13)."""

_ROWS_AT_ONCE: Final = 500
_CARDS_LIMIT: Final = 16
_CARD_LIMIT_BYTES: Final = 65_536


@unique
class Posting(StrEnum):
    """What became of a post. Each is an answer; what is malformed raises instead."""

    STORED = "stored"
    KNOWN = "known"
    """This batch was stored before: nothing is to be done."""
    OTHER = "other"
    """Another batch has this number. The first one stays."""


async def store_lines(
    database: Database, places: Places, untrusted: AsyncIterable[bytes]
) -> Posting:
    """Take a post (amana.wire.feedback.write_post), cut anywhere.

    The batch is there for readers once all of it is: bytes on the disk, then its rows at once. The
    same post again changes nothing. FormatError, FieldError, UnprovenError: malformed or cut, or
    an entry is not in its batch; nothing of it is kept.
    """
    places.feedback.mkdir(mode=0o700, parents=True, exist_ok=True)
    reader = PostReader()
    rows: list[dict[str, str | int | bytes]] = []
    incoming = places.feedback / f"{secrets.token_hex(8)}.incoming"
    try:
        with durable(incoming) as target:
            async for piece in untrusted:
                rows += await asyncio.to_thread(_take, reader, piece, target)
            reader.whole()
        return await _record(database, places, incoming, reader, rows)
    finally:
        incoming.unlink(missing_ok=True)


async def newest(
    database: Database, places: Places, account: AccountId, on: date
) -> FeedbackAnswer | None:
    """Give the newest batch whose day has come, and this account's entries of it, perhaps none.

    None: there is no batch yet. Signer cards are added as they lie in `places.signers`.
    """
    async with database.read() as connection:
        head = await _newest_batch(connection, on)
        if head is None:
            return None
        found = await connection.execute(
            select(FEEDBACK_ENTRY.c.place, FEEDBACK_ENTRY.c.hashes)
            .where(FEEDBACK_ENTRY.c.number == head[0], FEEDBACK_ENTRY.c.account == account)
            .order_by(FEEDBACK_ENTRY.c.place)
        )
        rows = [(int(place), bytes(hashes)) for place, hashes in found]
    number, note = head
    sealed = await asyncio.to_thread(
        _read_objects, places.feedback_objects(number), [place for place, _ in rows]
    )
    return FeedbackAnswer(
        note=note.decode("utf-8"),
        entries=tuple(
            FeedbackEntry(
                account=account,
                number=number,
                index=place,
                hashes=_hashes(hashes),
                sealed=RawBytes(each),
            )
            for (place, hashes), each in zip(rows, sealed, strict=False)  # all of them, or none
        ),
        signers=await asyncio.to_thread(_signer_cards, places.signers),
    )


async def newest_batch(database: Database, on: date) -> FeedbackBatch | None:
    """Give the newest batch whose day has come: what everybody may know. None: there is none."""
    async with database.read() as connection:
        head = await _newest_batch(connection, on)
    return None if head is None else read_batch_unsigned(head[1])


async def forget_old(database: Database, places: Places, today: date) -> int:
    """Remove batches KEPT days after their day, and files that no row names; give how many."""
    before = (today - KEPT).isoformat()
    # Looked for before the rows are: what is recorded in between is not among what was found.
    files = await asyncio.to_thread(lambda: tuple(places.feedback.glob("*.objects")))
    async with database.write() as connection:
        is_old = FEEDBACK_BATCH.c.published_on < before
        old = select(FEEDBACK_BATCH.c.number).where(is_old)
        await connection.execute(delete(FEEDBACK_ENTRY).where(FEEDBACK_ENTRY.c.number.in_(old)))
        removed = await connection.execute(delete(FEEDBACK_BATCH).where(is_old))
        rest = await connection.scalars(select(FEEDBACK_BATCH.c.number))
        kept = {places.feedback_objects(int(each)) for each in rest}
    for path in files:
        if path not in kept:
            await asyncio.to_thread(path.unlink, missing_ok=True)
    return removed.rowcount


def _take(reader: PostReader, piece: bytes, target: BinaryIO) -> list[dict[str, str | int | bytes]]:
    rows: list[dict[str, str | int | bytes]] = []
    for entry in reader.take(piece):
        target.write(entry.sealed)
        rows.append(
            {
                "number": entry.number,
                "place": entry.index,
                "account": entry.account,
                "hashes": b"".join(bytes.fromhex(each) for each in entry.hashes),
            }
        )
    return rows


async def _record(
    database: Database,
    places: Places,
    incoming: Path,
    reader: PostReader,
    rows: Sequence[dict[str, str | int | bytes]],
) -> Posting:
    batch, note = reader.whole()
    async with database.write() as connection:
        is_same = FEEDBACK_BATCH.c.number == batch.number
        known = await connection.scalar(select(FEEDBACK_BATCH.c.note).where(is_same))
        if known is not None:
            return Posting.KNOWN if bytes(known) == note else Posting.OTHER
        # Only now the file: what is under this name without a row was never shown to anybody.
        await asyncio.to_thread(_place, incoming, places.feedback_objects(batch.number))
        await connection.execute(
            insert(FEEDBACK_BATCH).values(
                number=batch.number, note=note, published_on=batch.published_on.isoformat()
            )
        )
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            await connection.execute(insert(FEEDBACK_ENTRY), rows[start : start + _ROWS_AT_ONCE])
    return Posting.STORED


async def _newest_batch(connection: AsyncConnection, on: date) -> tuple[int, bytes] | None:
    found = await connection.execute(
        select(FEEDBACK_BATCH.c.number, FEEDBACK_BATCH.c.note)
        .where(FEEDBACK_BATCH.c.published_on <= on.isoformat())
        .order_by(FEEDBACK_BATCH.c.number.desc())
        .limit(1)
    )
    row = found.first()
    return None if row is None else (int(row[0]), bytes(row[1]))


def _place(incoming: Path, path: Path) -> None:
    incoming.rename(path)
    sync_folder(path.parent)


def _read_objects(path: Path, indices: Sequence[int]) -> list[bytes]:
    """Give the objects at these places; none where the file is not there or shorter.

    An error would tell whoever has entries in it from whoever has none.
    """
    try:
        with path.open("rb") as source:
            handle = source.fileno()
            found = [os.pread(handle, SEALED_BYTES, each * SEALED_BYTES) for each in indices]
    except FileNotFoundError:
        return []
    return found if all(len(each) == SEALED_BYTES for each in found) else []


def _hashes(joined: bytes) -> tuple[Digest, ...]:
    starts = range(0, len(joined), HASH_BYTES)
    return tuple(Digest(joined[start : start + HASH_BYTES].hex()) for start in starts)


def _signer_cards(folder: Path) -> tuple[str, ...]:
    """Give the notes in a folder, in the order of their names. None is believed here."""
    if not folder.is_dir():
        return ()
    notes: list[str] = []
    for path in sorted(folder.glob("*.note"))[-_CARDS_LIMIT:]:
        with path.open("rb") as source:
            untrusted = source.read(_CARD_LIMIT_BYTES)
        notes.append(untrusted.decode("utf-8", "replace"))
    return tuple(notes)
