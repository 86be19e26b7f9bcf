"""Processes and their descent, so that none is left behind.

Three rules of Linux do it: a process can ask to be signalled when its parent dies
(PR_SET_PDEATHSIG), can be made the one to whom orphans below it fall (PR_SET_CHILD_SUBREAPER), and
can see in /proc whose child each process is. Numbers: prctl(2), linux/prctl.h.
"""

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Collection
from pathlib import Path
from typing import Final

from amana.up.errors import KernelError

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
_PROC: Final = Path("/proc")
_POLL_SECONDS: Final = 0.02


def die_with_parent(how: signal.Signals, parent: int) -> None:
    """Ask for a signal at the parent's death, which is that of the thread that made us.

    parent: who it was when we were made. If that one is dead already, nobody would signal any
    more, so we end at once. KernelError: this is not Linux.
    """
    _prctl(_PR_SET_PDEATHSIG, how)
    if os.getppid() != parent:
        os._exit(128 + how)


def adopt_orphans() -> None:
    """Have every orphan below us fall to us, not to the machine's first process."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def children() -> frozenset[int]:
    """Give the processes whose parent is this one, the ended ones that nobody waited for too."""
    ours = os.getpid()
    return frozenset(
        int(each.name)
        for each in _PROC.iterdir()
        if each.name.isdecimal() and _parent_of(each) == ours
    )


def end_children(*, but: Collection[int] = (), grace_seconds: float) -> int:
    """End every child but those named, and what falls to us by their end; give how many there were.

    First with SIGTERM; after the grace with SIGKILL, and then until none is left.
    """
    ended: set[int] = set()
    asked: set[int] = set()
    deadline = time.monotonic() + grace_seconds
    while left := children() - frozenset(but):
        ended |= left
        is_late = time.monotonic() >= deadline
        for child in left if is_late else left - asked:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL if is_late else signal.SIGTERM)
        asked |= left
        for child in left:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, os.WNOHANG)
        time.sleep(_POLL_SECONDS)
    return len(ended)


def _parent_of(place: Path) -> int | None:
    try:
        told = (place / "stat").read_bytes()
    except OSError:
        return None  # it has ended since
    # proc(5): the name, in parentheses, may itself hold any; the parent is the second field after.
    return int(told.rpartition(b")")[2].split()[1])


def _prctl(option: int, value: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "prctl") or library.prctl(option, value, 0, 0, 0):
        raise KernelError("prctl is refused")
