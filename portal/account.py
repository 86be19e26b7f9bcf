"""Whom a submission is filed under: a new account, or the one that ten words lead to.

What works with phrases is handed in from outside (portal.mailbox), so that no other module of the
portal comes near what opens. Format: docs/format/18-portal.md sections 3 and 7.
"""

from dataclasses import dataclass
from datetime import date
from typing import Protocol, Self

from amana.wire.feedback import FeedbackBatch, FeedbackContent
from amana.wire.ids import AccountId, Digest, random_id
from amana.wire.submission import ReplyKeys
from crypto.phrase import ReturnPhrase


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class Account:
    """An account, and how its provider comes back.

    lookup_sha256: names the mailbox row; reply: stands in the sealed submission manifest. Both are
    None where no words were given: then there is no way back.
    """

    account: AccountId
    lookup_sha256: Digest | None
    reply: ReplyKeys | None

    @classmethod
    def without_return(cls) -> Self:
        """Give a new account that nobody can come back to."""
        return cls(account=random_id(AccountId), lookup_sha256=None, reply=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a return page shows: the newest batch, as everybody may know it, and what was opened.

    content: without statuses for words that are unknown, wrong, or without news.
    """

    batch: FeedbackBatch | None
    content: FeedbackContent


class Mailboxes(Protocol):
    """What words lead to."""

    async def account_of(self, phrase: ReturnPhrase) -> Account:
        """Give the account of these words: the same each time. RefusedError: BUSY."""
        ...

    async def read(self, phrase: ReturnPhrase | None, on: date) -> Reading:
        """Give the newest that may be shown on this day. RefusedError: BUSY.

        phrase: None for words that are no phrase; it takes the same work as any other.
        """
        ...

    def close(self) -> None:
        """End the thread."""
        ...
