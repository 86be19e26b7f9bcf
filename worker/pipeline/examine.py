"""Examine a submission: open it, scan its items, write down what was found.

What does not agree is held with its reason; what cannot be done now is done later; nothing is
passed unseen and nothing is dropped. An infected item stays as it is, sealed and flagged. Progress
inside a long step is rows, so a step that is run again goes on where it was.
Format: docs/format/26-quarantine.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from amana.wire.errors import WireError
from amana.wire.event import EventType, Outcome, Role, Thing, ThingKind
from amana.wire.ids import ItemId, SubmissionId, ThingId
from amana.wire.reasons import ReasonCode
from crypto.errors import CryptoError
from crypto.recipients import HybridRecipient
from worker import canary
from worker.contents import SubmissionContents
from worker.custody import Deed, ItemMove, about, about_item, move
from worker.engine import Progress
from worker.errors import (
    HeaderRefusedError,
    KeyDestroyedError,
    KeysUnavailableError,
    MismatchError,
    RetryError,
    RetryReason,
)
from worker.inspector import Again, Examined, Item, Mismatched
from worker.inspector import Outcome as ScanOutcome
from worker.opening import Held, Opened
from worker.pipeline.claims import claim, is_anothers
from worker.pipeline.rows import BARE_TYPES, ItemRow, SubmissionRow, items_of, the_submission
from worker.pipeline.states import ItemState, SubmissionState
from worker.pipeline.workshop import MOST_TRIES, Workshop, write_sealed
from worker.records.tables import ITEM
from worker.scan_report import ScanReport
from worker.snapshots import Snapshot, take_snapshot
from worker.verdict import Verdict

ROUND_ITEMS: Final = 64
"""Most items of one round. Ours: after a crash no more than these are scanned twice."""

ITS_OWN: Final = frozenset(
    {
        RetryReason.SCANNER_UNREACHABLE,
        RetryReason.SCANNER_SILENT,
        RetryReason.SCANNER_TIMEOUT,
        RetryReason.SCANNER_FAULT,
        RetryReason.BYTES_MISCOUNTED,
        RetryReason.SANDBOX_UNAVAILABLE,
        RetryReason.MEMORY_SHORT,
    }
)
"""Reasons that can be an item's own doing where the scanner was itself just before. Such an item is
tried alone from then on, MOST_TRIES times, and then held; all other reasons are never counted."""


def examine(shop: Workshop, submission: SubmissionId) -> Progress:
    """Do what is left to be examined. KeysUnavailableError passes through: it is done later."""
    row, found = shop.books.read(lambda connection: _state(connection, submission))
    is_due = row.state is SubmissionState.EXAMINED and found
    if row.state is not SubmissionState.FETCHED and not is_due:
        return Progress.DONE
    opened = shop.open(row)
    if isinstance(opened, Held):
        hold(shop, row, opened.reason)
        return Progress.HELD
    terms = take_snapshot(opened, shop.agreements, shop.custodian.today, received_on=row.fetched_on)
    if isinstance(terms, Held):
        hold(shop, row, terms.reason)
        return Progress.HELD
    if not shop.books.write(lambda connection: _enter(connection, shop, row, opened)):
        hold(shop, row, ReasonCode.OBJECT_OF_ANOTHER_SUBMISSION)
        return Progress.HELD
    if not _Rounds(shop, row, opened, terms).finish():
        return Progress.AGAIN
    shop.books.write(lambda connection: _examined(connection, shop, row, opened))
    return Progress.DONE


def hold(shop: Workshop, row: SubmissionRow, reason: ReasonCode) -> None:
    """Hold a whole submission: nothing goes on, nothing is lost, no receipt is given."""
    deed = Deed(
        type=EventType.QUARANTINE,
        thing=about(row.submission_id),
        occurrence=row.visit,
        outcome=Outcome.FAIL,
        reason=reason,
    )

    async def held(connection: AsyncConnection) -> None:
        await move(
            connection,
            shop.custodian,
            row.submission_id,
            to=SubmissionState.HELD,
            values={"reason": reason.value},
            deeds=[deed],
        )

    shop.books.write(held)


async def _state(
    connection: AsyncConnection, submission: SubmissionId
) -> tuple[SubmissionRow, tuple[ItemRow, ...]]:
    row = await the_submission(connection, submission)
    return row, await items_of(connection, submission, ItemState.FOUND)


async def _enter(
    connection: AsyncConnection, shop: Workshop, row: SubmissionRow, opened: Opened
) -> bool:
    """Write down the items, once, and that the submission was opened, once for each visit.

    False, and nothing is written: something of it is another submission's.
    """
    if await is_anothers(connection, opened):
        return False
    known = {each.item_id for each in await items_of(connection, row.submission_id)}
    fresh = [
        {
            "item_id": item.item_id,
            "submission_id": row.submission_id,
            "place": place,
            "state": ItemState.FOUND.value,
            "visit": 0,
            "tries": 0,
        }
        for place, item in enumerate(opened.items)
        if item.item_id not in known
    ]
    if fresh:
        await connection.execute(insert(ITEM), fresh)
    deed = Deed(
        type=EventType.DECRYPTION,
        thing=about(row.submission_id),
        others=(Thing(kind=ThingKind.CARD, id=ThingId(row.card)),),
        occurrence=row.visit,
    )
    values = {"reply": None if opened.reply is None else opened.reply.recipient}
    await move(connection, shop.custodian, row.submission_id, values=values, deeds=[deed])
    return True


async def _examined(
    connection: AsyncConnection, shop: Workshop, row: SubmissionRow, opened: Opened
) -> None:
    items = await items_of(connection, row.submission_id)
    await claim(connection, opened, {each.item_id for each in items if each.verdict is not None})
    deed = Deed(type=EventType.INGESTION_END, thing=about(row.submission_id), occurrence=row.visit)
    if row.state is SubmissionState.FETCHED:
        await move(
            connection,
            shop.custodian,
            row.submission_id,
            to=SubmissionState.EXAMINED,
            values={"reason": None},
            deeds=[deed],
        )


@dataclass(frozen=True, slots=True)
class _Rounds:
    """The rounds over what has no verdict yet."""

    shop: Workshop
    row: SubmissionRow
    opened: Opened
    terms: Snapshot

    def finish(self) -> bool:
        """Examine everything; False if something is to be examined again later."""
        submission = self.row.submission_id
        found = self.shop.books.read(lambda _: items_of(_, submission, ItemState.FOUND))
        by_id = {each.item_id: each for each in self.opened.items}
        self._pass_bare([each for each in found if by_id[each.item_id].content is None])
        contents = SubmissionContents(
            self.shop.places.bundle(submission), self.opened, self.shop.keys
        )
        items = {each.item_id: each for each in contents.items()}
        files = [each for each in found if each.item_id in items]
        fresh = [each for each in files if each.tries == 0]
        rounds = [fresh[at : at + ROUND_ITEMS] for at in range(0, len(fresh), ROUND_ITEMS)]
        # Whoever broke a round once is examined alone: it takes no other with it.
        rounds += [[each] for each in files if each.tries]
        return self._all(rounds, items)

    def _all(self, rounds: Sequence[Sequence[ItemRow]], items: dict[ItemId, Item]) -> bool:
        # A list: every round happens, whatever came of the one before.
        done = [self._round(each, items) for each in rounds]
        return all(done)

    def _pass_bare(self, rows: Sequence[ItemRow]) -> None:
        """Folders and links have no bytes: there is nothing to scan, but conditions they have."""
        moves: list[ItemMove] = []
        deeds: list[Deed] = []
        for row in rows:
            item = self.opened.items[row.place]
            reason = self.terms.held(item)
            if reason is not None:
                moves.append(held_item(row, reason))
                deeds.append(holding(row, reason))
                continue
            values = {
                "verdict": Verdict.NOT_SCANNED.value,
                "media_type": BARE_TYPES[item.kind],
                "reason": None,
            }
            moves.append(ItemMove(item_id=row.item_id, to=ItemState.WAITING, values=values))
        self._move(moves, deeds)

    def _round(self, rows: Sequence[ItemRow], items: dict[ItemId, Item]) -> bool:
        try:
            if not canary.is_right(self.shop.scanner):
                return False
        except RetryError:
            return False
        try:
            outcomes = self.shop.inspector.examine([items[each.item_id] for each in rows])
        except KeysUnavailableError:
            raise
        except KeyDestroyedError:
            self._hold(rows, ReasonCode.KEY_DESTROYED)
            return True
        except (CryptoError, HeaderRefusedError, MismatchError, WireError):
            if len(rows) == 1:
                self._hold(rows, ReasonCode.OBJECT_MALFORMED)
                return True
            # One of them is at fault; alone, each answers for itself.
            return self._all([[each] for each in rows], items)
        return self._write_down(rows, outcomes)

    def _write_down(self, rows: Sequence[ItemRow], outcomes: Sequence[ScanOutcome]) -> bool:
        recipient = self.shop.intake_recipient(self.row.account, self.row.card)
        moves: list[ItemMove] = []
        deeds: list[Deed] = []
        is_done = True
        for row, outcome in zip(rows, outcomes, strict=True):
            match outcome:
                case Examined(report=report):
                    self._keep(report, recipient)
                    reason = self.terms.held(self.opened.items[row.place])
                    moves.append(
                        _verdict_on(row, report) if reason is None else held_item(row, reason)
                    )
                    deeds.append(_scanned(row, report))
                    deeds += [] if reason is None else [holding(row, reason)]
                case Mismatched():
                    moves.append(held_item(row, ReasonCode.OBJECT_DISAGREES))
                    deeds.append(holding(row, ReasonCode.OBJECT_DISAGREES))
                case Again(reason=fault):
                    is_done = self._again(row, fault, moves, deeds) and is_done
                case _:
                    assert_never(outcome)
        self._move(moves, deeds)
        return is_done

    def _again(
        self, row: ItemRow, reason: RetryReason, moves: list[ItemMove], deeds: list[Deed]
    ) -> bool:
        if reason not in ITS_OWN:
            return False
        tries = row.tries + 1
        if tries >= MOST_TRIES:
            moves.append(held_item(row, ReasonCode.NOT_SCANNED_LIMITS))
            deeds.append(holding(row, ReasonCode.NOT_SCANNED_LIMITS))
            return True
        moves.append(ItemMove(item_id=row.item_id, to=row.state, values={"tries": tries}))
        return False

    def _hold(self, rows: Sequence[ItemRow], reason: ReasonCode) -> None:
        self._move([held_item(row, reason) for row in rows], [holding(row, reason) for row in rows])

    def _keep(self, report: ScanReport, recipient: HybridRecipient) -> None:
        path = self.shop.places.report(self.row.submission_id, report.item_id)
        write_sealed(path, report.to_bytes(), recipient)

    def _move(self, moves: Sequence[ItemMove], deeds: Sequence[Deed]) -> None:
        async def moved(connection: AsyncConnection) -> None:
            submission = self.row.submission_id
            await move(connection, self.shop.custodian, submission, items=moves, deeds=deeds)

        if moves:
            self.shop.books.write(moved)


def _verdict_on(row: ItemRow, report: ScanReport) -> ItemMove:
    return ItemMove(
        item_id=row.item_id,
        to=ItemState.WAITING,
        values={
            "verdict": report.verdict.value,
            "media_type": report.media_type,
            "reason": None,
        },
    )


def _scanned(row: ItemRow, report: ScanReport) -> Deed:
    is_found = report.verdict in {Verdict.INFECTED, Verdict.FLAGGED}
    is_partial = report.verdict in {Verdict.NOT_SCANNED, Verdict.SCANNED_IN_WINDOWS}
    return Deed(
        type=EventType.VIRUS_CHECK,
        thing=about_item(row.item_id),
        role=Role.SCANNER,
        item=row.item_id,
        occurrence=row.visit,
        outcome=Outcome.PARTIAL if is_partial else Outcome.FAIL if is_found else Outcome.SUCCESS,
        reason=ReasonCode.FLAGGED if is_found else None,
    )


def held_item(row: ItemRow, reason: ReasonCode) -> ItemMove:
    """Give the move by which an item is held; whatever verdict it had counts no more."""
    return ItemMove(
        item_id=row.item_id,
        to=ItemState.HELD,
        values={"reason": reason.value, "verdict": None},
    )


def holding(row: ItemRow, reason: ReasonCode) -> Deed:
    """Give what is said of an item that is held."""
    return Deed(
        type=EventType.QUARANTINE,
        thing=about_item(row.item_id),
        item=row.item_id,
        occurrence=row.visit,
        outcome=Outcome.FAIL,
        reason=reason,
    )
