"""Mailboxes: from ten words to an account, and to the one object that was sealed for them.

The only module of the portal that opens anything, and it can open nothing but feedback: the
identity is made from typed words, lives for one request and is written nowhere. What the words find
is kept as a hash; the words, what Argon2id makes of them and what was opened never leave memory.
Nothing else in the portal imports this module before it serves. Formats:
docs/format/05-return-phrase.md, 24-feedback.md, 18-portal.md section 7.
"""

import asyncio
import hashlib
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final, Self, TypeVar
from weakref import WeakValueDictionary

from sqlalchemy import select

from amana.durable import durable
from amana.store.engine import Database
from amana.wire.errors import WireError
from amana.wire.feedback import (
    CONTENT_LIMIT_BYTES,
    FeedbackAnswer,
    FeedbackBatch,
    FeedbackContent,
    read_batch_unsigned,
)
from amana.wire.ids import AccountId, Digest, RecipientText, hash_parts, random_id
from amana.wire.signers import key_id
from amana.wire.submission import ReplyKeys
from crypto.errors import CryptoError
from crypto.identities import HybridIdentity
from crypto.note import DualKey
from crypto.opening import open_object
from crypto.padding import Kind
from crypto.phrase import DIRECTORY_ROOT_BYTES, ReturnPhrase, derive
from crypto.seal import seal
from crypto.sign import NoteSigner
from portal import feedback_store
from portal.account import Account, Reading
from portal.errors import DirectoryError, RefusedError
from portal.places import Places
from portal.records.tables import MAILBOX
from portal.refusal import Refusal

ANSWER_KEY_NAME: Final = "amana/answer"
"""The name of every answer key: one that differed would tell two providers apart."""

WAITING_LIMIT: Final = 16
"""Derivations that wait at one time, half a second of work; whoever comes then is told to come
back. Each takes 19 MiB, one after the other."""

_NO_BATCH: Final = 1

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Door:
    """What words open, for one request."""

    account: Account
    identity: HybridIdentity = field(repr=False)


class PhraseMailboxes:
    """Mailboxes of this portal (portal.account.Mailboxes). Derivations take turns in one thread."""

    def __init__(self, database: Database, places: Places, root: bytes) -> None:
        self._database = database
        self._places = places
        self._root = root
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="phrase")
        self._waiting = 0
        # Two uploads with the same new words at the same time: the second joins the first.
        self._given: WeakValueDictionary[Digest, Account] = WeakValueDictionary()

    @classmethod
    def of(cls, database: Database, places: Places, directory: tuple[DualKey, ...]) -> Self:
        """Give the mailboxes of a portal whose directory has these keys."""
        return cls(database, places, phrase_root(places.phrase_root, directory))

    async def account_of(self, phrase: ReturnPhrase) -> Account:
        """Give the account of these words: the same each time. RefusedError: BUSY."""
        made = (await self._turn(lambda: _door(phrase, self._root))).account
        if made.lookup_sha256 is None:
            return made
        known = await self._find(made.lookup_sha256)
        if known is None:
            return self._given.setdefault(made.lookup_sha256, made)
        return Account(account=known, lookup_sha256=made.lookup_sha256, reply=made.reply)

    async def read(self, phrase: ReturnPhrase | None, on: date) -> Reading:
        """Give the newest that may be shown on this day. RefusedError: BUSY.

        The same is done for words that are a mailbox's, another's and nobody's: one derivation,
        one look into each table, one object made and one opened.
        """
        asked = phrase or ReturnPhrase.generate()
        door = await self._turn(lambda: _door(asked, self._root))
        found = await self._find(door.account.lookup_sha256)
        account = found or door.account.account
        answer = await feedback_store.newest(self._database, self._places, account, on)
        batch = None if answer is None else read_batch_unsigned(answer.note.encode("utf-8"))
        content = await self._turn(lambda: _open(door.identity, account, batch, answer))
        return Reading(batch=batch, content=content)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()

    async def _turn(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING_LIMIT:
            raise RefusedError(Refusal.BUSY)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= 1

    async def _find(self, lookup_sha256: Digest | None) -> AccountId | None:
        async with self._database.read() as connection:
            found = await connection.scalar(
                select(MAILBOX.c.account).where(MAILBOX.c.lookup_sha256 == lookup_sha256)
            )
        return None if found is None else AccountId(found)


def phrase_root(path: Path, directory: tuple[DualKey, ...]) -> bytes:
    """Give what phrases of this portal are bound to; make it from the directory the first time.

    It stays when a directory key is replaced, as everybody's words would lead nowhere otherwise.
    DirectoryError: the file is not one of ours.
    """
    if not path.exists():
        ids = sorted(key_id(key) for key in directory)
        made = hash_parts("amana/directory-root/v1", *(bytes.fromhex(each) for each in ids))
        with durable(path) as target:
            target.write(bytes.fromhex(made))
    with path.open("rb") as source:
        root = source.read(DIRECTORY_ROOT_BYTES + 1)
    if len(root) != DIRECTORY_ROOT_BYTES:
        raise DirectoryError("what phrases are bound to is not 32 bytes")
    return root


def _door(phrase: ReturnPhrase, root: bytes) -> _Door:
    secrets = derive(phrase, directory_root=root)
    identity = HybridIdentity(seed=secrets.reply_seed)
    answer = NoteSigner.from_seeds(
        ANSWER_KEY_NAME,
        ed25519_seed=secrets.answer_ed25519_seed,
        mldsa_seed=secrets.answer_mldsa_seed,
    )
    return _Door(
        account=Account(
            account=random_id(AccountId),
            lookup_sha256=Digest(hashlib.sha256(secrets.lookup_id).hexdigest()),
            reply=ReplyKeys(
                recipient=RecipientText(identity.recipient.to_text()), answer_key=answer.key
            ),
        ),
        identity=identity,
    )


def _open(
    identity: HybridIdentity,
    account: AccountId,
    batch: FeedbackBatch | None,
    answer: FeedbackAnswer | None,
) -> FeedbackContent:
    """Open what is there for the account, or, with the same work, what was made up in its place."""
    number = _NO_BATCH if batch is None else batch.number
    nothing = FeedbackContent(account=account, number=number, statuses=(), more=False)
    made_up = b"".join(seal([nothing.to_bytes()], identity.recipient, Kind.RECORD))
    entries = () if answer is None else answer.entries
    sealed = entries[0].sealed if entries else made_up
    try:
        pieces = open_object(io.BytesIO(sealed), identity, kind=Kind.RECORD)
        content = FeedbackContent.from_bytes(b"".join(pieces)[: CONTENT_LIMIT_BYTES + 1])
    except (CryptoError, WireError):
        return nothing
    return content if (content.account, content.number) == (account, number) else nothing
