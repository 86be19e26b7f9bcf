"""What lies sealed beside the material: submission manifest, records, item manifests.

Each is read by its own strict rule, within limits, and must be what the one before it says. What is
not raises DisagreementError with the reason. Formats: docs/format/07-manifests.md,
26-quarantine.md section 5, whose step numbers stand here.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from amana.wire.agree import Mismatch, item_mismatches, note_mismatches
from amana.wire.conditions import CONSENT
from amana.wire.errors import WireError
from amana.wire.manifest import ItemManifest
from amana.wire.manifest_lines import Limits, read_lines
from amana.wire.note import PackageNote
from amana.wire.places import items_by_object
from amana.wire.reasons import ReasonCode
from amana.wire.sealed import RecordKind, RecordObject, SealedObject
from amana.wire.snapshot import consent_id
from amana.wire.submission import SubmissionManifest
from crypto import canonical, merkle
from crypto.errors import CanonicalError
from crypto.merkle import TreeHash
from terms.consent import ConsentRecord
from worker.agent_client import Keys
from worker.agent_messages import CardHolder
from worker.errors import DisagreementError
from worker.sealed_contents import SealedContents

MANIFESTS_LIMIT_BYTES: Final = 256 << 20
"""Most sealed bytes of item manifests together. Ours: they are held in memory; 100,000 items of
2.5 KB, and more is given as more submissions."""

RECORDS_LIMIT_BYTES: Final = 64 << 20
"""Most sealed bytes of other records together. Ours: they are held in memory as well."""

_SUBMISSION_LIMIT_BYTES: Final = 2 * SubmissionManifest.LIMIT_BYTES
"""Longest sealed submission manifest: header, tags and padding come to far less than the content
(chapter 1, section 6)."""

_CONSENT_LIMIT_BYTES: Final = 1 << 20
"""Longest consent record. Ours: one person's answers come to some kilobytes."""

_REASONS: Final[Mapping[Mismatch, ReasonCode]] = MappingProxyType(
    {
        Mismatch.DEPLOYMENT: ReasonCode.OTHER_DEPLOYMENT,
        Mismatch.ACCOUNT: ReasonCode.ACCOUNT_DISAGREES,
        Mismatch.CARD: ReasonCode.CARD_DISAGREES,
        Mismatch.SUBMISSION: ReasonCode.OBJECT_OF_ANOTHER_SUBMISSION,
    }
)
"""In this order: a submission's id is a hash of account and card, and differs with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedRecord:
    """A document that came beside the material, whole, with what the provider says that it is."""

    stated: RecordObject
    document: bytes = field(repr=False)


class Documents:
    """The sealed documents of one submission, whose sealed bytes are those of its note."""

    def __init__(self, folder: Path, note: PackageNote, keys: Keys) -> None:
        self._note = note
        self._holder = CardHolder(card=note.card)
        self._sealed = SealedContents(folder, note.submission_id, keys)

    def read_submission(self) -> SubmissionManifest:
        """Give the submission manifest, if note and manifest say the same: step 5."""
        stated = self._note.submission_manifest
        _require_within([stated], _SUBMISSION_LIMIT_BYTES)
        # Nothing inside says what this record must be, so it is opened from the very bytes whose
        # digest the note has, and not from a file that had it a moment ago.
        with self._sealed.source(stated.object_id) as source:
            held = source.read(stated.sealed_size + 1)
        if hashlib.sha256(held).hexdigest() != stated.sealed_sha256:
            raise DisagreementError(ReasonCode.OBJECT_DISAGREES, object_id=stated.object_id)
        untrusted = self._sealed.record(self._holder, stated.object_id, held)
        try:
            submission = SubmissionManifest.from_bytes(untrusted)
        except WireError as failure:
            raise DisagreementError(
                ReasonCode.SUBMISSION_MANIFEST_DISAGREES, object_id=stated.object_id
            ) from failure
        if mismatches := note_mismatches(self._note, submission):
            found = (reason for each, reason in _REASONS.items() if each in mismatches)
            reason = next(found, ReasonCode.SUBMISSION_MANIFEST_DISAGREES)
            raise DisagreementError(reason, mismatches=mismatches)
        return submission

    def read_records(
        self, submission: SubmissionManifest
    ) -> tuple[tuple[ConsentRecord, ...], tuple[OpenedRecord, ...]]:
        """Give the consent records, and the other documents, each in order: step 6."""
        stated = {each.object_id: each for each in submission.records}
        _require_within(self._note.records, RECORDS_LIMIT_BYTES)
        found = [
            _whole(stated[object_id], content)
            for object_id, content in self._sealed.records(self._holder, stated)
        ]
        consents = (each for each in found if each.stated.kind is RecordKind.CONSENT)
        others = (each for each in found if each.stated.kind is not RecordKind.CONSENT)
        return tuple(map(_consent, consents)), tuple(others)

    def read_items(
        self, submission: SubmissionManifest
    ) -> tuple[tuple[TreeHash, ...], tuple[ItemManifest, ...]]:
        """Give the leaves and manifests of all items, in the order of the submission: step 7."""
        _require_within(submission.item_manifests, MANIFESTS_LIMIT_BYTES)
        leaves: list[TreeHash] = []
        items: list[ItemManifest] = []
        objects = (each.object_id for each in submission.item_manifests)
        for object_id, content in self._sealed.records(self._holder, objects):
            # A million of them would take all memory before anyone counted.
            limits = Limits(manifests=submission.items - len(items))
            try:
                for line in read_lines(content, limits):
                    leaves.append(merkle.leaf_hash(line))
                    items.append(ItemManifest.from_bytes(line))
            except WireError as failure:
                raise DisagreementError(
                    ReasonCode.ITEM_MANIFEST_DISAGREES, object_id=object_id
                ) from failure
        _require_items(submission, items, leaves)
        return tuple(leaves), tuple(items)


def _require_items(
    submission: SubmissionManifest, items: list[ItemManifest], leaves: list[TreeHash]
) -> None:
    # A line that was read is, byte for byte, what its item writes.
    if mismatches := item_mismatches(submission, items, leaves=leaves):
        raise DisagreementError(ReasonCode.ITEM_MANIFEST_DISAGREES, mismatches=mismatches)
    try:
        items_by_object(submission.objects, items)
    except WireError as failure:
        raise DisagreementError(ReasonCode.ITEM_MANIFEST_DISAGREES) from failure


def _require_within(stated: Iterable[SealedObject], limit_bytes: int) -> None:
    if sum(each.sealed_size for each in stated) > limit_bytes:
        raise DisagreementError(ReasonCode.NOT_SCANNED_LIMITS)


def _whole(stated: RecordObject, content: Iterable[bytes]) -> OpenedRecord:
    document = b"".join(content)
    if hashlib.sha256(document).hexdigest() != stated.sha256:
        raise DisagreementError(
            ReasonCode.SUBMISSION_MANIFEST_DISAGREES, object_id=stated.object_id
        )
    return OpenedRecord(stated=stated, document=document)


def _consent(record: OpenedRecord) -> ConsentRecord:
    try:
        found = CONSENT.read(canonical.decode(record.document, limit_bytes=_CONSENT_LIMIT_BYTES))
        is_stated = consent_id(found) == record.stated.consent_id
    except (CanonicalError, WireError) as failure:
        raise DisagreementError(
            ReasonCode.SUBMISSION_MANIFEST_DISAGREES, object_id=record.stated.object_id
        ) from failure
    if not is_stated:
        raise DisagreementError(
            ReasonCode.SUBMISSION_MANIFEST_DISAGREES, object_id=record.stated.object_id
        )
    return found
