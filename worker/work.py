"""The quarantine at work: a loop that starts what is due, and steps that never raise.

What is due follows from the books alone, so a loop that was killed begins anew and misses nothing.
Between looks it keeps the scanner running and carries to and from the portal. A run that could not
be finished is tried again, later and later. Format: docs/format/26-quarantine.md.
"""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from amana.events import EventLog
from amana.link.errors import LinkError
from amana.store.errors import StoreError
from amana.wire.ids import SubmissionId
from amana.wire.reasons import ReasonCode
from amana.wire.spool import ANSWER
from worker.carrying import Carrying
from worker.codes import WaitCode, WorkerCode
from worker.engine import Engine, Kind, Plan, Progress, Step
from worker.errors import (
    DisagreementError,
    KeysUnavailableError,
    MismatchError,
    RetryError,
    WorkerError,
)
from worker.pipeline.erase import collect, erase, is_closable, receipt
from worker.pipeline.examine import examine, hold
from worker.pipeline.packing import pack
from worker.pipeline.release import is_releasable, prepare
from worker.pipeline.rows import (
    SubmissionRow,
    counts_of,
    packages_of,
    submissions,
    the_submission,
)
from worker.pipeline.states import ItemState, PackageState, SubmissionState
from worker.pipeline.workshop import Workshop
from worker.pull_errors import PullError, PullFault
from worker.records.tables import SUBMISSION

LOOK_SECONDS: Final = 1.0
"""How long the loop sleeps when nothing wakes it. Ours."""

FIRST_WAIT_SECONDS: Final = 2.0
LONGEST_WAIT_SECONDS: Final = 300.0
"""After a run that could not be finished: twice as long each time. Ours: the scanner, the keys and
the repository come back by people."""

_LOG_FAULTS: Final = frozenset({PullFault.LOG_UNSIGNED, PullFault.LOG_SHRUNK, PullFault.LOG_FORKED})

_STEPS: Final = {
    Kind.EXAMINE: (("examine", examine),),
    Kind.RELEASE: (("prepare", prepare), ("pack", pack)),
    Kind.ERASE: (("collect", collect), ("receipt", receipt), ("erase", erase)),
}


@dataclass(slots=True)
class Backoff:
    """Which submissions wait, until when, and how long the next time."""

    clock: Callable[[], float] = time.monotonic
    _waits: dict[SubmissionId, tuple[float, float]] = field(default_factory=dict)

    def is_due(self, submission: SubmissionId) -> bool:
        """Tell whether a submission may be tried now."""
        until, _ = self._waits.get(submission, (0.0, 0.0))
        return self.clock() >= until

    def put_off(self, submission: SubmissionId) -> None:
        """Let a submission wait, longer than the last time."""
        _, last = self._waits.get(submission, (0.0, FIRST_WAIT_SECONDS / 2))
        wait = min(2 * last, LONGEST_WAIT_SECONDS)
        self._waits[submission] = (self.clock() + wait, wait)

    def forget(self, submission: SubmissionId) -> None:
        """Let nothing of earlier failures count any more."""
        self._waits.pop(submission, None)

    def forget_all(self) -> None:
        """Let nothing wait any more."""
        self._waits.clear()


def due(shop: Workshop) -> Iterator[tuple[Kind, SubmissionRow]]:
    """Yield what the books say is to be done, submission by submission."""
    for row in shop.books.read(submissions):
        kind = _kind(shop, row)
        if kind is not None:
            yield kind, row


def _kind(shop: Workshop, row: SubmissionRow) -> Kind | None:
    match row.state:
        case SubmissionState.FETCHED:
            return Kind.EXAMINE
        case SubmissionState.EXAMINED:
            return _after_examination(shop, row)
        case SubmissionState.RELEASED:
            return Kind.RELEASE
        case SubmissionState.FORWARDED:
            return Kind.ERASE if _is_answered(shop, row) else None
        case SubmissionState.ACKNOWLEDGED:
            return Kind.ERASE
        case SubmissionState.HELD | SubmissionState.ERASED | SubmissionState.CLOSED:
            return None


def _after_examination(shop: Workshop, row: SubmissionRow) -> Kind | None:
    counts = shop.books.read(lambda _: counts_of(_, row.submission_id))
    if counts.get(ItemState.FOUND, 0):
        return Kind.EXAMINE
    if counts.get(ItemState.WAITING, 0):
        return None
    if is_releasable(row, counts.keys()):
        return Kind.RELEASE
    return Kind.ERASE if is_closable(row, counts.keys()) else None


def _is_answered(shop: Workshop, row: SubmissionRow) -> bool:
    waiting = shop.books.read(lambda _: packages_of(_, row.submission_id, PackageState.SPOOLED))
    return not waiting or any(
        (shop.answers / f"{each.package_id}{ANSWER}").exists() for each in waiting
    )


class KeptScanner(Protocol):
    """A scanner that somebody keeps running."""

    def keep(self) -> bool:
        """Start it if it does not run; False if it cannot be started now."""
        ...


@dataclass(slots=True, kw_only=True)
class Work:
    """One quarantine at work. `plan` is what the engine carries; `run` is the loop."""

    shop: Workshop
    scanner: KeptScanner
    log: EventLog
    carrying: Carrying | None
    pull_seconds: float
    feedback_seconds: float
    stop: threading.Event = field(default_factory=threading.Event)
    _backoff: Backoff = field(default_factory=Backoff)
    _started: dict[SubmissionId, int] = field(default_factory=dict)
    _next_pull: float = 0.0
    _next_feedback: float = 0.0
    _has_scanner: bool | None = None
    _wants_keys: bool = False
    _saw_no_keys: bool = False

    @property
    def plan(self) -> Plan:
        """The steps of the three workflows, none of which raises."""
        steps = {
            kind: [(name, self._guarded(step)) for name, step in named]
            for kind, named in _STEPS.items()
        }
        return Plan(steps=steps, finish=self._finish)

    def run(self, engine: Engine) -> None:
        """Work until told to stop. The scanner belongs to the thread that calls this."""
        # A pull takes as long as the network lets it; nothing here waits for that.
        carrier = threading.Thread(target=self._carry_on, name="carrying")
        carrier.start()
        try:
            while not self.stop.is_set():
                self._keep_scanner()
                self.look(engine)
                self.stop.wait(LOOK_SECONDS)
        finally:
            self.stop.set()
            carrier.join()
        self.log.record(WorkerCode.STOPPED)

    def look(self, engine: Engine) -> None:
        """Start what is due now; what waited for the keys is due when an officer unlocks them."""
        if self._wants_keys:
            self._look_for_keys()
        for kind, row in due(self.shop):
            self._start(engine, kind, row)

    def _look_for_keys(self) -> None:
        try:
            is_locked = self.shop.keys.status().is_locked
        except RetryError:
            is_locked = True
        if is_locked:
            self._saw_no_keys = True
            return
        # Keys that were there all the time help no run that failed: it waits as others do.
        if self._saw_no_keys:
            self._backoff.forget_all()
        self._wants_keys = self._saw_no_keys = False

    def _carry_on(self) -> None:
        while not self.stop.is_set():
            self._carry()
            self.stop.wait(min(LOOK_SECONDS, self.pull_seconds))

    def _start(self, engine: Engine, kind: Kind, row: SubmissionRow) -> None:
        name = row.submission_id
        if self._started.get(name) != row.run and self._backoff.is_due(name):
            self._started[name] = row.run
            engine.start(kind, name, row.run)

    def _guarded(self, step: Callable[[Workshop, SubmissionId], Progress]) -> Step:
        def run(submission: SubmissionId) -> Progress:
            try:
                try:
                    return step(self.shop, submission)
                except MismatchError as found:
                    return self._hold(submission, found)
            except RetryError as failure:
                self.log.record(WaitCode(failure.reason.value))
                if isinstance(failure, KeysUnavailableError):
                    self._wants_keys = True
                return Progress.AGAIN
            except Exception:  # noqa: BLE001 - DBOS would keep the text of whatever leaves a step
                return Progress.FAILED

        return run

    def _hold(self, submission: SubmissionId, found: MismatchError) -> Progress:
        """Hold what is no longer what it was: a fact about the material, or about our disk."""
        reason = ReasonCode.OBJECT_DISAGREES
        if isinstance(found, DisagreementError):
            reason = found.reason
        row = self.shop.books.read(lambda _: the_submission(_, submission))
        hold(self.shop, row, reason)
        return Progress.HELD

    def _finish(self, submission: SubmissionId, run: int, progress: Progress) -> None:
        """Give the next run its number. Done again, nothing is added."""

        async def next_run(connection: AsyncConnection) -> None:
            mine = (SUBMISSION.c.submission_id == submission) & (SUBMISSION.c.run == run)
            await connection.execute(update(SUBMISSION).where(mine).values(run=run + 1))

        if progress in {Progress.AGAIN, Progress.FAILED}:
            self._backoff.put_off(submission)
        else:
            self._backoff.forget(submission)
        self.shop.books.write(next_run)
        self.log.record(WorkerCode(f"run-{progress.value}"))

    def _keep_scanner(self) -> None:
        has_one = self.scanner.keep()
        if has_one is not self._has_scanner:
            self._has_scanner = has_one
            code = WorkerCode.SCANNER_STARTED if has_one else WorkerCode.SCANNER_MISSING
            self.log.record(code)

    def _carry(self) -> None:
        carrying = self.carrying
        if carrying is None:
            return
        now = time.monotonic()
        try:
            if now >= self._next_pull:
                self._next_pull = now + self.pull_seconds
                if fresh := carrying.pull():
                    self.log.record(WorkerCode.PULLED, submissions=fresh)
                if posted := carrying.post_receipts():
                    self.log.record(WorkerCode.RECEIPTS_POSTED, receipts=posted)
            if now >= self._next_feedback and carrying.is_feedback_due():
                self._next_feedback = now + self.feedback_seconds
                number = carrying.post_feedback()
                self.log.record(WorkerCode.FEEDBACK_POSTED, number=number)
        except PullError as failure:
            is_log = failure.fault in _LOG_FAULTS
            code = WorkerCode.PORTAL_LOG_WRONG if is_log else WorkerCode.PULL_FAILED
            self.log.record(code)
        except (LinkError, WorkerError, StoreError, OSError):
            # The next look tries again; a thread that ended would never.
            self.log.record(WorkerCode.CARRYING_FAILED)
