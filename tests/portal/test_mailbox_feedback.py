"""A batch is there whole or not at all, once, and not for ever."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from amana.wire.errors import WireError
from amana.wire.feedback import FeedbackAnswer, FeedbackBatch, require_entry
from amana.wire.ids import AccountId
from amana.wire.signers import read_signed
from portal.feedback_store import KEPT, Posting, forget_old, newest, newest_batch
from tests.portal.conftest import House
from tests.portal.phrases import issue_of, posted, stored, with_database
from tests.wire.feedbacks import ACCOUNTS, DAY, a_batch, a_status
from tests.wire.givens import QUARANTINE

MADE = a_batch(QUARANTINE, a_status())


def answer_for(house: House, account: AccountId, days: int = 0) -> FeedbackAnswer | None:
    on = DAY + timedelta(days=days)
    return with_database(house, lambda database: newest(database, house.places, account, on))


def objects(house: House) -> list[str]:
    return sorted(path.name for path in house.places.feedback.iterdir())


@pytest.mark.parametrize("cut", [100, 1 << 20])
def test_an_account_gets_its_own_entry_as_it_was_signed(house: House, cut: int) -> None:
    assert posted(house, MADE, cut=cut) is Posting.STORED
    batch = read_signed(FeedbackBatch, MADE.note, QUARANTINE.key)
    for entry in MADE.entries:
        answer = answer_for(house, entry.account)
        assert answer is not None
        assert answer.note.encode() == MADE.note
        assert answer.entries == (entry,)
        require_entry(batch, answer.entries[0])


def test_before_its_day_a_batch_is_not_there(house: House) -> None:
    posted(house, MADE)
    assert answer_for(house, ACCOUNTS[0], days=-1) is None
    stranger = answer_for(house, AccountId("0" * 32))
    assert stranger is not None
    assert stranger.entries == ()


def test_the_same_post_again_changes_nothing_and_another_one_does_not_replace_it(
    house: House,
) -> None:
    answers = [posted(house, MADE), posted(house, MADE)]
    answers.append(posted(house, a_batch(QUARANTINE, a_status())))
    assert answers == [Posting.STORED, Posting.KNOWN, Posting.OTHER]
    assert objects(house) == ["7.objects"]
    answer = answer_for(house, ACCOUNTS[0])
    assert answer is not None
    assert answer.note.encode() == MADE.note


def test_a_post_that_is_cut_leaves_nothing(house: House) -> None:
    whole = b"".join(MADE.lines())

    async def part(end: int) -> AsyncIterator[bytes]:
        yield whole[:end]

    for end in (0, 10, len(whole) // 2, len(whole) - 1):
        with pytest.raises(WireError):
            stored(house, part(end))
    assert objects(house) == []
    assert answer_for(house, ACCOUNTS[0]) is None


def test_a_sender_that_goes_away_leaves_nothing(house: House) -> None:
    whole = b"".join(MADE.lines())

    async def broken() -> AsyncIterator[bytes]:
        yield whole[:6_000]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        stored(house, broken())
    assert objects(house) == []


def test_old_batches_are_forgotten_and_files_without_a_row_removed(house: House) -> None:
    posted(house, MADE)
    posted(house, a_batch(QUARANTINE, issue=issue_of(8)))
    (house.places.feedback / "9.objects").write_bytes(b"left by a kill")

    def forget(days: int) -> int:
        on = DAY + timedelta(days=days)
        return with_database(house, lambda database: forget_old(database, house.places, on))

    assert forget(KEPT.days) == 0
    assert objects(house) == ["7.objects", "8.objects"]
    assert forget(KEPT.days + 1) == 2
    assert objects(house) == []
    assert answer_for(house, ACCOUNTS[0]) is None


def test_everybody_may_know_the_calendar(house: House) -> None:
    assert with_database(house, lambda database: newest_batch(database, DAY)) is None
    posted(house, MADE)
    batch = with_database(house, lambda database: newest_batch(database, DAY))
    assert batch is not None
    assert (batch.number, batch.size) == (7, 3)


def test_signer_cards_are_passed_on_in_the_order_of_their_names(house: House) -> None:
    posted(house, MADE)
    house.places.signers.mkdir()
    for name, content in (("2.note", "second\n"), ("1.note", "first\n"), ("x.txt", "no\n")):
        (house.places.signers / name).write_text(content)
    answer = answer_for(house, ACCOUNTS[0])
    assert answer is not None
    assert answer.signers == ("first\n", "second\n")
