"""Closed lists of words that several documents use.

A word that is not here is refused; a new one needs a new version of the formats that carry it.
What terms are written in (handling classes, exemptions, layers) stands in `terms`.
Format: docs/format/06-ids-and-fields.md.
"""

from enum import StrEnum, unique

from amana.deployment import Deployment as Deployment  # noqa: PLC0414 - others take it from here


@unique
class SealedBy(StrEnum):
    """Where plaintext last was: on the provider's machine, or in the portal's memory.

    CLIENT needs the provider's own signature on the package note. Without one nobody could know,
    so whatever is sealed without a key of the provider's says SERVER, wherever that was done.
    """

    CLIENT = "client"
    SERVER = "server"


@unique
class Certainty(StrEnum):
    """How sure the one who says it is. Not known at all is null."""

    CERTAIN = "certain"
    LIKELY = "likely"
    UNCERTAIN = "uncertain"


@unique
class Originality(StrEnum):
    """What the bytes are, in the collector's own words for it."""

    ORIGINAL = "original"
    COPY = "copy"
    DERIVATIVE = "derivative"


@unique
class CollectionMethod(StrEnum):
    """How the material came to the one who collected it."""

    RECORDED = "recorded"
    RECEIVED = "received"
    FOUND = "found"
    DOWNLOADED = "downloaded"
    EXTRACTED = "extracted"
    SCANNED = "scanned"
    STATEMENT_TAKEN = "statement-taken"
    OTHER = "other"


@unique
class SourceType(StrEnum):
    """Whom the material is from in the first place (A/74/699 para. 10, 14)."""

    STATE = "state"
    UNITED_NATIONS = "united-nations"
    ORGANISATION = "organisation"
    INDIVIDUAL = "individual"
    MEDIA = "media"
    OPEN_SOURCE = "open-source"
    OTHER = "other"


@unique
class TermsState(StrEnum):
    """Which conditions an item came under. Not known is legal at intake: kept, never shared."""

    AGREEMENT = "agreement"
    STANDING = "standing"
    UNKNOWN = "unknown"


@unique
class ConsentBasis(StrEnum):
    """What is known of a person's consent at intake."""

    RECORDED = "recorded"
    EXEMPT = "exempt"
    UNKNOWN = "unknown"
