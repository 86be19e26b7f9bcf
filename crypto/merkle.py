"""The tree of RFC 6962 and RFC 9162 over SHA-256: roots, and proofs both ways.

Pure arithmetic on 32-byte hashes. Nothing here recurses, and a proof is checked in memory that does
not grow with the tree. A proof shows what it says only against a root that is itself believed:
crypto.tlogproof sees to that. Format: docs/format/04-merkle-log.md.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NewType

from crypto.errors import ProofError
from crypto.lines import MAX_NUMBER

TreeHash = NewType("TreeHash", bytes)
"""A leaf hash, a node hash or a root: HASH_BYTES bytes, never raw data."""

HASH_BYTES: Final = 32
"""Length of SHA-256, the only hash of the format (RFC 9162 section 10.2.1)."""

EMPTY_ROOT: Final = TreeHash(hashlib.sha256().digest())
"""Root of a tree without leaves: the hash of nothing (RFC 9162 section 2.1.1)."""

MAX_SIZE: Final = MAX_NUMBER
"""Most leaves in a tree: what a checkpoint can state."""

MAX_PROOF_HASHES: Final = MAX_SIZE.bit_length() + 1
"""Most hashes in a proof: one a level, and one more that names the subtree a consistency proof
begins with."""

_SIZE_BYTES: Final = 8


def leaf_hash(data: bytes) -> TreeHash:
    """Hash one leaf's data, behind the byte 0x00 (RFC 9162 section 2.1.1)."""
    return TreeHash(hashlib.sha256(b"\x00" + data).digest())


def node_hash(left: TreeHash, right: TreeHash) -> TreeHash:
    """Hash two neighbours into their parent, behind the byte 0x01, so that no leaf is a node."""
    return TreeHash(hashlib.sha256(b"\x01" + left + right).digest())


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One full subtree: the leaves from index << level up to (index + 1) << level, exclusive."""

    level: int
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafRange:
    """Neighbouring leaves, `start` inclusive to `end` exclusive, that have a root of their own."""

    start: int
    end: int

    def nodes(self) -> tuple[Node, ...]:
        """Return the full subtrees that make up the range, left to right; fold() joins them.

        So a log that keeps the hashes of full subtrees answers a proof with one look-up of a few
        dozen rows. Only ranges that a proof names are meant: they begin on a multiple of the
        largest subtree in them.
        """
        found, start = [], self.start
        for level in reversed(range((self.end - self.start).bit_length())):
            if (self.end - self.start) >> level & 1:
                found.append(Node(level=level, index=start >> level))
                start += 1 << level
        return tuple(found)


def fold(subtrees: Sequence[TreeHash]) -> TreeHash:
    """Join the roots of full subtrees, largest and leftmost first, into one root."""
    if not subtrees:
        return EMPTY_ROOT
    *rest, folded = subtrees
    for left in reversed(rest):
        folded = node_hash(left, folded)
    return folded


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """All that a log must remember to grow: its size and one root for each full subtree.

    size: number of leaves. subtrees: their roots, largest first, one for each 1 in the binary size.
    It never changes; with_leaf() makes the next one, so that a failed transaction loses nothing.
    ProofError: the two do not belong together.
    """

    size: int = 0
    subtrees: tuple[TreeHash, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_SIZE or len(self.subtrees) != self.size.bit_count():
            raise ProofError("a frontier has one hash for each full subtree")
        if any(len(subtree) != HASH_BYTES for subtree in self.subtrees):
            raise ProofError("a hash has the wrong length")

    def with_leaf(self, leaf: TreeHash) -> "Frontier":
        """Return the frontier after one more leaf, given by its leaf hash."""
        return self.with_leaves((leaf,))

    def with_leaves(self, leaves: Iterable[TreeHash]) -> "Frontier":
        """Return the frontier after more leaves, given by their leaf hashes in order."""
        size, subtrees = self.size, list(self.subtrees)
        for leaf in leaves:
            if len(leaf) != HASH_BYTES:
                raise ProofError("a hash has the wrong length")
            grown, level = leaf, 0
            # Adding one carries through the ones at the end of the binary size.
            while size >> level & 1:
                grown, level = node_hash(subtrees.pop(), grown), level + 1
            subtrees.append(grown)
            size += 1
        return Frontier(size=size, subtrees=tuple(subtrees))

    @property
    def root(self) -> TreeHash:
        """The root over all leaves so far."""
        return fold(self.subtrees)

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> "Frontier":
        """Read what to_bytes() writes; ProofError for anything else."""
        size, hashes = int.from_bytes(untrusted[:_SIZE_BYTES]), untrusted[_SIZE_BYTES:]
        if len(untrusted) < _SIZE_BYTES or len(hashes) != size.bit_count() * HASH_BYTES:
            raise ProofError("a frontier has the wrong length")
        cut = range(0, len(hashes), HASH_BYTES)
        subtrees = tuple(TreeHash(hashes[at : at + HASH_BYTES]) for at in cut)
        return cls(size=size, subtrees=subtrees)

    def to_bytes(self) -> bytes:
        """Write the size as u64, big-endian, then the hashes."""
        return self.size.to_bytes(_SIZE_BYTES) + b"".join(self.subtrees)


def root(leaves: Iterable[TreeHash]) -> TreeHash:
    """Return the root over leaf hashes in order; EMPTY_ROOT for none."""
    return Frontier().with_leaves(leaves).root


def inclusion_ranges(index: int, size: int) -> tuple[LeafRange, ...]:
    """Return the ranges whose roots prove leaf `index` in a tree of `size`, from the leaf upwards.

    RFC 9162 section 2.1.3.1. ProofError: there is no such leaf.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise ProofError("the tree has no leaf of this index")
    beside, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            beside.append(LeafRange(start=middle, end=end))
            end = middle
        else:
            beside.append(LeafRange(start=start, end=middle))
            start = middle
    return tuple(reversed(beside))


def consistency_ranges(old_size: int, size: int) -> tuple[LeafRange, ...]:
    """Return the ranges whose roots prove that a tree of `size` continues one of `old_size`.

    RFC 9162 section 2.1.4.1; nothing needs proof from an empty tree or to the same tree.
    ProofError: the tree shrinks.
    """
    if not 0 <= old_size <= size <= MAX_SIZE:
        raise ProofError("a tree only grows")
    if old_size in (0, size):
        return ()
    beside, start, end = [], 0, size
    while old_size != end:
        middle = start + _split(end - start)
        if old_size <= middle:
            beside.append(LeafRange(start=middle, end=end))
            end = middle
        else:
            beside.append(LeafRange(start=start, end=middle))
            start = middle
    # A subtree that begins at 0 is the whole old tree: who verifies has its root already.
    if start:
        beside.append(LeafRange(start=start, end=end))
    return tuple(reversed(beside))


def inclusion_proof(leaves: Sequence[TreeHash], index: int) -> tuple[TreeHash, ...]:
    """Prove one leaf in the tree over these leaf hashes; ProofError: there is no such leaf."""
    ranges = inclusion_ranges(index, len(leaves))
    return tuple(root(leaves[beside.start : beside.end]) for beside in ranges)


def consistency_proof(leaves: Sequence[TreeHash], old_size: int) -> tuple[TreeHash, ...]:
    """Prove that the tree over these leaf hashes continues the one over the first `old_size`.

    ProofError: there are fewer leaves than that.
    """
    ranges = consistency_ranges(old_size, len(leaves))
    return tuple(root(leaves[beside.start : beside.end]) for beside in ranges)


def verify_inclusion(
    untrusted_proof: Sequence[bytes],
    *,
    leaf: TreeHash,
    index: int,
    size: int,
    root: TreeHash,
) -> None:
    """Return only if the proof shows this leaf hash at `index` in the tree of `size` and `root`.

    Steps of RFC 9162 section 2.1.3.2. ProofError: it does not.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise ProofError("the tree has no leaf of this index")
    proof = _hashes_of(untrusted_proof)
    node, last, folded = index, size - 1, leaf
    for beside in proof:
        if last == 0:
            raise ProofError("the proof is too long")
        if node & 1 or node == last:
            folded = node_hash(beside, folded)
            # At the right edge the tree is thin: levels without a neighbour have no hash.
            node, last = _past_left_children(node, last)
        else:
            folded = node_hash(folded, beside)
        node, last = node >> 1, last >> 1
    if last or folded != root:
        raise ProofError("the leaf is not proven to be in the tree")


def verify_consistency(
    untrusted_proof: Sequence[bytes],
    *,
    old_size: int,
    old_root: TreeHash,
    size: int,
    root: TreeHash,
) -> None:
    """Return only if the proof shows that the new tree keeps every leaf of the old one in place.

    Steps of RFC 9162 section 2.1.4.2. Between equal sizes the roots must be equal; the empty
    tree is continued by every tree. In both cases the proof must be empty. ProofError: not shown.
    """
    if not 0 <= old_size <= size <= MAX_SIZE:
        raise ProofError("a tree only grows")
    proof = _hashes_of(untrusted_proof)
    if old_size in (0, size):
        expected = EMPTY_ROOT if old_size == 0 else root
        if proof or old_root != expected or (size == 0 and root != EMPTY_ROOT):
            raise ProofError("the trees are not the same")
        return
    # A full old tree is itself the first subtree of the proof, and so is left out of it.
    steps = list(proof) if old_size.bit_count() > 1 else [old_root, *proof]
    if not steps:
        raise ProofError("the proof is empty")
    node, last = _past_right_children(old_size - 1, size - 1)
    old_folded = folded = steps[0]
    for beside in steps[1:]:
        if last == 0:
            raise ProofError("the proof is too long")
        if node & 1 or node == last:
            old_folded, folded = node_hash(beside, old_folded), node_hash(beside, folded)
            node, last = _past_left_children(node, last)
        else:
            folded = node_hash(folded, beside)
        node, last = node >> 1, last >> 1
    if last or old_folded != old_root or folded != root:
        raise ProofError("the new tree is not proven to continue the old one")


def _split(count: int) -> int:
    # The largest power of two below `count`: where RFC 9162 cuts a tree in two.
    return 1 << (count - 1).bit_length() - 1


def _past_left_children(node: int, last: int) -> tuple[int, int]:
    while not node & 1 and node:
        node, last = node >> 1, last >> 1
    return node, last


def _past_right_children(node: int, last: int) -> tuple[int, int]:
    while node & 1:
        node, last = node >> 1, last >> 1
    return node, last


def _hashes_of(untrusted_proof: Sequence[bytes]) -> tuple[TreeHash, ...]:
    if len(untrusted_proof) > MAX_PROOF_HASHES:
        raise ProofError("the proof has more hashes than any tree has levels")
    if any(len(untrusted) != HASH_BYTES for untrusted in untrusted_proof):
        raise ProofError("a hash has the wrong length")
    return tuple(TreeHash(untrusted) for untrusted in untrusted_proof)
