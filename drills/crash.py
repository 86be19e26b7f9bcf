"""The crash drill: kill -9 at any instant, and nothing that was promised is lost or half there.

    python -m drills.crash --kills 40 --seed 7 --folder var/crash     (the folder is made anew)

Every zone of a deployment runs under the supervisor of `amana up`. While a member submits bundles
and a person gives files at the pages, over a slow line, programs are killed in an order that the
seed decides, and started again; the member's own program is killed too, and the line breaks. In
the end everything that was acknowledged must lie in the repository once and whole, nothing half
may lie anywhere, and both custody logs must continue everything they ever were. When it does not,
the seed, the steps and every difference are printed, and the exit code is 1.
"""

import argparse
import contextlib
import os
import secrets
import shutil
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum, unique
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from amana.settings import Settings, load
from drills import crash_givers, crash_officer
from drills.crash_dice import Dice
from drills.crash_givers import Given, Member, Person
from drills.crash_judge import Verdict, judge, leftovers
from drills.crash_line import Line
from drills.crash_logs import Logs, read
from drills.crash_officer import Officer
from drills.crash_zones import Part, Zones
from examples.deployment import Deployment, set_up, tell
from portal.records.tables import ACKNOWLEDGED, SEALED_RECEIPT
from portal.records.tables import SUBMISSION as AT_PORTAL
from worker.pipeline.states import SubmissionState
from worker.records.tables import RECEIPT, SUBMISSION

FOLDER: Final = Path("var/crash")

_BYTES_PER_SECOND: Final = 4 << 20
_LONGEST_MILLISECONDS: Final = 3_000
_PART_SECONDS: Final = 90.0
_SETTLED: Final = frozenset({SubmissionState.ERASED.value, SubmissionState.CLOSED.value})


@unique
class Break(StrEnum):
    """What breaks beside the parts of the zones."""

    CLIENT = "client"
    LINE = "line"


_TARGETS: Final[Sequence[Part | Break]] = (
    *(Part.PORTAL, Part.PORTAL, Part.WORKER, Part.WORKER),
    *(Part.PULL, Part.KEYS, Part.SCANNER, Part.REPOSITORY),
    *(Break.CLIENT, Break.LINE),
)
"""What is killed; what stands here twice, twice as often."""


@dataclass(slots=True, kw_only=True)
class Report:
    """What a run found. steps: what was done to what, in order."""

    seed: int
    steps: list[str] = field(default_factory=list)
    given: list[Given] = field(default_factory=list)
    verdict: Verdict = field(default_factory=Verdict)
    held: list[str] = field(default_factory=list)
    unlocked: int = 0
    runs: int = 0
    seconds: float = 0.0

    @property
    def faults(self) -> list[str]:
        """Everything that differs from what was promised; nothing, when all is well."""
        return self.verdict.faults

    def lines(self) -> Iterator[str]:
        """Give what a person reads of it."""
        kills = Counter(each.split()[1] for each in self.steps)
        told = ", ".join(f"{name} {count}" for name, count in sorted(kills.items()))
        promised = sum(each.is_acknowledged for each in self.given)
        yield f"seed {self.seed}: {len(self.steps)} kills and breaks ({told})"
        yield (
            f"{promised} submissions acknowledged, {len(self.given) - promised} attempts broken off"
            f" ({self.verdict.unpromised} of them arrived all the same), {self.runs} runs of submit"
        )
        yield (
            f"{self.verdict.packages} packages with {self.verdict.files} files; unlocked "
            f"{self.unlocked} times; held and examined again {len(self.held)} times; "
            f"{self.seconds:.0f} s"
        )
        if self.faults:
            yield from (f"  {step}" for step in self.steps)
            yield from (f"  held: {each}" for each in self.held)
            yield f"SEED {self.seed}: {len(self.faults)} FAULTS"
            yield from (f"  {fault}" for fault in self.faults)
        else:
            yield "Everything that was promised arrived once, whole, and the same."


class Drill:
    """One run over one deployment that is not used for anything else."""

    def __init__(self, deployment: Deployment, settings: Settings, seed: int, kills: int) -> None:
        self._deployment = deployment
        self._settings = settings
        self._seed = seed
        self._kills = kills
        self._logs = Logs(settings)
        self._is_over = threading.Event()
        self.report = Report(seed=seed)

    def run(self) -> Report:
        """Kill, wait until everything has settled, and judge."""
        report, settings = self.report, self._settings
        begun = time.monotonic()
        port = int(settings.portal.listen.rpartition(":")[2])
        log = self._deployment.folder / "up.log"
        with Zones(self._deployment.settings, log) as zones:
            with Line(port, _BYTES_PER_SECOND) as line, Officer(settings) as officer:
                self._give_and_kill(zones, line)
                report.verdict.faults += self._await_settled(seconds=_settle_seconds(report.given))
            if not zones.is_up:
                report.faults.append("the supervisor ended by itself")
            report.held, report.unlocked = officer.held, officer.unlocked
        receipts = [each.receipt for each in report.given if each.receipt and each.submission]
        waited = report.faults
        report.verdict = judge(settings, report.given)
        report.faults[:0] = waited
        report.faults.extend(leftovers(settings))
        report.faults.extend(read(settings.portal.database_url, _without_receipt))
        report.faults.extend(self._logs.faults(receipts))
        report.seconds = time.monotonic() - begun
        return report

    def _give_and_kill(self, zones: Zones, line: Line) -> None:
        member = Member(self._deployment, line.url, Dice(self._seed, "member"))
        person = Person(self._deployment, line.url, Dice(self._seed, "person"))
        with _threads(lambda: self._members(member), lambda: self._persons(person)):
            try:
                self._kill(zones, line, member)
            finally:
                self._is_over.set()
        self.report.runs = member.runs

    def _kill(self, zones: Zones, line: Line, member: Member) -> None:
        dice = Dice(self._seed, "kills")
        for step in range(1, self._kills + 1):
            target = dice.one_of(_TARGETS)
            wait = dice.below(_LONGEST_MILLISECONDS) / 1000
            time.sleep(wait)
            done = self._break(target, zones, line, member)
            self.report.steps.append(f"{step:>3} {target} {done}, after {wait:.2f} s")
            self._logs.look()

    def _break(self, target: Part | Break, zones: Zones, line: Line, member: Member) -> str:
        match target:
            case Break.CLIENT:
                return "killed" if member.kill() else "did not run"
            case Break.LINE:
                return f"cut ({line.cut()} connections)"
            case _:
                if zones.kill(target, _PART_SECONDS):
                    return "killed"
                self.report.faults.append(f"{target} did not come back")
                return "DID NOT COME BACK"

    def _members(self, member: Member) -> None:
        number = 0
        while not self._is_over.is_set():
            number += 1
            given = member.give(number)
            self.report.given.append(given)
            if not given.is_acknowledged:
                self.report.faults.append(f"{given.label}: was never acknowledged")

    def _persons(self, person: Person) -> None:
        number = 0
        while not self._is_over.is_set():
            number += 1
            person.give(number, self.report.given.append)

    def _await_settled(self, seconds: float) -> Iterator[str]:
        """Wait until all of it has gone its way; yield what has not, in time."""
        end = time.monotonic() + seconds
        while waiting := self._waiting():
            if time.monotonic() > end:
                yield from (f"not settled after {seconds:.0f} s: {each}" for each in waiting)
                return
            time.sleep(0.5)

    def _waiting(self) -> list[str]:
        at_portal = read(self._settings.portal.database_url, _at_portal)
        return at_portal + read(self._settings.worker.database_url, _in_quarantine)


def _settle_seconds(given: Sequence[Given]) -> float:
    """How long everything may take to go its way, once nothing is killed any more."""
    return 60.0 + 6.0 * sum(each.is_acknowledged for each in given)


async def _at_portal(connection: AsyncConnection) -> list[str]:
    removed = select(ACKNOWLEDGED.c.submission_id).where(ACKNOWLEDGED.c.removed_on.is_not(None))
    query = select(AT_PORTAL.c.submission_id).where(AT_PORTAL.c.submission_id.not_in(removed))
    return [f"{each} lies on the portal" for each in await connection.scalars(query)]


async def _in_quarantine(connection: AsyncConnection) -> list[str]:
    query = select(SUBMISSION.c.submission_id, SUBMISSION.c.state, SUBMISSION.c.reason)
    rows = await connection.execute(query.where(SUBMISSION.c.state.not_in(_SETTLED)))
    found = [f"{name} is {state} {reason or ''}" for name, state, reason in rows]
    unposted = select(RECEIPT.c.submission_id).where(RECEIPT.c.is_posted == 0)
    return found + [f"a receipt of {each} waits" for each in await connection.scalars(unposted)]


async def _without_receipt(connection: AsyncConnection) -> list[str]:
    """Give what the portal took in and no receipt R2 was carried back for."""
    told = select(SEALED_RECEIPT.c.submission_id)
    query = select(AT_PORTAL.c.submission_id).where(AT_PORTAL.c.submission_id.not_in(told))
    return [f"no receipt R2 of {each} is on the portal" for each in await connection.scalars(query)]


@contextlib.contextmanager
def _threads(*works: Callable[[], object]) -> Iterator[None]:
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for each in threads:
        each.start()
    try:
        yield
    finally:
        for each in threads:
            each.join()


def prepare(folder: Path) -> tuple[Deployment, Settings]:
    """Set up a deployment in a new folder: its own ports, its own scratch, cheap key files."""
    deployment = set_up(folder)
    portal, pull = _free_ports(2)
    scratch = Path("/dev/shm") / f"amana-crash-{secrets.token_hex(4)}"  # noqa: S108 - removed again
    deployment.settings.write_text(
        "# TRAINING: a drill.\n"
        'data_directory = "data"\n'
        f'[portal]\nkeep_days = 0\nlisten = "127.0.0.1:{portal}"\n'
        f'pull_listen = "127.0.0.1:{pull}"\n'
        f'[worker]\npull_seconds = 1\nfeedback_seconds = 5\nscratch = "{scratch}"\n'
        f'portal_url = "http://127.0.0.1:{pull}"\n',
        encoding="utf-8",
    )
    settings = load(deployment.settings, os.environ)
    crash_givers.cheapen(deployment)
    crash_officer.cheapen(settings)
    return deployment, settings


def drill(folder: Path, *, seed: int, kills: int) -> Report:
    """Set up a deployment in a new folder and run the drill on it."""
    deployment, settings = prepare(folder)
    try:
        return Drill(deployment, settings, seed, kills).run()
    finally:
        shutil.rmtree(settings.worker.scratch, ignore_errors=True)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        found = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in found]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one drill and print what it found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 31))
    parser.add_argument("--folder", type=Path, default=FOLDER, help="made anew, and kept")
    options = parser.parse_args(arguments)
    os.umask(0o077)
    shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(mode=0o700, parents=True)
    report = drill(options.folder, seed=options.seed, kills=options.kills)
    for line in report.lines():
        tell(line)
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
