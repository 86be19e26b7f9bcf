"""Sealed objects as others name them: id, size and digest of the ciphertext.

Nothing here speaks of plaintext, so any of it may stand in the clear.
Format: docs/format/08-package-note.md.
"""

from enum import StrEnum, unique
from typing import Final

from amana.wire.documents import carries, record
from amana.wire.fields import Choice, Whole
from amana.wire.ids import DIGEST, OBJECT_ID, Digest, ObjectId

OBJECTS_LIMIT: Final = 65_536
"""Most objects of one submission. Ours: 4 TB in files of 64 MB; more is sent as more submissions,
which one consignment ties together."""

SEALED_SIZE: Final = Whole(1, 1 << 47)
"""Bytes of one sealed object, to 128 TiB. Ours: a file of 100 GB fits a thousand times."""


@unique
class ObjectKind(StrEnum):
    """What the content of an object is: one file, or a pack of many."""

    RAW = "raw"
    PACK = "pack"


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
