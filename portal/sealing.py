"""Seal a submission as it arrives, item by item, and write nothing else.

Runs in a worker thread, one step after the other. Each item becomes a sealed object and, in the
same breath, a sealed manifest; name, type and plaintext digests live in this module's memory until
then. A folder that was not finished is no submission and is removed. Formats: docs/format/07, 08,
17, 18.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from amana.durable import durable, sync_folder
from amana.i18n import Language
from amana.wire.bundle import NOTE, OBJECTS, object_path
from amana.wire.ids import (
    ConsentId,
    ContentSha256,
    ContentSha512,
    Digest,
    ItemId,
    LogOrigin,
    ObjectId,
    derive_submission_id,
    random_id,
    random_nonce,
    random_salt,
)
from amana.wire.manifest import UNDESCRIBED, Content, ItemKind, ItemManifest, ObjectPlace
from amana.wire.manifest_lines import items_root, write_lines
from amana.wire.names import FileTimes, RawName
from amana.wire.note import Attestation, PackageNote
from amana.wire.provenance import UNKNOWN_PROVENANCE
from amana.wire.references import ConsentReference
from amana.wire.sealed import (
    ContentObject,
    ObjectKind,
    RecordKind,
    RecordObject,
    SealedObject,
)
from amana.wire.standing import UNDER_STANDING_TERMS
from amana.wire.submission import SubmissionManifest
from amana.wire.vocabulary import ConsentBasis, Deployment, SealedBy
from amana.wire.words import VersionText
from crypto.merkle import TreeHash
from crypto.padding import Kind
from crypto.recipients import HybridRecipient
from crypto.seal import Sealer, seal
from portal.account import Account
from portal.card import WitnessCard
from portal.consent import Answers, consent_document
from portal.custody import PortalKeys
from portal.form import ItemHead, Step
from portal.multipart import PartEnd
from portal.objects import ObjectFile, discard
from portal.places import Places

_UNKNOWN_CONSENT: Final = ConsentReference(
    state=ConsentBasis.UNKNOWN, consent_id=None, exempt_reason=None
)
_NO_TIMES: Final = FileTimes(modified=None, created=None, accessed=None)
_VERSION: Final = VersionText("amana-portal/1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What a submission is made under: the day, the card, the language that was read.

    log: the custody log that its event will be in.
    """

    on: date
    card: WitnessCard
    language: Language
    deployment: Deployment
    log: LogOrigin


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A submission that is whole on the disk, and what the records keep of it.

    mailbox: what names it, where words were given. leaf: of its custody event. receipt: R1, a
    signed note. items and content_bytes: what the
    visitor gave, for the page that thanks; no record keeps them.
    """

    on: date
    mailbox: Digest | None
    note: PackageNote
    event: SealedObject
    leaf: TreeHash
    receipt: bytes
    items: int
    content_bytes: int


class _Item:
    """An item that is being received."""

    def __init__(self, head: ItemHead, recipient: HybridRecipient, objects: Path) -> None:
        self.head = head
        self.object_id = random_id(ObjectId)
        self.sealer = Sealer(recipient, Kind.RAW)
        self.file = ObjectFile(objects / f"{self.object_id}.age", self.object_id)
        self.sha256 = hashlib.sha256()
        self.sha512 = hashlib.sha512()

    def write(self, data: bytes) -> None:
        self.sha256.update(data)
        self.sha512.update(data)
        if sealed := self.sealer.update(data):
            self.file.write(sealed)

    def finish(self) -> SealedObject:
        for piece in self.sealer.finish():
            self.file.write(piece)
        return self.file.finish()

    @property
    def content(self) -> Content:
        return Content(
            place=ObjectPlace(object_id=self.object_id, offset=None),
            size=self.sealer.content_size,
            sha256=ContentSha256(self.sha256.hexdigest()),
            sha512=ContentSha512(self.sha512.hexdigest()),
        )


class SubmissionSealer:
    """One submission on its way: sealed objects in a folder of its own, a bundle when finished.

    OSError: the disk is full or fails; then abandon() it.
    """

    def __init__(self, places: Places, visit: Visit, answers: Answers, account: Account) -> None:
        self._places = places
        self._visit = visit
        self._nonce = random_nonce()
        self._holder = account  # held to the end: who comes with the same words meets it
        self._account = account.account
        card = visit.card.card_id
        self.submission_id = derive_submission_id(self._nonce, self._account, card)
        self._folder = places.receiving / self.submission_id
        self._item: _Item | None = None
        self._lines: list[bytes] = []
        self._objects: list[ContentObject] = []
        self._manifests: list[SealedObject] = []
        self._content_bytes = 0
        self._consent_id = random_id(ConsentId)
        self._consent = consent_document(
            answers, consent_id=self._consent_id, language=visit.language, on=visit.on
        )
        (self._folder / OBJECTS).mkdir(mode=0o700, parents=True)

    def take(self, steps: Iterable[Step]) -> None:
        """Seal what came, in order. Pieces of one item that follow each other are joined."""
        pieces: list[memoryview] = []
        for step in steps:
            if isinstance(step, memoryview):
                pieces.append(step)
                continue
            self._write(pieces)
            pieces = []
            match step:
                case ItemHead():
                    self._item = _Item(step, self._visit.card.recipient, self._folder / OBJECTS)
                case PartEnd.END:
                    self._end_item()
        self._write(pieces)

    def finish(self, keys: PortalKeys) -> Received:
        """Make the submission whole: manifest, note, event; then give its folder its place.

        What is returned is on the disk; it counts once the records name it.
        """
        records = self._seal_consent()
        manifest = self._seal_record([self._manifest(records).to_bytes()])
        note = self._note(manifest, records)
        event = keys.arrival(note)
        sealed_event = self._seal_event(event.to_bytes())
        with durable(self._folder / NOTE) as target:
            target.write(keys.observe(note).to_bytes())
        sync_folder(self._folder / OBJECTS)
        sync_folder(self._places.receiving)
        self._folder.rename(self._places.bundle(self.submission_id))
        sync_folder(self._places.received)
        sync_folder(self._places.receiving)
        return Received(
            on=self._visit.on,
            mailbox=self._holder.lookup_sha256,
            note=note,
            event=sealed_event,
            leaf=event.leaf,
            receipt=keys.receipt(note, event, self._visit.log).to_bytes(),
            items=len(self._lines),
            content_bytes=self._content_bytes,
        )

    def abandon(self) -> None:
        """Remove everything of this submission, wherever it got to."""
        if self._item is not None:
            self._item.file.close()
        discard(self._places, self.submission_id)

    def _write(self, pieces: Sequence[memoryview]) -> None:
        if pieces and self._item is not None:
            self._item.write(b"".join(pieces))

    def _end_item(self) -> None:
        item, self._item = self._item, None
        if item is None:
            return
        outside = item.finish()
        self._content_bytes += item.content.size
        self._objects.append(
            ContentObject(
                object_id=outside.object_id,
                kind=ObjectKind.RAW,
                sealed_size=outside.sealed_size,
                sealed_sha256=outside.sealed_sha256,
            )
        )
        line = self._item_manifest(item).to_bytes()
        self._lines.append(line)
        self._manifests.append(self._seal_record(write_lines([line])))

    def _seal_consent(self) -> tuple[RecordObject, ...]:
        if self._consent is None:
            return ()
        sealed = self._seal_record([self._consent])
        return (
            RecordObject(
                object_id=sealed.object_id,
                sealed_size=sealed.sealed_size,
                sealed_sha256=sealed.sealed_sha256,
                kind=RecordKind.CONSENT,
                consent_id=self._consent_id,
                sha256=ContentSha256(hashlib.sha256(self._consent).hexdigest()),
            ),
        )

    def _seal_record(self, content: Iterable[bytes]) -> SealedObject:
        object_id = random_id(ObjectId)
        return self._seal_to(self._folder / object_path(object_id), object_id, content)

    def _seal_event(self, content: bytes) -> SealedObject:
        return self._seal_to(self._places.event(self.submission_id), random_id(ObjectId), [content])

    def _seal_to(self, path: Path, object_id: ObjectId, content: Iterable[bytes]) -> SealedObject:
        file = ObjectFile(path, object_id)
        try:
            for piece in seal(content, self._visit.card.recipient, Kind.RECORD):
                file.write(piece)
            sealed = file.finish()
        finally:
            file.close()
        sync_folder(path.parent)
        return sealed

    def _item_manifest(self, item: _Item) -> ItemManifest:
        folder, name = split_name(item.head.name)
        return ItemManifest(
            salt=random_salt(),
            item_id=random_id(ItemId),
            submission_id=self.submission_id,
            kind=ItemKind.FILE,
            content=item.content,
            link_target=None,
            name=RawName.of(name),
            folder=None if folder is None else RawName.of(folder),
            claimed_type=item.head.media_type,
            file_times=_NO_TIMES,
            provider_reference=None,
            group_id=None,
            sidecars=(),
            batch_id=None,
            terms=UNDER_STANDING_TERMS,
            consents=(self._consent_reference,),
            handling_class=None,
            at_risk=None,
            description=UNDESCRIBED,
            provenance=UNKNOWN_PROVENANCE,
            sealed_by=SealedBy.SERVER,
            client_version=_VERSION,
        )

    @property
    def _consent_reference(self) -> ConsentReference:
        if self._consent is None:
            return _UNKNOWN_CONSENT
        return ConsentReference(
            state=ConsentBasis.RECORDED, consent_id=self._consent_id, exempt_reason=None
        )

    @property
    def _root(self) -> Digest:
        return Digest(items_root(self._lines).hex())

    def _manifest(self, records: tuple[RecordObject, ...]) -> SubmissionManifest:
        return SubmissionManifest(
            submission_id=self.submission_id,
            client_nonce=self._nonce,
            account=self._account,
            card=self._visit.card.card_id,
            deployment=self._visit.deployment,
            terms=UNDER_STANDING_TERMS,
            batch_terms=(),
            handling_class=None,
            transfer_id=None,
            consignment_id=None,
            corrects=None,
            reply=self._holder.reply,
            erasable=False,
            sealed_by=SealedBy.SERVER,
            client_version=_VERSION,
            items=len(self._lines),
            items_root=self._root,
            objects=tuple(self._objects),
            item_manifests=tuple(self._manifests),
            records=records,
        )

    def _note(self, manifest: SealedObject, records: tuple[RecordObject, ...]) -> PackageNote:
        return PackageNote(
            submission_id=self.submission_id,
            account=self._account,
            card=self._visit.card.card_id,
            deployment=self._visit.deployment,
            attestation=Attestation.OBSERVED,
            received_on=self._visit.on,
            items_root=self._root,
            submission_manifest=manifest,
            item_manifests=tuple(self._manifests),
            records=tuple(each.outside for each in records),
            objects=tuple(each.outside for each in self._objects),
        )


def split_name(raw: bytes) -> tuple[bytes | None, bytes]:
    """Give folder and name of what a browser sent as a file name.

    Only a folder that was chosen as a whole comes with `/`; no system lets a name hold one. The
    folder is None where none was sent.
    """
    folder, slash, name = raw.rpartition(b"/")
    return (folder, name) if slash and name else (None, raw)
