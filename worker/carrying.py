"""What goes to and from the portal while the quarantine works: pulls, receipts, feedback.

The portal's log is looked at first; a log that lost a leaf stops the pull. What was fetched is
acknowledged when the books know it, never before. A batch of feedback is kept before it is posted,
and posted again until the portal has it. Formats: docs/format/22-pull.md, 24-feedback.md.
"""

from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

from amana.durable import durable
from amana.wire.ids import SubmissionId
from worker.enrolled import ROOT
from worker.errors import WorkerError
from worker.feedback import Issue, make_batch
from worker.pipeline.arrive import arrive, mark_told
from worker.pipeline.receipts import mark_posted, waiting_receipts
from worker.pipeline.rows import find_submission, submissions, the_submission
from worker.pipeline.states import SubmissionState
from worker.pipeline.told import (
    accounts,
    last_batch,
    mark_batch,
    next_day,
    refresh,
    statuses,
    write_batch,
)
from worker.pipeline.workshop import Workshop
from worker.pull import PullClient, PullError

DAY_SECONDS: Final = 86_400

_ON_ITS_WAY_OUT: Final = frozenset({SubmissionState.ACKNOWLEDGED, SubmissionState.ERASED})
"""States in which a submission's folder may be gone by rights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrying:
    """The way between one quarantine and its portal. PullError passes through from everything."""

    shop: Workshop
    portal: PullClient
    feedback_seconds: int

    def pull(self) -> int:
        """Fetch what waits, and say of all of it that it is here; give how many were new."""
        self.portal.cosign()
        fresh = 0
        failure: WorkerError | OSError | None = None
        for listed in self.portal.waiting():
            try:
                fresh += self._fetch(listed.submission_id)
                self._acknowledge(listed.submission_id)
            except (WorkerError, OSError) as found:
                # One that cannot be fetched or written down keeps no other back.
                failure = found
        if failure is not None:
            raise failure
        return fresh

    def post_receipts(self) -> int:
        """Hand over the receipts that the portal does not have; give how many.

        What was carried by hand the portal does not know: its receipts stay in their folder, to be
        carried back. One that is refused keeps no other back.
        """
        known = {row.submission_id for row in self.shop.books.read(submissions) if row.is_told}
        posted = 0
        failure: PullError | OSError | None = None
        for each in self.shop.books.read(waiting_receipts):
            if each.submission_id not in known:
                continue
            path = self.shop.places.receipt(each.receipt_id)
            try:
                self.portal.post_receipt(each.submission_id, path.read_bytes())
            except (PullError, OSError) as found:
                failure = found
                continue
            self.shop.books.write(partial(mark_posted, each))
            posted += 1
        if failure is not None:
            raise failure
        return posted

    def is_feedback_due(self) -> bool:
        """Tell whether the calendar has come to the next batch, or one is not posted yet.

        Where batches are less than a day apart, as in a rehearsal, the caller counts the seconds.
        """
        if not (self.shop.places.enrolled / ROOT).exists():
            return False
        last = self.shop.books.read(last_batch)
        if last is None or not last.is_posted or self.feedback_seconds < DAY_SECONDS:
            return True
        return self.shop.custodian.today >= last.next_on

    def post_feedback(self) -> int:
        """Make the next batch, and hand over whatever the portal does not have yet.

        Gives the batch's number. A batch that was made stays as it is.
        """
        last = self.shop.books.read(last_batch)
        if last is None or last.is_posted:
            number = 1 if last is None else last.number + 1
            self._make_batch(number, self.shop.custodian.today)
        else:
            number = last.number
        with self._batch(number).open("rb") as post:
            self.portal.post_feedback(post)
        self.shop.books.write(lambda _: mark_batch(_, number))
        return number

    def _fetch(self, submission: SubmissionId) -> bool:
        shop = self.shop
        row = shop.books.read(lambda _: find_submission(_, submission))
        folder = shop.places.bundle(submission)
        # What somebody took away here is fetched again as long as the portal has it.
        if row is None or (row.state not in _ON_ITS_WAY_OUT and not folder.exists()):
            self.portal.fetch(submission, folder)
        return row is None and arrive(shop.books, shop.places, shop.custodian, submission)

    def _acknowledge(self, submission: SubmissionId) -> None:
        """Say that it is here; or that it was, where it has gone its way before the portal knew."""
        # First: once the portal has the word it lists this one no more, and a kill right behind
        # that would leave its receipts here for good.
        self.shop.books.write(partial(mark_told, submission))
        folder = self.shop.places.bundle(submission)
        if folder.exists():
            self.portal.acknowledge(folder)
            return
        row = self.shop.books.read(lambda _: the_submission(_, submission))
        # Never for what is merely not there: the portal would delete what may be the last copy.
        if row.state is SubmissionState.ERASED:
            self.portal.acknowledge_erased(submission, row.note_sha256)

    def _make_batch(self, number: int, on: date) -> None:
        shop = self.shop
        shop.books.write(lambda _: refresh(_, on))
        told = accounts(shop.books.read(submissions), shop.books.read(statuses), shop.register())
        issue = Issue(
            number=number,
            deployment=shop.deployment,
            published_on=on,
            next_on=next_day(on, self.feedback_seconds),
        )
        made = make_batch(told, issue, shop.signers.note)
        path = self._batch(number)
        # A batch without its row was never posted: it broke off between the two.
        path.unlink(missing_ok=True)
        with durable(path) as target:
            for line in made.lines():
                target.write(line)
        shop.books.write(lambda _: write_batch(_, number, on, issue.next_on))

    def _batch(self, number: int) -> Path:
        return self.shop.places.feedback / f"{number}.jsonl"
