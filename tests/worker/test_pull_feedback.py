"""A batch of feedback is on the portal whole, once, or not at all."""

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from amana.wire.ids import AccountId, random_id
from amana.wire.vocabulary import Deployment
from portal.feedback_store import newest_batch
from tests.portal.pulled import COSIGNER, IDENTITY, PULLER, TODAY, Pulled, make
from worker.feedback import Issue, Told, make_batch
from worker.pull import PullClient, PullError, PullFault

TOLD = tuple(
    Told(account=random_id(AccountId), recipients=(IDENTITY.recipient,), statuses=())
    for _ in range(5)
)


@pytest.fixture
def portal(tmp_path: Path) -> Pulled:
    (tmp_path / "portal").mkdir()
    return make(tmp_path / "portal")


@pytest.fixture
def client(portal: Pulled, tmp_path: Path) -> Iterator[PullClient]:
    with portal.serve() as link:
        yield PullClient(
            link,
            PULLER,
            cosigner=COSIGNER,
            log=portal.keys.log_key(portal.origin),
            deployment=Deployment.TRAINING,
            memory=tmp_path / "memory",
            clock=portal.clock,
        )


def batch(number: int) -> bytes:
    issue = Issue(
        number=number,
        deployment=Deployment.TRAINING,
        published_on=TODAY,
        next_on=TODAY + timedelta(days=7),
    )
    return b"".join(make_batch(TOLD, issue, PULLER).lines())


def stored(portal: Pulled) -> int | None:
    with portal.database() as database:
        found = portal.run(newest_batch(database, TODAY))
    return None if found is None else found.number


def test_a_batch_is_there_once_however_often_it_is_posted(
    portal: Pulled, client: PullClient
) -> None:
    first, second = batch(1), batch(2)
    for post, number in ((first, 1), (first, 1), (second, 2), (first, 2)):
        client.post_feedback(io.BytesIO(post))
        assert stored(portal) == number


def test_another_batch_of_the_same_number_is_refused(portal: Pulled, client: PullClient) -> None:
    client.post_feedback(io.BytesIO(batch(1)))
    before = {path.read_bytes() for path in portal.places.feedback.iterdir()}
    with pytest.raises(PullError) as failure:
        client.post_feedback(io.BytesIO(batch(1)))
    assert failure.value.fault is PullFault.REFUSED
    assert {path.read_bytes() for path in portal.places.feedback.iterdir()} == before


@pytest.mark.parametrize("lines", [0, 1, 3])
def test_a_batch_that_is_cut_changes_nothing(
    portal: Pulled, client: PullClient, lines: int
) -> None:
    post = b"".join(batch(1).splitlines(keepends=True)[:lines])
    for cut in (post, post + b"{"):
        with pytest.raises(PullError) as failure:
            client.post_feedback(io.BytesIO(cut))
        assert failure.value.fault is PullFault.REFUSED
    assert stored(portal) is None
    assert not any(portal.places.feedback.iterdir())
    assert not any(portal.places.spool.iterdir())
