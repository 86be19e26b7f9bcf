"""Make the packages of a release and hand them over: the same ones, however often it is begun.

Everything comes from the books and from sealed files; no clock is asked. A package that is handed
over is written down with its items, and what is written down is not made again. Format:
docs/format/26-quarantine.md.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from amana.wire.errors import WireError
from amana.wire.event import EventType, Thing, ThingKind
from amana.wire.ids import Digest, ItemId, SubmissionId, ThingId
from amana.wire.manifest import ItemManifest
from amana.wire.package import CustodyLine, ScanVerdict, SealedPackage
from amana.wire.reasons import ReasonCode
from worker.contents import SubmissionContents
from worker.custody import Deed, ItemMove, about, move, witness
from worker.engine import Progress
from worker.errors import PipelineError
from worker.opening import Held, Opened
from worker.package_plan import AcceptedItem, Dossier, PackagePlan, plan_packages
from worker.pipeline.examine import hold
from worker.pipeline.release import Release, release_of, state_of
from worker.pipeline.rows import ItemRow, SubmissionRow, custody_lines
from worker.pipeline.states import ItemState, PackageState, SubmissionState
from worker.pipeline.workshop import Workshop, read_sealed
from worker.records.tables import PACKAGE, RELEASED_ITEM
from worker.scan_report import ScanReport
from worker.snapshots import Snapshot, take_snapshot
from worker.verdict import Verdict

VERDICTS: Final[Mapping[Verdict, ScanVerdict]] = {
    Verdict.CLEAN: ScanVerdict.CLEAN,
    Verdict.SCANNED_IN_WINDOWS: ScanVerdict.NOT_SCANNED,
    Verdict.NOT_SCANNED: ScanVerdict.NOT_SCANNED,
    Verdict.FLAGGED: ScanVerdict.FLAGGED,
    Verdict.INFECTED: ScanVerdict.FLAGGED,
}
"""What a package says of each verdict. In windows is less than clean, and clean is one word."""

Lines = Sequence[tuple[ItemId | None, CustodyLine]]


def pack(shop: Workshop, submission: SubmissionId) -> Progress:
    """Make the packages that are not made yet, and hand them over."""
    row, items = shop.books.read(lambda _: state_of(_, submission))
    if row.state is not SubmissionState.RELEASED:
        return Progress.DONE
    release = shop.books.read(lambda _: release_of(_, row))
    opened = shop.open_again(row)
    snapshot = take_snapshot(opened, shop.agreements, release.taken_on, received_on=row.fetched_on)
    if isinstance(snapshot, Held) or snapshot.document.digest != release.snapshot_sha256:
        # Conditions were changed in between: nothing leaves under those of before.
        hold(shop, row, ReasonCode.CONDITIONS_TIGHTENED)
        return Progress.HELD
    making = _Making(shop=shop, row=row, opened=opened, snapshot=snapshot, release=release)
    accepted = [each for each in items if each.item_id in release.items]
    making.make(accepted)
    shop.books.write(lambda _: _forwarded(_, shop, row, accepted))
    return Progress.DONE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Making:
    """The packages of one release."""

    shop: Workshop
    row: SubmissionRow
    opened: Opened
    snapshot: Snapshot
    release: Release

    def make(self, accepted: Sequence[ItemRow]) -> None:
        submission = self.row.submission_id
        lines = self.shop.books.read(lambda _: custody_lines(_, submission, self.release.size))
        folder = self.shop.places.bundle(submission)
        contents = SubmissionContents(folder, self.opened, self.shop.keys)
        outbox = self.shop.outbox()
        outbox.sweep()
        plans = plan_packages(self._dossier(lines), self._accepted(accepted, lines))
        for plan in plans:
            if any(self.release.items[each.manifest.item_id] is None for each in plan.items):
                sealed = outbox.put(plan, contents)
                self.shop.books.write(partial(_packed, self.shop, self.row, plan, sealed))

    def _dossier(self, lines: Lines) -> Dossier:
        arrival = self.opened.arrival
        came = () if arrival is None else (CustodyLine(event=arrival, index=None, hashes=()),)
        return Dossier(
            snapshot=self.snapshot.document,
            note=self.opened.note_bytes,
            submission=self.opened.submission,
            leaves=self.opened.leaves,
            custody=(*came, *(line for item, line in lines if item is None)),
            checkpoint=self.release.checkpoint,
        )

    def _accepted(self, rows: Iterable[ItemRow], lines: Lines) -> Iterator[AcceptedItem]:
        histories: dict[ItemId, list[CustodyLine]] = {}
        for item, line in lines:
            if item is not None:
                histories.setdefault(item, []).append(line)
        for row in rows:
            manifest = self.opened.items[row.place]
            if manifest.item_id != row.item_id or row.registration is None:
                raise PipelineError("an item is not the one of its place")
            if row.handling_class is None or row.verdict is None:
                raise PipelineError("an item was accepted without a class or a verdict")
            yield AcceptedItem(
                registration=row.registration,
                place=row.place,
                manifest=manifest,
                handling_class=row.handling_class,
                snapshot=self.snapshot.document.digest,
                terms=self.snapshot.terms(manifest),
                consents=self.snapshot.consents(manifest),
                detected_type=None if row.is_bare else row.media_type,
                verdict=VERDICTS[row.verdict],
                scan=None if manifest.content is None else self._report(row, manifest),
                custody=tuple(histories[row.item_id]),
            )

    def _report(self, row: ItemRow, manifest: ItemManifest) -> bytes:
        """Give the report of an item. PipelineError: what lies there is another one.

        Anybody who can write into the folder can seal to a card: what it says must be what the
        books have.
        """
        path = self.shop.places.report(row.submission_id, row.item_id)
        limit = ScanReport.LIMIT_BYTES
        holder = self.opened.holder
        kept = read_sealed(path, self.shop.keys, row.submission_id, holder, limit)
        try:
            report = ScanReport.from_bytes(kept)
        except WireError as failure:
            raise PipelineError("a scan report is malformed") from failure
        said = (report.item_id, report.verdict, report.media_type)
        content = None if manifest.content is None else manifest.content.sha256
        if said != (row.item_id, row.verdict, row.media_type) or report.content_sha256 != content:
            raise PipelineError("a scan report is not the one of its item")
        return kept


async def _packed(
    shop: Workshop,
    row: SubmissionRow,
    plan: PackagePlan,
    sealed: SealedPackage,
    connection: AsyncConnection,
) -> None:
    """Write down a package that was handed over. Done again, it changes nothing."""
    mine = PACKAGE.c.package_id == sealed.package_id
    if await connection.scalar(select(PACKAGE.c.state).where(mine)) is not None:
        return
    await connection.execute(
        insert(PACKAGE).values(
            package_id=sealed.package_id,
            submission_id=row.submission_id,
            cycle=row.cycle,
            state=PackageState.SPOOLED.value,
            sealed_sha256=sealed.sealed_sha256,
            made_on=sealed.made_on.isoformat(),
        )
    )
    await connection.execute(
        update(RELEASED_ITEM)
        .where(RELEASED_ITEM.c.item_id == bindparam("which"))
        .values(package_id=sealed.package_id),
        [{"which": each.manifest.item_id} for each in plan.items],
    )
    handed_over = Deed(
        type=EventType.DISSEMINATION,
        thing=Thing(kind=ThingKind.PACKAGE, id=ThingId(sealed.package_id)),
        others=(about(row.submission_id),),
        digest_after=Digest(sealed.sealed_sha256),
        terms=plan.dossier.snapshot.digest,
    )
    await witness(connection, shop.custodian, row.submission_id, [handed_over])


async def _forwarded(
    connection: AsyncConnection, shop: Workshop, row: SubmissionRow, items: Sequence[ItemRow]
) -> None:
    made = Deed(
        type=EventType.INFORMATION_PACKAGE_CREATION,
        thing=about(row.submission_id),
        occurrence=row.cycle,
    )
    await move(
        connection,
        shop.custodian,
        row.submission_id,
        to=SubmissionState.FORWARDED,
        items=[ItemMove(item_id=each.item_id, to=ItemState.PACKAGED) for each in items],
        deeds=[made],
    )
