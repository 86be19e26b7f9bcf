"""To and from a real portal: fetched once, and feedback is posted until it is there."""

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from amana.wire.ids import SubmissionId
from amana.wire.vocabulary import Deployment
from tests.portal.pulled import COSIGNER, PULLER, Pulled, make
from tests.worker.pipeline.ground import Quarantine
from worker.carrying import Carrying
from worker.pipeline.arrive import arrive
from worker.pipeline.rows import submissions
from worker.pipeline.states import SubmissionState
from worker.pipeline.told import last_batch
from worker.pull import PullClient, PullError
from worker.records.tables import SUBMISSION

WEEK = 604_800


@pytest.fixture
def portal(tmp_path: Path) -> Pulled:
    folder = tmp_path / "portal"
    folder.mkdir()
    return make(folder)


@pytest.fixture
def link(portal: Pulled) -> Iterator[httpx.Client]:
    with portal.serve() as link:
        yield link


@pytest.fixture
def carrying(portal: Pulled, link: httpx.Client, quarantine: Quarantine) -> Carrying:
    client = PullClient(
        link,
        PULLER,
        cosigner=COSIGNER,
        log=portal.keys.log_key(portal.origin),
        deployment=Deployment.TRAINING,
        memory=quarantine.shop.places.pull,
        clock=portal.clock,
        spare_bytes=0,
    )
    return Carrying(shop=quarantine.shop, portal=client, feedback_seconds=WEEK)


def test_what_waits_is_fetched_once_and_the_portal_is_told(
    portal: Pulled, carrying: Carrying
) -> None:
    notes = {portal.give(b"one").submission_id, portal.give(b"two").submission_id}
    assert carrying.pull() == 2
    rows = carrying.shop.books.read(submissions)
    assert {row.submission_id for row in rows} == notes
    assert all(row.state is SubmissionState.FETCHED and row.is_told for row in rows)
    assert carrying.pull() == 0
    assert not list(carrying.portal.waiting())


async def erased(submission: SubmissionId, connection: AsyncConnection) -> None:
    """Let the books say that a submission went all its way."""
    mine = SUBMISSION.c.submission_id == submission
    state = SubmissionState.ERASED.value
    await connection.execute(update(SUBMISSION).where(mine).values(state=state))


def test_what_somebody_took_away_is_fetched_again_and_never_acknowledged_as_gone(
    portal: Pulled, carrying: Carrying
) -> None:
    """Whoever can write into the folder must not make the portal delete the last copy."""
    note = portal.give(b"one")
    folder = carrying.shop.places.bundle(note.submission_id)
    carrying.portal.fetch(note.submission_id, folder)
    arrive(carrying.shop.books, carrying.shop.places, carrying.shop.custodian, note.submission_id)
    shutil.rmtree(folder)

    assert carrying.pull() == 0

    assert {each.name for each in (folder / "objects").iterdir()} == {
        f"{each.object_id}.age" for each in note.everything()
    }
    assert not list(carrying.portal.waiting())


def test_what_was_erased_before_the_portal_knew_is_acknowledged_all_the_same(
    portal: Pulled, carrying: Carrying
) -> None:
    note = portal.give(b"one")
    folder = carrying.shop.places.bundle(note.submission_id)
    carrying.portal.fetch(note.submission_id, folder)
    arrive(carrying.shop.books, carrying.shop.places, carrying.shop.custodian, note.submission_id)
    shutil.rmtree(folder)
    carrying.shop.books.write(partial(erased, note.submission_id))

    assert carrying.pull() == 0

    assert not folder.exists()
    assert not list(carrying.portal.waiting())
    assert all(row.is_told for row in carrying.shop.books.read(submissions))


def test_a_kill_behind_the_acknowledgement_leaves_no_receipt_here(
    portal: Pulled, carrying: Carrying, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = portal.give(b"one")

    def killed(self: PullClient, folder: Path) -> None:
        acknowledge(self, folder)
        raise KeyboardInterrupt

    acknowledge = PullClient.acknowledge
    monkeypatch.setattr(PullClient, "acknowledge", killed)
    with pytest.raises(KeyboardInterrupt):
        carrying.pull()

    (row,) = carrying.shop.books.read(submissions)
    assert row.submission_id == note.submission_id
    assert not list(carrying.portal.waiting())
    assert row.is_told


def test_a_batch_goes_out_on_its_day_whether_there_is_news_or_not(carrying: Carrying) -> None:
    assert carrying.is_feedback_due()
    assert carrying.post_feedback() == 1
    last = carrying.shop.books.read(last_batch)
    assert last is not None
    assert last.is_posted
    assert not carrying.is_feedback_due()


def test_a_batch_that_was_made_is_posted_again_as_it_is(
    carrying: Carrying, link: httpx.Client
) -> None:
    link.close()
    with pytest.raises((PullError, RuntimeError)):
        carrying.post_feedback()
    (path,) = carrying.shop.places.feedback.iterdir()
    made = path.read_bytes()
    with pytest.raises((PullError, RuntimeError)):
        carrying.post_feedback()
    assert path.read_bytes() == made
    assert [each.name for each in carrying.shop.places.feedback.iterdir()] == [path.name]
