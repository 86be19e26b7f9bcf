"""Number the full subtrees of a log, so that each has one row that never changes.

The subtree of 2^level leaves that is the index-th of its level has the number
(2 * index + 1) * 2^level - 1: a binary tree numbered in order. A leaf's number is even (twice its
index), a subtree's lies between those of its halves, and the last leaf has the greatest of all.
Pure arithmetic. Format: docs/format/14-stores.md section 4.
"""

from __future__ import annotations

from typing import Final, NewType

from crypto.merkle import LeafRange, Node

RowNumber = NewType("RowNumber", int)
"""The number of one full subtree, and the key of its row."""

MAX_LEAVES: Final = 1 << 61
"""Most leaves of a log: the arithmetic of a proof stays within a signed 64-bit integer."""


def number_of(node: Node) -> RowNumber:
    """Give the number of a subtree."""
    return RowNumber(((2 * node.index + 1) << node.level) - 1)


def node_of(number: RowNumber) -> Node:
    """Give the subtree that a number stands for; the number is not negative."""
    level = ((number + 1) & -(number + 1)).bit_length() - 1
    return Node(level=level, index=(number + 1) >> (level + 1))


def leaves_of(number: RowNumber) -> LeafRange:
    """Give the leaves under a subtree."""
    node = node_of(number)
    return LeafRange(start=node.index << node.level, end=(node.index + 1) << node.level)


def numbers_in(leaves: LeafRange) -> tuple[RowNumber, ...]:
    """Give the full subtrees that make up a range of a proof, left to right."""
    return tuple(number_of(node) for node in leaves.nodes())
