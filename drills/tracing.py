"""Run a program under strace, and give everything that it and its descendants wrote, and where.

strace(1) follows every process from its first instruction, into sandboxes too, so nothing that is
written and removed again goes unseen. What is written through a shared mapping is not in the trace
(of our programs, only SQLite's index of its journal is): whoever judges reads the files as well.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

INSTALL: Final = "strace is missing: apt-get install --no-install-recommends strace"
"""What whoever runs a drill has to do."""

SANDBOX: Final = "sandbox"
"""What a process is called whose descent cannot be seen, for it has process ids of its own."""

_NAMES: Final = ("open", "openat", "openat2", "creat", "memfd_create", "mknod", "mknodat")
_MOVES: Final = ("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat")
_FOLDERS: Final = ("mkdir", "mkdirat")
_WRITES: Final = ("write", "pwrite64", "writev", "pwritev", "pwritev2")
_COPIES: Final = ("sendfile", "copy_file_range", "splice")
_RING: Final = "io_uring_setup"
_BIRTHS: Final = ("execve", "execveat", "clone", "clone3", "fork", "vfork")
_TRACED: Final = (*_NAMES, *_MOVES, *_FOLDERS, *_WRITES, *_COPIES, _RING, *_BIRTHS)
_MOST_BYTES: Final = 64 << 20  # of one write; a cut text would end in dots, and is refused

_CALL: Final = re.compile(r"(\w+)\((.*)\) += (-?\d+)(?:<([^>]*)>)?(\(deleted\))?$", re.DOTALL)
_FIRST: Final = re.compile(r"\d+<([^>]*)>")
_ENDS: Final = re.compile(r"(?:^|, )\d+<([^>]*)>")
_TEXT: Final = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
_AT: Final = re.compile(r'(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:\\x[0-9a-f]{2})*)"')
_IS_WRITABLE: Final = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TMPFILE")


class TraceError(Exception):
    """strace is missing, or wrote what is not understood: nothing may be concluded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One act. program: the words it was started with. path: whole, as the kernel names it.

    how: the system call. content: the bytes, where it was a write.
    """

    program: tuple[str, ...]
    how: str
    path: bytes
    content: bytes = b""


def run_traced(command: Sequence[str], traces: Path, environment: Mapping[str, str]) -> int:
    """Run a command to its end, traces into a new folder; give its exit code.

    TraceError: there is no strace.
    """
    if shutil.which("strace") is None:
        raise TraceError(INSTALL)
    traces.mkdir(mode=0o700)
    options = [
        *("-f", "-ff", "--seccomp-bpf", "-y", "-xx", "-qq", "-e", "signal=none"),
        *("-s", str(_MOST_BYTES), "--status=successful", "-e", f"trace={','.join(_TRACED)}"),
    ]
    done = subprocess.run(  # noqa: S603 - our own command under a system tool
        ["strace", *options, "-o", str(traces / "t"), "--", *command],  # noqa: S607
        check=False,
        # Through a pipe: where our own output goes is no place of theirs.
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # Without it libuv may write by io_uring, which no trace shows.
        env={**environment, "UV_USE_IO_URING": "0"},
    )
    sys.stdout.buffer.write(done.stdout)
    return done.returncode


def acts(traces: Path) -> Iterator[Written]:
    """Yield every act of every process, each process's in order. TraceError: not understood."""
    unseen = {int(path.suffix[1:]): path for path in traces.iterdir()}
    born = {child for path in unseen.values() for child in _children(path)}
    # Whoever was born under another number is in a sandbox; the first begins with its own name.
    for process in sorted(unseen.keys() - born):
        yield from _of_process(process, (SANDBOX,), unseen)


def _children(path: Path) -> Iterator[int]:
    with path.open(encoding="ascii") as lines:
        for line in lines:
            if line.startswith(_BIRTHS) and (call := _CALL.match(line.rstrip("\n"))):
                yield int(call[3])


def _of_process(
    process: int, program: tuple[str, ...], unseen: dict[int, Path]
) -> Iterator[Written]:
    path = unseen.pop(process)
    with path.open(encoding="ascii") as lines:
        for line in lines:
            call = _CALL.match(line.rstrip("\n"))
            if call is None:
                if line.startswith(("+++", "---")) or " = ?" in line:
                    continue
                raise TraceError(f"the trace is not understood: {line[:80]}")
            name, words, result, place, _ = call.groups()
            if name in {"execve", "execveat"}:
                program = _argv(words)
            elif name in _BIRTHS:
                if int(result) in unseen:
                    yield from _of_process(int(result), program, unseen)
            else:
                yield from _act(program, name, words, place)


def _act(program: tuple[str, ...], name: str, words: str, place: str | None) -> Iterator[Written]:
    if name in _WRITES:
        target = _FIRST.match(words)
        # The path of a descriptor that strace could not name is no file's.
        if target is not None:
            content = b"".join(_texts(words))
            yield Written(program=program, how=name, path=_bytes(target[1]), content=content)
    elif name == _RING:
        # libuv has one ring for epoll alone; the one that it writes files by has SQPOLL.
        if "IORING_SETUP_SQPOLL" in words:
            yield Written(program=program, how=name, path=b"io_uring")
    elif name in _COPIES:
        # copy_file_range and splice name their source first, sendfile its target.
        ends = [_bytes(each) for each in _ENDS.findall(words)]
        target_path = ends[0 if name == "sendfile" else -1] if ends else b""
        yield Written(program=program, how=name, path=target_path)
    elif name in _MOVES or name in _FOLDERS:
        for folder, text in _AT.findall(words):
            yield Written(program=program, how=name, path=_joined(_bytes(folder), _bytes(text)))
    elif name not in {"open", "openat", "openat2"} or _IS_WRITABLE.search(words):
        at = _AT.search(words)
        path = _bytes(place) if place is not None else b""
        if not path and at is not None:
            path = _joined(_bytes(at[1] or ""), _bytes(at[2]))
        yield Written(program=program, how=name, path=path)


def _joined(folder: bytes, name: bytes) -> bytes:
    return os.path.join(folder, name)  # noqa: PTH118 - bytes, as the kernel has them


def _argv(words: str) -> tuple[str, ...]:
    return tuple(os.fsdecode(each) for each in _texts(words.partition("[")[2]))


def _texts(words: str) -> Iterator[bytes]:
    for text in _TEXT.finditer(words):
        if text[2]:
            raise TraceError("strace has cut a text")
        yield _bytes(text[1])


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))
