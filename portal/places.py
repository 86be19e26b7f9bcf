"""Where the portal keeps what: one folder tree, readable by its own user alone."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from amana.wire.ids import SubmissionId


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
    def receiving(self) -> Path:
        """Uploads on their way; whatever lies here when the portal starts is removed."""
        return self.home / "receiving"

    @property
    def received(self) -> Path:
        """Submissions that are whole, each a bundle (docs/format/17-bundle.md)."""
        return self.home / "received"

    @property
    def events(self) -> Path:
        """Sealed custody events, one file each."""
        return self.home / "events"

    def bundle(self, submission: SubmissionId) -> Path:
        """Give the folder of one submission."""
        return self.received / submission

    def event(self, submission: SubmissionId) -> Path:
        """Give the sealed custody event of a submission's arrival."""
        return self.events / f"{submission}.age"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folders for one portal: a second would remove what the first receives.

        BlockingIOError: another one holds them. A kill frees them.
        """
        handle = os.open(self.lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        finally:
            os.close(handle)

    def make(self) -> None:
        """Make the folders that are not there, for their owner alone."""
        for folder in (self.home, self.receiving, self.received, self.events):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
