"""Checkpoints: three lines, in one spelling."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.checkpoint import MAX_ORIGIN_BYTES, Checkpoint
from crypto.errors import ProofError
from crypto.lines import MAX_NUMBER
from crypto.merkle import EMPTY_ROOT, TreeHash
from tests.vectors import make_merkle

VECTORS = [v for v in json.loads(make_merkle.VECTORS.read_text()) if v["class"] == "checkpoint"]
ROOT = TreeHash(bytes(range(32)))

# The example of C2SP tlog-checkpoint, without its signature.
C2SP_TEXT = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"


def named(verdict: str) -> list[object]:
    return [pytest.param(v["text"], id=v["name"]) for v in VECTORS if v["verdict"] == verdict]


def test_the_example_of_the_specification_is_read() -> None:
    checkpoint = Checkpoint.from_text(C2SP_TEXT)
    assert checkpoint.origin == "example.com/behind-the-sofa"
    assert checkpoint.size == 20852163
    assert checkpoint.root[:3].hex() == "0ac518"
    assert checkpoint.to_text() == C2SP_TEXT


@pytest.mark.parametrize("text", named("accepted"))
def test_a_checkpoint_is_read_and_written_back(text: str) -> None:
    assert Checkpoint.from_text(text).to_text() == text


@pytest.mark.threat("T-13")
@pytest.mark.parametrize("text", named("refused"))
def test_what_is_not_a_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(ProofError):
        Checkpoint.from_text(text)


lines = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1)


@given(
    origin=lines.filter(lambda line: len(line.encode()) <= MAX_ORIGIN_BYTES),
    size=st.integers(1, MAX_NUMBER),
    root=st.binary(min_size=32, max_size=32).map(TreeHash),
)
def test_any_checkpoint_comes_back_from_its_text(origin: str, size: int, root: TreeHash) -> None:
    checkpoint = Checkpoint(origin=origin, size=size, root=root)
    assert Checkpoint.from_text(checkpoint.to_text()) == checkpoint


@pytest.mark.threat("T-13")
@given(untrusted=st.text() | st.text("a\n019=+/") | st.just(C2SP_TEXT), data=st.data())
def test_arbitrary_text_raises_nothing_but_our_error(untrusted: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(untrusted)))
    untrusted = untrusted[:at] + data.draw(st.text(max_size=2)) + untrusted[at + 1 :]
    try:
        checkpoint = Checkpoint.from_text(untrusted)
    except ProofError:
        return
    assert checkpoint.to_text() == untrusted


@pytest.mark.threat("T-09")
@pytest.mark.parametrize(
    ("origin", "size", "root"),
    [
        ("", 1, ROOT),
        ("o" * 256, 1, ROOT),
        ("two\nlines", 1, ROOT),
        ("\ud800", 1, ROOT),
        ("log.example", -1, ROOT),
        ("log.example", 2**63, ROOT),
        ("log.example", 1, TreeHash(ROOT[1:])),
        ("log.example", 0, ROOT),
    ],
)
def test_values_without_a_text_make_no_checkpoint(origin: str, size: int, root: TreeHash) -> None:
    with pytest.raises(ProofError):
        Checkpoint(origin=origin, size=size, root=root)


def test_a_new_log_has_a_checkpoint_too() -> None:
    empty = Checkpoint(origin="log.example", size=0, root=EMPTY_ROOT)
    assert Checkpoint.from_text(empty.to_text()) == empty
