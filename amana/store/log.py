"""The custody log in a database: append leaf hashes, prove them, say what the tree is.

One row for every full subtree, never changed and never deleted; the tables' triggers refuse it
too. Only hashes come here, never an event, a salt or a time. A proof is one query, whatever the
size of the log. Format: docs/format/14-stores.md section 4; the tree: docs/format/04-merkle-log.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, select, text

from amana.store.errors import LeafHashError, LogDamagedError, LogSizeError
from amana.store.numbering import MAX_LEAVES, RowNumber, leaves_of, number_of, numbers_in
from amana.store.tables import LOG
from crypto.checkpoint import Checkpoint
from crypto.merkle import (
    HASH_BYTES,
    Frontier,
    LeafRange,
    Node,
    TreeHash,
    consistency_ranges,
    fold,
    inclusion_ranges,
    node_hash,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

LOOKUP_ROWS: Final = 1000
"""Hashes in one look-up; SQLite takes 32 766 parameters in a statement, PostgreSQL 32 767."""

LAST_LEAF: Final = (
    select(LOG.c.number).where(text("number % 2 = 0")).order_by(LOG.c.number.desc()).limit(1)
)
"""The row of the last leaf: even numbers are leaves, and none is above the last leaf's."""

_INCLUSION: Final = text(
    """
    WITH RECURSIVE
      leaf(number) AS (SELECT number FROM log WHERE hash = :leaf_hash AND number % 2 = 0),
      level(span) AS (SELECT CAST(2 AS BIGINT)
                      UNION ALL SELECT span * 2 FROM level WHERE span < :widest),
      ancestor(place, span) AS (SELECT leaf.number / span, span FROM leaf CROSS JOIN level),
      wanted(number) AS (SELECT (place + 1 - 2 * (place % 2)) * span + span / 2 - 1 FROM ancestor
                         UNION SELECT number FROM log WHERE number IN :whole_tree)
    SELECT leaf.number, log.number, log.hash
    FROM leaf CROSS JOIN wanted JOIN log ON log.number = wanted.number
    """
).bindparams(bindparam("whole_tree", expanding=True))
"""The leaf's number, and the rows of every sibling on its way up and of the tree's own subtrees.

`span` is the distance between neighbours of one level: the leaf's number divided by it is the
ancestor's place in its level, and the sibling's place differs from that in the last bit.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inclusion:
    """That one leaf stands at `index` in the tree of `size` leaves: hashes from the leaf upwards.

    What crypto.merkle.verify_inclusion takes.
    """

    index: int
    size: int
    hashes: tuple[TreeHash, ...]


async def append(connection: AsyncConnection, leaf_hashes: Sequence[TreeHash]) -> tuple[int, ...]:
    """Append the leaf hashes that the log does not hold yet; give every one's index, in order.

    Idempotent: what stands in the log already keeps its index, so a step that runs twice appends
    once. The last statement of its transaction (see Database.write): until that ends, nobody
    else appends. Raises LeafHashError for what is not 32 bytes, LogDamagedError.
    """
    if any(len(leaf_hash) != HASH_BYTES for leaf_hash in leaf_hashes):
        raise LeafHashError("a leaf hash has 32 bytes")
    if connection.dialect.name == "postgresql":
        # SQLite's BEGIN IMMEDIATE does the same: two writers never build on the same tree.
        await connection.execute(text("LOCK TABLE log IN EXCLUSIVE MODE"))
    index_of = await _find(connection, leaf_hashes)
    grown_from = await frontier(connection)
    fresh = [each for each in dict.fromkeys(leaf_hashes) if each not in index_of]
    index_of.update({each: grown_from.size + place for place, each in enumerate(fresh)})
    if fresh:
        rows = [{"number": number, "hash": value} for number, value in _grow(grown_from, fresh)]
        await connection.execute(LOG.insert(), rows)
    return tuple(index_of[each] for each in leaf_hashes)


async def frontier(connection: AsyncConnection) -> Frontier:
    """Give the log's size, and the roots of the full subtrees that make it up.

    Raises LogDamagedError if one of them is missing.
    """
    last = await connection.scalar(LAST_LEAF)
    if last is None:
        return Frontier()
    size = leaves_of(RowNumber(last)).end
    numbers = numbers_in(LeafRange(start=0, end=size))
    return Frontier(size=size, subtrees=_pick(await _load(connection, numbers), numbers))


async def checkpoint(connection: AsyncConnection, origin: str) -> Checkpoint:
    """Give the log's size and root now, under the name that it signs with."""
    now = await frontier(connection)
    return Checkpoint(origin=origin, size=now.size, root=now.root)


async def inclusion_proof(
    connection: AsyncConnection, leaf_hash: TreeHash, size: int
) -> Inclusion | None:
    """Prove that a leaf stands in the tree of the first `size` leaves; None if it does not.

    One query, at most two rows for each level of the tree. Raises LogSizeError if the log has
    fewer leaves, LogDamagedError if a row is missing.
    """
    if not 1 <= size <= MAX_LEAVES:
        raise LogSizeError("no leaf stands in a tree of this size")
    parameters = {
        "leaf_hash": leaf_hash,
        "widest": 1 << size.bit_length(),
        "whole_tree": numbers_in(LeafRange(start=0, end=size)),
    }
    rows = (await connection.execute(_INCLUSION, parameters)).all()
    index = leaves_of(RowNumber(rows[0][0])).start if rows else size
    if index >= size:
        return None
    stored = {RowNumber(number): TreeHash(value) for _leaf, number, value in rows}
    await _require_reached(connection, stored, size)
    hashes = tuple(_root_of(stored, beside) for beside in inclusion_ranges(index, size))
    return Inclusion(index=index, size=size, hashes=hashes)


async def consistency_proof(
    connection: AsyncConnection, old_size: int, size: int
) -> tuple[TreeHash, ...]:
    """Prove that the tree of `size` leaves continues the tree of `old_size` leaves.

    What crypto.merkle.verify_consistency takes: empty between equal sizes and from an empty tree.
    One query. Raises LogSizeError for sizes that are not in order or that the log has not reached,
    LogDamagedError if a row is missing.
    """
    if not 0 <= old_size <= size <= MAX_LEAVES:
        raise LogSizeError("the sizes are not in order")
    ranges = consistency_ranges(old_size, size)
    wanted = set(numbers_in(LeafRange(start=0, end=size))).union(*map(numbers_in, ranges))
    stored = await _load(connection, wanted)
    await _require_reached(connection, stored, size)
    return tuple(_root_of(stored, beside) for beside in ranges)


async def _find(
    connection: AsyncConnection, leaf_hashes: Sequence[TreeHash]
) -> dict[TreeHash, int]:
    """Give the index of each leaf hash that the log holds."""
    found: dict[TreeHash, int] = {}
    query = select(LOG.c.hash, LOG.c.number).where(text("number % 2 = 0"))
    for first in range(0, len(leaf_hashes), LOOKUP_ROWS):
        some = leaf_hashes[first : first + LOOKUP_ROWS]
        for value, number in await connection.execute(query.where(LOG.c.hash.in_(some))):
            found[TreeHash(value)] = leaves_of(RowNumber(number)).start
    return found


async def _load(
    connection: AsyncConnection, numbers: Iterable[RowNumber]
) -> dict[RowNumber, TreeHash]:
    query = select(LOG.c.number, LOG.c.hash).where(LOG.c.number.in_(list(numbers)))
    rows = await connection.execute(query)
    return {RowNumber(number): TreeHash(value) for number, value in rows}


async def _require_reached(
    connection: AsyncConnection, stored: Mapping[RowNumber, TreeHash], size: int
) -> None:
    """Tell a size that the log has not reached from a log that lost a row."""
    if all(number in stored for number in numbers_in(LeafRange(start=0, end=size))):
        return
    last = await connection.scalar(LAST_LEAF)
    if last is None or leaves_of(RowNumber(last)).end < size:
        raise LogSizeError("the log has not reached this size")
    raise LogDamagedError("a row of the log is missing")


def _grow(start: Frontier, leaf_hashes: Iterable[TreeHash]) -> Iterator[tuple[RowNumber, TreeHash]]:
    """Yield the row of every subtree that the new leaves complete, leaf by leaf."""
    subtrees = list(start.subtrees)
    for index, leaf_hash in enumerate(leaf_hashes, start.size):
        level, value = 0, leaf_hash
        yield number_of(Node(level=0, index=index)), value
        while index >> level & 1:
            level, value = level + 1, node_hash(subtrees.pop(), value)
            yield number_of(Node(level=level, index=index >> level)), value
        subtrees.append(value)


def _root_of(stored: Mapping[RowNumber, TreeHash], leaves: LeafRange) -> TreeHash:
    return fold(_pick(stored, numbers_in(leaves)))


def _pick(
    stored: Mapping[RowNumber, TreeHash], numbers: Sequence[RowNumber]
) -> tuple[TreeHash, ...]:
    try:
        return tuple(stored[number] for number in numbers)
    except KeyError:
        raise LogDamagedError("a row of the log is missing") from None
