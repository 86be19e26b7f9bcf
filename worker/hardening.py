"""Keep a process's memory to itself: never swapped, never dumped, never read by its own user.

What the kernel does not grant is told, not assumed. It cannot help against root, nor against a
machine that hibernates. Why each step: docs/format/25-key-store.md section 8.
"""

import ctypes
import resource
from collections.abc import Mapping
from pathlib import Path
from typing import Final

WIPING: Final[Mapping[str, str]] = {
    "GLIBC_TUNABLES": "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0",
    "PYTHONMALLOC": "malloc",
}
"""The environment in which freed memory is overwritten at once: glibc's mallopt(3) M_PERTURB,
without the cache of each thread, which it does not reach (seven freed chunks of every size up to
1,032 bytes keep their content there, measured with glibc 2.36), and without Python's own small
allocator. They count only if set before the process starts."""

_PR_SET_DUMPABLE: Final = 4  # linux/prctl.h
_CAP_IPC_LOCK: Final = 14  # linux/capability.h
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4  # asm-generic/mman.h


def harden() -> bool:
    """Forbid core files and reading by the same user; lock all memory where the limits allow it.

    Returns whether memory is locked. Where RLIMIT_MEMLOCK is finite nothing is locked: a later
    allocation over the limit would end the process in the middle of its work.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    zero = ctypes.c_ulong(0)
    if libc.prctl(_PR_SET_DUMPABLE, zero, zero, zero, zero) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    return _is_unlimited() and libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) == 0


def is_wiping(environ: Mapping[str, str]) -> bool:
    """Tell whether freed memory is overwritten in a process with this environment."""
    return all(environ.get(name) == value for name, value in WIPING.items())


def _is_unlimited() -> bool:
    _, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if hard == resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (hard, hard))
        return True
    return bool(_effective_capabilities() >> _CAP_IPC_LOCK & 1)


def _effective_capabilities() -> int:
    """Give the set of capabilities that count now: capabilities(7), proc(5)."""
    lines = Path("/proc/self/status").read_text("ascii", errors="replace").splitlines()
    words = next(line for line in lines if line.startswith("CapEff:"))
    return int(words.split()[1], 16)
