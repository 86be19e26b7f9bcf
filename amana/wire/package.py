"""A sealed package: what the quarantine hands to the repository, and what says what is in it.

Inside the seal stands everything, conditions first; outside stand an id, sizes, digests of sealed
bytes and a day, and neither a provider nor a handling class. There is no package without a terms
snapshot and no item without a consent state. Format: docs/format/20-package.md.
"""

import re
from datetime import date
from enum import StrEnum, unique
from typing import ClassVar, Final, NewType

from amana.wire.documents import Document, Nested, Statement, carries, record
from amana.wire.errors import FieldError
from amana.wire.event import CustodyEvent
from amana.wire.fields import Choice, Day, Many, Nullable, Token, Whole, hexadecimal
from amana.wire.ids import (
    DIGEST,
    ITEM_ID,
    SUBMISSION_ID,
    Digest,
    ItemId,
    SubmissionId,
)
from amana.wire.manifest_lines import DEFAULT_LIMITS
from amana.wire.references import ConsentReference, TermsReference
from amana.wire.sealed import SEALED_SIZE
from amana.wire.vocabulary import Deployment
from amana.wire.words import MEDIA_TYPE, MediaType
from terms.vocabulary import HandlingClass

PackageId = NewType("PackageId", str)
"""SHA-256 of the inner tar. Salts and random numbers in the tar keep it from being guessed."""
RegistrationNumber = NewType("RegistrationNumber", str)
"""An item's permanent number in the Mechanism's records. Random, so it tells nothing."""
ObjectPath = NewType("ObjectPath", str)
"""Where an item's bytes lie in the inner bag, `data/objects/000001.bin`."""

PACKAGE_ID: Final = hexadecimal(PackageId, 32, "package id")
REGISTRATION: Final = hexadecimal(RegistrationNumber, 16, "random registration number")
OBJECT_PATH: Final = Token(
    ObjectPath,
    re.compile(r"data/objects/[0-9]{6}\.bin", re.ASCII),
    "`data/objects/`, six digits, `.bin`",
)

ITEMS_LIMIT: Final = 20_000
"""Most items of one package. Ours: a reader keeps about 2 KiB of each in memory, so 40 MiB."""


@unique
class ScanVerdict(StrEnum):
    """What the scanner said. Not scanned is not infected, and neither keeps an item out."""

    CLEAN = "clean"
    FLAGGED = "flagged"
    NOT_SCANNED = "not-scanned"


@record
class PackageRecord(Document):
    """What a package is: of which submission, under which conditions, how many items."""

    FORMAT: ClassVar = "amana/package/v1"
    LIMIT_BYTES: ClassVar = 16_384

    deployment: Deployment = carries(Choice(Deployment), "Whether the material is real.")
    submission_id: SubmissionId = carries(SUBMISSION_ID, "The submission that all items are of.")
    note_sha256: Digest = carries(DIGEST, "SHA-256 of the provider's package note's text.")
    snapshot_sha256: Digest = carries(DIGEST, "SHA-256 of the terms snapshot in this package.")
    terms: TermsReference = carries(Nested(TermsReference), "The conditions that all items name.")
    handling_class: HandlingClass = carries(Choice(HandlingClass), "The class of all items.")
    items: int = carries(Whole(1, ITEMS_LIMIT), "How many items there are.")
    made_on: date = carries(Day(), "The day of the latest custody event; never a clock's.")


@record
class PackagedItem(Document):
    """One item of a package: its number, its conditions, and what was found out about it.

    What its provider says stands in the item manifest, byte for byte, and nowhere else.
    """

    FORMAT: ClassVar = "amana/packaged-item/v1"
    LIMIT_BYTES: ClassVar = 1 << 18

    registration: RegistrationNumber = carries(REGISTRATION, "Its permanent number.")
    item_id: ItemId = carries(ITEM_ID, "The item.")
    place: int = carries(
        Whole(0, DEFAULT_LIMITS.manifests - 1), "Its leaf below `items_root`, counted from 0."
    )
    manifest_sha256: Digest = carries(DIGEST, "SHA-256 of its item manifest.")
    path: ObjectPath | None = carries(
        Nullable(OBJECT_PATH), "Where its bytes lie; null for an empty folder or a link."
    )
    terms: TermsReference = carries(Nested(TermsReference), "The conditions that it is kept under.")
    consents: tuple[ConsentReference, ...] = carries(
        Many(Nested(ConsentReference), 256, least=1),
        "One entry for each person concerned, or one that says that it is not known.",
    )
    handling_class: HandlingClass = carries(Choice(HandlingClass), "As officers decided.")
    detected_type: MediaType | None = carries(
        Nullable(MEDIA_TYPE), "The media type that was found; null when none was."
    )
    verdict: ScanVerdict = carries(Choice(ScanVerdict), "What the scanner said.")
    scan_sha256: Digest | None = carries(
        Nullable(DIGEST), "SHA-256 of the scan report in this package; null when not scanned."
    )

    def __post_init__(self) -> None:
        if self.scan_sha256 is None and self.verdict is not ScanVerdict.NOT_SCANNED:
            raise FieldError("is missing though there is a verdict", "scan_sha256")


@record
class CustodyLine(Document):
    """A custody event, and where its leaf stands in the tree of the package's checkpoint.

    FieldError: hashes without an index.
    """

    FORMAT: ClassVar = "amana/custody-line/v1"
    LIMIT_BYTES: ClassVar = 1 << 16

    event: CustodyEvent = carries(Nested(CustodyEvent), "The event, whole, with its salt.")
    index: int | None = carries(
        Nullable(Whole(0)), "Its leaf in the log, from 0; null when it is not in it yet."
    )
    hashes: tuple[Digest, ...] = carries(
        Many(DIGEST, 63), "RFC 9162 inclusion proof, from the leaf's neighbour upwards."
    )

    def __post_init__(self) -> None:
        if self.index is None and self.hashes:
            raise FieldError("stand there without an index", "hashes")


@record
class SealedPackage(Statement):
    """What may be said of a package in the clear, signed by the quarantine."""

    FORMAT: ClassVar = "amana/sealed-package/v1"
    LIMIT_BYTES: ClassVar = 4_096

    package_id: PackageId = carries(PACKAGE_ID, "SHA-256 of the inner tar.")
    deployment: Deployment = carries(Choice(Deployment), "Whether the material is real.")
    sealed_size: int = carries(SEALED_SIZE, "Bytes of the sealed object.")
    sealed_sha256: Digest = carries(DIGEST, "SHA-256 of the sealed object.")
    made_on: date = carries(Day(), "The day of the latest custody event.")
