"""The batch is the same from outside whatever there is to tell, and inside nothing tells of use."""

import dataclasses
import io
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amana.wire.errors import FieldError
from amana.wire.feedback import (
    SEALED_BYTES,
    STATUSES_LIMIT,
    FeedbackBatch,
    FeedbackContent,
    FeedbackEntry,
    FeedbackStatus,
    require_entry,
)
from amana.wire.signers import read_signed
from crypto import merkle
from crypto.errors import NoMatchError
from crypto.identities import HybridIdentity
from crypto.merkle import leaf_hash
from crypto.opening import open_object
from crypto.padding import Kind
from terms.feedback import FeedbackCode
from tests.wire.feedbacks import (
    ACCOUNTS,
    DAY,
    IDENTITIES,
    ISSUE,
    NEXT,
    a_batch,
    a_status,
    told_of,
)
from tests.wire.givens import QUARANTINE
from worker.feedback import MadeBatch, Told, content_for, inclusion_proofs, make_batch

pytestmark = pytest.mark.threat("T-34")


def opened(entry: FeedbackEntry, identity: HybridIdentity) -> FeedbackContent:
    pieces = open_object(io.BytesIO(entry.sealed), identity, kind=Kind.RECORD)
    return FeedbackContent.from_bytes(b"".join(pieces))


def outside(made: MadeBatch) -> object:
    """All that the portal, the network and a thief of either can see, less what is random."""
    batch = read_signed(FeedbackBatch, made.note, QUARANTINE.key)
    return (
        [line.partition(b" ")[0] for line in made.note.splitlines()[:1]],
        [len(line) for line in made.lines()],
        [(each.account, each.index, len(each.hashes), len(each.sealed)) for each in made.entries],
        dataclasses.replace(batch, root=ISSUE_ROOT),
    )


ISSUE_ROOT = read_signed(FeedbackBatch, a_batch(QUARANTINE).note, QUARANTINE.key).root
WORLDS: list[tuple[FeedbackStatus, ...]] = [
    (),
    (a_status(),),
    (a_status(FeedbackCode.QUESTION, text="ش" * 700), a_status(on=DAY - timedelta(days=9))),
    tuple(a_status(on=DAY - timedelta(days=n)) for n in range(40)),
    (a_status(FeedbackCode.CLEARED_UPDATE, text="x" * 1_500),) * 3,
]


@pytest.mark.threat("T-03")
@pytest.mark.parametrize("statuses", WORLDS)
def test_worlds_that_differ_in_what_is_told_look_the_same_from_outside(
    statuses: tuple[FeedbackStatus, ...],
) -> None:
    """Promise 8. Each world has other news for one account, and the rest none."""
    made = make_batch(told_of(*statuses), ISSUE, QUARANTINE)
    assert outside(made) == outside(a_batch(QUARANTINE))
    assert {len(each.sealed) for each in made.entries} == {SEALED_BYTES}


def test_each_reader_opens_its_own_object_and_no_other() -> None:
    made = a_batch(QUARANTINE, a_status())
    batch = read_signed(FeedbackBatch, made.note, QUARANTINE.key)
    for place, (entry, identity) in enumerate(zip(made.entries, IDENTITIES, strict=True)):
        require_entry(batch, entry)
        content = opened(entry, identity)
        assert (content.account, content.number) == (entry.account, ISSUE.number)
        assert content.statuses == ((a_status(),) if place == 0 else ())
        with pytest.raises(NoMatchError):
            opened(entry, IDENTITIES[place - 1])


def test_every_member_of_an_organisation_has_an_object_and_a_silent_account_none() -> None:
    both = tuple(each.recipient for each in IDENTITIES[:2])
    told = [
        Told(account=ACCOUNTS[0], recipients=both, statuses=(a_status(),)),
        Told(account=ACCOUNTS[1], recipients=(), statuses=(a_status(),)),
    ]
    made = make_batch(told, ISSUE, QUARANTINE)
    assert [entry.account for entry in made.entries] == [ACCOUNTS[0]] * 2
    read = [
        opened(entry, identity)
        for entry in made.entries
        for identity in IDENTITIES[:2]
        if opens(entry, identity)
    ]
    assert [each.statuses for each in read] == [(a_status(),)] * 2


def opens(entry: FeedbackEntry, identity: HybridIdentity) -> bool:
    try:
        opened(entry, identity)
    except NoMatchError:
        return False
    return True


def test_the_order_is_that_of_accounts_however_they_are_given() -> None:
    told = told_of(a_status())
    for given_order in (told, told[::-1]):
        made = make_batch(given_order, ISSUE, QUARANTINE)
        assert tuple(each.account for each in made.entries) == ACCOUNTS
    with pytest.raises(FieldError, match="twice"):
        make_batch((*told, told[0]), ISSUE, QUARANTINE)


def test_a_batch_made_ahead_does_not_tell_what_has_not_happened() -> None:
    (told, *_) = told_of(a_status(on=NEXT), a_status(on=DAY))
    assert content_for(told, ISSUE).statuses == (a_status(on=DAY),)
    later = dataclasses.replace(ISSUE, number=8, published_on=NEXT, next_on=NEXT + timedelta(7))
    assert content_for(told, later).statuses == (a_status(on=NEXT), a_status(on=DAY))


def test_the_newest_come_first_and_what_has_no_room_is_said_to_be_there() -> None:
    many = [a_status(on=DAY - timedelta(days=n), submission=None) for n in range(40)]
    (told, *_) = told_of(*many[::-1])
    content = content_for(told, ISSUE)
    assert content.statuses == tuple(many[: len(content.statuses)])
    assert (len(content.statuses), content.more) == (STATUSES_LIMIT, True)
    (one, *_) = told_of(many[0])
    assert not content_for(one, ISSUE).more


def test_the_order_in_which_officers_worked_does_not_show() -> None:
    same_day = (a_status(FeedbackCode.PRESERVED), a_status(FeedbackCode.CHECKING))
    contents = {content_for(told_of(*order)[0], ISSUE) for order in (same_day, same_day[::-1])}
    assert len(contents) == 1


def test_a_batch_for_nobody_is_a_batch() -> None:
    made = make_batch((), ISSUE, QUARANTINE)
    assert read_signed(FeedbackBatch, made.note, QUARANTINE.key).size == 0


@settings(max_examples=60)
@given(st.integers(0, 70))
def test_all_proofs_at_once_are_those_that_are_made_one_by_one(size: int) -> None:
    leaves = [leaf_hash(bytes([n])) for n in range(size)]
    one_by_one = tuple(merkle.inclusion_proof(leaves, index) for index in range(size))
    assert inclusion_proofs(leaves) == one_by_one
