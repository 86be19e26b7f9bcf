"""Starts programs in order, each when the one before is ready, and ends them the other way round.

A program that dies is started again, later each time, or ends everything: whoever starts us says
which. Before all are ready once, a program that dies or is late always ends everything, since then
something is wrong with the installation. How no process is left behind: amana/up/guard.py.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Final, Protocol

from amana.up import kin
from amana.up.child import Child, is_answering
from amana.up.program import Answers, Backoff, Program

_ORPHAN_SECONDS: Final = 5.0


@unique
class Why(StrEnum):
    """Why the programs were ended."""

    ASKED = "asked"
    DIED = "died"
    LATE = "late"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How it ended. name and code: which program's fault it was, and how that one ended."""

    why: Why
    name: str = ""
    code: int = 0


class Listener(Protocol):
    """Whoever tells a person what happens."""

    def line(self, name: str, text: str) -> None:
        """Take a line that a program wrote."""

    def starting(self, name: str) -> None:
        """Take that a program is being started."""

    def up(self) -> None:
        """Take that all programs are ready, for the first time."""

    def died(self, name: str, code: int, seconds: float) -> None:
        """Take that a program died, and in how many seconds it is started again."""

    def ending(self, name: str) -> None:
        """Take that a program is being ended."""


class Supervisor:
    """Runs programs once. backoff: None ends everything when one program dies."""

    def __init__(
        self, programs: Sequence[Program], listener: Listener, backoff: Backoff | None
    ) -> None:
        self._programs = tuple(programs)
        self._listener = listener
        self._backoff = backoff
        self._running: dict[str, Child] = {}

    async def run(self, stop: asyncio.Event) -> Outcome:
        """Start everything and keep it running until `stop` is set. Afterwards nothing runs.

        To be called in the main thread: the kernel ends the guards with the thread that made them.
        """
        kin.adopt_orphans()
        asked = asyncio.create_task(stop.wait())
        try:
            if outcome := await self._start_all(asked):
                return outcome
            self._listener.up()
            return await self._keep_all(asked)
        finally:
            asked.cancel()
            await self._end_all()

    def hurry(self) -> None:
        """Do not wait for one program after the other: tell all of them, the told ones by force."""
        for child in self._running.values():
            child.tell()

    async def _start_all(self, asked: asyncio.Task[bool]) -> Outcome | None:
        for program in self._programs:
            match program.ready:
                case Answers(address=address) if await is_answering(address):
                    return Outcome(why=Why.TAKEN, name=program.name)
                case _:
                    pass
            if outcome := await self._start(program, asked):
                return outcome
        return None

    async def _start(self, program: Program, *others: asyncio.Task[bool]) -> Outcome | None:
        """Start a program; None when it is ready, otherwise why it is not."""
        self._listener.starting(program.name)
        child = self._running[program.name] = Child(program, self._listener.line)
        ready = asyncio.create_task(child.ready())
        try:
            events: set[asyncio.Future[int] | asyncio.Future[bool] | asyncio.Future[None]] = {
                ready,
                child.exit_code,
                *others,
            }
            limit = program.ready_seconds
            await asyncio.wait(events, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
            if any(other.done() for other in others):
                return Outcome(why=Why.ASKED)
            if child.exit_code.done():
                return Outcome(why=Why.DIED, name=program.name, code=child.exit_code.result())
            return None if ready.done() else Outcome(why=Why.LATE, name=program.name)
        finally:
            ready.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ready

    async def _keep_all(self, asked: asyncio.Task[bool]) -> Outcome:
        kept = [asyncio.create_task(self._keep(program)) for program in self._programs]
        try:
            ends: set[asyncio.Task[bool] | asyncio.Task[Outcome]] = {asked, *kept}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if asked.done():
                return Outcome(why=Why.ASKED)
            return next(each.result() for each in kept if each.done())
        finally:
            for each in kept:
                each.cancel()
            await asyncio.gather(*kept, return_exceptions=True)

    async def _keep(self, program: Program) -> Outcome:
        """Keep one program running; give how it died, where that ends everything."""
        loop = asyncio.get_running_loop()
        waited = 0.0
        began = loop.time()
        while True:
            code = await asyncio.shield(self._running[program.name].exit_code)
            if self._backoff is None:
                return Outcome(why=Why.DIED, name=program.name, code=code)
            waited = self._backoff.after(waited, loop.time() - began)
            self._listener.died(program.name, code, waited)
            # A guard that was killed has left us what its program started.
            self._end_strangers()
            await asyncio.sleep(waited)
            began = loop.time()
            outcome = await self._start(program)
            if outcome is not None and outcome.why is Why.LATE:
                await self._running[program.name].end()

    async def _end_all(self) -> None:
        for child in reversed(self._running.values()):
            if not child.exit_code.done():
                self._listener.ending(child.program.name)
            await child.end()
        self._end_strangers()

    def _end_strangers(self) -> None:
        guards = {child.pid for child in self._running.values() if not child.exit_code.done()}
        kin.end_children(but=guards, grace_seconds=_ORPHAN_SECONDS)
