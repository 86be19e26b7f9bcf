"""Where the quarantine keeps what: one folder tree, readable by its own user alone."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from amana.durable import make_folders
from amana.wire.ids import ItemId, ReceiptId, SubmissionId


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The folders below the data directory. Format: docs/format/26-quarantine.md."""

    data_directory: Path

    @property
    def home(self) -> Path:
        """What belongs to the quarantine and to no other zone."""
        return self.data_directory / "worker"

    @property
    def lock(self) -> Path:
        """What a quarantine that works holds locked."""
        return self.home / "worker.lock"

    @property
    def engine(self) -> Path:
        """The engine's own database."""
        return self.home / "engine.db"

    @property
    def submissions(self) -> Path:
        """Submissions that are whole, each a bundle (docs/format/17-bundle.md)."""
        return self.home / "submissions"

    @property
    def instead(self) -> Path:
        """Bundles on their way to the place of what is held (worker/pipeline/instead.py)."""
        return self.home / "instead"

    @property
    def reports(self) -> Path:
        """Sealed scan reports, a folder for each submission."""
        return self.home / "reports"

    @property
    def receipts(self) -> Path:
        """Sealed receipts R2, until the portal has them."""
        return self.home / "receipts"

    @property
    def enrolled(self) -> Path:
        """Who may give material, and by which keys (docs/format/26-quarantine.md)."""
        return self.home / "enrolled"

    @property
    def agreements(self) -> Path:
        """Agreements and standing terms, in every version."""
        return self.home / "agreements"

    @property
    def keys(self) -> Path:
        """The key agent's folder: its store, its journal and its socket."""
        return self.home / "keys"

    @property
    def agent(self) -> Path:
        """Where the key agent listens."""
        return self.keys / "agent.sock"

    @property
    def feedback(self) -> Path:
        """Feedback batches, each as it is posted."""
        return self.home / "feedback"

    @property
    def pull(self) -> Path:
        """What the pull remembers of the portal: a counter, and the portal's log."""
        return self.home / "pull"

    @property
    def officers(self) -> Path:
        """The secret by which officers' names become key ids."""
        return self.home / "officers.secret"

    def bundle(self, submission: SubmissionId) -> Path:
        """Give the folder of one submission."""
        return self.submissions / submission

    def report(self, submission: SubmissionId, item: ItemId) -> Path:
        """Give the sealed scan report of one item."""
        return self.reports / submission / f"{item}.age"

    def receipt(self, receipt: ReceiptId) -> Path:
        """Give one sealed receipt."""
        return self.receipts / f"{receipt}.age"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folders for one quarantine: two would do everything twice.

        BlockingIOError: another one holds them. A kill frees them.
        """
        handle = os.open(self.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        finally:
            os.close(handle)

    def make(self) -> None:
        """Make the folders that are not there, for their owner alone."""
        kept = (
            self.submissions,
            self.instead,
            self.reports,
            self.receipts,
            self.feedback,
            self.pull,
        )
        for folder in (*kept, self.enrolled, self.agreements):
            make_folders(folder)
