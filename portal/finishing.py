"""Make a submission whole: its manifest, its note, the event of its arrival, its place.

Runs in a worker thread. What is returned is on the disk, and counts once the records name it; a
folder that was not finished is no submission and is removed. Formats: docs/format/07, 08, 17, 18.
"""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from amana.durable import durable, sync_folder
from amana.wire.bundle import NOTE, OBJECTS, object_path
from amana.wire.ids import ContentSha256, Digest, LogOrigin, ObjectId, random_id
from amana.wire.note import Attestation, PackageNote
from amana.wire.sealed import RecordKind, RecordObject, SealedObject
from amana.wire.standing import UNDER_STANDING_TERMS
from amana.wire.submission import SubmissionManifest
from amana.wire.vocabulary import Deployment, SealedBy
from crypto import merkle
from crypto.merkle import TreeHash
from portal.custody import PortalKeys
from portal.places import Places
from portal.sealing import VERSION, seal_record, seal_to
from portal.underway import SealedItem, Underway


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What a submission arrives at: the day, the deployment, the custody log of its event."""

    on: date
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Finisher:
    """Everything that one submission is finished with.

    consent: the consent record, or None where nothing was decided.
    """

    places: Places
    underway: Underway
    items: tuple[SealedItem, ...]
    consent: bytes | None
    arrival: Arrival

    @property
    def folder(self) -> Path:
        """Where the submission is until it is whole."""
        return self.places.receiving / self.underway.submission_id

    def adopt(self, drafted: Path) -> None:
        """Make the folder, and let it have the items' objects that lie in another one.

        They get a second name (link(2)), so nothing is lost there whatever happens here.
        """
        (self.folder / OBJECTS).mkdir(mode=0o700, parents=True)
        for each in self.items:
            for sealed in (each.content, each.manifest):
                path = object_path(sealed.object_id)
                os.link(drafted / path, self.folder / path)

    def finish(self, keys: PortalKeys) -> Received:
        """Make the submission whole; then give its folder its place. OSError: as ItemSealer."""
        records = self._seal_consent()
        manifest = self._seal_record([self._manifest(records).to_bytes()])
        note = self._note(manifest, records)
        event = keys.arrival(note)
        sealed_event = seal_to(
            self.places.event(note.submission_id),
            random_id(ObjectId),
            self.underway.card.recipient,
            [event.to_bytes()],
        )
        with durable(self.folder / NOTE) as target:
            target.write(keys.observe(note).to_bytes())
        sync_folder(self.folder / OBJECTS)
        sync_folder(self.places.receiving)
        self.folder.rename(self.places.bundle(note.submission_id))
        sync_folder(self.places.received)
        sync_folder(self.places.receiving)
        return Received(
            on=self.arrival.on,
            mailbox=self.underway.holder.lookup_sha256,
            note=note,
            event=sealed_event,
            leaf=event.leaf,
            receipt=keys.receipt(note, event, self.arrival.log).to_bytes(),
            items=len(self.items),
            content_bytes=sum(each.content_size for each in self.items),
        )

    def _seal_consent(self) -> tuple[RecordObject, ...]:
        if self.consent is None:
            return ()
        sealed = self._seal_record([self.consent])
        return (
            RecordObject(
                object_id=sealed.object_id,
                sealed_size=sealed.sealed_size,
                sealed_sha256=sealed.sealed_sha256,
                kind=RecordKind.CONSENT,
                consent_id=self.underway.consent_id,
                sha256=ContentSha256(hashlib.sha256(self.consent).hexdigest()),
            ),
        )

    def _seal_record(self, content: Iterable[bytes]) -> SealedObject:
        return seal_record(self.folder, self.underway.card.recipient, content)

    @property
    def _root(self) -> Digest:
        leaves = [TreeHash(bytes.fromhex(each.leaf)) for each in self.items]
        return Digest(merkle.root(leaves).hex())

    def _manifest(self, records: tuple[RecordObject, ...]) -> SubmissionManifest:
        return SubmissionManifest(
            submission_id=self.underway.submission_id,
            client_nonce=self.underway.nonce,
            account=self.underway.holder.account,
            card=self.underway.card.card_id,
            deployment=self.arrival.deployment,
            terms=UNDER_STANDING_TERMS,
            batch_terms=(),
            handling_class=None,
            transfer_id=None,
            consignment_id=None,
            corrects=None,
            reply=self.underway.holder.reply,
            erasable=False,
            sealed_by=SealedBy.SERVER,
            client_version=VERSION,
            items=len(self.items),
            items_root=self._root,
            objects=tuple(each.object for each in self.items),
            item_manifests=tuple(each.manifest for each in self.items),
            records=records,
        )

    def _note(self, manifest: SealedObject, records: tuple[RecordObject, ...]) -> PackageNote:
        return PackageNote(
            submission_id=self.underway.submission_id,
            account=self.underway.holder.account,
            card=self.underway.card.card_id,
            deployment=self.arrival.deployment,
            attestation=Attestation.OBSERVED,
            received_on=self.arrival.on,
            items_root=self._root,
            submission_manifest=manifest,
            item_manifests=tuple(each.manifest for each in self.items),
            records=tuple(each.outside for each in records),
            objects=tuple(each.content for each in self.items),
        )
