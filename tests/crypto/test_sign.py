"""Signers: what their seeds determine, and what they refuse to sign."""

import pytest

from crypto.algorithm import NOTE_LABEL, Algorithm
from crypto.checkpoint import Checkpoint
from crypto.errors import KeyFormatError, NoteError, ProofError
from crypto.merkle import EMPTY_ROOT, leaf_hash
from crypto.note import MAX_SIGNATURES, cosigned_at, signers_of, verify, verify_threshold
from crypto.sign import Cosigner, LogSigner, NoteSigner, SigningSeeds

ED25519_SEED, MLDSA_SEED = bytes(range(32)), bytes(range(32, 64))
SEEDS = SigningSeeds(ed25519=ED25519_SEED, mldsa=MLDSA_SEED)
TEXT = "amana/example/v1\n{}\n"
ORIGIN = "log.example/custody"
CHECKPOINT = Checkpoint(origin=ORIGIN, size=1, root=leaf_hash(b"event"))


def from_seeds(name: str) -> NoteSigner:
    return NoteSigner.from_seeds(name, ed25519_seed=ED25519_SEED, mldsa_seed=MLDSA_SEED)


def test_seeds_and_name_are_the_whole_signer() -> None:
    first, second = from_seeds("a.example"), from_seeds("a.example")
    assert first.key == second.key
    verify(first.sign(TEXT), second.key)
    stored = NoteSigner.generate("a.example").seeds
    again = NoteSigner.from_seeds("a.example", ed25519_seed=stored.ed25519, mldsa_seed=stored.mldsa)
    verify(again.sign(TEXT), stored.public("a.example", again.key.purpose))


def test_two_new_signers_share_nothing() -> None:
    first, second = NoteSigner.generate("a.example"), NoteSigner.generate("a.example")
    assert signers_of(first.sign(TEXT), [second.key]) == ()


@pytest.mark.threat("T-15")
def test_seeds_are_not_shown() -> None:
    for signer in (
        from_seeds("a.example"),
        LogSigner.from_seeds(ORIGIN, SEEDS),
        Cosigner.from_seeds("a.example", SEEDS),
    ):
        shown = repr(signer) + str(signer)
        assert "seeds=SigningSeeds()" in shown
        assert repr(ED25519_SEED) not in shown
        assert repr(MLDSA_SEED) not in shown


def test_malformed_seeds_and_names_make_no_signer() -> None:
    for ed25519, mldsa in ((b"", MLDSA_SEED), (ED25519_SEED, bytes(33)), (ED25519_SEED * 2, b"")):
        with pytest.raises(KeyFormatError):
            NoteSigner.from_seeds("a.example", ed25519_seed=ed25519, mldsa_seed=mldsa)
    hidden = ("a\u202eb", "a\u200bb", "a\ufeff", "a\x7fb", "a\x85b", "a\u2028b", "a\u061cb")
    for name in ("", "a b", "a+b", "a\n", "a\u00a0b", "n" * 256, "\ud800", *hidden):
        with pytest.raises(KeyFormatError):
            NoteSigner.generate(name)


def test_the_two_lines_of_a_note_sign_the_bytes_that_the_chapter_says() -> None:
    """The text itself, and the label, the name and the text."""
    ed25519, mldsa = from_seeds("a.example").key.halves
    text = TEXT.encode()
    assert ed25519.algorithm.message(name="a.example", text=TEXT, at=0) == text
    labelled = f"{NOTE_LABEL}\na.example\n".encode() + text
    assert mldsa.algorithm.message(name="a.example", text=TEXT, at=0) == labelled


def test_cosignatures_sign_the_bytes_that_c2sp_says() -> None:
    """The layouts are those of C2SP tlog-cosignature, spelled out."""
    text = CHECKPOINT.to_text()
    timed = Algorithm.ED25519_COSIGNATURE.message(name="w.example", text=text, at=1679315147)
    assert timed == b"cosignature/v1\ntime 1679315147\n" + text.encode()
    message = Algorithm.MLDSA44_COSIGNATURE.message(name="w.example", text=text, at=1679315147)
    assert message == b"".join(
        [
            b"subtree/v1\n\x00",
            b"\x09w.example",
            (1679315147).to_bytes(8),
            b"\x13log.example/custody",
            bytes(8),
            bytes(7) + b"\x01",
            CHECKPOINT.root,
        ]
    )


def test_signers_sign_below_one_another() -> None:
    signers = [NoteSigner.generate(f"{n}.example") for n in range(3)]
    note = signers[0].sign(TEXT)
    for signer in signers[1:]:
        note = signer.cosign(note)
    names = verify_threshold(note, [signer.key for signer in signers], 3)
    assert names == ("0.example", "1.example", "2.example")
    assert [line.name[0] for line in note.signatures] == list("001122")


def test_a_note_takes_no_more_lines_than_it_may_have() -> None:
    signer = from_seeds("a.example")
    note = signer.sign(TEXT)
    for _ in range(MAX_SIGNATURES // 2 - 1):
        note = signer.cosign(note)
    with pytest.raises(NoteError):
        signer.cosign(note)


@pytest.mark.threat("T-09")
def test_a_log_signs_only_its_own_checkpoints() -> None:
    log = LogSigner.from_seeds(ORIGIN, SEEDS)
    verify(log.sign(CHECKPOINT), log.key)
    with pytest.raises(ProofError):
        log.sign(Checkpoint(origin="other.example", size=0, root=EMPTY_ROOT))


def test_a_log_and_its_cosigner_state_when_they_signed() -> None:
    log = LogSigner.from_seeds(ORIGIN, SEEDS)
    cosigner = Cosigner.from_seeds("cosigner.example", SigningSeeds.generate())
    note = cosigner.cosign(log.sign(CHECKPOINT, at=10), at=2**63 - 1)
    assert cosigned_at(note, log.key) == 10
    assert cosigned_at(note, cosigner.key) == 2**63 - 1
    assert cosigned_at(log.sign(CHECKPOINT), log.key) == 0
    for at in (-1, 2**63):
        with pytest.raises(ProofError):
            cosigner.cosign(note, at=at)


def test_a_cosigner_signs_nothing_but_checkpoints() -> None:
    cosigner = Cosigner.from_seeds("cosigner.example", SEEDS)
    with pytest.raises(ProofError):
        cosigner.cosign(from_seeds("a.example").sign(TEXT), at=1)
