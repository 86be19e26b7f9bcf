"""What a provider may be told: a closed vocabulary of codes, no text (A/74/699 para. 33).

There is no code, and there must never be one, for whether a request exists, for a jurisdiction,
case or suspect, for lead or evidence, credibility, duplicates, other providers, views, an officer
or a priority. Meanings: docs/format/13-terms.md section 12.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class FeedbackCode(StrEnum):
    """A status or message that officers pick; the catalogues hold its words."""

    RECEIVED = "RECEIVED"
    CHECKING = "CHECKING"
    QUESTION = "QUESTION"
    WAITING_FOR_YOU = "WAITING_FOR_YOU"
    PRESERVED = "PRESERVED"
    PARTLY_KEPT = "PARTLY_KEPT"
    NOT_KEPT = "NOT_KEPT"
    PERMISSION_ASKED = "PERMISSION_ASKED"
    CONDITIONS_CHANGED = "CONDITIONS_CHANGED"
    CORRECTION_RECORDED = "CORRECTION_RECORDED"
    FREEZE_RECORDED = "FREEZE_RECORDED"
    WITHDRAWAL_RECORDED = "WITHDRAWAL_RECORDED"
    DELETED = "DELETED"
    RETURNED = "RETURNED"
    TRANSFER_RECONCILED = "TRANSFER_RECONCILED"
    DOCUMENTATION_ADVICE = "DOCUMENTATION_ADVICE"
    GENERAL_UPDATE = "GENERAL_UPDATE"
    CLEARED_UPDATE = "CLEARED_UPDATE"


class NotKeptReason(StrEnum):
    """Why something was not kept."""

    COULD_NOT_BE_OPENED = "COULD_NOT_BE_OPENED"
    UNSAFE_TO_OPEN = "UNSAFE_TO_OPEN"
    OUTSIDE_MANDATE = "OUTSIDE_MANDATE"
    YOU_ASKED = "YOU_ASKED"


class Parameter(StrEnum):
    """What a code may carry besides itself."""

    DATE = "date"
    REASON = "reason"
    QUESTION = "question"
    TEXT = "text"


PARAMETERS: Mapping[FeedbackCode, frozenset[Parameter]] = MappingProxyType(
    {code: frozenset[Parameter]() for code in FeedbackCode}
    | {
        FeedbackCode.QUESTION: frozenset({Parameter.QUESTION}),
        FeedbackCode.PARTLY_KEPT: frozenset({Parameter.REASON}),
        FeedbackCode.NOT_KEPT: frozenset({Parameter.REASON}),
        FeedbackCode.CONDITIONS_CHANGED: frozenset({Parameter.DATE}),
        FeedbackCode.DOCUMENTATION_ADVICE: frozenset({Parameter.TEXT}),
        FeedbackCode.CLEARED_UPDATE: frozenset({Parameter.TEXT}),
    },
)
"""What each code carries; exactly that."""

FREE_TEXT = frozenset({Parameter.QUESTION, Parameter.TEXT})
"""What a person wrote for this occasion; two officers release it."""


def needs_two_officers(code: FeedbackCode) -> bool:
    """Tell whether a message with this code carries free text."""
    return not PARAMETERS[code].isdisjoint(FREE_TEXT)
