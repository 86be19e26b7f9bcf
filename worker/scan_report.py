"""The scan report: what the quarantine found out about one item, and with what.

It stays inside the trust boundary: it names signatures, members and plaintext digests, so it goes
to officers and, sealed, into the package; a provider is told a word of the feedback vocabulary and
nothing of this. Format: docs/format/19-scan-report.md.
"""

import re
from datetime import datetime
from typing import ClassVar, Final

from amana.wire.documents import Document, Nested, carries, record
from amana.wire.errors import FieldError
from amana.wire.fields import (
    Base64,
    Choice,
    Flag,
    Instant,
    Many,
    Nullable,
    RawBytes,
    Token,
    Whole,
)
from amana.wire.ids import CONTENT_SHA256, ITEM_ID, ContentSha256, ItemId
from amana.wire.manifest import CONTENT_SIZE
from amana.wire.vocabulary import Deployment
from amana.wire.words import MEDIA_TYPE, MediaType
from worker.inside.channel import NAME_BYTES
from worker.signatures import SignatureBase, SignatureProfile
from worker.verdict import SIGNATURE_NAME, Reason, Verdict

ENGINE: Final = Token(
    str,
    re.compile(r"ClamAV [0-9A-Za-z.+~-]{1,40}", re.ASCII),
    "`ClamAV` and its version",
)
SIGNATURE: Final = Token(str, SIGNATURE_NAME, "name of a signature: 1 to 200 printable letters")

MOST_FINDINGS: Final = 1_000
"""How many findings one report lists; the others are counted. Ours."""


@record
class ReportedFinding:
    """One thing that was not clean."""

    number: int = carries(
        Whole(0), "0 for the item itself; else the member, counted from 1 in the order of the walk."
    )
    parent: int | None = carries(
        Nullable(Whole(0)), "The container that holds the member; null for the item."
    )
    name: RawBytes = carries(
        Base64(RawBytes, 0, NAME_BYTES), "The member's name in its container, in bytes, or nothing."
    )
    verdict: Verdict = carries(Choice(Verdict), "What was judged of it.")
    reason: Reason | None = carries(
        Nullable(Choice(Reason)), "Why it was not scanned; null for any other verdict."
    )
    signature: str | None = carries(
        Nullable(SIGNATURE), "What the scanner called it; null if it did not speak."
    )

    def __post_init__(self) -> None:
        """Hold the rules between the fields."""
        if self.verdict is Verdict.CLEAN:
            raise FieldError("is no finding", "verdict")
        if (self.reason is None) is (self.verdict is Verdict.NOT_SCANNED):
            raise FieldError("stands with not-scanned, and only there", "reason")
        if self.verdict in {Verdict.INFECTED, Verdict.FLAGGED} and self.signature is None:
            raise FieldError("is missing", "signature")
        if self.number == 0 and not (self.parent is None and self.name == b""):
            raise FieldError("is the item's own and has neither parent nor name")


@record
class ScanReport(Document):
    """The report of one item."""

    FORMAT: ClassVar[str] = "amana/scan-report/v1"
    # 1,000 findings with the longest names, and the rest.
    LIMIT_BYTES: ClassVar[int] = 8 << 20

    item_id: ItemId = carries(ITEM_ID, "The item.")
    content_sha256: ContentSha256 = carries(CONTENT_SHA256, "SHA-256 of the bytes that were read.")
    content_size: int = carries(CONTENT_SIZE, "How many they were.")
    deployment: Deployment = carries(Choice(Deployment), "Whether the material is real.")
    engine: str = carries(ENGINE, "The scanner, as it names itself.")
    signatures: SignatureBase = carries(Nested(SignatureBase), "What it knew.")
    begun_at: datetime = carries(Instant(), "Before the first canary of the round.")
    ended_at: datetime = carries(Instant(), "After the second.")
    verdict: Verdict = carries(Choice(Verdict), "What it comes to.")
    reasons: tuple[Reason, ...] = carries(
        Many(Choice(Reason), len(Reason)), "Why not all was scanned, in the order of the list."
    )
    windows: int = carries(Whole(1), "In how many windows the item was scanned; 1: as a whole.")
    media_type: MediaType | None = carries(
        Nullable(MEDIA_TYPE), "What its first bytes suggest. A hint, nothing more."
    )
    is_container: bool = carries(Flag(), "Whether the walk could open it.")
    members: int = carries(Whole(0), "How many members were reached, at all depths.")
    member_bytes: int = carries(Whole(0), "How many bytes these had together.")
    findings: tuple[ReportedFinding, ...] = carries(
        Many(Nested(ReportedFinding), MOST_FINDINGS), "What was not clean, in the order found."
    )
    findings_left_out: int = carries(Whole(0), "How many more there were.")

    def __post_init__(self) -> None:
        """Hold the rules between the fields."""
        demo = self.signatures.profile is SignatureProfile.DEMO
        if demo and self.deployment is Deployment.PRODUCTION:
            raise FieldError("are demo signatures, which PRODUCTION refuses", "signatures")
        if self.reasons != tuple(each for each in Reason if each in self.reasons):
            raise FieldError("is not in the order of its list, each once", "reasons")
        if self.ended_at < self.begun_at:
            raise FieldError("is before the beginning", "ended_at")
        self._require_agreement()

    def _require_agreement(self) -> None:
        if self.verdict is Verdict.CLEAN and (self.findings or self.findings_left_out):
            raise FieldError("is clean and has findings", "verdict")
        if self.verdict in {Verdict.CLEAN, Verdict.SCANNED_IN_WINDOWS} and self.reasons:
            raise FieldError("is milder than its reasons", "verdict")
        if self.verdict is Verdict.CLEAN and self.windows > 1:
            raise FieldError("is clean, though scanned in windows", "verdict")
        if self.verdict is Verdict.NOT_SCANNED and not self.reasons:
            raise FieldError("has no reason", "reasons")
        order = list(Verdict)
        if any(order.index(each.verdict) > order.index(self.verdict) for each in self.findings):
            raise FieldError("is milder than a finding", "verdict")
