"""Release what officers accepted: each object to its handling class, all of it under conditions.

In one row it is fixed what packages are made of and what a clock or a key would make anew: the day
of the conditions, and the log's signed checkpoint. Packages made from it after a crash are the same
packages (worker/pipeline/packing.py). Format: docs/format/26-quarantine.md.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from amana.store.log import LOOKUP_ROWS, checkpoint
from amana.wire.errors import WireError
from amana.wire.event import EventType
from amana.wire.ids import Digest, ItemId, SubmissionId
from amana.wire.item_terms import item_terms
from amana.wire.package import PackageId
from amana.wire.reasons import ReasonCode
from amana.wire.signers import SIGNATURES_LIMIT_BYTES
from amana.wire.vocabulary import TermsState
from crypto.checkpoint import Checkpoint
from crypto.note import SignedNote
from terms.evaluate import evaluate
from terms.facts import Facts
from terms.names import Uid
from terms.vocabulary import Action, Effect
from worker.custody import Deed, about, move
from worker.engine import Progress
from worker.errors import PipelineError
from worker.opening import Held, Opened
from worker.pipeline.examine import held_item, hold, holding
from worker.pipeline.rows import ItemRow, SubmissionRow, items_of, released_items, the_submission
from worker.pipeline.states import UNDECIDED, ItemState, SubmissionState
from worker.pipeline.to_class import give_to_classes
from worker.pipeline.workshop import Workshop
from worker.records.tables import RELEASE, RELEASED_ITEM
from worker.snapshots import Snapshot, take_snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What the packages of one release are made of.

    items: each with its package, where it lies in one already. size: of the checkpoint's tree.
    """

    taken_on: date
    snapshot_sha256: Digest
    checkpoint: bytes = field(repr=False)
    size: int
    items: Mapping[ItemId, PackageId | None]


def is_releasable(row: SubmissionRow, states: AbstractSet[ItemState]) -> bool:
    """Tell whether everything is looked at and something is accepted. states: of its items."""
    return (
        row.state is SubmissionState.EXAMINED
        and ItemState.ACCEPTED in states
        and not states & UNDECIDED
    )


def prepare(shop: Workshop, submission: SubmissionId) -> Progress:
    """Give accepted objects to their classes, and fix what the packages are made of."""
    row, items = shop.books.read(lambda _: state_of(_, submission))
    if not is_releasable(row, {each.state for each in items}):
        return Progress.DONE
    opened = shop.open_again(row)
    snapshot = take_snapshot(
        opened, shop.agreements, shop.custodian.today, received_on=row.fetched_on
    )
    if isinstance(snapshot, Held):
        hold(shop, row, snapshot.reason)
        return Progress.HELD
    accepted = [each for each in items if each.state is ItemState.ACCEPTED]
    refused = [each for each in accepted if not may_be_kept(each, opened, snapshot)]
    if refused:
        # The repository would not take them (chapter 21), so they never leave.
        shop.books.write(lambda _: _kept_back(_, shop, row, refused, opened))
        return Progress.HELD
    deeds = give_to_classes(shop, row, opened, items)
    shop.books.write(
        lambda _: _prepared(_, shop, row, accepted=accepted, snapshot=snapshot, deeds=deeds)
    )
    return Progress.DONE


def may_be_kept(row: ItemRow, opened: Opened, snapshot: Snapshot) -> bool:
    """Tell whether an item's conditions let the repository keep it: what is unknown does not."""
    manifest = opened.items[row.place]
    terms, consents = snapshot.terms(manifest), snapshot.consents(manifest)
    facts = Facts(action=Action.ARCHIVE, item=Uid(row.item_id), handling_class=row.handling_class)
    try:
        found = evaluate(terms=item_terms(snapshot.document, terms, consents), facts=facts)
    except WireError:
        # It names conditions that the snapshot lacks: nobody knows whether it may be kept.
        return False
    return found.decision is Effect.PERMIT


async def _kept_back(
    connection: AsyncConnection,
    shop: Workshop,
    row: SubmissionRow,
    items: Sequence[ItemRow],
    opened: Opened,
) -> None:
    """Hold what may not be kept, each item with what is not known of it."""
    moves, deeds = [], []
    for each in items:
        is_unknown = opened.items[each.place].terms.state is TermsState.UNKNOWN
        reason = ReasonCode.TERMS_UNKNOWN if is_unknown else ReasonCode.CONSENT_UNKNOWN
        moves.append(held_item(each, reason))
        deeds.append(holding(each, reason))
    await move(connection, shop.custodian, row.submission_id, items=moves, deeds=deeds)


async def state_of(
    connection: AsyncConnection, submission: SubmissionId
) -> tuple[SubmissionRow, tuple[ItemRow, ...]]:
    """Give a submission and all of its items."""
    return await the_submission(connection, submission), await items_of(connection, submission)


async def release_of(connection: AsyncConnection, row: SubmissionRow) -> Release:
    """Give the release that is under way. PipelineError: there is none."""
    query = select(RELEASE).where(
        RELEASE.c.submission_id == row.submission_id, RELEASE.c.cycle == row.cycle
    )
    found = (await connection.execute(query)).mappings().first()
    if found is None:
        raise PipelineError("a submission is released and has no release")
    items = await released_items(connection, row.submission_id)
    note = SignedNote.parse(found["checkpoint"], limit_bytes=SIGNATURES_LIMIT_BYTES)
    return Release(
        taken_on=date.fromisoformat(found["taken_on"]),
        snapshot_sha256=Digest(found["snapshot_sha256"]),
        checkpoint=found["checkpoint"],
        size=Checkpoint.from_text(note.text).size,
        items={item: package for item, (cycle, package) in items.items() if cycle == row.cycle},
    )


async def _prepared(
    connection: AsyncConnection,
    shop: Workshop,
    row: SubmissionRow,
    *,
    accepted: Sequence[ItemRow],
    snapshot: Snapshot,
    deeds: Sequence[Deed],
) -> None:
    conditions = Deed(
        type=EventType.POLICY_ASSIGNMENT,
        thing=about(row.submission_id),
        occurrence=row.cycle,
        terms=snapshot.document.digest,
    )
    await move(
        connection,
        shop.custodian,
        row.submission_id,
        to=SubmissionState.RELEASED,
        deeds=[*deeds, conditions],
    )
    # In the same transaction, so that every event of the release is under the checkpoint.
    signed = shop.signers.log.sign(await checkpoint(connection, shop.origin))
    await connection.execute(
        insert(RELEASE).values(
            submission_id=row.submission_id,
            cycle=row.cycle,
            taken_on=snapshot.document.taken_on.isoformat(),
            snapshot_sha256=snapshot.document.digest,
            checkpoint=signed.to_bytes(),
        )
    )
    # An item that the repository refused before lies in its new package from now on.
    ids = [each.item_id for each in accepted]
    for first in range(0, len(ids), LOOKUP_ROWS):
        some = RELEASED_ITEM.c.item_id.in_(ids[first : first + LOOKUP_ROWS])
        await connection.execute(delete(RELEASED_ITEM).where(some))
    await connection.execute(
        insert(RELEASED_ITEM),
        [
            {"item_id": each.item_id, "submission_id": row.submission_id, "cycle": row.cycle}
            for each in accepted
        ],
    )
