"""What one reader may still do: its limits, and a list of system calls. Everything else fails.

It comes after the imports and before the first hostile byte. The list is what reading, writing,
memory and the socket need; opening files, programs, processes, sockets, signals are not on it.
"""

import ctypes
import os
import resource
import struct
from typing import Final

_ADDRESS_SPACE_BYTES: Final = 2 << 30
"""Dictionaries of 7z and xz can ask for more than this; such a container is unreadable. Ours."""
_DESCRIPTORS: Final = 64

_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_SET_SECCOMP: Final = 22
_SECCOMP_MODE_FILTER: Final = 2

# These words are from seccomp(2), linux/seccomp.h and linux/bpf_common.h.
_ALLOW: Final = 0x7FFF_0000
_FAIL_WITH_EPERM: Final = 0x0005_0001
_KILL: Final = 0x8000_0000
_LOAD: Final = 0x20
_JUMP_IF_EQUAL: Final = 0x15
_RETURN: Final = 0x06
_OFFSET_OF_CALL: Final = 0
_OFFSET_OF_ARCHITECTURE: Final = 4

# read write close fstat newfstatat lseek mmap mprotect munmap brk rt_sigaction rt_sigprocmask
# rt_sigreturn pread64 mremap madvise getpid sendto recvfrom sendmsg recvmsg fcntl futex
# sigaltstack clock_gettime getrandom gettid sched_yield restart_syscall exit exit_group
_CALLS: Final = {
    "x86_64": (
        0xC000_003E,
        (0, 1, 3, 5, 262, 8, 9, 10, 11, 12, 13, 14, 15, 17, 25, 28, 39, 44, 45, 46, 47, 72, 202,
         131, 228, 318, 186, 24, 219, 60, 231),
    ),
    "aarch64": (
        0xC000_00B7,
        (63, 64, 57, 80, 79, 62, 222, 226, 215, 214, 134, 135, 139, 67, 216, 233, 172, 206, 207,
         211, 212, 25, 98, 132, 113, 278, 178, 124, 128, 93, 94),
    ),
}  # fmt: skip


class CageError(Exception):
    """The limits cannot be set on this machine, so nothing is read here."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def lock(cpu_seconds: int) -> None:
    """Limit this process, for good. CageError: this machine's processor or kernel is not known."""
    for limit, most in (
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_AS, _ADDRESS_SPACE_BYTES),
        (resource.RLIMIT_NOFILE, _DESCRIPTORS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))
    known = _CALLS.get(os.uname().machine)
    if known is None:
        raise CageError
    instructions = _filter(*known)
    code = ctypes.create_string_buffer(instructions, len(instructions))
    program = _Program(len(instructions) // 8, ctypes.cast(code, ctypes.c_void_p))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    zero = ctypes.c_ulong(0)
    if prctl(_PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), zero, zero, zero) != 0:
        raise CageError
    if prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_SECCOMP_MODE_FILTER), ctypes.byref(program)) != 0:
        raise CageError


def _filter(architecture: int, calls: tuple[int, ...]) -> bytes:
    """Give the program: another architecture is killed, a call that is not listed fails."""

    def step(code: int, value: int, if_so: int = 0, if_not: int = 0) -> bytes:
        return struct.pack("=HBBI", code, if_so, if_not, value)

    count = len(calls)
    return b"".join(
        [
            step(_LOAD, _OFFSET_OF_ARCHITECTURE),
            step(_JUMP_IF_EQUAL, architecture, if_so=1),
            step(_RETURN, _KILL),
            step(_LOAD, _OFFSET_OF_CALL),
            *(step(_JUMP_IF_EQUAL, call, if_so=count - index) for index, call in enumerate(calls)),
            step(_RETURN, _FAIL_WITH_EPERM),
            step(_RETURN, _ALLOW),
        ]
    )
