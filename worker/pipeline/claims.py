"""Whose a sealed object is: it belongs to one submission, and so does every item.

An object is claimed when it was opened and is what its manifest says, never when it is merely
named: whoever saw a sealed digest on its way, and does not know what is in it, cannot keep out
those whose object it is. A claim is never given back. Format: docs/format/26-quarantine.md
section 5.
"""

from collections.abc import Container, Iterator, Sequence

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from amana.store.log import LOOKUP_ROWS
from amana.wire.ids import ItemId
from worker.opening import Opened
from worker.records.tables import ITEM, SEALED_OBJECT


async def is_anothers(connection: AsyncConnection, opened: Opened) -> bool:
    """Tell whether a sealed object or an item of a submission is another submission's already."""
    submission = opened.note.submission_id
    for some in _parts([each.sealed_sha256 for each in opened.note.everything()]):
        if set((await _owners(connection, some)).values()) - {submission}:
            return True
    for some in _parts([each.item_id for each in opened.items]):
        query = select(ITEM.c.item_id).where(
            ITEM.c.item_id.in_(some), ITEM.c.submission_id != submission
        )
        if await connection.scalar(query.limit(1)) is not None:
            return True
    return False


async def claim(connection: AsyncConnection, opened: Opened, proven: Container[ItemId]) -> None:
    """Write down that what was proven is this submission's. Done again, it changes nothing.

    proven: items whose bytes were those of their manifests. Documents were opened, all of them.
    DatabaseFailureError: another submission was faster, and nothing is written.
    """
    material = {each.object_id for each in opened.submission.objects}
    shown = {
        each.content.place.object_id
        for each in opened.items
        if each.content is not None and each.item_id in proven
    }
    mine = [
        each.sealed_sha256
        for each in opened.note.everything()
        if each.object_id in shown or each.object_id not in material
    ]
    for some in _parts(mine):
        known = await _owners(connection, some)
        fresh = [
            {"sealed_sha256": each, "submission_id": opened.note.submission_id}
            for each in dict.fromkeys(some)
            if known.get(each) != opened.note.submission_id
        ]
        if fresh:
            await connection.execute(insert(SEALED_OBJECT), fresh)


async def _owners(connection: AsyncConnection, digests: Sequence[str]) -> dict[str, str]:
    query = select(SEALED_OBJECT).where(SEALED_OBJECT.c.sealed_sha256.in_(digests))
    found = await connection.execute(query)
    return {row.sealed_sha256: row.submission_id for row in found}


def _parts(whole: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(whole), LOOKUP_ROWS):
        yield whole[first : first + LOOKUP_ROWS]
