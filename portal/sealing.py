"""Seal items as they arrive, one after the other, and write nothing else.

Runs in a worker thread. Each item becomes a sealed object and, in the same breath, a sealed
manifest; name, type and plaintext digests live in this module's memory until then. An item that
was not finished is removed. Formats: docs/format/07, 08, 18.
"""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from amana.durable import sync_folder
from amana.wire.bundle import object_path
from amana.wire.ids import (
    ContentSha256,
    ContentSha512,
    Digest,
    ItemId,
    ObjectId,
    random_id,
    random_salt,
)
from amana.wire.manifest import UNDESCRIBED, Content, ItemKind, ItemManifest, ObjectPlace
from amana.wire.manifest_lines import write_lines
from amana.wire.names import FileTimes, RawName
from amana.wire.provenance import UNKNOWN_PROVENANCE
from amana.wire.references import ConsentReference
from amana.wire.sealed import SealedObject
from amana.wire.standing import UNDER_STANDING_TERMS
from amana.wire.vocabulary import ConsentBasis, SealedBy
from amana.wire.words import VersionText
from crypto.merkle import leaf_hash
from crypto.padding import Kind
from crypto.recipients import HybridRecipient
from crypto.seal import Sealer, seal
from portal.form import ItemHead, Step
from portal.multipart import PartEnd
from portal.objects import ObjectFile
from portal.underway import SealedItem, Underway

VERSION: Final = VersionText("amana-portal/1")
"""The program that seals, as manifests name it."""

_UNKNOWN_CONSENT: Final = ConsentReference(
    state=ConsentBasis.UNKNOWN, consent_id=None, exempt_reason=None
)
_NO_TIMES: Final = FileTimes(modified=None, created=None, accessed=None)


class _Item:
    """An item that is being received."""

    def __init__(self, head: ItemHead, recipient: HybridRecipient, folder: Path) -> None:
        self.head = head
        self.object_id = random_id(ObjectId)
        self.sealer = Sealer(recipient, Kind.RAW)
        self.path = folder / object_path(self.object_id)
        self.file = ObjectFile(self.path, self.object_id)
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


class ItemSealer:
    """Seals items of one submission into a folder, where there is one for objects.

    OSError: the disk is full or fails; then abandon() it.
    """

    def __init__(self, folder: Path, underway: Underway) -> None:
        self._folder = folder
        self._underway = underway
        self._item: _Item | None = None
        self._finished: list[SealedItem] = []

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
                    self._item = _Item(step, self._underway.card.recipient, self._folder)
                case PartEnd.END:
                    self._end_item()
        self._write(pieces)

    def finished(self) -> tuple[SealedItem, ...]:
        """Give the items that became durable since this was asked last, in order."""
        given, self._finished = tuple(self._finished), []
        return given

    def abandon(self) -> None:
        """Remove what there is of an item that was not finished."""
        item, self._item = self._item, None
        if item is not None:
            item.file.close()
            item.path.unlink(missing_ok=True)

    def _write(self, pieces: Sequence[memoryview]) -> None:
        if pieces and self._item is not None:
            self._item.write(b"".join(pieces))

    def _end_item(self) -> None:
        item = self._item
        if item is None:
            return
        outside = item.finish()
        line = self._item_manifest(item).to_bytes()
        recipient = self._underway.card.recipient
        manifest = seal_record(self._folder, recipient, write_lines([line]))
        self._item = None
        self._finished.append(
            SealedItem(
                content=outside,
                manifest=manifest,
                leaf=Digest(leaf_hash(line).hex()),
                content_size=item.sealer.content_size,
                is_text=item.head.is_text,
            )
        )

    def _item_manifest(self, item: _Item) -> ItemManifest:
        folder, name = split_name(item.head.name)
        return ItemManifest(
            salt=random_salt(),
            item_id=random_id(ItemId),
            submission_id=self._underway.submission_id,
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
            client_version=VERSION,
        )

    @property
    def _consent_reference(self) -> ConsentReference:
        if not self._underway.has_consent:
            return _UNKNOWN_CONSENT
        return ConsentReference(
            state=ConsentBasis.RECORDED,
            consent_id=self._underway.consent_id,
            exempt_reason=None,
        )


def seal_record(folder: Path, recipient: HybridRecipient, content: Iterable[bytes]) -> SealedObject:
    """Seal a document into a new object of this folder; durable with its name."""
    object_id = random_id(ObjectId)
    return seal_to(folder / object_path(object_id), object_id, recipient, content)


def seal_to(
    path: Path, object_id: ObjectId, recipient: HybridRecipient, content: Iterable[bytes]
) -> SealedObject:
    """Seal a document into this file; durable with its name."""
    file = ObjectFile(path, object_id)
    try:
        for piece in seal(content, recipient, Kind.RECORD):
            file.write(piece)
        sealed = file.finish()
    finally:
        file.close()
    sync_folder(path.parent)
    return sealed


def split_name(raw: bytes) -> tuple[bytes | None, bytes]:
    """Give folder and name of what a browser sent as a file name.

    Only a folder that was chosen as a whole comes with `/`; no system lets a name hold one. The
    folder is None where none was sent.
    """
    folder, slash, name = raw.rpartition(b"/")
    return (folder, name) if slash and name else (None, raw)
