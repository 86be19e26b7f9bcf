"""Sealed objects as others name them: id, size and digest of the ciphertext.

What SealedObject says may stand in the clear; what else is said of an object stands in the sealed
submission manifest. Format: docs/format/08-package-note.md.
"""

from enum import StrEnum, unique
from typing import Final

from amana.wire.documents import carries, record
from amana.wire.errors import FieldError
from amana.wire.fields import Choice, Nullable, Whole
from amana.wire.ids import (
    CONSENT_ID,
    CONTENT_SHA256,
    DIGEST,
    OBJECT_ID,
    ConsentId,
    ContentSha256,
    Digest,
    ObjectId,
)

OBJECTS_LIMIT: Final = 65_536
"""Most objects of one submission, of whatever kind. Ours: 4 TB in files of 64 MB; more is sent as
more submissions, which one consignment ties together. A note of so many takes 11 MB."""

RECORDS_LIMIT: Final = 4_096
"""Most records of one submission. Ours: one for each person in a long case file."""

SEALED_SIZE: Final = Whole(1, 1 << 47)
"""Bytes of one sealed object, to 128 TiB. Ours: a file of 100 GB fits a thousand times."""


@unique
class ObjectKind(StrEnum):
    """What the content of an object is: one file, or a pack of many."""

    RAW = "raw"
    PACK = "pack"


@unique
class RecordKind(StrEnum):
    """What a document that travels beside the material is."""

    CONSENT = "consent"
    AGREEMENT = "agreement"
    INVENTORY = "inventory"
    OTHER = "other"


@record
class SealedObject:
    """One sealed object, from outside."""

    object_id: ObjectId = carries(OBJECT_ID, "The object.")
    sealed_size: int = carries(SEALED_SIZE, "Bytes of the sealed object.")
    sealed_sha256: Digest = carries(DIGEST, "SHA-256 of the sealed object.")


@record
class ContentObject:
    """One sealed object that holds material, as the sealed submission manifest names it."""

    object_id: ObjectId = carries(OBJECT_ID, "The object.")
    kind: ObjectKind = carries(Choice(ObjectKind), "One file, or a pack of many.")
    sealed_size: int = carries(SEALED_SIZE, "Bytes of the sealed object.")
    sealed_sha256: Digest = carries(DIGEST, "SHA-256 of the sealed object.")

    @property
    def outside(self) -> SealedObject:
        """The same as it may stand in the clear."""
        return SealedObject(
            object_id=self.object_id,
            sealed_size=self.sealed_size,
            sealed_sha256=self.sealed_sha256,
        )


@record
class RecordObject:
    """One sealed object that holds a document, as the sealed submission manifest names it.

    FieldError: a consent without its id, or an id on what is no consent.
    """

    object_id: ObjectId = carries(OBJECT_ID, "The object.")
    sealed_size: int = carries(SEALED_SIZE, "Bytes of the sealed object.")
    sealed_sha256: Digest = carries(DIGEST, "SHA-256 of the sealed object.")
    kind: RecordKind = carries(Choice(RecordKind), "What the document is.")
    consent_id: ConsentId | None = carries(
        Nullable(CONSENT_ID), "The consent record; null unless the kind is *consent*."
    )
    sha256: ContentSha256 = carries(CONTENT_SHA256, "SHA-256 of the document.")

    def __post_init__(self) -> None:
        if (self.consent_id is not None) != (self.kind is RecordKind.CONSENT):
            raise FieldError("does not fit the kind", "consent_id")

    @property
    def outside(self) -> SealedObject:
        """The same as it may stand in the clear."""
        return SealedObject(
            object_id=self.object_id,
            sealed_size=self.sealed_size,
            sealed_sha256=self.sealed_sha256,
        )
