"""To and from a real portal: fetched once, and feedback is posted until it is there."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from amana.wire.vocabulary import Deployment
from tests.portal.pulled import COSIGNER, PULLER, Pulled, make
from tests.worker.pipeline.ground import Quarantine
from worker.carrying import Carrying
from worker.pipeline.rows import submissions
from worker.pipeline.states import SubmissionState
from worker.pipeline.told import last_batch
from worker.pull import PullClient, PullError

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
