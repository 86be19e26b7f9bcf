"""Seal a tree into a bundle: objects, item manifests, submission manifest, note, in this order.

Every document is complete before the next one names it, and the note comes last, so a run that
breaks off leaves a folder that nobody can take for a bundle. Nothing of the provider's is written
in clear, and no file key outlives its object. Formats: docs/format/07-manifests.md, 08, 16, 17.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from amana.wire import pack
from amana.wire.ids import (
    AccountId,
    CardId,
    Digest,
    ObjectId,
    SubmissionId,
    derive_submission_id,
    random_id,
    random_nonce,
    random_salt,
)
from amana.wire.manifest import UNDESCRIBED, Content, ItemManifest
from amana.wire.manifest_lines import items_root, write_lines
from amana.wire.names import FileTimes, RawName, file_time
from amana.wire.note import Attestation, PackageNote
from amana.wire.provenance import UNKNOWN_PROVENANCE
from amana.wire.sealed import ContentObject, ObjectKind, RecordObject, SealedObject
from amana.wire.submission import ReplyKeys, SubmissionManifest
from amana.wire.vocabulary import Deployment, SealedBy
from amana.wire.words import VersionText
from client.bundle import BundleWriter, Progress, SealedFile
from client.conditions import NOTHING_KNOWN, Conditions, SideDocument
from client.errors import KeysError, TreeError
from client.plan import MOST_OBJECTS, Plan, PlannedItem, PlannedObject
from client.reading import Hasher, read_unchanged
from crypto.padding import Kind
from crypto.recipients import HybridRecipient
from crypto.seal import Sealer, seal
from crypto.sign import NoteSigner

KINDS: Final = {ObjectKind.RAW: Kind.RAW, ObjectKind.PACK: Kind.PACK}


@dataclass(frozen=True, slots=True, kw_only=True)
class Commission:
    """For whom, under what and by whom a tree is sealed. KeysError: by another account's member."""

    account: AccountId
    card: CardId
    recipient: HybridRecipient
    deployment: Deployment
    reply: ReplyKeys
    signer: NoteSigner
    client_version: VersionText
    conditions: Conditions = NOTHING_KNOWN

    def __post_init__(self) -> None:
        # Nobody would believe the note, and that would show only after everything was sealed.
        if not self.signer.key.name.startswith(f"{self.account}/"):
            raise KeysError("keys-of-another-account")


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedTree:
    """What a finished bundle holds, for the person who made it."""

    note: PackageNote
    items: int
    content_bytes: int

    @property
    def sealed_bytes(self) -> int:
        """All that will travel, but for the note."""
        return sum(each.sealed_size for each in self.note.everything())


def seal_tree(plan: Plan, commission: Commission, folder: Path, progress: Progress) -> SealedTree:
    """Seal everything planned into a new bundle.

    ChangedError: a file is not as it was listed; then there is no note. BundleError: the folder is
    in use. TreeError: with its documents it is too much for one submission. OSError: the disk is
    full or fails.
    """
    conditions = commission.conditions
    if len(plan.objects) + len(conditions.documents) > MOST_OBJECTS:
        raise TreeError("too-many-objects", count=len(plan.objects), most=MOST_OBJECTS)
    writer = BundleWriter(folder)
    nonce = random_nonce()
    submission_id = derive_submission_id(nonce, commission.account, commission.card)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="hash") as executor:
        work = _Sealing(writer, commission, submission_id, executor, progress)
        objects = tuple(work.seal_object(each) for each in plan.objects)
        lines = [*work.lines, *(work.bare_line(item) for item in plan.bare)]
    root = Digest(items_root(lines).hex())
    manifests = _seal_record(writer, commission, write_lines(lines))
    records = tuple(_seal_document(writer, commission, each) for each in conditions.documents)
    submission = SubmissionManifest(
        submission_id=submission_id,
        client_nonce=nonce,
        account=commission.account,
        card=commission.card,
        deployment=commission.deployment,
        terms=conditions.terms,
        batch_terms=(),
        handling_class=conditions.handling_class,
        transfer_id=None,
        consignment_id=None,
        corrects=None,
        reply=commission.reply,
        erasable=True,
        sealed_by=SealedBy.CLIENT,
        client_version=commission.client_version,
        items=len(lines),
        items_root=root,
        objects=objects,
        item_manifests=(manifests,),
        records=records,
    )
    note = PackageNote(
        submission_id=submission_id,
        account=commission.account,
        card=commission.card,
        deployment=commission.deployment,
        attestation=Attestation.SIGNED,
        received_on=None,
        items_root=root,
        submission_manifest=_seal_record(writer, commission, iter([submission.to_bytes()])),
        item_manifests=(manifests,),
        records=tuple(each.outside for each in records),
        objects=tuple(each.outside for each in objects),
    )
    writer.finish(commission.signer.sign(note.to_bytes().decode()).to_bytes())
    return SealedTree(note=note, items=len(lines), content_bytes=plan.content_bytes)


def _seal_record(
    writer: BundleWriter, commission: Commission, content: Iterator[bytes]
) -> SealedObject:
    with writer.new_object(random_id(ObjectId)) as target:
        for piece in seal(content, commission.recipient, Kind.RECORD):
            target.write(piece)
        return target.describe()


def _seal_document(
    writer: BundleWriter, commission: Commission, document: SideDocument
) -> RecordObject:
    outside = _seal_record(writer, commission, iter([document.content]))
    return RecordObject(
        object_id=outside.object_id,
        sealed_size=outside.sealed_size,
        sealed_sha256=outside.sealed_sha256,
        kind=document.kind,
        consent_id=document.consent_id,
        sha256=document.sha256,
    )


class _Sealing:
    """The objects of one submission on their way, and the manifest lines they yield."""

    def __init__(
        self,
        writer: BundleWriter,
        commission: Commission,
        submission_id: SubmissionId,
        executor: ThreadPoolExecutor,
        progress: Progress,
    ) -> None:
        self._writer = writer
        self._commission = commission
        self._submission_id = submission_id
        self._executor = executor
        self._progress = progress
        self.lines: list[bytes] = []

    def seal_object(self, planned: PlannedObject) -> ContentObject:
        """Seal one object and note the manifest of each of its items."""
        sealer = Sealer(self._commission.recipient, KINDS[planned.kind])
        with self._writer.new_object(planned.object_id) as target:
            for item in planned.items:
                if planned.kind is ObjectKind.PACK:
                    target.write(sealer.update(pack.header(item.item_id, item.entry.size)))
                content = self._seal_content(item, sealer, target)
                self.lines.append(self._manifest(item, content).to_bytes())
                if planned.kind is ObjectKind.PACK:
                    target.write(sealer.update(pack.fill(item.entry.size)))
            if planned.kind is ObjectKind.PACK:
                target.write(sealer.update(pack.END))
            for piece in sealer.finish():
                target.write(piece)
            outside = target.describe()
        return ContentObject(
            object_id=outside.object_id,
            kind=planned.kind,
            sealed_size=outside.sealed_size,
            sealed_sha256=outside.sealed_sha256,
        )

    def bare_line(self, item: PlannedItem) -> bytes:
        """Give the manifest of an item without bytes."""
        return self._manifest(item, None).to_bytes()

    def _seal_content(
        self, item: PlannedItem, sealer: Sealer, target: SealedFile
    ) -> Content | None:
        if item.place is None:
            return None
        hasher = Hasher(self._executor)
        for chunk in read_unchanged(item.entry):
            hashing = hasher.update(chunk)
            target.write(sealer.update(chunk))
            if hashing is not None:
                hashing.result()
            self._progress(len(chunk))
        digests = hasher.digests()
        return Content(
            place=item.place,
            size=item.entry.size,
            sha256=digests.sha256,
            sha512=digests.sha512,
        )

    def _manifest(self, item: PlannedItem, content: Content | None) -> ItemManifest:
        entry = item.entry
        return ItemManifest(
            salt=random_salt(),
            item_id=item.item_id,
            submission_id=self._submission_id,
            kind=entry.kind,
            content=content,
            link_target=None if entry.link_target is None else RawName.of(entry.link_target),
            name=RawName.of(entry.name),
            folder=RawName.of(entry.folder),
            claimed_type=None,
            file_times=FileTimes(
                modified=file_time(entry.modified_ns),
                created=None,
                accessed=file_time(entry.accessed_ns),
            ),
            provider_reference=None,
            group_id=None,
            sidecars=(),
            batch_id=None,
            terms=self._commission.conditions.terms,
            consents=self._commission.conditions.consents_of(entry),
            handling_class=None,
            at_risk=None,
            description=UNDESCRIBED,
            provenance=UNKNOWN_PROVENANCE,
            sealed_by=SealedBy.CLIENT,
            client_version=self._commission.client_version,
        )
