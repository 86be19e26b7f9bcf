"""Whether note, submission manifest and item manifests tell one story.

The quarantine asks before it believes any of them. A mismatch is a value, not an error: the
submission is HELD with these reasons, nothing is dropped. Format: docs/format/08-package-note.md.
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum, unique

from amana.wire.manifest import ItemManifest
from amana.wire.note import Attestation, PackageNote
from amana.wire.submission import SubmissionManifest
from amana.wire.vocabulary import SealedBy
from crypto import merkle
from crypto.merkle import TreeHash


@unique
class Mismatch(StrEnum):
    """What the three do not say alike."""

    SUBMISSION = "submission"
    ACCOUNT = "account"
    CARD = "card"
    DEPLOYMENT = "deployment"
    OBJECTS = "objects"
    ITEM_MANIFESTS = "item-manifests"
    RECORDS = "records"
    SEALED_BY = "sealed-by"
    ITEMS_ROOT = "items-root"
    ITEM_COUNT = "item-count"
    ITEM_TWICE = "item-twice"
    ITEM_OF_ANOTHER_SUBMISSION = "item-of-another-submission"
    ITEM_WITHOUT_OBJECT = "item-without-object"
    OBJECT_WITHOUT_ITEM = "object-without-item"


def note_mismatches(note: PackageNote, submission: SubmissionManifest) -> tuple[Mismatch, ...]:
    """Give what note and submission manifest do not say alike, in the order of the list."""
    claims = {
        Mismatch.SUBMISSION: note.submission_id == submission.submission_id,
        Mismatch.ACCOUNT: note.account == submission.account,
        Mismatch.CARD: note.card == submission.card,
        Mismatch.DEPLOYMENT: note.deployment is submission.deployment,
        Mismatch.OBJECTS: note.objects == tuple(each.outside for each in submission.objects),
        Mismatch.ITEM_MANIFESTS: note.item_manifests == submission.item_manifests,
        Mismatch.RECORDS: note.records == tuple(each.outside for each in submission.records),
        Mismatch.SEALED_BY: submission.sealed_by is SealedBy.SERVER
        or note.attestation is Attestation.SIGNED,
        Mismatch.ITEMS_ROOT: note.items_root == submission.items_root,
    }
    return tuple(mismatch for mismatch, agrees in claims.items() if not agrees)


def item_mismatches(
    submission: SubmissionManifest,
    items: Iterable[ItemManifest],
    *,
    leaves: Sequence[TreeHash] | None = None,
) -> tuple[Mismatch, ...]:
    """Give what submission manifest and item manifests do not say alike, in the list's order.

    items: all of them, in the order of the submission manifest. leaves: of the lines that they were
    read from, where the caller kept them; writing every item anew takes longer than all the rest.
    """
    given = tuple(items)
    if leaves is None:
        leaves = tuple(item.leaf for item in given)
    found = set(_item_faults(submission, given))
    if merkle.root(leaves).hex() != submission.items_root:
        found.add(Mismatch.ITEMS_ROOT)
    return tuple(mismatch for mismatch in Mismatch if mismatch in found)


def _item_faults(
    submission: SubmissionManifest, items: tuple[ItemManifest, ...]
) -> Iterator[Mismatch]:
    if len(items) != submission.items:
        yield Mismatch.ITEM_COUNT
    if len({item.item_id for item in items}) != len(items):
        yield Mismatch.ITEM_TWICE
    if any(item.submission_id != submission.submission_id for item in items):
        yield Mismatch.ITEM_OF_ANOTHER_SUBMISSION
    # Nothing of a submission is better attested than the submission itself.
    if submission.sealed_by is SealedBy.SERVER and any(
        item.sealed_by is SealedBy.CLIENT for item in items
    ):
        yield Mismatch.SEALED_BY
    there = {each.object_id for each in submission.objects}
    named = {item.content.place.object_id for item in items if item.content is not None}
    if named - there:
        yield Mismatch.ITEM_WITHOUT_OBJECT
    if there - named:
        yield Mismatch.OBJECT_WITHOUT_ITEM
