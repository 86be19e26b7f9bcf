"""How long each thing is kept, and what happens then.

The periods are the project's own choice; a deployment may set others. Nothing here deletes
anything. Meanings and reasons: docs/format/13-terms.md section 13.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Kept(StrEnum):
    """A thing that is kept for a time."""

    DRAFT = "DRAFT"
    STRANGER_PARTIAL_UPLOAD = "STRANGER_PARTIAL_UPLOAD"
    PORTAL_CIPHERTEXT = "PORTAL_CIPHERTEXT"
    REPLY = "REPLY"
    MAILBOX = "MAILBOX"
    SECURITY_COUNTERS = "SECURITY_COUNTERS"
    CUSTODY_LOG = "CUSTODY_LOG"
    REFUSED_ITEM = "REFUSED_ITEM"
    WITHDRAWN_ITEM = "WITHDRAWN_ITEM"
    WITNESS_IDENTITY = "WITNESS_IDENTITY"
    ORGANISATION_IDENTITY = "ORGANISATION_IDENTITY"
    BACKUP_KEY = "BACKUP_KEY"


class Trigger(StrEnum):
    """From when the period runs."""

    LAST_BYTE = "LAST_BYTE"
    MADE = "MADE"
    PUBLISHED = "PUBLISHED"
    LAST_VISIT = "LAST_VISIT"
    SIGNED_ACKNOWLEDGEMENT = "SIGNED_ACKNOWLEDGEMENT"
    OFFICERS_DECISION = "OFFICERS_DECISION"
    SIGNED_WITHDRAWAL = "SIGNED_WITHDRAWAL"
    END_OF_MANDATE = "END_OF_MANDATE"


class Disposal(StrEnum):
    """What is done when the period is over."""

    DELETE = "DELETE"
    ERASE_KEY = "ERASE_KEY"
    RETURN_OR_DELETE = "RETURN_OR_DELETE"
    ARCHIVE = "ARCHIVE"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRule:
    """Keep a thing until so long after an event, then dispose of it; before the event, never."""

    kept: Kept
    trigger: Trigger
    after: timedelta
    disposal: Disposal


def _rule(kept: Kept, trigger: Trigger, after: timedelta, disposal: Disposal) -> RetentionRule:
    return RetentionRule(kept=kept, trigger=trigger, after=after, disposal=disposal)


_AT_ONCE = timedelta()

RETENTION: tuple[RetentionRule, ...] = (
    _rule(Kept.DRAFT, Trigger.LAST_BYTE, timedelta(minutes=30), Disposal.DELETE),
    _rule(Kept.STRANGER_PARTIAL_UPLOAD, Trigger.LAST_BYTE, timedelta(hours=24), Disposal.DELETE),
    _rule(
        Kept.PORTAL_CIPHERTEXT,
        Trigger.SIGNED_ACKNOWLEDGEMENT,
        timedelta(days=14),
        Disposal.DELETE,
    ),
    _rule(Kept.REPLY, Trigger.PUBLISHED, timedelta(days=90), Disposal.DELETE),
    _rule(Kept.MAILBOX, Trigger.LAST_VISIT, timedelta(days=365), Disposal.ERASE_KEY),
    _rule(Kept.SECURITY_COUNTERS, Trigger.MADE, timedelta(hours=24), Disposal.DELETE),
    _rule(Kept.CUSTODY_LOG, Trigger.END_OF_MANDATE, _AT_ONCE, Disposal.ARCHIVE),
    _rule(Kept.REFUSED_ITEM, Trigger.OFFICERS_DECISION, _AT_ONCE, Disposal.RETURN_OR_DELETE),
    # The hold in which the phrase can undo an erasure.
    _rule(
        Kept.WITHDRAWN_ITEM,
        Trigger.SIGNED_WITHDRAWAL,
        timedelta(days=14),
        Disposal.ERASE_KEY,
    ),
    _rule(
        Kept.WITNESS_IDENTITY,
        Trigger.SIGNED_ACKNOWLEDGEMENT,
        _AT_ONCE,
        Disposal.ERASE_KEY,
    ),
    _rule(
        Kept.ORGANISATION_IDENTITY,
        Trigger.SIGNED_ACKNOWLEDGEMENT,
        timedelta(days=90),
        Disposal.ERASE_KEY,
    ),
    _rule(Kept.BACKUP_KEY, Trigger.MADE, timedelta(days=30), Disposal.ERASE_KEY),
)
"""One rule per thing. What was never acknowledged, decided or withdrawn is never disposed of."""

ALARM_UNACKNOWLEDGED = timedelta(hours=72)
"""Ciphertext without a signed acknowledgement for so long raises an alarm."""
