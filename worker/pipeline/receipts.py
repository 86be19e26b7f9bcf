"""Receipts R2: the quarantine's word on each item, sealed to whoever gave it.

A receipt is made when the repository has what was accepted, or when nothing was; never for what is
held. Each names the one before it, and its event binds the whole of it. It is sealed before it is
written, and what it says stands in no row. Format: docs/format/10-receipts.md, 26-quarantine.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from amana.wire.event import EventType, Thing, ThingKind
from amana.wire.ids import Digest, ItemId, ReceiptId, SubmissionId, ThingId, random_id
from amana.wire.manifest import ItemManifest
from amana.wire.receipt import DECISION_ITEMS, Decision, Fate, ReceiptItem, ReceiptR2
from crypto.recipients import HybridRecipient
from terms.feedback import NotKeptReason
from worker.custody import Deed, about, witness
from worker.opening import Opened
from worker.pipeline.rows import ItemRow, SubmissionRow, items_of
from worker.pipeline.states import ItemState
from worker.pipeline.workshop import Workshop, write_sealed
from worker.records.tables import RECEIPT, RELEASE, RELEASED_ITEM

STATUS_VOCABULARY: Final = 1
"""Version of the words of a status (docs/format/13-terms.md section 12)."""

FATES: Final[Mapping[ItemState, Fate]] = {
    ItemState.ACKNOWLEDGED: Fate.KEPT,
    ItemState.NOT_KEPT: Fate.NOT_KEPT,
}
"""What an item's state is told as; whatever is not here is waiting."""

_MERGED_WITHIN: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A receipt that the portal does not have yet."""

    receipt_id: ReceiptId
    submission_id: SubmissionId


def make_receipts(shop: Workshop, row: SubmissionRow, open_again: Callable[[], Opened]) -> None:
    """Make the receipts of this cycle, sealed and on the disk. Done again, nothing is added.

    None where the provider wants no reply. One for each DECISION_ITEMS items. open_again: asked
    only where a receipt is missing, since later there is nothing left to open.
    """
    if row.reply is None:
        return
    recipient = HybridRecipient.from_text(row.reply)
    items = shop.books.read(lambda _: items_of(_, row.submission_id))
    made = shop.books.read(lambda _: _made(_, row))
    if len(made) == -(-len(items) // DECISION_ITEMS):
        return
    opened = open_again()
    terms = shop.books.read(lambda _: _terms(_, row.submission_id))
    told = [_told(each, opened.items[each.place], terms) for each in items]
    parts = [told[at : at + DECISION_ITEMS] for at in range(0, len(told), DECISION_ITEMS)]
    for number, part in enumerate(parts):
        if number not in made:
            _make(shop, row, opened, part, recipient=recipient, number=number)


def _make(
    shop: Workshop,
    row: SubmissionRow,
    opened: Opened,
    items: Sequence[ReceiptItem],
    *,
    recipient: HybridRecipient,
    number: int,
) -> None:
    sequence, previous = shop.books.read(lambda _: _next(_, row.submission_id))
    kept = any(each.fate is Fate.KEPT for each in items)
    decision = Decision(
        submission_id=row.submission_id,
        deployment=shop.deployment,
        note_sha256=opened.note.digest,
        sequence=sequence,
        previous=previous,
        decided_on=shop.custodian.today,
        items=tuple(items),
    )
    deed = Deed(
        type=EventType.ACCESSION if kept else EventType.DEACCESSION,
        thing=about(row.submission_id),
        others=(Thing(kind=ThingKind.DECISION, id=ThingId(decision.digest)),),
        occurrence=sequence,
        digest_before=previous,
        digest_after=decision.digest,
    )
    receipt_id = random_id(ReceiptId)

    async def made(connection: AsyncConnection) -> None:
        (event,) = await witness(connection, shop.custodian, row.submission_id, [deed])
        receipt = ReceiptR2(
            receipt_id=receipt_id,
            decision=decision,
            event=event,
            log=shop.origin,
            merged_by=event.on + _MERGED_WITHIN,
            status_vocabulary=STATUS_VOCABULARY,
        )
        note = shop.signers.note.sign(receipt.to_bytes().decode("utf-8"))
        # Before the row is committed: a row without its file would be a receipt nobody gets.
        write_sealed(shop.places.receipt(receipt_id), note.to_bytes(), recipient)
        await connection.execute(
            insert(RECEIPT).values(
                receipt_id=receipt_id,
                submission_id=row.submission_id,
                sequence=sequence,
                cycle=row.cycle,
                part=number,
                decision_sha256=decision.digest,
                is_posted=0,
            )
        )

    shop.books.write(made)


async def waiting_receipts(connection: AsyncConnection) -> tuple[Waiting, ...]:
    """Give the receipts that the portal does not have yet."""
    query = select(RECEIPT.c.receipt_id, RECEIPT.c.submission_id).where(RECEIPT.c.is_posted == 0)
    return tuple(
        Waiting(receipt_id=ReceiptId(receipt), submission_id=SubmissionId(submission))
        for receipt, submission in await connection.execute(query.order_by(RECEIPT.c.sequence))
    )


async def mark_posted(receipt: Waiting, connection: AsyncConnection) -> None:
    """Write down that the portal has a receipt."""
    mine = RECEIPT.c.receipt_id == receipt.receipt_id
    await connection.execute(update(RECEIPT).where(mine).values(is_posted=1))


async def _made(connection: AsyncConnection, row: SubmissionRow) -> frozenset[int]:
    """Give which parts of this cycle's receipts there are."""
    query = select(RECEIPT.c.part).where(
        RECEIPT.c.submission_id == row.submission_id, RECEIPT.c.cycle == row.cycle
    )
    return frozenset(await connection.scalars(query))


async def _next(connection: AsyncConnection, submission: SubmissionId) -> tuple[int, Digest | None]:
    """Give the number of the next receipt, and the digest of the decision before it."""
    query = (
        select(RECEIPT.c.sequence, RECEIPT.c.decision_sha256)
        .where(RECEIPT.c.submission_id == submission)
        .order_by(RECEIPT.c.sequence.desc())
        .limit(1)
    )
    last = (await connection.execute(query)).first()
    return (1, None) if last is None else (last[0] + 1, Digest(last[1]))


async def _terms(connection: AsyncConnection, submission: SubmissionId) -> Mapping[ItemId, Digest]:
    query = (
        select(RELEASED_ITEM.c.item_id, RELEASE.c.snapshot_sha256)
        .join(
            RELEASE,
            (RELEASE.c.submission_id == RELEASED_ITEM.c.submission_id)
            & (RELEASE.c.cycle == RELEASED_ITEM.c.cycle),
        )
        .where(RELEASED_ITEM.c.submission_id == submission)
    )
    return {ItemId(item): Digest(digest) for item, digest in await connection.execute(query)}


def _told(row: ItemRow, manifest: ItemManifest, terms: Mapping[ItemId, Digest]) -> ReceiptItem:
    fate = FATES.get(row.state, Fate.WAITING)
    content = manifest.content
    return ReceiptItem(
        item_id=row.item_id,
        provider_reference=manifest.provider_reference,
        fate=fate,
        reason=_reason(row) if fate is Fate.NOT_KEPT else None,
        size=None if content is None else content.size,
        sha256=None if content is None else content.sha256,
        sha512=None if content is None else content.sha512,
        terms=terms.get(row.item_id) if fate is Fate.KEPT else None,
    )


def _reason(row: ItemRow) -> NotKeptReason:
    return NotKeptReason(row.reason) if row.reason else NotKeptReason.COULD_NOT_BE_OPENED
