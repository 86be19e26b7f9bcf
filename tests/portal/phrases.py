"""Visitors with ten words, and a batch of feedback for them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from typing import TypeVar
from urllib.parse import urlencode

import httpx

from amana.store.engine import Database, open_database
from amana.wire.feedback import FeedbackStatus
from crypto.phrase import ReturnPhrase
from crypto.recipients import HybridRecipient
from crypto.wordlist import Language
from portal.feedback_store import Posting, store_lines
from tests.portal.body import CONTENT_TYPE, body, field, file
from tests.portal.conftest import House, Site
from tests.portal.opened import Opened, opened
from tests.wire.feedbacks import ISSUE
from tests.wire.givens import QUARANTINE
from worker.feedback import Issue, MadeBatch, Told, make_batch

T = TypeVar("T")


def words_of(phrase: ReturnPhrase, language: Language = Language.ENGLISH) -> str:
    return " ".join(phrase.words(language))


def give_with(
    site: Site, words: str, content: bytes = b"A", language: str = "en"
) -> httpx.Response:
    parts = [field("token", site.token(language)), field("words", words), file("a", content)]
    return site.client.post(
        f"/{language}/give", content=body(*parts), headers={"content-type": CONTENT_TYPE}
    )


def come_back(site: Site, words: str, language: str = "en") -> httpx.Response:
    page = site.client.get(f"/{language}/return").text
    token = page.partition('name="token" value="')[2].partition('"')[0]
    return site.client.post(
        f"/{language}/return",
        content=urlencode({"token": token, "words": words}),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )


def all_opened(house: House) -> list[Opened]:
    folders = sorted(house.places.received.iterdir())
    return [opened(folder, house.identity, house.keys.public) for folder in folders]


def made_for(house: House, statuses: tuple[FeedbackStatus, ...], issue: Issue = ISSUE) -> MadeBatch:
    """A batch in which every account with reply keys is told the same."""
    told: dict[str, Told] = {}
    for each in all_opened(house):
        if each.submission.reply is not None:
            recipient = HybridRecipient.from_text(each.submission.reply.recipient)
            account = each.submission.account
            told[account] = Told(account=account, recipients=(recipient,), statuses=statuses)
    return make_batch(told.values(), issue, QUARANTINE)


def posted(house: House, made: MadeBatch, *, cut: int = 10_000) -> Posting:
    whole = b"".join(made.lines())

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(whole), cut):
            yield whole[start : start + cut]

    return stored(house, pieces())


def stored(house: House, pieces: AsyncIterator[bytes]) -> Posting:
    return with_database(house, lambda database: store_lines(database, house.places, pieces))


def with_database(house: House, work: Callable[[Database], Coroutine[None, None, T]]) -> T:
    """Do something in the database while the portal runs, as the pull process does."""

    async def run() -> T:
        database = open_database(house.settings.portal.database_url)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


def issue_of(number: int) -> Issue:
    return replace(ISSUE, number=number)
