"""What goes into which package, decided before a byte is read.

A package is one submission's items under one set of conditions and in one handling class, up to a
size. None of these types can be made without a terms snapshot and a consent state; nothing here
opens, reads or writes anything. Format: docs/format/20-package.md sections 5 and 6.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from itertools import groupby
from typing import Final

from amana.wire.agree import note_mismatches
from amana.wire.errors import WireError
from amana.wire.event import CustodyEvent
from amana.wire.ids import Digest
from amana.wire.item_terms import item_terms, leaves_out
from amana.wire.manifest import ItemManifest
from amana.wire.note import PackageNote
from amana.wire.package import (
    ITEMS_LIMIT,
    CustodyLine,
    PackagedItem,
    PackageRecord,
    RegistrationNumber,
    ScanVerdict,
)
from amana.wire.package_paths import SCAN_LIMIT_BYTES, object_path
from amana.wire.references import ConsentReference, TermsReference
from amana.wire.signers import SIGNATURES_LIMIT_BYTES
from amana.wire.snapshot import TermsSnapshot
from amana.wire.submission import SubmissionManifest
from amana.wire.words import MediaType
from crypto import merkle
from crypto.errors import NoteError
from crypto.merkle import TreeHash
from crypto.note import SignedNote
from terms.vocabulary import HandlingClass
from worker.package_errors import PlanError

MOST_BYTES: Final = 64 << 30
"""Content after which a new package is begun, 64 GiB. Ours: it verifies within some minutes, and a
broken transfer repeats no more. One larger item has a package of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedItem:
    """One item that officers accepted: its number, its conditions, and what was found out.

    place: its leaf below the note's items_root. snapshot: the terms snapshot that it was accepted
    under. custody: what happened to it, oldest first. PlanError: no consent state, no custody, or
    an inspection that is not there.
    """

    registration: RegistrationNumber
    place: int
    manifest: ItemManifest
    handling_class: HandlingClass
    snapshot: Digest
    terms: TermsReference
    consents: tuple[ConsentReference, ...]
    detected_type: MediaType | None
    verdict: ScanVerdict
    scan: bytes | None
    custody: tuple[CustodyLine, ...]

    def __post_init__(self) -> None:
        if not self.consents:
            raise PlanError("an item says nothing of anybody's consent")
        if not self.custody:
            raise PlanError("an item has no custody event")
        if self.scan is None and self.verdict is not ScanVerdict.NOT_SCANNED:
            raise PlanError("an item has a verdict and no scan report")
        if self.scan is not None and len(self.scan) > SCAN_LIMIT_BYTES:
            raise PlanError("a scan report is too long")

    @property
    def size(self) -> int:
        """Bytes of content."""
        return 0 if self.manifest.content is None else self.manifest.content.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """What all packages of one submission carry: conditions, the provider's documents, custody.

    snapshot: with every person's consent record in it. note: the signed package note as it came.
    leaves: of all item manifests of the submission, in order. checkpoint: the log's signed note
    under the custody lines' proofs, where there is one. PlanError: note, submission, leaves and
    snapshot do not agree.
    """

    snapshot: TermsSnapshot
    note: bytes
    submission: SubmissionManifest
    leaves: tuple[TreeHash, ...]
    custody: tuple[CustodyLine, ...]
    checkpoint: bytes | None

    def __post_init__(self) -> None:
        if self.snapshot.submission_id != self.submission.submission_id:
            raise PlanError("the terms snapshot is another submission's")
        if self.snapshot.deployment is not self.submission.deployment:
            raise PlanError("the terms snapshot is of another deployment")
        if note_mismatches(self.stated, self.submission):
            raise PlanError("note and submission manifest disagree")
        if merkle.root(self.leaves).hex() != self.submission.items_root:
            raise PlanError("the leaves are not those of the submission")

    @property
    def stated(self) -> PackageNote:
        """The provider's note. Its signature was verified when the submission came in."""
        limit = PackageNote.LIMIT_BYTES + SIGNATURES_LIMIT_BYTES
        try:
            note = SignedNote.parse(self.note, limit_bytes=limit)
            return PackageNote.from_bytes(note.text.encode())
        except (NoteError, WireError) as failure:
            raise PlanError("the provider's note is malformed") from failure


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagePlan:
    """One package: a dossier and the items that go with it, in the order of their places.

    PlanError: no item or too many, items of two classes or conditions, an item of another
    submission, snapshot or place, one whose conditions the snapshot lacks, or a number twice.
    """

    dossier: Dossier
    items: tuple[AcceptedItem, ...]

    def __post_init__(self) -> None:
        if not 0 < len(self.items) <= ITEMS_LIMIT:
            raise PlanError("a package has no item, or too many")
        if len({_group(item) for item in self.items}) != 1:
            raise PlanError("a package has items of two classes or conditions")
        if len({item.registration for item in self.items}) != len(self.items):
            raise PlanError("two items have one registration number")
        if len({item.place for item in self.items}) != len(self.items):
            raise PlanError("one item stands twice")
        for item in self.items:
            self._require_agrees(item)
        if self.dossier.checkpoint is None and any(
            line.index is not None for line in self.custody()
        ):
            raise PlanError("a custody event has a proof and no checkpoint")

    def _require_agrees(self, item: AcceptedItem) -> None:
        dossier = self.dossier
        if item.snapshot != dossier.snapshot.digest:
            raise PlanError("an item was accepted under another terms snapshot")
        if not 0 <= item.place < len(dossier.leaves):
            raise PlanError("an item has no place in its submission")
        if item.manifest.leaf != dossier.leaves[item.place]:
            raise PlanError("an item manifest is not the one of its place")
        if leaves_out(item.manifest.consents, item.consents):
            raise PlanError("a person whom the provider named is left out")
        try:
            item_terms(dossier.snapshot, item.terms, item.consents)
        except WireError as failure:
            raise PlanError("the snapshot lacks conditions that an item names") from failure

    @property
    def made_at(self) -> datetime:
        """The time of the latest custody event, in UTC; midnight where only the day is known."""
        return max(_moment(line.event) for line in self.custody())

    @property
    def record(self) -> PackageRecord:
        """What the package says that it is."""
        first = self.items[0]
        return PackageRecord(
            deployment=self.dossier.snapshot.deployment,
            submission_id=self.dossier.submission.submission_id,
            note_sha256=self.dossier.stated.digest,
            snapshot_sha256=self.dossier.snapshot.digest,
            terms=first.terms,
            handling_class=first.handling_class,
            items=len(self.items),
            made_on=self.made_at.date(),
        )

    def custody(self) -> Iterator[CustodyLine]:
        """Yield every custody event once: the submission's, then the items'."""
        seen = set()
        for line in (*self.dossier.custody, *(_ for item in self.items for _ in item.custody)):
            if line.event.event_id not in seen:
                seen.add(line.event.event_id)
                yield line

    def scans(self) -> tuple[bytes, ...]:
        """Give every scan report once, in the order of the items; one may speak of many."""
        return tuple(dict.fromkeys(item.scan for item in self.items if item.scan is not None))

    def listed(self) -> Iterator["ListedItem"]:
        """Yield each item with what the package says of it, in the package's order."""
        number = 0
        for item in self.items:
            line = item.manifest.to_bytes()
            number += item.manifest.content is not None
            packaged = PackagedItem(
                registration=item.registration,
                item_id=item.manifest.item_id,
                place=item.place,
                manifest_sha256=_sha256(line),
                path=None if item.manifest.content is None else object_path(number),
                terms=item.terms,
                consents=item.consents,
                handling_class=item.handling_class,
                detected_type=item.detected_type,
                verdict=item.verdict,
                scan_sha256=None if item.scan is None else _sha256(item.scan),
            )
            yield ListedItem(accepted=item, packaged=packaged, manifest_line=line)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedItem:
    """An item, what its package says of it, and its manifest byte for byte."""

    accepted: AcceptedItem
    packaged: PackagedItem
    manifest_line: bytes


def plan_packages(
    dossier: Dossier, items: Iterable[AcceptedItem], *, most_bytes: int = MOST_BYTES
) -> tuple[PackagePlan, ...]:
    """Split accepted items into packages: by agreement, by handling class, by size and count.

    The result follows from the items alone, whatever their order. PlanError: as PackagePlan.
    """
    ordered = sorted(items, key=lambda item: (_group(item), item.place))
    return tuple(
        PackagePlan(dossier=dossier, items=part)
        for _, group in groupby(ordered, key=_group)
        for part in _parts(list(group), most_bytes)
    )


def _parts(items: Sequence[AcceptedItem], most_bytes: int) -> Iterator[tuple[AcceptedItem, ...]]:
    part: list[AcceptedItem] = []
    total = 0
    for item in items:
        if part and (total + item.size > most_bytes or len(part) == ITEMS_LIMIT):
            yield tuple(part)
            part, total = [], 0
        part.append(item)
        total += item.size
    yield tuple(part)


def _group(item: AcceptedItem) -> tuple[str, str, int, str, str]:
    named = item.terms.named
    name = ("", 0, "") if named is None else (named.uid, named.version, named.digest)
    return (item.terms.state, *name, item.handling_class)


def _moment(event: CustodyEvent) -> datetime:
    return event.at or datetime.combine(event.on, time(), UTC)


def _sha256(content: bytes) -> Digest:
    return Digest(hashlib.sha256(content).hexdigest())
