"""Why something was held, refused, changed or ended: one word for each reason.

A reason says what was found, never what the material shows, whom it concerns or who asked.
Format: docs/format/11-custody-events.md.
"""

from enum import StrEnum, unique


@unique
class ReasonCode(StrEnum):
    """A reason that stands in custody events and holds."""

    # What arrived does not agree with itself.
    NOTE_UNSIGNED = "note-unsigned"
    NOTE_DISAGREES = "note-disagrees"
    SUBMISSION_MANIFEST_DISAGREES = "submission-manifest-disagrees"
    ITEM_MANIFEST_DISAGREES = "item-manifest-disagrees"
    OBJECT_DISAGREES = "object-disagrees"
    ACCOUNT_DISAGREES = "account-disagrees"
    CARD_DISAGREES = "card-disagrees"
    OBJECT_OF_ANOTHER_SUBMISSION = "object-of-another-submission"
    OBJECT_MISSING = "object-missing"
    OBJECT_MALFORMED = "object-malformed"
    PADDING_NOT_EMPTY = "padding-not-empty"
    OTHER_DEPLOYMENT = "other-deployment"
    # Keys and cards.
    CARD_EXPIRED = "card-expired"
    CARD_REVOKED = "card-revoked"
    KEY_MISSING = "key-missing"
    KEY_ROTATED = "key-rotated"
    KEY_DESTROYED = "key-destroyed"
    CLASS_ASSIGNED = "class-assigned"
    # Conditions.
    TERMS_UNKNOWN = "terms-unknown"
    CONSENT_UNKNOWN = "consent-unknown"
    MODE_NOT_AGREED = "mode-not-agreed"
    NATURE_NOT_AGREED = "nature-not-agreed"
    AGREEMENT_NOT_IN_FORCE = "agreement-not-in-force"
    AGREEMENT_LAPSED = "agreement-lapsed"
    CONDITIONS_TIGHTENED = "conditions-tightened"
    CONSENT_ANSWERED = "consent-answered"
    FROZEN = "frozen"
    WITHDRAWN = "withdrawn"
    # Scanning and opening.
    SCANNER_MISSING = "scanner-missing"
    SIGNATURES_STALE = "signatures-stale"
    NOT_SCANNED_LIMITS = "not-scanned-limits"
    NOT_SCANNED_ENCRYPTED = "not-scanned-encrypted"
    FLAGGED = "flagged"
    UNREADABLE = "unreadable"
    # Decisions and ends.
    AT_RISK = "at-risk"
    AWAITING_PROVIDER = "awaiting-provider"
    OUTSIDE_MANDATE = "outside-mandate"
    PROVIDER_ASKED = "provider-asked"
    CORRECTED = "corrected"
    REPOSITORY_REFUSED = "repository-refused"
    REPOSITORY_ACKNOWLEDGED = "repository-acknowledged"
    RETENTION_ENDED = "retention-ended"
