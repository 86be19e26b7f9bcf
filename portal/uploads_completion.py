"""Make a submission of what a member uploaded, once its signed note and every object are here.

The note is judged before anything moves, and lies in the bundle byte for byte as it was signed.
Objects are linked into the bundle and let go of only when the rows are written, so a kill at any
instant leaves either all uploads or the whole submission. The leaf of the arrival joins the log in
the same transaction. Formats: docs/format/08-package-note.md, 17, and 23 section 7.
"""

import asyncio
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, insert, or_, select

from amana.clock import Clock, today
from amana.durable import durable, sync_folder
from amana.store.engine import Database
from amana.store.log import append
from amana.wire.bundle import NOTE, OBJECTS, object_path
from amana.wire.card import KeyCard
from amana.wire.errors import FieldError, UnsignedError, WireError
from amana.wire.ids import (
    SUBMISSION_ID,
    AccountId,
    Digest,
    LogOrigin,
    ObjectId,
    SubmissionId,
    random_id,
)
from amana.wire.note import Attestation, PackageNote, read_note
from amana.wire.sealed import SealedObject
from amana.wire.upload import NOTE_LIMIT_BYTES, MissingObjects, UploadFault
from amana.wire.vocabulary import Deployment
from crypto.errors import NoteError
from crypto.merkle import TreeHash
from crypto.note import SignedNote
from crypto.padding import Kind, is_on_step
from crypto.recipients import HybridRecipient
from crypto.seal import seal
from portal import ledger
from portal.custody import PortalKeys
from portal.errors import UploadRefusedError
from portal.objects import ObjectFile, discard
from portal.places import Places
from portal.records.tables import SEALED_OBJECT, SIGNED_RECEIPT, SUBMISSION
from portal.uploads import Upload, Uploads, take_rows
from portal.uploads_enrolled import EnrolledFile, Enrolment

_ROWS: Final = 500  # values in one statement, twice: see LOOKUP_ROWS of amana.store.log
_AT_ONCE: Final = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrival:
    """What is on the disk of a submission, and what the rows will say of it."""

    event: SealedObject
    event_leaf: TreeHash
    receipt: bytes


class _Match(NamedTuple):
    """A note, and the uploads that are its objects; used: those and what doubles them."""

    note: PackageNote
    signed: bytes
    found: Mapping[ObjectId, Upload]
    used: Sequence[Upload]
    card: KeyCard
    on: date


class Completion:
    """Takes signed notes."""

    def __init__(
        self,
        *,
        places: Places,
        keys: PortalKeys,
        database: Database,
        clock: Clock,
        log: LogOrigin,
        deployment: Deployment,
        enrolled: EnrolledFile,
        uploads: Uploads,
    ) -> None:
        self._places = places
        self._keys = keys
        self._database = database
        self._clock = clock
        self._log = log
        self._deployment = deployment
        self._enrolled = enrolled
        self._uploads = uploads
        # One at a time: two notes may name the same sealed bytes.
        self._lock = asyncio.Lock()

    async def submit(self, account: AccountId, untrusted_note: bytes) -> bytes | MissingObjects:
        """Give R1, a signed note, when the submission is whole, durable and in the records.

        The same note again gives the same R1. UploadRefusedError: the note is not a member's, or
        not as it must be; what was uploaded stays. OSError, StoreError: nothing has changed, or
        everything has.
        """
        enrolment = await self._enrolled.now()
        note = await self._uploads.in_thread(self._judged, untrusted_note, account, enrolment)
        # Digests that a restart left open may take minutes: not while others wait for the lock.
        await self._uploads.of_account(account)
        # Whoever asked may go; what is begun is ended.
        work = asyncio.ensure_future(self._submit(note, account, untrusted_note, enrolment))
        return await asyncio.shield(work)

    async def _submit(
        self, note: PackageNote, account: AccountId, signed: bytes, enrolment: Enrolment
    ) -> bytes | MissingObjects:
        async with self._lock:
            known = await self._known(note)
            if known is not None:
                return known
            on = today(self._clock)
            card = enrolment.card(account, on)
            if note.card != card.card_id:
                raise UploadRefusedError(UploadFault.CARD_NOT_CURRENT)
            await self._require_new(note)
            uploads = await self._uploads.of_account(account)
            found, missing = _match(note, uploads)
            if missing:
                return MissingObjects(submission_id=note.submission_id, missing=missing)
            # What was sent twice, as an answer was lost, goes with the rest.
            digests = {each.sealed_sha256 for each in found.values()}
            used = [each for each in uploads if each.sealed_sha256 in digests]
            return await self._complete(_Match(note, signed, found, used, card, on))

    async def receipt(self, account: AccountId, untrusted_submission: str) -> bytes:
        """Give R1 of a submission of this account. UploadRefusedError: UNKNOWN."""
        try:
            submission = SUBMISSION_ID.read(untrusted_submission)
        except FieldError as failure:
            raise UploadRefusedError(UploadFault.UNKNOWN) from failure
        query = (
            select(SIGNED_RECEIPT.c.note)
            .join(SUBMISSION, SUBMISSION.c.submission_id == SIGNED_RECEIPT.c.submission_id)
            .where(SUBMISSION.c.submission_id == submission, SUBMISSION.c.account == account)
        )
        async with self._database.read() as connection:
            found: bytes | None = await connection.scalar(query)
        if found is None:
            raise UploadRefusedError(UploadFault.UNKNOWN)
        return found

    def _judged(self, untrusted: bytes, account: AccountId, enrolment: Enrolment) -> PackageNote:
        try:
            lines = SignedNote.parse(untrusted, limit_bytes=NOTE_LIMIT_BYTES).signatures
            member = enrolment.members.get(lines[0].name)
            if member is None or member.account != account:
                raise UploadRefusedError(UploadFault.NOTE_UNSIGNED)
            note = read_note(untrusted, member.key, Attestation.SIGNED)
        except UnsignedError as failure:
            raise UploadRefusedError(UploadFault.NOTE_UNSIGNED) from failure
        except (NoteError, WireError) as failure:
            raise UploadRefusedError(UploadFault.NOTE_MALFORMED) from failure
        if note.deployment is not self._deployment:
            raise UploadRefusedError(UploadFault.NOTE_MALFORMED)
        if impossible := _impossible(note):
            raise UploadRefusedError(UploadFault.NOTE_MALFORMED, impossible)
        return note

    async def _known(self, note: PackageNote) -> bytes | None:
        """Give R1 if this note was taken before. UploadRefusedError: another one was."""
        query = (
            select(SUBMISSION.c.note_sha256, SIGNED_RECEIPT.c.note)
            .outerjoin(SIGNED_RECEIPT, SUBMISSION.c.submission_id == SIGNED_RECEIPT.c.submission_id)
            .where(SUBMISSION.c.submission_id == note.submission_id)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return None
        digest, receipt = row
        if digest != note.digest or receipt is None:
            raise UploadRefusedError(UploadFault.NOTE_DIFFERS)
        return bytes(receipt)

    async def _require_new(self, note: PackageNote) -> None:
        """Refuse a note that names what belongs to another submission."""
        everything = tuple(note.everything())
        ids: set[str] = set()
        digests: set[str] = set()
        columns = (SEALED_OBJECT.c.object_id, SEALED_OBJECT.c.sealed_sha256)
        async with self._database.read() as connection:
            for start in range(0, len(everything), _ROWS):
                is_one = _is_one_of(everything[start : start + _ROWS])
                for object_id, digest in await connection.execute(select(*columns).where(is_one)):
                    ids.add(object_id)
                    digests.add(digest)
        taken = [
            each for each in everything if each.object_id in ids or each.sealed_sha256 in digests
        ]
        if taken:
            objects = tuple(each.object_id for each in taken)
            raise UploadRefusedError(UploadFault.ALREADY_HERE, objects)

    async def _complete(self, match: _Match) -> bytes:
        submission = match.note.submission_id
        try:
            arrival = await self._uploads.in_thread(self._assemble, match)
        except BaseException:
            await self._uploads.in_thread(discard, self._places, submission)
            raise
        row = insert(SIGNED_RECEIPT).values(submission_id=submission, note=arrival.receipt)
        async with self._database.write() as connection:
            await ledger.write_submission(connection, match.note, arrival.event, match.on)
            await connection.execute(row)
            taken: list[Upload] = []
            for start in range(0, len(match.used), _ROWS):
                ids = [each.upload_id for each in match.used[start : start + _ROWS]]
                taken += await take_rows(connection, ids)
            await append(connection, [arrival.event_leaf])
        await self._uploads.forget(taken)
        return arrival.receipt

    def _assemble(self, match: _Match) -> _Arrival:
        """Make the bundle and the sealed event; both are durable and in their places."""
        submission = match.note.submission_id
        discard(self._places, submission)  # an attempt that failed; no row names it
        folder = self._places.receiving / submission
        (folder / OBJECTS).mkdir(mode=0o700, parents=True)
        for object_id, upload in match.found.items():
            path = self._uploads.path(upload.upload_id)
            os.link(path, folder / object_path(object_id), follow_symlinks=False)
        sync_folder(folder / OBJECTS)
        event = self._keys.arrival(match.note, match.on)
        sealed = self._seal_event(submission, event.to_bytes(), match.card)
        with durable(folder / NOTE) as target:
            target.write(match.signed)
        sync_folder(self._places.receiving)
        folder.rename(self._places.bundle(submission))
        sync_folder(self._places.received)
        sync_folder(self._places.receiving)
        receipt = self._keys.receipt(match.note, event, self._log, _AT_ONCE)
        return _Arrival(event=sealed, event_leaf=event.leaf, receipt=receipt.to_bytes())

    def _seal_event(self, submission: SubmissionId, content: bytes, card: KeyCard) -> SealedObject:
        path = self._places.event(submission)
        file = ObjectFile(path, random_id(ObjectId))
        try:
            for piece in seal([content], HybridRecipient.from_text(card.recipient), Kind.RECORD):
                file.write(piece)
            sealed = file.finish()
        finally:
            file.close()
        sync_folder(path.parent)
        return sealed


def _impossible(note: PackageNote) -> tuple[ObjectId, ...]:
    """Give the objects of a size that nothing of their kind has."""
    records = (note.submission_manifest, *note.item_manifests, *note.records)
    kinds = [(Kind.RECORD, each) for each in records]
    kinds += [(Kind.RAW, each) for each in note.objects]  # a pack has the same steps
    return tuple(each.object_id for kind, each in kinds if not is_on_step(each.sealed_size, kind))


def _match(
    note: PackageNote, uploads: Iterable[Upload]
) -> tuple[dict[ObjectId, Upload], tuple[ObjectId, ...]]:
    """Find the objects of a note among uploads, by size and digest; give the ids without one."""
    by_content: dict[tuple[int, Digest | None], Upload] = {
        (each.length, each.sealed_sha256): each for each in uploads
    }
    found: dict[ObjectId, Upload] = {}
    missing: list[ObjectId] = []
    for each in note.everything():
        upload = by_content.get((each.sealed_size, each.sealed_sha256))
        if upload is None:
            missing.append(each.object_id)
        else:
            found[each.object_id] = upload
    return found, tuple(missing)


def _is_one_of(some: Sequence[SealedObject]) -> ColumnElement[bool]:
    return or_(
        SEALED_OBJECT.c.object_id.in_([each.object_id for each in some]),
        SEALED_OBJECT.c.sealed_sha256.in_([each.sealed_sha256 for each in some]),
    )
