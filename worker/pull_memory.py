"""What the quarantine remembers between pulls: its request counter, and the portal's log.

Both must survive a crash. A counter that came twice would be refused; a forgotten checkpoint would
let a log be rewritten unseen. So each is on the disk before it is used, and a damaged file stops
the pull, for a fresh start would forget. Format: docs/format/22-pull.md section 7.
"""

import hashlib
from pathlib import Path
from typing import Final

from amana.clock import Clock
from amana.durable import durable, make_folders, part_of, sync_folder
from amana.wire.pull import CHECKPOINT_LIMIT_BYTES
from crypto.checkpoint import Checkpoint
from crypto.errors import NoteError, ProofError, SignatureError
from crypto.note import SignedNote
from crypto.tlogproof import LogPolicy, believe
from worker.pull_errors import PullError, PullFault

RESERVED: Final = 1_000
"""Counters that are set aside at once. Ours: so each request needs no write to the disk."""

_A_SECOND: Final = 1_000_000
"""Counters begin with the time, a million a second: they rise even when this memory is lost."""

_DIGITS: Final = 16


class PullMemory:
    """The memory of one quarantine about one portal, in a folder of its own."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        make_folders(folder)
        self._folder = folder
        self._clock = clock
        self._next = 0
        self._reserved = 0

    def next_counter(self) -> int:
        """Give a counter above all that were ever given. PullError: the memory is damaged."""
        if self._next >= self._reserved:
            self._next = max(self._read_counter(), int(self._clock.now().timestamp()) * _A_SECOND)
            self._reserved = self._next + RESERVED
            self._replace("counter", f"{self._reserved}\n".encode("ascii"))
        self._next += 1
        return self._next

    def checkpoint(self, policy: LogPolicy) -> Checkpoint | None:
        """Give the last checkpoint that was cosigned; None before the first.

        PullError: the memory is damaged, or it is of a log with another key.
        """
        try:
            untrusted = (self._folder / "checkpoint.note").read_bytes()
        except FileNotFoundError:
            return None
        try:
            note = SignedNote.parse(untrusted, limit_bytes=CHECKPOINT_LIMIT_BYTES)
            return believe(note, policy).checkpoint
        except (NoteError, ProofError, SignatureError) as failure:
            raise PullError(PullFault.MEMORY_DAMAGED) from failure

    def remember(self, checkpoint: SignedNote) -> None:
        """Keep the checkpoint that is being cosigned in place of the last one."""
        self._replace("checkpoint.note", checkpoint.to_bytes())

    def keep_evidence(self, checkpoint: SignedNote) -> None:
        """Keep what a log signed against its own history, beside what it had signed before."""
        raw = checkpoint.to_bytes()
        path = self._folder / f"contradiction-{hashlib.sha256(raw).hexdigest()}.note"
        if not path.exists():
            with durable(path) as target:
                target.write(raw)

    @property
    def has_evidence(self) -> bool:
        """Whether something lies here that a log signed against its own history."""
        return any(self._folder.glob("contradiction-*.note"))

    def _read_counter(self) -> int:
        try:
            text = (self._folder / "counter").read_bytes()
        except FileNotFoundError:
            return 0
        digits = text.removesuffix(b"\n")
        if not (digits.isdigit() and len(digits) <= _DIGITS):
            raise PullError(PullFault.MEMORY_DAMAGED)
        return int(digits)

    def _replace(self, name: str, content: bytes) -> None:
        """Put new content under a name: the old or the new is there, whatever happens between."""
        path = self._folder / name
        part = part_of(path)
        with durable(part) as target:
            target.write(content)
        part.replace(path)
        sync_folder(self._folder)
