"""What a scanner's answers amount to: the one rule, and nothing else.

Pure: it is given what happened and says what that means. An item is clean only if everything that
could have gone wrong silently is known not to have. What could not be looked at is "not scanned",
never "infected" and never "clean"; what went wrong with ourselves is no verdict at all, but a
reason to do it again. Rule and tables: docs/format/19-scan-report.md.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum, unique
from typing import Final

from worker.clamd_wire import ScannerVersion, UntrustedReply
from worker.errors import RetryError, RetryReason
from worker.signatures import SignatureBase


@unique
class Verdict(StrEnum):
    """What scanning an item came to, mildest first: of several, the last in this order counts."""

    CLEAN = "clean"
    SCANNED_IN_WINDOWS = "scanned-in-windows"
    NOT_SCANNED = "not-scanned"
    FLAGGED = "flagged"
    INFECTED = "infected"


@unique
class Reason(StrEnum):
    """Why something was not scanned, or not as a whole."""

    ENCRYPTED = "encrypted"
    SCANNER_FILE_SIZE = "scanner-file-size"
    SCANNER_SCAN_SIZE = "scanner-scan-size"
    SCANNER_FILES = "scanner-files"
    SCANNER_RECURSION = "scanner-recursion"
    SCANNER_TIME = "scanner-time"
    SCANNER_LIMIT = "scanner-limit"
    UNREADABLE = "unreadable"
    UNSUPPORTED_CONTAINER = "unsupported-container"
    TRAILING_DATA = "trailing-data"
    CONTAINER_IN_WINDOWS = "container-in-windows"
    WALK_BROKE = "walk-broke"
    TOO_DEEP = "too-deep"
    TOO_MANY_MEMBERS = "too-many-members"
    TOO_MANY_BYTES = "too-many-bytes"
    TOO_LONG_NAME = "too-long-name"
    TOO_LONG_TIME = "too-long-time"
    TOO_LARGE_MEMBER = "too-large-member"


SIGNATURE_NAME: Final = re.compile(r"[!-~]{1,200}", re.ASCII)
"""How a signature may be called: printable ASCII without a space. Ours; clamd's are shorter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict on one content, with the reason of NOT_SCANNED or the name of what was found."""

    verdict: Verdict
    reason: Reason | None = None
    signature: str | None = None


# One table from clamd's finding to what it means; the first row that fits counts. clamd appends
# `.UNOFFICIAL` to what is not ClamAV's own, so each row is a beginning.
FINDINGS: Final[tuple[tuple[str, Verdict, Reason | None], ...]] = (
    ("Heuristics.Limits.Exceeded.MaxFileSize", Verdict.NOT_SCANNED, Reason.SCANNER_FILE_SIZE),
    ("Heuristics.Limits.Exceeded.MaxScanSize", Verdict.NOT_SCANNED, Reason.SCANNER_SCAN_SIZE),
    ("Heuristics.Limits.Exceeded.MaxFiles", Verdict.NOT_SCANNED, Reason.SCANNER_FILES),
    ("Heuristics.Limits.Exceeded.MaxRecursion", Verdict.NOT_SCANNED, Reason.SCANNER_RECURSION),
    ("Heuristics.Limits.Exceeded.MaxScanTime", Verdict.NOT_SCANNED, Reason.SCANNER_TIME),
    ("Heuristics.Limits.", Verdict.NOT_SCANNED, Reason.SCANNER_LIMIT),
    ("Heuristics.Encrypted.", Verdict.NOT_SCANNED, Reason.ENCRYPTED),
    ("Heuristics.", Verdict.FLAGGED, None),
    ("PUA.", Verdict.FLAGGED, None),
    ("", Verdict.INFECTED, None),
)


def judge_reply(reply: UntrustedReply, expected_bytes: int) -> Judgement:
    """Give what clamd's reply to one descriptor means.

    RetryError: it was handed other bytes than were meant, or it says neither OK nor FOUND.
    """
    if reply.sent_bytes != expected_bytes:
        raise RetryError(RetryReason.BYTES_MISCOUNTED)
    match reply.status, reply.finding:
        case "OK", None:
            return Judgement(verdict=Verdict.CLEAN)
        case "FOUND", str(name) if SIGNATURE_NAME.fullmatch(name):
            return judge_finding(name)
        case _:
            raise RetryError(RetryReason.SCANNER_FAULT)


def judge_finding(name: str) -> Judgement:
    """Give what the name of a finding means, by the table FINDINGS."""
    verdict, reason = next((row[1], row[2]) for row in FINDINGS if name.startswith(row[0]))
    return Judgement(verdict=verdict, reason=reason, signature=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One stretch of an item that went to clamd as one content, and what came of it."""

    offset: int
    size_bytes: int
    judgement: Judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One pass over some items with one clamd: what has to hold before any verdict counts.

    canary_*: the EICAR file was found and the clean sample passed, just before and just after.
    """

    day: date
    signatures: SignatureBase
    most_days: int
    version_before: ScannerVersion
    version_after: ScannerVersion
    canary_before: bool
    canary_after: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that is known of one item's examination.

    windows: in the item's order. inside: what was judged of it and of its members, at least all
    that was not clean. refusals: why the walk could not go everywhere; empty: it saw everything
    that it knows for a container.
    """

    size_bytes: int
    windows: tuple[Window, ...]
    overlap_bytes: int
    inside: frozenset[Judgement]
    refusals: frozenset[Reason]
    round: Round


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """The verdict on an item, and every reason that stands beside it, in the order of Reason."""

    verdict: Verdict
    reasons: tuple[Reason, ...]


def conclude(evidence: Evidence) -> Conclusion:
    """Give the verdict on an item. RetryError: our own side was not in order, so there is none."""
    # 1. The scanner was itself, knew what it should, and can be named later.
    require_round(evidence.round)
    # 2. Every byte of the item went to it, with overlap if not as a whole.
    require_coverage(evidence)
    # 3. The worst that was said of the item or of anything inside it.
    judgements = [*(each.judgement for each in evidence.windows), *evidence.inside]
    verdicts = [each.verdict for each in judgements]
    # 4. What the walk could not see was not scanned.
    if evidence.refusals:
        verdicts.append(Verdict.NOT_SCANNED)
    # 5. In windows, only signatures of a body can match: that is less than clean.
    if len(evidence.windows) > 1:
        verdicts.append(Verdict.SCANNED_IN_WINDOWS)
    reasons = evidence.refusals | {each.reason for each in judgements if each.reason is not None}
    return Conclusion(
        verdict=worst(verdicts), reasons=tuple(each for each in Reason if each in reasons)
    )


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Give the verdict that counts of several, by the order of the class."""
    found = set(verdicts)
    return next(each for each in reversed(Verdict) if each in found)


def require_round(facts: Round) -> None:
    """RetryError: a verdict of this round would say nothing."""
    if not (facts.canary_before and facts.canary_after):
        raise RetryError(RetryReason.CANARY_MISJUDGED)
    if facts.version_before != facts.version_after:
        raise RetryError(RetryReason.SIGNATURES_CHANGED)
    if facts.version_before.database not in {None, facts.signatures.version}:
        raise RetryError(RetryReason.SIGNATURES_CHANGED)
    if not facts.signatures.is_usable_on(facts.day, facts.most_days):
        raise RetryError(RetryReason.SIGNATURES_OLD)


def require_coverage(evidence: Evidence) -> None:
    """RetryError: the windows do not cover the item, each with the overlap before it."""
    end = 0
    for index, window in enumerate(evidence.windows):
        begin = 0 if index == 0 else end - evidence.overlap_bytes
        if window.offset != begin or window.offset + window.size_bytes < end:
            raise RetryError(RetryReason.BYTES_MISCOUNTED)
        end = window.offset + window.size_bytes
    if not evidence.windows or end != evidence.size_bytes:
        raise RetryError(RetryReason.BYTES_MISCOUNTED)
