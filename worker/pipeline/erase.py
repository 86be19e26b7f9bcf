"""After the packages: read the repository's answers, give receipts, and only then erase.

Nothing is deleted but what the repository acknowledged, signed, in the very bytes that were handed
over (worker/forward.py makes nobody else's word into `Acknowledged`). What was refused is held. A
submission is deleted as a whole: while anything of it is not settled, or lies nowhere else since it
was not kept, all of it stays, sealed. Format: docs/format/26-quarantine.md.
"""

import contextlib
import shutil
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from amana.durable import sync_folder
from amana.wire.acknowledgement import ItemFate
from amana.wire.event import EventType, Outcome, Role, Thing, ThingKind
from amana.wire.ids import SubmissionId, ThingId
from amana.wire.package import RegistrationNumber
from amana.wire.reasons import ReasonCode
from worker.agent_client import CardHolder, ClassHolder
from worker.custody import Deed, ItemMove, about, move
from worker.engine import Progress
from worker.forward import Acknowledged, Outbox, Refused
from worker.package_errors import AnswerError
from worker.pipeline.receipts import make_receipts
from worker.pipeline.release import state_of
from worker.pipeline.rows import (
    ItemRow,
    PackageRow,
    SubmissionRow,
    items_of,
    packages_of,
    released_items,
)
from worker.pipeline.states import UNSETTLED, ItemState, PackageState, SubmissionState
from worker.pipeline.workshop import Workshop
from worker.records.tables import PACKAGE


def collect(shop: Workshop, submission: SubmissionId) -> Progress:
    """Read the answers to packages that wait for one."""
    row, _ = shop.books.read(lambda _: state_of(_, submission))
    if row.state is not SubmissionState.FORWARDED:
        return Progress.DONE
    waiting = shop.books.read(lambda _: packages_of(_, submission, PackageState.SPOOLED))
    outbox = shop.outbox()
    for package in waiting:
        _collect_one(shop, row, package, outbox)
    packages = shop.books.read(lambda _: packages_of(_, submission))
    for package in packages:
        if package.state is PackageState.REFUSED:
            # Left there, a receiver that starts anew would take it after all, under conditions and
            # decisions that no longer hold.
            outbox.withdraw(package.package_id)
    mine = [each.state for each in packages if each.cycle == row.cycle]
    if PackageState.SPOOLED in mine:
        return Progress.AGAIN
    is_refused = PackageState.REFUSED in mine
    shop.books.write(lambda _: _collected(_, shop, row, is_refused=is_refused))
    return Progress.HELD if is_refused else Progress.DONE


def receipt(shop: Workshop, submission: SubmissionId) -> Progress:
    """Tell the provider item by item what became of its material."""
    row, items = shop.books.read(lambda _: state_of(_, submission))
    if row.state is SubmissionState.ACKNOWLEDGED or is_closable(
        row, {each.state for each in items}
    ):
        make_receipts(shop, row, lambda: shop.open_again(row))
    return Progress.DONE


def erase(shop: Workshop, submission: SubmissionId) -> Progress:
    """Delete what the repository has, or go back to the desk with what is left."""
    row, items = shop.books.read(lambda _: state_of(_, submission))
    if is_closable(row, {each.state for each in items}):
        shop.books.write(lambda _: _closed(_, shop, row))
        return Progress.DONE
    if row.state is not SubmissionState.ACKNOWLEDGED:
        return Progress.DONE
    if any(each.state in UNSETTLED for each in items):
        shop.books.write(lambda _: _back(_, shop, row))
        return Progress.DONE
    _clear_outbox(shop, row)
    if any(each.state is ItemState.NOT_KEPT for each in items):
        shop.books.write(lambda _: _closed(_, shop, row))
        return Progress.DONE
    _delete(shop, row, items)
    shop.books.write(lambda _: _erased(_, shop, row))
    return Progress.DONE


def is_closable(row: SubmissionRow, states: AbstractSet[ItemState]) -> bool:
    """Tell whether nothing of it is left to be decided or sent. states: of its items."""
    return row.state is SubmissionState.EXAMINED and states <= {
        ItemState.NOT_KEPT,
        ItemState.ACKNOWLEDGED,
    }


def _collect_one(shop: Workshop, row: SubmissionRow, package: PackageRow, outbox: Outbox) -> None:
    try:
        answer = outbox.answer(package.package_id)
    except AnswerError:
        # Nobody's word that counts: everything stays where it is, and an operator is told.
        return
    if answer is None:
        return
    submission = row.submission_id
    released = shop.books.read(lambda _: released_items(_, submission))
    inside = {item for item, (_, lies_in) in released.items() if lies_in == package.package_id}
    items = shop.books.read(lambda _: items_of(_, submission))
    mine = [each for each in items if each.item_id in inside]
    if isinstance(answer, Refused):
        judged = [(each, False) for each in mine]
    else:
        judged = _judged(answer, mine)
    if judged:
        to = PackageState.REFUSED if isinstance(answer, Refused) else PackageState.ACKNOWLEDGED
        shop.books.write(lambda _: _answered(_, shop, row, package, to=to, judged=judged))


def _judged(answer: Acknowledged, items: Sequence[ItemRow]) -> list[tuple[ItemRow, bool]]:
    """Give each item and whether the repository has it; nothing if it does not speak of all."""
    fates = {each.registration: each.fate for each in answer.word.items}
    numbers = {each.registration for each in items}
    if numbers != fates.keys():
        return []
    return [
        (each, fates[RegistrationNumber(each.registration or "")] is ItemFate.ACCEPTED)
        for each in items
    ]


async def _answered(
    connection: AsyncConnection,
    shop: Workshop,
    row: SubmissionRow,
    package: PackageRow,
    *,
    to: PackageState,
    judged: Sequence[tuple[ItemRow, bool]],
) -> None:
    mine = PACKAGE.c.package_id == package.package_id
    await connection.execute(update(PACKAGE).where(mine).values(state=to.value))
    thing = Thing(kind=ThingKind.PACKAGE, id=ThingId(package.package_id))
    has_it = to is PackageState.ACKNOWLEDGED
    answer = Deed(
        type=EventType.DIGITAL_SIGNATURE_VALIDATION,
        thing=thing,
        others=(about(row.submission_id),),
        outcome=Outcome.SUCCESS if has_it else Outcome.FAIL,
        reason=(ReasonCode.REPOSITORY_ACKNOWLEDGED if has_it else ReasonCode.REPOSITORY_REFUSED),
    )
    refused = {"reason": ReasonCode.REPOSITORY_REFUSED.value}
    moves = [
        ItemMove(item_id=item.item_id, to=ItemState.ACKNOWLEDGED)
        if is_kept
        else ItemMove(item_id=item.item_id, to=ItemState.HELD, values=refused)
        for item, is_kept in judged
    ]
    await move(connection, shop.custodian, row.submission_id, items=moves, deeds=[answer])


async def _collected(
    connection: AsyncConnection, shop: Workshop, row: SubmissionRow, *, is_refused: bool
) -> None:
    reason = ReasonCode.REPOSITORY_REFUSED if is_refused else ReasonCode.REPOSITORY_ACKNOWLEDGED
    deed = Deed(
        type=EventType.QUARANTINE if is_refused else EventType.TRANSFER,
        thing=about(row.submission_id),
        role=Role.QUARANTINE if is_refused else Role.REPOSITORY,
        # A hold is counted by visits, as every other hold of the submission is.
        occurrence=row.visit if is_refused else row.cycle + 1,
        outcome=Outcome.FAIL if is_refused else Outcome.SUCCESS,
        reason=reason,
    )
    await move(
        connection,
        shop.custodian,
        row.submission_id,
        to=SubmissionState.HELD if is_refused else SubmissionState.ACKNOWLEDGED,
        values={"reason": reason.value if is_refused else None},
        deeds=[deed],
    )


async def _back(connection: AsyncConnection, shop: Workshop, row: SubmissionRow) -> None:
    values = {"cycle": row.cycle + 1}
    to = SubmissionState.EXAMINED
    await move(connection, shop.custodian, row.submission_id, to=to, values=values)


async def _closed(connection: AsyncConnection, shop: Workshop, row: SubmissionRow) -> None:
    deed = Deed(type=EventType.DEACCESSION, thing=about(row.submission_id), occurrence=row.cycle)
    to = SubmissionState.CLOSED
    await move(connection, shop.custodian, row.submission_id, to=to, deeds=[deed])


async def _erased(connection: AsyncConnection, shop: Workshop, row: SubmissionRow) -> None:
    deed = Deed(
        type=EventType.DELETION,
        thing=about(row.submission_id),
        reason=ReasonCode.REPOSITORY_ACKNOWLEDGED,
    )
    to = SubmissionState.ERASED
    await move(connection, shop.custodian, row.submission_id, to=to, deeds=[deed])


def _clear_outbox(shop: Workshop, row: SubmissionRow) -> None:
    outbox = shop.outbox()
    packages = shop.books.read(
        lambda _: packages_of(_, row.submission_id, PackageState.ACKNOWLEDGED)
    )
    for package in packages:
        try:
            outbox.sealed(package.package_id)
        except AnswerError:
            # A kill came while it was cleared: our note is gone, other parts may not be.
            outbox.withdraw(package.package_id)
            continue
        # An answer that was swapped since it was read is nobody's word: the package stays.
        with contextlib.suppress(AnswerError):
            answer = outbox.answer(package.package_id)
            if isinstance(answer, Acknowledged):
                outbox.clear(answer)


def _delete(shop: Workshop, row: SubmissionRow, items: Sequence[ItemRow]) -> None:
    """Delete a submission's copy. Whatever is gone already is gone."""
    # Keys first: what a crash leaves of the files opens for nobody.
    classes = {each.handling_class for each in items if each.handling_class is not None}
    for handling_class in sorted(classes):
        shop.keys.destroy(ClassHolder(submission=row.submission_id, handling_class=handling_class))
    if row.is_one_time:
        shop.keys.destroy(CardHolder(card=row.card))
    for folder in (shop.places.bundle(row.submission_id), shop.places.reports / row.submission_id):
        shutil.rmtree(folder, ignore_errors=True)
        sync_folder(folder.parent)
