"""A program that runs, behind its guard: its lines, whether it is ready, its end."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from amana.i18n import visible
from amana.up.program import Answers, Program, Says

_POLL_SECONDS: Final = 0.05
_ANSWER_SECONDS: Final = 2.0
_READ_BYTES: Final = 64 * 1024
# Longer than any line of ours; a program that writes no newline must not fill our memory.
_LINE_BYTES: Final = 4_096
# Isolates and marks of direction, with which our programs say values in Arabic. The end of the line
# ends what they do (Unicode UAX 9).
_KEPT: Final = frozenset("\u200e\u200f\u2066\u2067\u2068\u2069")
# What the guard needs beyond the program's own time: to end what the program left behind.
_GUARD_SECONDS: Final = 15.0


class Child:
    """One running program. Made inside a running event loop."""

    def __init__(self, program: Program, hear: Callable[[str, str], object]) -> None:
        """Start the program. hear: takes its name and each line that it writes."""
        self.program = program
        self._hear = hear
        self._said = asyncio.Event()
        self._rest = b""
        self._loop = asyncio.get_running_loop()
        guard = [sys.executable, "-P", "-m", "amana.up.guard", str(os.getpid())]
        self._process = subprocess.Popen(  # noqa: S603 - our own guard; the table is the operator's
            [*guard, str(program.stop_seconds), *program.command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            # Ctrl-C is for us: the programs end one after the other.
            start_new_session=True,
        )
        self.exit_code: asyncio.Future[int] = self._loop.create_future()
        self._handle = os.pidfd_open(self._process.pid)
        self._loop.add_reader(self._handle, self._on_end)
        self._lines = -1 if self._process.stdout is None else self._process.stdout.fileno()
        os.set_blocking(self._lines, False)
        self._loop.add_reader(self._lines, self._on_lines)

    @property
    def pid(self) -> int:
        """The process id of the guard."""
        return self._process.pid

    async def ready(self) -> None:
        """Return when the program is ready, however long that takes."""
        match self.program.ready:
            case Says():
                await self._said.wait()
            case Answers(address=address):
                while not await is_answering(address):  # noqa: ASYNC110 - another's socket
                    await asyncio.sleep(_POLL_SECONDS)

    def tell(self) -> None:
        """Tell the program to end in order; told again, it is ended by force."""
        if not self.exit_code.done():
            self._process.send_signal(signal.SIGTERM)

    async def end(self) -> int:
        """End the program in order, after its time by force, and give its exit code."""
        if not self.exit_code.done():
            self.tell()
            with contextlib.suppress(TimeoutError):
                limit = self.program.stop_seconds + _GUARD_SECONDS
                await asyncio.wait_for(asyncio.shield(self.exit_code), limit)
            if not self.exit_code.done():
                # The kernel then kills the program; what it started falls to the supervisor.
                self._process.kill()
        return await self.exit_code

    def _on_end(self) -> None:
        self._loop.remove_reader(self._handle)
        os.close(self._handle)
        code = self._process.wait()
        self._on_lines()
        self._close_lines()
        if not self.exit_code.done():
            self.exit_code.set_result(code if code >= 0 else 128 - code)

    def _on_lines(self) -> None:
        if self._lines < 0:
            return
        try:
            piece = os.read(self._lines, _READ_BYTES)
        except BlockingIOError:
            return
        if not piece:
            self._close_lines()
            return
        *whole, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > _LINE_BYTES:
            whole.append(self._rest)
            self._rest = b""
        for line in whole:
            self._on_line(line[:_LINE_BYTES].decode("utf-8", errors="replace"))

    def _on_line(self, line: str) -> None:
        match self.program.ready:
            case Says(text=text) if line.endswith(text):
                self._said.set()
            case _:
                pass
        kept = (each if each in _KEPT else visible(each) for each in line)
        self._hear(self.program.name, "".join(kept))

    def _close_lines(self) -> None:
        if self._lines >= 0 and self._process.stdout is not None:
            self._loop.remove_reader(self._lines)
            self._process.stdout.close()
            self._lines = -1
            if self._rest:
                self._on_line(self._rest.decode("utf-8", errors="replace"))


async def is_answering(address: str) -> bool:
    """Tell whether somebody listens at `unix:/PATH` or `127.0.0.1:PORT`."""
    host, _, port = address.rpartition(":")
    try:
        if host == "unix":
            await _knock_at_path(Path(port))
        else:
            await _knock(asyncio.open_connection(host, int(port)))
    except (OSError, TimeoutError):
        return False
    return True


async def _knock_at_path(path: Path) -> None:
    # A socket's address holds 107 bytes (unix(7)), and a data directory may lie deeper than that.
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        await _knock(asyncio.open_unix_connection(f"/proc/self/fd/{folder}/{path.name}"))
    finally:
        os.close(folder)


async def _knock(opening: Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]) -> None:
    _, writer = await asyncio.wait_for(opening, _ANSWER_SECONDS)
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
