"""Make one feedback batch: an object of one size for every reader, news or not, under one root.

Pure: it asks no clock, reads no database and chooses no words; officers picked the codes before.
What nobody may learn never comes here: the caller passes statuses and nothing of the reason, and
neither number, order nor size of what leaves depends on them.
Format: docs/format/24-feedback.md.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from amana.wire.errors import FieldError
from amana.wire.feedback import (
    STATUSES_LIMIT,
    FeedbackBatch,
    FeedbackContent,
    FeedbackEntry,
    FeedbackLeaf,
    FeedbackStatus,
    write_post,
)
from amana.wire.fields import RawBytes
from amana.wire.ids import AccountId, Digest
from amana.wire.vocabulary import Deployment
from crypto import merkle
from crypto.merkle import TreeHash
from crypto.padding import Kind
from crypto.recipients import HybridRecipient
from crypto.seal import seal
from crypto.sign import NoteSigner


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Readers of one account, and every status that they may be told, in any order.

    recipients: the reply recipient of a phrase, or the feedback recipients of a CSO's members; each
    gets an object of its own. An account without one is not told anything and is left out.
    """

    account: AccountId
    recipients: tuple[HybridRecipient, ...]
    statuses: tuple[FeedbackStatus, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """Which batch it is, and its days on the published calendar."""

    number: int
    deployment: Deployment
    published_on: date
    next_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeBatch:
    """A batch as it is kept and posted: the signed note, and the entries in the order of leaves."""

    note: bytes
    entries: tuple[FeedbackEntry, ...]

    def lines(self) -> Iterator[bytes]:
        """Yield the lines of the post."""
        return write_post(self.note, self.entries)


def make_batch(told: Iterable[Told], issue: Issue, signer: NoteSigner) -> MadeBatch:
    """Seal and sign a batch. Sealing is random: keep what this gives, and post that again.

    A status whose day is after the batch's waits for a later one, so batches can be made ahead.
    FieldError: a reader of an account twice, or more entries than a batch may have.
    """
    pairs = [(each, recipient) for each in told for recipient in each.recipients]
    readers = sorted(
        ((each.account, recipient.to_text(), each) for each, recipient in pairs),
        key=lambda reader: reader[:2],
    )
    if len({reader[:2] for reader in readers}) != len(readers):
        raise FieldError("has a reader twice", "accounts")
    sealed = [
        (account, _sealed(content_for(each, issue), HybridRecipient.from_text(text)))
        for account, text, each in readers
    ]
    leaves = [_leaf(account, issue.number, each) for account, each in sealed]
    proofs = inclusion_proofs(leaves)
    batch = FeedbackBatch(
        number=issue.number,
        deployment=issue.deployment,
        published_on=issue.published_on,
        next_on=issue.next_on,
        size=len(leaves),
        root=_digest(merkle.root(leaves)),
    )
    return MadeBatch(
        note=signer.sign(batch.to_bytes().decode("utf-8")).to_bytes(),
        entries=tuple(
            FeedbackEntry(
                account=account,
                number=issue.number,
                index=index,
                hashes=tuple(_digest(each) for each in proof),
                sealed=RawBytes(each),
            )
            for index, ((account, each), proof) in enumerate(zip(sealed, proofs, strict=True))
        ),
    )


def content_for(told: Told, issue: Issue) -> FeedbackContent:
    """Give what an account is told in this batch: the newest, as many as one object holds."""
    due = [each for each in told.statuses if each.on <= issue.published_on]
    # Among those of one day an order of our own, not the one in which officers worked.
    due.sort(key=lambda each: (-each.on.toordinal(), each.code, each.submission_id or ""))
    kept: list[FeedbackStatus] = []
    for each in due[:STATUSES_LIMIT]:
        if not _fits(told.account, issue.number, (*kept, each)):
            break
        kept.append(each)
    return FeedbackContent(
        account=told.account,
        number=issue.number,
        statuses=tuple(kept),
        more=len(kept) < len(due),
    )


def inclusion_proofs(leaves: Sequence[TreeHash]) -> tuple[tuple[TreeHash, ...], ...]:
    """Give the RFC 9162 inclusion proof of every leaf, in time that grows like their number."""
    proofs: list[list[TreeHash]] = [[] for _ in leaves]
    level = list(leaves)
    height = 0
    while len(level) > 1:
        for index, proof in enumerate(proofs):
            beside = (index >> height) ^ 1
            # A last node without a neighbour moves up as it is: RFC 9162 section 2.1.1.
            if beside < len(level):
                proof.append(level[beside])
        pairs = [merkle.node_hash(*level[at : at + 2]) for at in range(0, len(level) - 1, 2)]
        level = pairs + level[len(level) & ~1 :]
        height += 1
    return tuple(tuple(proof) for proof in proofs)


def _fits(account: AccountId, number: int, statuses: tuple[FeedbackStatus, ...]) -> bool:
    try:
        # `more` as its longer word, so that whether there is more changes nothing.
        FeedbackContent(account=account, number=number, statuses=statuses, more=False).to_bytes()
    except FieldError:
        return False
    return True


def _sealed(content: FeedbackContent, recipient: HybridRecipient) -> bytes:
    return b"".join(seal([content.to_bytes()], recipient, Kind.RECORD))


def _leaf(account: AccountId, number: int, sealed: bytes) -> TreeHash:
    digest = Digest(hashlib.sha256(sealed).hexdigest())
    return FeedbackLeaf(account=account, number=number, sealed_sha256=digest).hash


def _digest(value: TreeHash) -> Digest:
    return Digest(value.hex())
