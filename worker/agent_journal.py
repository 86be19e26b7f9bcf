"""What the key agent did, one line for each act, on the disk before the act has any effect.

A line names officers, submissions, cards, and digests of headers and recipients, and nothing else:
no key, no passphrase. Each names the line before it by its digest, so that one cannot be changed or
taken out alone. Format: docs/format/25-key-store.md section 5.
"""

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from pathlib import Path
from typing import ClassVar, Final

from amana.clock import Clock
from amana.wire.documents import Document, Nested, carries, record
from amana.wire.errors import WireError
from amana.wire.fields import Choice, Instant, Nullable
from amana.wire.ids import DIGEST, SUBMISSION_ID, Digest, SubmissionId
from worker.agent_messages import OFFICER, HolderName, OfficerName
from worker.errors import KeyPlaceError

_LOOSE: Final = stat.S_IRWXG | stat.S_IRWXO


@unique
class Act(StrEnum):
    """What the agent did."""

    STARTED = "started"
    UNLOCKED = "unlocked"
    UNLOCK_REFUSED = "unlock-refused"
    LOCKED = "locked"
    UNWRAPPED = "unwrapped"
    HEADER_REFUSED = "header-refused"
    INTAKE_MADE = "intake-made"
    CLASS_MADE = "class-made"
    BOUND = "bound"
    DESTROYED = "destroyed"
    STOPPED = "stopped"


@record
class JournalLine(Document):
    """One line of the journal."""

    FORMAT: ClassVar = "amana/key-agent-journal/v1"
    LIMIT_BYTES: ClassVar = 2_048

    at: datetime = carries(Instant(), "When.")
    act: Act = carries(Choice(Act), "What.")
    officer: OfficerName | None = carries(Nullable(OFFICER), "Whose keys were in memory.")
    submission: SubmissionId | None = carries(Nullable(SUBMISSION_ID), "Whose object it was.")
    holder: HolderName | None = carries(Nullable(Nested(HolderName)), "Which identity.")
    header: Digest | None = carries(Nullable(DIGEST), "SHA-256 of the object's age header.")
    recipient: Digest | None = carries(
        Nullable(DIGEST), "SHA-256 of the public key that was made or bound."
    )
    after: Digest | None = carries(
        Nullable(DIGEST), "SHA-256 of the line before, its newline included; null for the first."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One act, before it has its time and its place in the journal."""

    act: Act
    officer: OfficerName | None = None
    submission: SubmissionId | None = None
    holder: HolderName | None = None
    header: Digest | None = None
    recipient: Digest | None = None


class Journal:
    """The journal of one agent, open at its end. Nobody else writes to it meanwhile.

    What a kill left of a last line is cut off: it was never on the disk as a whole, so nothing was
    done yet. KeyPlaceError: others can read the file, or its last line is none of ours.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)
        self._clock = clock
        if os.fstat(self._descriptor).st_mode & _LOOSE:
            self.close()
            raise KeyPlaceError("others can read the key agent's journal")
        self._after = self._trim()

    def write(self, entries: Sequence[Entry]) -> None:
        """Add lines; they are on the disk on return. OSError: none of them is in the journal."""
        at, after = self._clock.now(), self._after
        lines = []
        for entry in entries:
            line = _line(entry, at, after)
            after = _digest(line)
            lines.append(line)
        size = os.fstat(self._descriptor).st_size
        try:
            _write_all(self._descriptor, b"".join(lines))
            os.fsync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, size)
            raise
        self._after = after

    @property
    def last(self) -> Digest | None:
        """SHA-256 of the last line; None while there is none."""
        return self._after

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _trim(self) -> Digest | None:
        size = os.fstat(self._descriptor).st_size
        start = max(0, size - 2 * JournalLine.LIMIT_BYTES)
        tail = os.pread(self._descriptor, size - start, start)
        whole = tail[: tail.rfind(b"\n") + 1]
        if not whole and start:
            raise KeyPlaceError("the key agent's journal does not end with a line of its own")
        os.ftruncate(self._descriptor, start + len(whole))
        if not whole:
            return None
        last = whole[whole[:-1].rfind(b"\n") + 1 :]
        _read(last)
        return _digest(last)


def read_journal(path: Path) -> Iterator[JournalLine]:
    """Yield the lines of a journal, the oldest first.

    KeyPlaceError: a line is malformed, or does not follow the one before it. Lines that were cut
    off at the end leave no trace here: hold the last digest against a copy kept elsewhere.
    """
    after: Digest | None = None
    with path.open("rb") as source:
        while untrusted := source.readline(JournalLine.LIMIT_BYTES + 2):
            line = _read(untrusted)
            if line.after != after:
                raise KeyPlaceError("a line of the journal does not follow the one before it")
            after = _digest(untrusted)
            yield line


def _line(entry: Entry, at: datetime, after: Digest | None) -> bytes:
    line = JournalLine(
        at=at,
        act=entry.act,
        officer=entry.officer,
        submission=entry.submission,
        holder=entry.holder,
        header=entry.header,
        recipient=entry.recipient,
        after=after,
    )
    return line.to_bytes() + b"\n"


def _read(untrusted: bytes) -> JournalLine:
    if not untrusted.endswith(b"\n"):
        raise KeyPlaceError("a line of the journal is cut, or too long")
    try:
        return JournalLine.from_bytes(untrusted[:-1])
    except WireError as failure:
        raise KeyPlaceError("a line of the journal is malformed") from failure


def _digest(content: bytes) -> Digest:
    return Digest(hashlib.sha256(content).hexdigest())


def _write_all(descriptor: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]
