"""One program's guard: a process between the supervisor and the program, and nothing else.

    python -m amana.up.guard SUPERVISOR GRACE PROGRAM…

Told to end, or left by a supervisor that died by whatever means, it ends the program in order, and
by force after GRACE seconds or when it is told again. When the program has ended, so has everything
that it started: what it left behind falls to the guard. The guard's exit code is the program's.
"""

import math
import os
import signal
import sys
import time
from collections.abc import Sequence
from typing import Final, NoReturn

from amana.up import kin

_ENDS: Final = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
_LISTENED: Final = _ENDS | {signal.SIGCHLD}
# What a program left behind has been told by its end; this is for its last write.
_ORPHAN_SECONDS: Final = 5.0
# As long as a wait may be: sigtimedwait(2) takes no infinity.
_LONG_SECONDS: Final = 3600.0
_NOT_STARTED: Final = 127


def main(words: Sequence[str]) -> int:
    """Run the program that the words name to its end."""
    supervisor, grace, *command = words
    # Blocked first: a signal that comes before the program is there waits for it.
    signal.pthread_sigmask(signal.SIG_BLOCK, _LISTENED)
    kin.die_with_parent(signal.SIGTERM, int(supervisor))
    kin.adopt_orphans()
    ours = os.getpid()
    program = os.fork()
    if program == 0:
        _become(command, ours)
    code = _attend(program, float(grace))
    kin.end_children(grace_seconds=_ORPHAN_SECONDS)
    return code


def _become(command: Sequence[str], guard: int) -> NoReturn:
    """Be the program from here on. Whatever fails, no second guard may go on from this point."""
    try:
        kin.die_with_parent(signal.SIGKILL, guard)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _LISTENED)
        os.execvp(command[0], list(command))  # noqa: S606 - no shell is the point
    finally:
        os._exit(_NOT_STARTED)


def _attend(program: int, grace_seconds: float) -> int:
    """Wait for the program's end, passing on that it should end; give its exit code."""
    deadline: float | None = None
    while (code := _reaped(program)) is None:
        left = _LONG_SECONDS if deadline is None else deadline - time.monotonic()
        told = signal.sigtimedwait(_LISTENED, min(max(left, 0), _LONG_SECONDS))
        is_told = told is not None and told.si_signo in _ENDS
        if is_told and deadline is None:
            os.kill(program, signal.SIGTERM)
            deadline = time.monotonic() + grace_seconds
        elif is_told or (told is None and deadline is not None):
            os.kill(program, signal.SIGKILL)
            deadline = math.inf
    return code


def _reaped(program: int) -> int | None:
    """Wait for whatever has ended; give the program's exit code once it is among them.

    128 and the signal's number when a signal ended it, as shells count.
    """
    while True:
        ended, status = os.waitpid(-1, os.WNOHANG)
        if ended == 0:
            return None
        if ended == program:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
