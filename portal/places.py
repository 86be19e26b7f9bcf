"""Where the portal keeps what: one folder tree, readable by its own user alone."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from amana.wire.ids import Digest, SubmissionId


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The folders below the data directory. Format: docs/format/18-portal.md section 4."""

    data_directory: Path

    @property
    def home(self) -> Path:
        """What belongs to the portal and to no other zone."""
        return self.data_directory / "portal"

    @property
    def keys(self) -> Path:
        """The portal's own keys."""
        return self.home / "portal.keys"

    @property
    def lock(self) -> Path:
        """What a portal that serves holds locked."""
        return self.home / "portal.lock"

    @property
    def pull_lock(self) -> Path:
        """What the process that the quarantine pulls from holds locked."""
        return self.home / "pull.lock"

    @property
    def public_keys(self) -> Path:
        """The public half of the key for notes and receipts, two verifier lines."""
        return self.home / "portal.vkeys"

    @property
    def log_keys(self) -> Path:
        """The public half of the log's key, two verifier lines."""
        return self.home / "log.vkeys"

    @property
    def receiving(self) -> Path:
        """Uploads on their way; whatever lies here when the portal starts is removed."""
        return self.home / "receiving"

    @property
    def drafts(self) -> Path:
        """Sealed objects of drafts, a folder for each, under the name of its row."""
        return self.home / "drafts"

    @property
    def received(self) -> Path:
        """Submissions that are whole, each a bundle (docs/format/17-bundle.md)."""
        return self.home / "received"

    @property
    def set_aside(self) -> Path:
        """Whole submissions that no record names; an operator looks at them, nobody else."""
        return self.home / "set-aside"

    @property
    def events(self) -> Path:
        """Sealed custody events, one file each."""
        return self.home / "events"

    @property
    def feedback(self) -> Path:
        """Sealed feedback objects, one file for each batch."""
        return self.home / "feedback"

    @property
    def phrase_root(self) -> Path:
        """What return phrases are bound to; made once, never changed (chapter 5, Derivation)."""
        return self.home / "phrase.root"

    @property
    def signers(self) -> Path:
        """Signer cards of the quarantine, as notes in the order of their names."""
        return self.data_directory / "quarantine-signers"

    def feedback_objects(self, number: int) -> Path:
        """Give the file of one batch."""
        return self.feedback / f"{number}.objects"

    @property
    def receipts(self) -> Path:
        """Sealed receipts of the quarantine, one file each."""
        return self.home / "receipts"

    @property
    def spool(self) -> Path:
        """What the quarantine is posting; sealed or signed, and removed when that has ended."""
        return self.home / "posting"

    def receipt(self, sealed_sha256: Digest) -> Path:
        """Give one sealed receipt."""
        return self.receipts / f"{sealed_sha256}.age"

    @property
    def uploads(self) -> Path:
        """Sealed objects of members that are in no submission yet, each under a hash."""
        return self.home / "uploads"

    @property
    def enrolled(self) -> Path:
        """What the quarantine says of enrolled organisations."""
        return self.data_directory / "enrolled.json"

    def bundle(self, submission: SubmissionId) -> Path:
        """Give the folder of one submission."""
        return self.received / submission

    def event(self, submission: SubmissionId) -> Path:
        """Give the sealed custody event of a submission's arrival."""
        return self.events / f"{submission}.age"

    @contextmanager
    def held(self, lock: Path | None = None) -> Iterator[None]:
        """Hold the folders for one portal: a second would remove what the first receives.

        lock: another file than `lock`, for the process beside it. BlockingIOError: another one
        holds it. A kill frees it.
        """
        handle = os.open(lock or self.lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        finally:
            os.close(handle)

    def make(self) -> None:
        """Make the folders that are not there, for their owner alone."""
        passing = (self.receiving, self.spool)
        kept = (self.received, self.events, self.feedback, self.receipts, self.uploads)
        for folder in (self.home, self.drafts, *passing, *kept):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
