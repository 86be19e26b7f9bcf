"""Proofs in a file: what they show, to whom, and what they cannot show."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.errors import ProofError, SignatureError
from crypto.merkle import TreeHash, leaf_hash
from crypto.note import DualKey, SignedNote
from crypto.sign import Cosigner, NoteSigner, SigningSeeds
from crypto.tlogproof import (
    MAX_PROOF_BYTES,
    LogPolicy,
    ProvenLeaf,
    TlogProof,
    believe,
    verify,
)
from tests.vectors import make_notes

FILE = json.loads(make_notes.VECTORS.read_text("utf-8"))
KEYS = {name: DualKey.from_texts(*texts) for name, texts in FILE["keys"].items()}
LOG, COSIGNER = KEYS[FILE["log"]], KEYS[FILE["cosigner"]]
POLICY = LogPolicy(log=LOG, cosigners=(COSIGNER,), threshold=1)
STRANGER = Cosigner.from_seeds("stranger.example", SigningSeeds.generate())
ABSENT = Cosigner.from_seeds("unseen.example", SigningSeeds.generate())
LEAF = make_notes.LEAVES[make_notes.INDEX]
PROOF = make_notes.proof()


def named(verdict: str) -> list[object]:
    chosen = (v for v in FILE["vectors"] if (v["class"], v["verdict"]) == ("log proof", verdict))
    return [pytest.param(vector, id=vector["name"]) for vector in chosen]


def prove(vector: dict[str, str], policy: LogPolicy = POLICY) -> ProvenLeaf:
    leaf = TreeHash(bytes.fromhex(vector["leaf"]))
    return verify(TlogProof.parse(vector["text"].encode()), leaf=leaf, policy=policy)


@pytest.mark.parametrize("vector", named("accepted"))
def test_a_proof_shows_where_its_leaf_stands_and_who_saw_it(vector: dict[str, str]) -> None:
    proven = prove(vector)
    assert proven.index == make_notes.INDEX
    assert proven.believed.checkpoint == make_notes.log_checkpoint()
    assert proven.believed.signed_at == make_notes.SIGNED_AT
    assert proven.believed.cosigners == (COSIGNER.name,)
    assert TlogProof.parse(vector["text"].encode()).to_bytes() == vector["text"].encode()


@pytest.mark.threat("T-08")
@pytest.mark.threat("T-09")
@pytest.mark.parametrize("vector", named("refused"))
def test_what_proves_nothing_is_refused(vector: dict[str, str]) -> None:
    with pytest.raises((ProofError, SignatureError)):
        prove(vector)


@pytest.mark.threat("T-09")
def test_a_proof_is_about_one_leaf() -> None:
    for other in (*make_notes.LEAVES[: make_notes.INDEX], leaf_hash(b"invented")):
        with pytest.raises(ProofError):
            verify(PROOF, leaf=other, policy=POLICY)


def test_a_reader_without_cosigners_believes_the_log_alone() -> None:
    proven = verify(PROOF, leaf=LEAF, policy=LogPolicy(log=LOG))
    assert proven.believed.cosigners == ()


@pytest.mark.threat("T-08")
def test_a_wrong_cosignature_rejects_also_where_none_is_needed() -> None:
    *lines, last = PROOF.checkpoint.signatures
    note = replace(PROOF.checkpoint, signatures=(*lines, make_notes.flipped(last)))
    with pytest.raises(SignatureError):
        believe(note, LogPolicy(log=LOG, cosigners=(COSIGNER,)))


@pytest.mark.threat("T-09")
def test_a_checkpoint_counts_for_the_log_that_it_names_and_no_other() -> None:
    """The right key signs it all the same: one key must not speak for two logs."""
    elsewhere = replace(make_notes.log_checkpoint(), origin="another.example/log")
    text = elsewhere.to_text()
    lines = make_notes.LOG.seeds.lines(text, LOG, make_notes.SIGNED_AT)
    with pytest.raises(ProofError, match="another log"):
        believe(SignedNote(text=text, signatures=lines), LogPolicy(log=LOG))


@pytest.mark.threat("T-09")
def test_a_stranger_does_not_count_as_a_cosigner() -> None:
    note = STRANGER.cosign(PROOF.checkpoint, at=1)
    assert believe(note, POLICY).cosigners == (COSIGNER.name,)
    with pytest.raises(SignatureError):
        believe(note, LogPolicy(log=LOG, cosigners=(COSIGNER, ABSENT.key), threshold=2))


def test_extra_data_takes_no_part_in_what_is_proven() -> None:
    with_extra = replace(PROOF, extra=b"anyone can write here")
    assert verify(with_extra, leaf=LEAF, policy=POLICY) == verify(PROOF, leaf=LEAF, policy=POLICY)


def test_a_policy_that_nobody_can_meet_or_that_mixes_keys_is_refused() -> None:
    notes = NoteSigner.generate(LOG.name).key
    for log, cosigners, threshold in (
        (LOG, (COSIGNER,), 2),
        (LOG, (), -1),
        (notes, (), 0),
        (COSIGNER, (), 0),
        (LOG, (LOG,), 1),
    ):
        with pytest.raises(SignatureError):
            LogPolicy(log=log, cosigners=cosigners, threshold=threshold)


@pytest.mark.threat("T-13")
def test_a_value_without_a_text_makes_no_proof() -> None:
    signed = NoteSigner.generate("a.example").sign("no checkpoint\n")
    with pytest.raises(ProofError):
        replace(PROOF, checkpoint=signed)
    with pytest.raises(ProofError):
        replace(PROOF, index=-1)
    with pytest.raises(ProofError):
        replace(PROOF, hashes=(TreeHash(b"short"),))
    with pytest.raises(ProofError):
        replace(PROOF, hashes=(LEAF,) * 65)
    with pytest.raises(ProofError):
        replace(PROOF, extra=b"")


def test_a_proof_over_its_limit_is_not_looked_at() -> None:
    with pytest.raises(ProofError, match="longer"):
        TlogProof.parse(bytes(MAX_PROOF_BYTES + 1))


hashes = st.binary(min_size=32, max_size=32).map(TreeHash)


@given(
    index=st.integers(0, 2**63 - 1),
    hashes=st.lists(hashes, max_size=64).map(tuple),
    extra=st.none() | st.binary(min_size=1, max_size=100),
)
def test_any_proof_comes_back_from_its_text(
    index: int, hashes: tuple[TreeHash, ...], extra: bytes | None
) -> None:
    proof = replace(PROOF, index=index, hashes=hashes, extra=extra)
    assert TlogProof.parse(proof.to_bytes()) == proof


@pytest.mark.threat("T-13")
@given(untrusted=st.binary() | st.text("c2sp.org/tlog-proof@v1\n index").map(str.encode))
def test_arbitrary_bytes_raise_nothing_but_our_error(untrusted: bytes) -> None:
    with pytest.raises(ProofError):
        TlogProof.parse(b"c2sp.org/tlog-proof@v1\n" + untrusted)
    with pytest.raises(ProofError):
        TlogProof.parse(untrusted)


@pytest.mark.threat("T-09")
@settings(max_examples=80)
@given(data=st.data())
def test_a_proof_with_any_byte_changed_proves_nothing(data: st.DataObject) -> None:
    whole = bytearray(PROOF.to_bytes())
    at = data.draw(st.integers(0, len(whole) - 1) | st.integers(0, 300))
    whole[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises((ProofError, SignatureError)):
        verify(TlogProof.parse(bytes(whole)), leaf=LEAF, policy=POLICY)
