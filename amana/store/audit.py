"""Recount the custody log from its leaves, and name the first row that is wrong.

Reads every row once, in order, in memory that grows with the height of the tree. Trusts no
trigger and no index: it is for the day on which somebody had the database to himself. A log
that was cut at its end, or made anew as a whole, agrees with itself; only a checkpoint that
somebody else holds shows that. Format: docs/format/14-stores.md section 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from amana.store.log import LAST_LEAF
from amana.store.numbering import RowNumber, leaves_of, node_of, number_of
from amana.store.tables import LOG
from crypto.merkle import HASH_BYTES, LeafRange, Node, TreeHash, fold, node_hash

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from crypto.checkpoint import Checkpoint

ROWS_AT_ONCE: Final = 1024
"""Rows fetched together while the log is read through: about 10 ms, in which nothing else of the
same process runs, and 200 KB of memory."""

_EVERY_ROW: Final = select(
    LOG.c.number,
    LOG.c.hash,
    # In the same statement, so that rows and size belong to one state of the log.
    LAST_LEAF.correlate(None).scalar_subquery(),
).order_by(LOG.c.number)


class Wrong(StrEnum):
    """What is wrong with a row, or with the whole."""

    MISSING = "missing"
    """The row is not there, though later leaves are."""
    EXTRA = "extra"
    """The row's subtree is not full in a log of this size."""
    NO_HASH = "no hash"
    """The row does not hold 32 bytes."""
    UNFOUNDED = "unfounded"
    """The row's hash is not that of its leaves: it was changed, or one of them was."""
    CUT = "cut"
    """The log ends before the size of the checkpoint."""
    OTHER_HISTORY = "other history"
    """The log agrees with itself and not with the checkpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The first thing that is wrong, and the leaves that it touches.

    number: the row; None when no single row can be named (OTHER_HISTORY).
    leaves: empty for a row whose number is none of a tree's.
    """

    wrong: Wrong
    number: RowNumber | None
    leaves: LeafRange


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What a recount came to: the size it read, the root it computed, and the first fault.

    root: None if a fault stopped the recount before the last leaf.
    """

    size: int
    root: TreeHash | None
    finding: Finding | None


async def audit_log(connection: AsyncConnection, held: Checkpoint | None = None) -> Audit:
    """Recount the log, and compare it with a checkpoint that someone else kept, if there is one.

    held: its signatures are the caller's matter. One query, streamed: constant memory.
    """
    recount = _Recount(0, held)
    options = {"yield_per": ROWS_AT_ONCE}
    async with connection.stream(_EVERY_ROW, execution_options=options) as rows:
        async for some in rows.partitions():
            for number, value, last in some:
                if recount.size == 0 and last is not None:
                    recount = _Recount(leaves_of(RowNumber(last)).end, held)
                finding = recount.see(RowNumber(number), value)
                if finding is not None:
                    return Audit(size=recount.size, root=None, finding=finding)
    return Audit(size=recount.size, root=recount.root(), finding=recount.against_held())


class _Recount:
    """A Merkle tree computed from the leaves, beside the rows that claim to be its subtrees."""

    def __init__(self, size: int, held: Checkpoint | None) -> None:
        self.size = size
        self._held = held
        self._held_root = fold(())
        self._expected = 0
        self._subtrees: list[TreeHash] = []
        # A subtree's row lies between its halves: what it claims waits here, one claim a level.
        self._claims: dict[int, TreeHash] = {}

    def see(self, number: RowNumber, value: object) -> Finding | None:
        """Take the next row in order, and say what is wrong up to it."""
        if number < 0:
            nothing = LeafRange(start=0, end=0)
            return Finding(wrong=Wrong.EXTRA, number=number, leaves=nothing)
        if not self._is_full(number):
            return _finding(Wrong.EXTRA, number)
        while self._expected < number:
            skipped = RowNumber(self._expected)
            if self._is_full(skipped):
                return _finding(Wrong.MISSING, skipped)
            self._expected += 1
        self._expected += 1
        if not isinstance(value, bytes) or len(value) != HASH_BYTES:
            return _finding(Wrong.NO_HASH, number)
        node = node_of(number)
        if node.level > 0:
            self._claims[node.level] = TreeHash(value)
            return None
        return self._add_leaf(node.index, TreeHash(value))

    def root(self) -> TreeHash:
        """Give the root over the leaves seen so far."""
        return fold(self._subtrees)

    def against_held(self) -> Finding | None:
        """Compare with the checkpoint, once every row was seen."""
        held = self._held
        if held is None:
            return None
        if held.size > self.size:
            return _finding(Wrong.CUT, number_of(Node(level=0, index=self.size)))
        if held.root != self._held_root:
            everything = LeafRange(start=0, end=held.size)
            return Finding(wrong=Wrong.OTHER_HISTORY, number=None, leaves=everything)
        return None

    def _is_full(self, number: RowNumber) -> bool:
        return leaves_of(number).end <= self.size

    def _add_leaf(self, index: int, leaf_hash: TreeHash) -> Finding | None:
        level, value = 0, leaf_hash
        while index >> level & 1:
            level, value = level + 1, node_hash(self._subtrees.pop(), value)
            if self._claims.pop(level) != value:
                number = number_of(Node(level=level, index=index >> level))
                return _finding(Wrong.UNFOUNDED, number)
        self._subtrees.append(value)
        if self._held is not None and self._held.size == index + 1:
            self._held_root = fold(self._subtrees)
        return None


def _finding(wrong: Wrong, number: RowNumber) -> Finding:
    return Finding(wrong=wrong, number=number, leaves=leaves_of(number))
