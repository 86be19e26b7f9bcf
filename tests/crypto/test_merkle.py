"""Trees, and proofs that they hold a leaf or continue another tree."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import merkle
from crypto.errors import ProofError
from crypto.merkle import (
    EMPTY_ROOT,
    MAX_PROOF_HASHES,
    MAX_SIZE,
    Frontier,
    LeafRange,
    TreeHash,
    consistency_proof,
    consistency_ranges,
    fold,
    inclusion_proof,
    inclusion_ranges,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)
from tests.vectors import make_merkle, tables
from tests.vectors.make_merkle import mth, path, subproof

VECTORS = json.loads(make_merkle.VECTORS.read_text("utf-8"))
CHAPTER = "04-merkle-log.md"
LEAVES = [leaf_hash(b"leaf %d" % n) for n in range(130)]
ROOTS = [root(LEAVES[:n]) for n in range(131)]
OTHER = leaf_hash(b"of no tree")
WITNESSED = "inclusion", "consistency"


def named(kind: str, verdict: str) -> list[object]:
    chosen = (v for v in VECTORS if (v["class"], v["verdict"]) == (kind, verdict))
    return [pytest.param(vector, id=vector["name"]) for vector in chosen]


def tree_hash(text: str) -> TreeHash:
    return TreeHash(bytes.fromhex(text))


def check(vector: dict[str, object]) -> None:
    """Give a proof vector to the verifier of its class."""
    fields = {k: v for k, v in vector.items() if k not in ("class", "verdict", "name", "proof")}
    known = {k: tree_hash(v) if isinstance(v, str) else v for k, v in fields.items()}
    proof = [bytes.fromhex(beside) for beside in vector["proof"]]  # type: ignore[attr-defined] # JSON
    verifier = verify_inclusion if vector["class"] == "inclusion" else verify_consistency
    verifier(proof, **known)  # type: ignore[arg-type] # the fields are the verifier's own names


def test_the_vectors_are_what_their_script_makes() -> None:
    assert make_merkle.build() == VECTORS


def test_the_chapter_counts_its_vectors_rightly() -> None:
    counted = tables.counted((vector["class"], vector["verdict"]) for vector in VECTORS)
    assert tables.stated(CHAPTER) == counted


@pytest.mark.parametrize("vector", named("root", "accepted"))
def test_roots_are_the_published_ones(vector: dict[str, object]) -> None:
    leaves = [leaf_hash(bytes.fromhex(leaf)) for leaf in vector["leaves"]]  # type: ignore[attr-defined] # JSON
    assert root(leaves).hex() == vector["root"]


@pytest.mark.parametrize("vector", [v for kind in WITNESSED for v in named(kind, "accepted")])
def test_right_proofs_are_accepted(vector: dict[str, object]) -> None:
    check(vector)


@pytest.mark.threat("T-09")
@pytest.mark.parametrize("vector", [v for kind in WITNESSED for v in named(kind, "refused")])
def test_wrong_proofs_are_refused(vector: dict[str, object]) -> None:
    with pytest.raises(ProofError):
        check(vector)


def test_a_leaf_is_no_node_and_no_empty_tree() -> None:
    left, right = LEAVES[:2]
    assert len({leaf_hash(left + right), node_hash(left, right), leaf_hash(b""), EMPTY_ROOT}) == 4


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_every_small_tree_agrees_with_the_words_of_the_rfc(size: int) -> None:
    leaves = LEAVES[:size]
    assert ROOTS[size] == mth(list(leaves))
    for index in range(size):
        proof = inclusion_proof(leaves, index)
        verify_inclusion(proof, leaf=leaves[index], index=index, size=size, root=ROOTS[size])
    for old in range(size + 1):
        proof = consistency_proof(leaves, old)
        verify_consistency(proof, old_size=old, old_root=ROOTS[old], size=size, root=ROOTS[size])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 63, 64, 65, 100, 129, 130])
def test_proofs_are_the_very_hashes_of_the_rfc(size: int) -> None:
    leaves = list[bytes](LEAVES[:size])
    for m in range(size):
        assert list(inclusion_proof(LEAVES[:size], m)) == path(m, leaves)
    for m in range(1, size + 1):
        assert list(consistency_proof(LEAVES[:size], m)) == subproof(m, leaves)


@given(size=st.integers(1, MAX_SIZE), data=st.data())
def test_a_proof_from_a_log_of_any_size_needs_few_hashes(size: int, data: st.DataObject) -> None:
    """What a log looks up is bounded by its levels, however many leaves it has."""
    index = data.draw(st.integers(0, size - 1))
    for ranges in (inclusion_ranges(index, size), consistency_ranges(index, size)):
        assert len(ranges) <= MAX_PROOF_HASHES
        assert sum(len(beside.nodes()) for beside in ranges) <= 2 * size.bit_length()


@given(size=st.integers(1, 130), data=st.data())
def test_full_subtrees_are_enough_to_answer_a_proof(size: int, data: st.DataObject) -> None:
    m = data.draw(st.integers(0, size - 1))

    def from_stored(ranges: Sequence[LeafRange]) -> tuple[TreeHash, ...]:
        stored = [
            [LEAVES[n.index << n.level : n.index + 1 << n.level] for n in r.nodes()] for r in ranges
        ]
        return tuple(fold([root(leaves) for leaves in full]) for full in stored)

    assert from_stored(inclusion_ranges(m, size)) == inclusion_proof(LEAVES[:size], m)
    assert from_stored(consistency_ranges(m, size)) == consistency_proof(LEAVES[:size], m)


changes = st.sampled_from(["flip", "drop", "swap", "add", "cut"])


def changed(proof: Sequence[TreeHash], change: str, data: st.DataObject) -> list[bytes]:
    """The proof with one hash changed; itself where the change changes nothing."""
    hashes = list[bytes](proof)
    at = data.draw(st.integers(0, max(len(hashes) - 1, 0)))
    if change == "add" or not hashes:
        return [*hashes[:at], data.draw(st.sampled_from([OTHER, *hashes])), *hashes[at:]]
    match change:
        case "flip":
            bit = data.draw(st.integers(0, 255))
            hashes[at] = (int.from_bytes(hashes[at]) ^ 1 << bit).to_bytes(32)
        case "drop":
            del hashes[at]
        case "cut":
            hashes[at] = hashes[at][:-1]
        case _:
            other = data.draw(st.integers(0, len(hashes) - 1))
            hashes[at], hashes[other] = hashes[other], hashes[at]
    return hashes


@pytest.mark.threat("T-09")
@given(size=st.integers(1, 130), change=changes, data=st.data())
def test_a_changed_inclusion_proof_proves_nothing(
    size: int, change: str, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(LEAVES[:size], index)
    hashes = changed(proof, change, data)
    if hashes != list(proof):
        with pytest.raises(ProofError):
            verify_inclusion(hashes, leaf=LEAVES[index], index=index, size=size, root=ROOTS[size])


@pytest.mark.threat("T-09")
@given(size=st.integers(1, 130), change=changes, data=st.data())
def test_a_changed_consistency_proof_proves_nothing(
    size: int, change: str, data: st.DataObject
) -> None:
    old = data.draw(st.integers(0, size))
    proof = consistency_proof(LEAVES[:size], old)
    hashes = changed(proof, change, data)
    if hashes != list(proof):
        with pytest.raises(ProofError):
            verify_consistency(
                hashes, old_size=old, old_root=ROOTS[old], size=size, root=ROOTS[size]
            )


@pytest.mark.threat("T-09")
@given(size=st.integers(1, 130), said=st.integers(-2, 132), data=st.data())
def test_a_leaf_proven_at_one_place_is_proven_at_no_other(
    size: int, said: int, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof, leaf = inclusion_proof(LEAVES[:size], index), LEAVES[index]
    if said != index:
        with pytest.raises(ProofError):
            verify_inclusion(proof, leaf=leaf, index=said, size=size, root=ROOTS[size])
    with pytest.raises(ProofError):
        verify_inclusion(proof, leaf=OTHER, index=index, size=size, root=ROOTS[size])
    with pytest.raises(ProofError):
        verify_inclusion(proof, leaf=leaf, index=index, size=size, root=OTHER)


@pytest.mark.threat("T-09")
@given(size=st.integers(2, 130), data=st.data())
def test_an_edited_dropped_or_reordered_leaf_breaks_consistency(
    size: int, data: st.DataObject
) -> None:
    """Whoever holds an old checkpoint sees every later change of what it covers."""
    old = data.draw(st.integers(1, size))
    at = data.draw(st.integers(0, old - 1))
    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != at))
    edited, reordered = list(LEAVES[:size]), list(LEAVES[:size])
    edited[at] = OTHER
    reordered[at], reordered[other] = reordered[other], reordered[at]
    dropped = LEAVES[:at] + LEAVES[at + 1 : size + 1]
    for leaves in (edited, dropped, reordered):
        if root(leaves[:old]) == ROOTS[old]:
            continue
        with pytest.raises(ProofError):
            verify_consistency(
                consistency_proof(leaves, old),
                old_size=old,
                old_root=ROOTS[old],
                size=len(leaves),
                root=root(leaves),
            )


@pytest.mark.threat("T-09")
def test_a_shrunken_tree_continues_nothing() -> None:
    with pytest.raises(ProofError, match="grows"):
        verify_consistency((), old_size=5, old_root=ROOTS[5], size=4, root=ROOTS[4])
    with pytest.raises(ProofError, match="grows"):
        consistency_proof(LEAVES[:4], 5)


@pytest.mark.threat("T-09")
def test_two_trees_of_one_size_are_a_split_view() -> None:
    with pytest.raises(ProofError, match="not the same"):
        verify_consistency((), old_size=5, old_root=ROOTS[5], size=5, root=OTHER)
    with pytest.raises(ProofError, match="not the same"):
        verify_consistency((), old_size=0, old_root=EMPTY_ROOT, size=0, root=OTHER)


@pytest.mark.threat("T-09")
def test_a_proof_shows_the_size_as_well_as_the_root() -> None:
    """A log that states a size that its root does not have could cut leaves later."""
    for old, size, claimed in ((3, 4, 8), (3, 4, 7), (2, 4, 6), (6, 8, 16)):
        proof = consistency_proof(LEAVES[:size], old)
        verify_consistency(proof, old_size=old, old_root=ROOTS[old], size=size, root=ROOTS[size])
        with pytest.raises(ProofError):
            verify_consistency(
                proof, old_size=old, old_root=ROOTS[old], size=claimed, root=ROOTS[size]
            )


hostile = st.lists(st.binary(max_size=33) | st.sampled_from(LEAVES), max_size=70)
numbers = st.integers() | st.integers(-1, 140)


@pytest.mark.threat("T-13")
@given(proof=hostile, index=numbers, size=numbers, root_=st.sampled_from(ROOTS))
def test_arbitrary_proofs_raise_nothing_but_our_error(
    proof: list[bytes], index: int, size: int, root_: TreeHash
) -> None:
    with pytest.raises(ProofError):
        verify_inclusion(proof, leaf=OTHER, index=index, size=size, root=root_)
    with pytest.raises(ProofError):
        verify_consistency(proof, old_size=index, old_root=OTHER, size=size, root=root_)


def test_a_log_grown_leaf_by_leaf_has_the_root_of_its_leaves() -> None:
    frontier = Frontier()
    for size, leaf in enumerate(LEAVES):
        assert frontier.root == ROOTS[size]
        assert Frontier.from_bytes(frontier.to_bytes()) == frontier
        frontier = frontier.with_leaf(leaf)
    assert frontier == Frontier().with_leaves(LEAVES)
    assert len(frontier.subtrees) == (130).bit_count()


@given(untrusted=st.binary(max_size=200))
def test_arbitrary_bytes_are_a_frontier_or_our_error(untrusted: bytes) -> None:
    try:
        frontier = Frontier.from_bytes(untrusted)
    except ProofError:
        return
    assert frontier.to_bytes() == untrusted


def test_a_frontier_that_does_not_add_up_is_refused() -> None:
    whole = Frontier().with_leaves(LEAVES[:5]).to_bytes()
    too_many_leaves = (2**63).to_bytes(8) + bytes(32)
    for untrusted in (whole[:-1], whole + bytes(1), whole + bytes(32), b"", too_many_leaves):
        with pytest.raises(ProofError):
            Frontier.from_bytes(untrusted)
    with pytest.raises(ProofError):
        Frontier(size=1, subtrees=(TreeHash(b"short"),))
    with pytest.raises(ProofError):
        Frontier().with_leaf(TreeHash(b"short"))


@pytest.mark.threat("T-13")
def test_a_proof_longer_than_any_tree_is_high_is_not_hashed() -> None:
    proof = [OTHER] * (MAX_PROOF_HASHES + 1)
    with pytest.raises(ProofError, match="levels"):
        verify_inclusion(proof, leaf=OTHER, index=0, size=2, root=OTHER)
    with pytest.raises(ProofError, match="levels"):
        verify_consistency(proof, old_size=1, old_root=OTHER, size=2, root=OTHER)


def test_the_largest_tree_is_proven_without_recursion() -> None:
    ranges = inclusion_ranges(MAX_SIZE - 1, MAX_SIZE)
    folded = OTHER
    for _beside in ranges:
        folded = node_hash(OTHER, folded)
    verify_inclusion(
        [OTHER] * len(ranges), leaf=OTHER, index=MAX_SIZE - 1, size=MAX_SIZE, root=folded
    )
    with pytest.raises(ProofError):
        inclusion_ranges(MAX_SIZE, MAX_SIZE + 1)
    assert merkle.MAX_PROOF_HASHES == 64
