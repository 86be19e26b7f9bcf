"""The package note: all that the portal may see of a submission, in the clear.

Ids, sealed sizes and digests of sealed bytes; no name, no digest of plaintext, no agreement, no
text at all. A provider's keys sign it; where there are none, the portal signs what it observed,
with the day. Format: docs/format/08-package-note.md.
"""

from collections.abc import Collection, Iterator
from datetime import date
from enum import StrEnum, unique
from typing import ClassVar

from amana.wire.documents import Nested, Statement, carries, record
from amana.wire.errors import FieldError, UnsignedError
from amana.wire.fields import Choice, Day, Many, Nullable
from amana.wire.ids import (
    ACCOUNT_ID,
    CARD_ID,
    DIGEST,
    SUBMISSION_ID,
    AccountId,
    CardId,
    Digest,
    SubmissionId,
)
from amana.wire.sealed import OBJECTS_LIMIT, RECORDS_LIMIT, SealedObject
from amana.wire.signers import read_signed_only
from amana.wire.vocabulary import Deployment
from crypto.note import DualKey


@unique
class Attestation(StrEnum):
    """Whose word the note is. Only the provider's own makes `sealed_by: client` count."""

    SIGNED = "signed"
    OBSERVED = "observed"


@record
class PackageNote(Statement):
    """What the portal may see of a submission.

    FieldError: an object stands twice, the objects are too many together, or the day is there and
    the note is the provider's own, or the other way round.
    """

    FORMAT: ClassVar = "amana/package-note/v1"
    LIMIT_BYTES: ClassVar = 16 << 20

    submission_id: SubmissionId = carries(SUBMISSION_ID, "The submission.")
    account: AccountId = carries(ACCOUNT_ID, "The provider's account.")
    card: CardId = carries(CARD_ID, "The card whose recipient all objects are sealed to.")
    deployment: Deployment = carries(Choice(Deployment), "Whether the material is real.")
    attestation: Attestation = carries(
        Choice(Attestation), "Signed by the provider, or by the portal as observed."
    )
    received_on: date | None = carries(
        Nullable(Day()), "The day on which the portal observed it; null when the provider signs."
    )
    items_root: Digest = carries(
        DIGEST, "RFC 6962 root over the salted item manifests, in their order."
    )
    submission_manifest: SealedObject = carries(
        Nested(SealedObject), "The sealed submission manifest."
    )
    item_manifests: tuple[SealedObject, ...] = carries(
        Many(Nested(SealedObject), OBJECTS_LIMIT), "The sealed item manifests, in order."
    )
    records: tuple[SealedObject, ...] = carries(
        Many(Nested(SealedObject), RECORDS_LIMIT), "Other sealed documents, in order."
    )
    objects: tuple[SealedObject, ...] = carries(
        Many(Nested(SealedObject), OBJECTS_LIMIT), "The objects that hold material."
    )

    def __post_init__(self) -> None:
        if (self.received_on is not None) != (self.attestation is Attestation.OBSERVED):
            raise FieldError("does not fit the attestation", "received_on")
        everything = tuple(self.everything())
        if len(everything) - 1 > OBJECTS_LIMIT:
            raise FieldError(f"has more than {OBJECTS_LIMIT} with those of other lists", "objects")
        if len({each.object_id for each in everything}) != len(everything):
            raise FieldError("names an object twice", "objects")
        if len({each.sealed_sha256 for each in everything}) != len(everything):
            raise FieldError("names the same sealed bytes twice", "objects")

    def everything(self) -> Iterator[SealedObject]:
        """Yield all sealed objects: submission manifest, item manifests, records, material."""
        yield self.submission_manifest
        yield from self.item_manifests
        yield from self.records
        yield from self.objects


def read_note(
    untrusted: bytes, key: DualKey, attestation: Attestation, portals: Collection[DualKey] = ()
) -> PackageNote:
    """Give the package note that this signer signed, if that is the word it may give.

    attestation: what the key is enrolled for: a provider's member signs, a portal observes. A
    member's key is named by its account, `/` and a word, so that no name stands in the clear.
    portals: whose lines may stand beside the signer's; nobody else's may.
    UnsignedError: not signed by this key, or by a stranger too, or as another's word, or for
    another account. FormatError, FieldError: no package note.
    """
    note = read_signed_only(PackageNote, untrusted, key, portals)
    if note.attestation is not attestation:
        raise UnsignedError("the note claims to be another's word")
    if attestation is Attestation.SIGNED and not key.name.startswith(f"{note.account}/"):
        raise UnsignedError("the signer is not a member of the account")
    return note
