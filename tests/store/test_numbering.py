"""A subtree's number says which leaves it covers, and never changes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from amana.store.numbering import (
    MAX_LEAVES,
    RowNumber,
    leaves_of,
    node_of,
    number_of,
    numbers_in,
)
from crypto.merkle import LeafRange, Node

NUMBERS = st.integers(0, 2 * MAX_LEAVES - 2).map(RowNumber)


@given(NUMBERS)
def test_a_number_and_its_subtree_say_the_same(number: RowNumber) -> None:
    assert number_of(node_of(number)) == number


def test_a_tree_of_eight_leaves_is_numbered_in_order() -> None:
    """The example of docs/format/14-stores.md."""
    levels = [[number_of(Node(level=lvl, index=i)) for i in range(8 >> lvl)] for lvl in range(4)]
    assert levels == [[0, 2, 4, 6, 8, 10, 12, 14], [1, 5, 9, 13], [3, 11], [7]]


@given(NUMBERS)
def test_a_subtrees_number_lies_between_those_of_its_halves(number: RowNumber) -> None:
    node = node_of(number)
    if node.level:
        left = number_of(Node(level=node.level - 1, index=2 * node.index))
        right = number_of(Node(level=node.level - 1, index=2 * node.index + 1))
        assert left < number < right
        assert leaves_of(number) == LeafRange(start=leaves_of(left).start, end=leaves_of(right).end)
        assert leaves_of(left).end == leaves_of(right).start


@given(st.integers(1, MAX_LEAVES))
def test_a_tree_is_made_of_its_full_subtrees_without_gap(size: int) -> None:
    numbers = numbers_in(LeafRange(start=0, end=size))
    covered = [leaves_of(number) for number in numbers]
    assert [part.start for part in covered] == [0, *(part.end for part in covered[:-1])]
    assert covered[-1].end == size
    # The last leaf has the greatest number of all, so it tells the size.
    last = number_of(Node(level=0, index=size - 1))
    assert max(numbers) <= last < (1 << 63)
