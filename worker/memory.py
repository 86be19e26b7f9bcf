"""Plaintext in memory: sealed memfds, filled under a budget that the whole quarantine shares.

A memfd has no name in any folder and dies with the last process that holds it. Once sealed, nobody
can change, grow or cut it: what was hashed is what the scanner and the sandbox see. Nothing here
ever writes to a disk (swap is switched off by the operator: no program can promise that).
"""

import fcntl
import hashlib
import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from amana.wire.ids import ContentSha256
from worker.errors import BudgetError, MismatchError

_NAME: Final = "amana"
"""Every memfd has this name in /proc, so that a list of open files tells nothing."""

_SEALS: Final = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """How many bytes something is, and their SHA-256."""

    size_bytes: int
    sha256: ContentSha256

    def bound(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the pieces unchanged. MismatchError: there are more bytes than this content has."""
        left = self.size_bytes
        for piece in pieces:
            left -= len(piece)
            if left < 0:
                raise MismatchError("the bytes are more than the manifest names")
            yield piece


class Tally:
    """Counts and hashes the bytes that pass, to hold them against a manifest at their end."""

    def __init__(self) -> None:
        self._size = 0
        self._state = hashlib.sha256()

    def over(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the pieces unchanged, and count them."""
        for piece in pieces:
            self._size += len(piece)
            self._state.update(piece)
            yield piece

    @property
    def content(self) -> Content:
        """What has passed so far."""
        return Content(size_bytes=self._size, sha256=ContentSha256(self._state.hexdigest()))

    def require(self, expected: Content) -> None:
        """MismatchError unless exactly these bytes have passed."""
        if self.content != expected:
            raise MismatchError("the bytes are not those that the manifest names")


class SealedMemory:
    """Bytes in a sealed memfd. Close it, and its part of the budget is free again."""

    def __init__(self, descriptor: int, size_bytes: int, allotment: "Allotment") -> None:
        self._descriptor = descriptor
        self._allotment = allotment
        self.size_bytes = size_bytes

    def reader(self) -> int:
        """Give a new read-only descriptor with an offset of its own. Whoever asked closes it."""
        return os.open(f"/proc/self/fd/{self._descriptor}", os.O_RDONLY | os.O_CLOEXEC)

    def tail(self, most_bytes: int) -> bytes:
        """Give the last bytes, at most so many."""
        length = min(most_bytes, self.size_bytes)
        return os.pread(self._descriptor, length, self.size_bytes - length)

    def close(self) -> None:
        """Give the memory back. What others hold open by their own descriptor lives on."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
            self._allotment.give_back(self.size_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Allotment:
    """A part of the budget that one examination may fill. It belongs to one thread."""

    def __init__(self, budget: "MemoryBudget", size_bytes: int) -> None:
        self._budget = budget
        self._size = size_bytes
        self._used = 0

    @property
    def free_bytes(self) -> int:
        """How much more may be filled."""
        return self._size - self._used

    def give_back(self, size_bytes: int) -> None:
        """Count memory as free again; SealedMemory.close calls this."""
        self._used -= size_bytes

    def cut(
        self, pieces: Iterable[bytes], *, window_bytes: int, overlap_bytes: int
    ) -> Iterator[tuple[SealedMemory, bool]]:
        """Yield the bytes in sealed windows, and with each whether it is the last.

        One window if they fit; else each begins with the last bytes of the one before. Nothing to
        read gives one empty window. The consumer closes each before it asks for the next.
        BudgetError: a window does not fit into what is left of the allotment.
        """
        source = iter(pieces)
        head, rest, is_last = b"", b"", False
        while not is_last:
            window, rest = self._fill(head, rest, source, window_bytes)
            # Only what follows shows whether this was the last.
            while not rest and (following := next(source, None)) is not None:
                rest = following
            is_last = not rest
            head = b"" if is_last else window.tail(overlap_bytes)
            yield window, is_last

    def _fill(
        self, head: bytes, rest: bytes, source: Iterator[bytes], most_bytes: int
    ) -> tuple[SealedMemory, bytes]:
        descriptor = os.memfd_create(_NAME, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        size, piece = 0, head + rest
        try:
            while size < most_bytes:
                if not piece:
                    if (following := next(source, None)) is None:
                        break
                    piece = following
                    continue
                taken = piece[: most_bytes - size]
                self._require(size + len(taken))
                _write_all(descriptor, taken)
                size += len(taken)
                piece = piece[len(taken) :]
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
        except BaseException:
            os.close(descriptor)
            raise
        self._used += size
        return SealedMemory(descriptor, size, self), piece

    def _require(self, size_bytes: int) -> None:
        if size_bytes > self.free_bytes:
            raise BudgetError("the memory allotted to one examination is full")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._budget.take_back(self._size)


class MemoryBudget:
    """How many bytes of plaintext may be in memory at one time, over all threads.

    Allotments are made in the order in which they were asked for, so a large one is not starved by
    small ones. A thread holds at most one allotment of one budget, or two threads could wait for
    each other.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._free = limit_bytes
        self._turn = threading.Lock()
        self._changed = threading.Condition()

    def allot(self, size_bytes: int) -> Allotment:
        """Wait until so many bytes are free, and keep them for the caller.

        BudgetError: the whole budget is smaller than that.
        """
        if size_bytes > self.limit_bytes:
            raise BudgetError("an examination needs more memory than the whole budget")
        with self._turn, self._changed:
            self._changed.wait_for(lambda: self._free >= size_bytes)
            self._free -= size_bytes
        return Allotment(self, size_bytes)

    def take_back(self, size_bytes: int) -> None:
        """Count an allotment as free again; leaving the allotment's `with` calls this."""
        with self._changed:
            self._free += size_bytes
            self._changed.notify_all()


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError as failure:
        raise BudgetError("the machine has no memory for this content") from failure
