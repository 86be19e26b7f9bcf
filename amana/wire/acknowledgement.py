"""The repository's signed word on a package: kept, item by item, or refused and why.

Material is deleted elsewhere on the strength of an acknowledgement and of nothing else, so it
names the package, the very sealed bytes that arrived, and every item. A refusal changes nothing:
the package stays where it is. Format: docs/format/21-answers.md.
"""

from datetime import date
from enum import StrEnum, unique
from typing import ClassVar, Final, NewType

from amana.wire.documents import Nested, Statement, carries, record
from amana.wire.errors import FieldError
from amana.wire.fields import Choice, Day, Many, Nullable, hexadecimal
from amana.wire.ids import DIGEST, Digest
from amana.wire.package import (
    ITEMS_LIMIT,
    PACKAGE_ID,
    REGISTRATION,
    PackageId,
    RegistrationNumber,
)
from amana.wire.sealed import SEALED_SIZE
from amana.wire.vocabulary import Deployment

AccessionId = NewType("AccessionId", str)
"""The repository's own id for what it took in. Random."""
ACCESSION_ID: Final = hexadecimal(AccessionId, 16, "random id")


@unique
class ItemFate(StrEnum):
    """What became of an item at the repository."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


@unique
class ItemRefusal(StrEnum):
    """Why the repository does not take one item of a package that is in order."""

    KEEPING_NOT_PERMITTED = "keeping-not-permitted"


@unique
class RefusalReason(StrEnum):
    """Why a whole package is refused. What was found is named, never what it says."""

    # The bag outside.
    BAG_MALFORMED = "bag-malformed"
    FETCH_FORBIDDEN = "fetch-forbidden"
    FILE_NOT_LISTED = "file-not-listed"
    FILE_MISSING = "file-missing"
    FILE_CHANGED = "file-changed"
    NOTE_NOT_BELIEVED = "note-not-believed"
    OTHER_DEPLOYMENT = "other-deployment"
    # The seal.
    ANOTHER_RECIPIENT = "another-recipient"
    SEAL_DAMAGED = "seal-damaged"
    # The archive and bag inside.
    ARCHIVE_MALFORMED = "archive-malformed"
    PACKAGE_ID_DISAGREES = "package-id-disagrees"
    INNER_FILE_NOT_LISTED = "inner-file-not-listed"
    INNER_FILE_MISSING = "inner-file-missing"
    INNER_FILE_CHANGED = "inner-file-changed"
    # What it says.
    RECORD_DISAGREES = "record-disagrees"
    SNAPSHOT_MISSING = "snapshot-missing"
    SNAPSHOT_DISAGREES = "snapshot-disagrees"
    CONSENT_DISAGREES = "consent-disagrees"
    TERMS_MISSING = "terms-missing"
    PROVIDER_DOCUMENTS_DISAGREE = "provider-documents-disagree"
    ITEM_DISAGREES = "item-disagrees"
    CUSTODY_DISAGREES = "custody-disagrees"


@record
class AcknowledgedItem:
    """One item. FieldError: a reason without need, or need of one."""

    registration: RegistrationNumber = carries(REGISTRATION, "Its registration number.")
    fate: ItemFate = carries(Choice(ItemFate), "Accepted or refused.")
    reason: ItemRefusal | None = carries(
        Nullable(Choice(ItemRefusal)), "Why it was refused; null when it was not."
    )

    def __post_init__(self) -> None:
        if (self.reason is not None) != (self.fate is ItemFate.REFUSED):
            raise FieldError("does not fit what became of it", "reason")


@record
class PackageAcknowledgement(Statement):
    """The repository has this package, verified and on its disk. FieldError: an item twice."""

    FORMAT: ClassVar = "amana/package-acknowledgement/v1"
    LIMIT_BYTES: ClassVar = 4 << 20

    package_id: PackageId = carries(PACKAGE_ID, "The package.")
    sealed_size: int = carries(SEALED_SIZE, "Bytes of the sealed object that arrived.")
    sealed_sha256: Digest = carries(DIGEST, "SHA-256 of the sealed object that arrived.")
    deployment: Deployment = carries(Choice(Deployment), "Whether the material is real.")
    accession_id: AccessionId = carries(
        ACCESSION_ID, "The repository's id; the same whenever the same package comes again."
    )
    received_on: date = carries(Day(), "The day, in UTC.")
    items: tuple[AcknowledgedItem, ...] = carries(
        Many(Nested(AcknowledgedItem), ITEMS_LIMIT, least=1), "Every item of the package."
    )

    def __post_init__(self) -> None:
        if len({each.registration for each in self.items}) != len(self.items):
            raise FieldError("names an item twice", "items")


@record
class PackageRefusal(Statement):
    """The repository does not take this package and keeps nothing of it."""

    FORMAT: ClassVar = "amana/package-refusal/v1"
    LIMIT_BYTES: ClassVar = 4_096

    package_id: PackageId = carries(PACKAGE_ID, "The name under which it lay; not verified.")
    sealed_sha256: Digest | None = carries(
        Nullable(DIGEST), "SHA-256 of the sealed object that arrived; null when there was none."
    )
    deployment: Deployment = carries(Choice(Deployment), "The repository's own deployment.")
    refused_on: date = carries(Day(), "The day, in UTC.")
    reason: RefusalReason = carries(Choice(RefusalReason), "What was found.")
