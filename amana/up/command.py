"""`amana up`: start everything that is installed here, and end all of it together."""

import argparse
import asyncio
import importlib.metadata
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from amana.cli import GROUP
from amana.exitcodes import ExitCode
from amana.i18n import Sentence, Speaker, preferred_language
from amana.settings import load
from amana.up.program import Backoff
from amana.up.supervisor import Outcome, Supervisor, Why
from amana.up.table import BUILT_IN, Chosen, choose, read_rows

_OURS: Final = "up"
_STOPS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(argv: Sequence[str]) -> int:
    """Start what the table names, keep it running, and end it when told to."""
    options = _parser().parse_args(argv)
    told = options.settings or os.environ.get("AMANA_SETTINGS")
    path = Path(told).absolute() if told else None
    settings = load(path, os.environ)
    rows = read_rows(options.programs) if options.programs else BUILT_IN
    installed = frozenset(point.name for point in importlib.metadata.entry_points(group=GROUP))
    chosen = choose(rows, settings, installed)
    # The programs inherit both: where their settings are, and that their lines come at once.
    os.environ["PYTHONUNBUFFERED"] = "1"
    if path is not None:
        os.environ["AMANA_SETTINGS"] = str(path)
    return asyncio.run(_run(chosen, None if options.once else Backoff()))


async def _run(chosen: Chosen, backoff: Backoff | None) -> int:
    stop = asyncio.Event()
    teller = Teller(chosen, stop)
    supervisor = Supervisor(chosen.programs, teller, backoff)

    def told() -> None:
        if stop.is_set():
            supervisor.hurry()
        stop.set()

    for each in _STOPS:
        asyncio.get_running_loop().add_signal_handler(each, told)
    teller.left_out()
    return teller.ended(await supervisor.run(stop)) if chosen.programs else ExitCode.REFUSED


class Teller:
    """Writes what happens: each line behind the name of its program."""

    def __init__(self, chosen: Chosen, stop: asyncio.Event) -> None:
        """stop: set when nobody reads any more what is written."""
        self._chosen = chosen
        self._stop = stop
        self._speaker = Speaker(preferred_language(os.environ))
        self._width = max(map(len, (_OURS, *(each.name for each in chosen.programs))))
        self._is_heard = True

    def line(self, name: str, text: str) -> None:
        """Write a program's line."""
        if not self._is_heard:
            return
        try:
            sys.stdout.write(f"{name:<{self._width}} | {text}\n")
            sys.stdout.flush()
        except BrokenPipeError:
            self._is_heard = False
            self._stop.set()

    def left_out(self) -> None:
        """Say what is not started, and why."""
        for name in self._chosen.not_installed:
            self._say("not-installed", name=name)
        for name, path in self._chosen.not_set_up:
            self._say("not-set-up", name=name, path=str(path))
        if not self._chosen.programs:
            self._say("nothing")

    def starting(self, name: str) -> None:
        """Say that a program is being started."""
        self._say("starting", name=name)

    def up(self) -> None:
        """Show what may be opened."""
        self._say("ready", count=len(self._chosen.programs))
        for program in self._chosen.programs:
            for url in program.urls:
                self.line(_OURS, f"  {program.name:<{self._width}}  {url}")
        self._say("how-to-stop")

    def died(self, name: str, code: int, seconds: float) -> None:
        """Say that a program died, and when it is started again."""
        self._say("died", name=name, code=code, seconds=f"{seconds:g}")

    def ending(self, name: str) -> None:
        """Say that a program is being ended."""
        self._say("ending", name=name)

    def ended(self, outcome: Outcome) -> int:
        """Say why everything was ended, and give the exit code for it."""
        self._say(f"ended.{outcome.why}", name=outcome.name, code=outcome.code)
        if not self._is_heard:
            return ExitCode.OUTPUT_CLOSED
        match outcome.why:
            case Why.ASKED:
                return ExitCode.OK
            case Why.TAKEN:
                return ExitCode.REFUSED
            case Why.DIED | Why.LATE:
                return ExitCode.FAILED

    def _say(self, key: str, **values: str | int) -> None:
        self.line(_OURS, self._speaker.say(Sentence(key=f"up.{key}", values=values)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="amana up",
        description="Start every program that is installed here, in order; end all with Ctrl-C.",
        epilog="Example: amana up --settings amana.toml",
    )
    parser.add_argument(
        "--settings", type=Path, help="the settings file, instead of AMANA_SETTINGS"
    )
    parser.add_argument("--programs", type=Path, help="a table of programs, not the built-in one")
    parser.add_argument(
        "--once",
        action="store_true",
        help="when one program dies, end the others instead of starting it again",
    )
    return parser
