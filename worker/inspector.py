"""The inspector: a round over some items, and a report on each, or a reason to do it again.

A round begins and ends with the canary; as many items are in flight as there are cores. Nothing of
an item is ever on a disk. A verdict is made when the round has ended in order, never before. The
rule itself is worker/verdict.py; what leaves is worker/scan_report.py.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from amana.clock import Clock, today
from amana.wire.fields import RawBytes
from amana.wire.ids import ItemId
from amana.wire.vocabulary import Deployment
from worker import canary
from worker.clamd_service import MOST_FILE_BYTES
from worker.clamd_wire import ClamdClient
from worker.errors import (
    BudgetError,
    MismatchError,
    RetryError,
    RetryReason,
    SandboxError,
    SignatureBaseError,
)
from worker.memory import Content, MemoryBudget, SealedMemory, Tally
from worker.sandbox import Sandbox
from worker.scan_report import ReportedFinding, ScanReport
from worker.signatures import SignatureBase, describe, require_allowed
from worker.verdict import Evidence, Judgement, Round, conclude, judge_reply, require_round
from worker.walk import CutSettings, Finding, Walk, Walked, WalkLimits

_MEBIBYTE: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectorSettings:
    """What an inspector is told. Sizes in bytes.

    items_bytes, members_bytes: the budgets for items and for members of containers; together they
    should be at most a quarter of the machine's memory. window_bytes: the longest content that is
    held as a whole. container_bytes: the members of one container that are held at one time.
    most_signature_days: an older database passes nothing.
    """

    deployment: Deployment
    signatures: Path
    in_flight: int
    items_bytes: int = 2 << 30
    members_bytes: int = 2 << 30
    window_bytes: int = 1 << 30
    overlap_bytes: int = 16 * _MEBIBYTE
    container_bytes: int = 2 << 30
    most_signature_days: int = 14
    limits: WalkLimits = field(default_factory=WalkLimits)

    def __post_init__(self) -> None:
        """BudgetError: the sizes do not fit into each other."""
        if not 0 <= self.overlap_bytes < self.window_bytes <= MOST_FILE_BYTES:
            raise BudgetError("a window must be longer than its overlap, and within clamd's limit")
        if self.items_bytes < self.window_bytes or self.members_bytes < self.container_bytes:
            raise BudgetError("a budget must hold one window, or one container's members")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What is to be examined: its name, what its manifest says it is, and how to read it anew."""

    item_id: ItemId
    content: Content
    read: Callable[[], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Examined:
    """There is a verdict."""

    report: ScanReport


@dataclass(frozen=True, slots=True)
class Again:
    """There is none, for a reason that lies with us: the item is to be examined again."""

    item_id: ItemId
    reason: RetryReason


@dataclass(frozen=True, slots=True)
class Mismatched:
    """The bytes are not those of the manifest: the item is held, and scanning it means nothing."""

    item_id: ItemId


Outcome = Examined | Again | Mismatched


class Inspector:
    """Examines items with one clamd. Make it once; each call of `examine` is a round."""

    def __init__(self, client: ClamdClient, settings: InspectorSettings, clock: Clock) -> None:
        self._client = client
        self._settings = settings
        self._clock = clock
        self._items = MemoryBudget(settings.items_bytes)
        self._members = MemoryBudget(settings.members_bytes)

    def examine(self, items: Sequence[Item]) -> tuple[Outcome, ...]:
        """Examine the items of one submission and give an outcome for each, in their order.

        What a `read` raises of its own accord passes through, and the round with it.
        """
        begun_at = self._clock.now()
        try:
            before = self._begin()
            # The rule itself, asked early: there is no use in scanning what could not pass.
            require_round(before)
            found = self._walk_all(items)
            facts = replace(
                before,
                version_after=self._client.version(),
                canary_after=canary.is_right(self._client),
            )
            require_round(facts)
        except RetryError as failure:
            return tuple(Again(item.item_id, failure.reason) for item in items)
        times = (begun_at, self._clock.now())
        pairs = zip(items, found, strict=True)
        return tuple(self._outcome(item, one, facts, times) for item, one in pairs)

    def _begin(self) -> Round:
        signatures = self._signatures()
        version, is_right = self._client.version(), canary.is_right(self._client)
        return Round(
            day=today(self._clock),
            signatures=signatures,
            most_days=self._settings.most_signature_days,
            version_before=version,
            version_after=version,
            canary_before=is_right,
            canary_after=is_right,
        )

    def _signatures(self) -> SignatureBase:
        try:
            base = describe(self._settings.signatures)
            require_allowed(base, self._settings.deployment)
        except SignatureBaseError as failure:
            raise RetryError(RetryReason.SIGNATURES_UNUSABLE) from failure
        return base

    def _walk_all(self, items: Sequence[Item]) -> tuple["Walked | Again | Mismatched", ...]:
        settings = self._settings
        try:
            with (
                Sandbox(item_cpu_seconds=settings.limits.seconds) as sandbox,
                ThreadPoolExecutor(settings.in_flight) as pool,
            ):
                return tuple(pool.map(partial(self._walk, sandbox), items))
        except SandboxError as failure:
            raise RetryError(RetryReason.SANDBOX_UNAVAILABLE) from failure

    def _walk(self, sandbox: Sandbox, item: Item) -> "Walked | Again | Mismatched":
        settings, tally = self._settings, Tally()
        walk = Walk(
            sandbox=sandbox,
            scan=self._scan,
            limits=settings.limits,
            cut=CutSettings(
                window_bytes=settings.window_bytes, overlap_bytes=settings.overlap_bytes
            ),
            inner=self._members,
            inner_bytes=settings.container_bytes,
        )
        need_bytes = min(item.content.size_bytes, settings.window_bytes)
        try:
            with self._items.allot(need_bytes) as allotment:
                walk.item(tally.over(item.content.bound(item.read())), allotment)
            tally.require(item.content)
        except MismatchError:
            return Mismatched(item.item_id)
        except RetryError as failure:
            return Again(item.item_id, failure.reason)
        except SandboxError:
            return Again(item.item_id, RetryReason.SANDBOX_UNAVAILABLE)
        except BudgetError:
            return Again(item.item_id, RetryReason.MEMORY_SHORT)
        return walk.result

    def _scan(self, memory: SealedMemory) -> Judgement:
        return judge_reply(self._client.scan(memory), memory.size_bytes)

    def _outcome(
        self,
        item: Item,
        found: "Walked | Again | Mismatched",
        facts: Round,
        times: tuple[datetime, datetime],
    ) -> Outcome:
        if not isinstance(found, Walked):
            return found
        try:
            conclusion = conclude(
                Evidence(
                    size_bytes=item.content.size_bytes,
                    windows=found.windows,
                    overlap_bytes=self._settings.overlap_bytes,
                    inside=found.judgements,
                    refusals=found.refusals,
                    round=facts,
                )
            )
        except RetryError as failure:
            return Again(item.item_id, failure.reason)
        begun_at, ended_at = times
        return Examined(
            ScanReport(
                item_id=item.item_id,
                content_sha256=item.content.sha256,
                content_size=item.content.size_bytes,
                deployment=self._settings.deployment,
                engine=facts.version_before.engine,
                signatures=facts.signatures,
                begun_at=begun_at,
                ended_at=ended_at,
                verdict=conclusion.verdict,
                reasons=conclusion.reasons,
                windows=len(found.windows),
                media_type=found.media_type,
                is_container=found.is_container,
                members=found.members,
                member_bytes=found.member_bytes,
                findings=tuple(_reported(each) for each in found.findings),
                findings_left_out=found.findings_left_out,
            )
        )


def _reported(finding: Finding) -> ReportedFinding:
    return ReportedFinding(
        number=finding.number,
        parent=finding.parent,
        name=RawBytes(finding.name),
        verdict=finding.judgement.verdict,
        reason=finding.judgement.reason,
        signature=finding.judgement.signature,
    )
