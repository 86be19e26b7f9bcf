"""Derivations take turns, the queue is short, and reading makes nothing."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from amana.store.engine import Database, open_database
from crypto.phrase import ReturnPhrase
from portal.account import Account
from portal.errors import RefusedError
from portal.mailbox import WAITING_LIMIT, PhraseMailboxes
from portal.refusal import Refusal
from tests.portal.conftest import TODAY, House

PHRASE = ReturnPhrase.generate()


@pytest.fixture
async def database(house: House) -> AsyncIterator[Database]:
    opened = open_database(house.settings.portal.database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def mailboxes(house: House, database: Database) -> AsyncIterator[PhraseMailboxes]:
    made = PhraseMailboxes(database, house.places, bytes(32))
    yield made
    made.close()


async def test_whoever_comes_when_the_queue_is_full_is_told_to_come_back(
    mailboxes: PhraseMailboxes,
) -> None:
    asked = [mailboxes.account_of(ReturnPhrase.generate()) for _ in range(WAITING_LIMIT + 4)]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    refused = [each for each in outcomes if isinstance(each, RefusedError)]
    assert [each.refusal for each in refused] == [Refusal.BUSY] * 4
    assert len({each.account for each in outcomes if isinstance(each, Account)}) == WAITING_LIMIT
    # And afterwards there is room again.
    assert (await mailboxes.account_of(PHRASE)).reply is not None


async def test_new_words_are_one_account_as_long_as_somebody_holds_it(
    mailboxes: PhraseMailboxes,
) -> None:
    first, second = await asyncio.gather(mailboxes.account_of(PHRASE), mailboxes.account_of(PHRASE))
    assert first is second
    held = first.account
    del first, second
    assert (await mailboxes.account_of(PHRASE)).account != held


async def test_reading_leaves_no_row_and_no_account(mailboxes: PhraseMailboxes) -> None:
    for phrase in (PHRASE, None):
        reading = await mailboxes.read(phrase, TODAY)
        assert (reading.batch, reading.content.statuses, reading.content.more) == (None, (), False)
