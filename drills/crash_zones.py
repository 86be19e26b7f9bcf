"""Every zone under the supervisor of `amana up`, started again at once; and how to kill one part.

    python -m drills.crash_zones SETTINGS     what `Zones` starts as a process of its own

The supervisor is the one of `amana up`; only its waits before a new start are short here, so that
a run with many kills does not mostly wait.
"""

import asyncio
import importlib.metadata
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Final, Self

from amana.cli import GROUP
from amana.settings import load
from amana.up.program import Backoff
from amana.up.supervisor import Supervisor, Why
from amana.up.table import BUILT_IN, choose

_UP: Final = "all are up"
_UP_SECONDS: Final = 180.0
_STOP_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 0.02
_BACKOFF: Final = Backoff(first_seconds=0.2, longest_seconds=1.0)


@unique
class Part(StrEnum):
    """What can be killed."""

    KEYS = "keys"
    PORTAL = "portal"
    PULL = "pull"
    WORKER = "worker"
    SCANNER = "scanner"
    REPOSITORY = "repository"


_WORDS: Final[Mapping[Part, tuple[bytes, ...]]] = MappingProxyType(
    {
        Part.KEYS: (b"key", b"agent"),
        Part.PORTAL: (b"portal", b"serve"),
        Part.PULL: (b"portal", b"pull"),
        Part.WORKER: (b"worker", b"run"),
        Part.REPOSITORY: (b"package", b"receive"),
    }
)
_PROGRAM: Final = b"amana.cli"
_SCANNER: Final = b"clamd"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Process:
    pid: int
    parent: int
    words: tuple[bytes, ...]


class Zones:
    """All zones of a deployment while the block lasts. TimeoutError: they do not come up."""

    def __init__(self, settings: Path, log: Path) -> None:
        self._settings = settings
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start everything, and wait until all are ready."""
        with self._log.open("wb") as target:
            self._process = subprocess.Popen(  # noqa: S603 - this very module
                [sys.executable, "-m", "drills.crash_zones", str(self._settings)],
                stdout=target,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        end = time.monotonic() + _UP_SECONDS
        while _UP not in self._log.read_text(errors="replace"):
            if self._process.poll() is not None or time.monotonic() > end:
                self._end()
                raise TimeoutError(self._log.read_text(errors="replace"))
            time.sleep(0.1)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End everything in order."""
        self._end()

    @property
    def is_up(self) -> bool:
        """Whether the supervisor still runs: it outlives whatever it supervises."""
        return self._process is not None and self._process.poll() is None

    def kill(self, part: Part, seconds: float) -> bool:
        """Kill a part as soon as it is there; False where it does not come in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pid = self._pid_of(part)
            if pid is not None:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                return True
            time.sleep(_POLL_SECONDS)
        return False

    def _pid_of(self, part: Part) -> int | None:
        """Find a part below our own supervisor: its guard's child, or the worker's."""
        if self._process is None:
            return None
        found = _processes()
        guards = {each.pid for each in found if each.parent == self._process.pid}
        ours = [each for each in found if each.parent in guards and _PROGRAM in each.words]
        if part is not Part.SCANNER:
            return next((each.pid for each in ours if _does(each, _WORDS[part])), None)
        workers = {each.pid for each in ours if _does(each, _WORDS[Part.WORKER])}
        return next(
            (
                each.pid
                for each in found
                if each.parent in workers and each.words[0].endswith(_SCANNER)
            ),
            None,
        )

    def _end(self) -> None:
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(_STOP_SECONDS)
        finally:
            self._process.kill()
            self._process.wait()


def _does(process: _Process, words: tuple[bytes, ...]) -> bool:
    place = process.words.index(_PROGRAM) + 1
    return process.words[place : place + len(words)] == words


def _processes() -> list[_Process]:
    return [
        each
        for path in Path("/proc").iterdir()
        if path.name.isdecimal() and (each := _process(path)) is not None
    ]


def _process(path: Path) -> _Process | None:
    try:
        stat = (path / "stat").read_bytes()
        words = (path / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return None  # it has ended since
    # proc(5): the name, in parentheses, may itself hold any; the parent is the second field after.
    parent = int(stat.rpartition(b")")[2].split()[1])
    return _Process(pid=int(path.name), parent=parent, words=tuple(words))


class _Lines:
    """Writes what happens, a line each."""

    def line(self, name: str, text: str) -> None:
        sys.stdout.write(f"{time.monotonic():.2f} {name:<10} | {text}\n")
        sys.stdout.flush()

    def starting(self, name: str) -> None:
        self.line(name, "is started")

    def up(self) -> None:
        self.line("up", _UP)

    def died(self, name: str, code: int, seconds: float) -> None:
        self.line(name, f"died with {code}, is started again in {seconds:g} s")

    def ending(self, name: str) -> None:
        self.line(name, "is ended")


def main(settings: Path) -> int:
    """Run every zone until told to stop."""
    os.environ["AMANA_SETTINGS"] = str(settings)
    os.environ["PYTHONUNBUFFERED"] = "1"
    installed = frozenset(point.name for point in importlib.metadata.entry_points(group=GROUP))
    chosen = choose(BUILT_IN, load(settings, os.environ), installed)
    if chosen.not_installed or chosen.not_set_up:
        return 1

    async def run() -> int:
        stop = asyncio.Event()
        for each in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(each, stop.set)
        outcome = await Supervisor(chosen.programs, _Lines(), _BACKOFF).run(stop)
        return 0 if outcome.why is Why.ASKED else 1

    return asyncio.run(run())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
