"""Signed notes: what can be read, whose keys count, and when a note is believed."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.algorithm import Algorithm
from crypto.errors import KeyFormatError, NoteError, SignatureError
from crypto.note import (
    DualKey,
    Purpose,
    SignatureLine,
    SignedNote,
    VerifierKey,
    cosigned_at,
    verify,
    verify_threshold,
)
from crypto.sign import NoteSigner
from tests.vectors import make_notes, tables

LIMIT = 1 << 20
FILE = json.loads(make_notes.VECTORS.read_text("utf-8"))
VECTORS = FILE["vectors"]
KEYS = {name: DualKey.from_texts(*texts) for name, texts in FILE["keys"].items()}
CHAPTER = "03-signed-note.md"
SIGNER = NoteSigner.generate("portal.example/receipts")
NOTE = SIGNER.sign("amana/example/v1\n{}\n")

# The example of the C2SP signed-note specification, section "Example".
C2SP_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
C2SP_NOTE = """This is an example message.

\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""  # noqa: E501 - a signature line cannot be broken


def named(kind: str, verdict: str) -> list[object]:
    chosen = (v for v in VECTORS if (v["class"], v["verdict"]) == (kind, verdict))
    return [pytest.param(vector, id=vector["name"]) for vector in chosen]


def bytes_of(vector: dict[str, str]) -> bytes:
    return bytes.fromhex(vector["hex"]) if "hex" in vector else vector["text"].encode()


def test_the_chapter_counts_its_vectors_rightly() -> None:
    counted = tables.counted((vector["class"], vector["verdict"]) for vector in VECTORS)
    assert tables.stated(CHAPTER) == counted


def test_the_example_of_the_specification_verifies() -> None:
    key = VerifierKey.from_text(C2SP_KEY)
    note = SignedNote.parse(C2SP_NOTE.encode(), limit_bytes=LIMIT)
    (signature,) = note.signatures_of(key)
    key.verify(note.text, signature)
    assert (key.name, key.key_id.hex()) == ("example.com/foo", "530d903a")
    assert note.to_bytes() == C2SP_NOTE.encode()
    with pytest.raises(SignatureError):
        key.verify(note.text + "\n", signature)


@pytest.mark.parametrize(
    ("file", "algorithm", "at"),
    [
        ("c2sp-log-ml-dsa-44", Algorithm.MLDSA44_COSIGNATURE, 0),
        ("c2sp-cosigner-ed25519", Algorithm.ED25519_COSIGNATURE, 1767139200),
    ],
)
def test_checkpoints_signed_by_other_programs_verify(
    file: str, algorithm: Algorithm, at: int
) -> None:
    """Made by torchwood (test of litewitness) and sunlight (test of skylight), both in Go."""
    path = Path(make_notes.VECTORS.parent, file)
    key = VerifierKey.from_text(path.with_suffix(".vkey").read_text("utf-8").strip())
    note = SignedNote.parse(path.with_suffix(".note").read_bytes(), limit_bytes=LIMIT)
    (signature,) = note.signatures_of(key)
    key.verify(note.text, signature)
    assert (key.algorithm, key.algorithm.time_of(signature)) == (algorithm, at)
    with pytest.raises(SignatureError):
        key.verify(note.text, bytes([signature[0] ^ 1]) + signature[1:])


@pytest.mark.parametrize("vector", named("form", "accepted"))
def test_a_note_is_read_and_written_back(vector: dict[str, str]) -> None:
    note = SignedNote.parse(bytes_of(vector), limit_bytes=LIMIT)
    assert note.to_bytes() == bytes_of(vector)


@pytest.mark.threat("T-13")
@pytest.mark.parametrize("vector", named("form", "refused"))
def test_what_is_not_a_note_is_refused(vector: dict[str, str]) -> None:
    with pytest.raises(NoteError):
        SignedNote.parse(bytes_of(vector), limit_bytes=LIMIT)


def test_a_note_over_its_limit_is_not_looked_at() -> None:
    whole = NOTE.to_bytes()
    assert SignedNote.parse(whole, limit_bytes=len(whole)) == NOTE
    with pytest.raises(NoteError, match="longer"):
        SignedNote.parse(whole, limit_bytes=len(whole) - 1)


@pytest.mark.parametrize("vector", named("key", "accepted"))
def test_a_verifier_key_is_read_and_written_back(vector: dict[str, str]) -> None:
    assert VerifierKey.from_text(vector["vkey"]).to_text() == vector["vkey"]


@pytest.mark.parametrize("vector", named("key", "refused"))
def test_what_is_not_a_verifier_key_is_refused(vector: dict[str, str]) -> None:
    with pytest.raises(KeyFormatError):
        VerifierKey.from_text(vector["vkey"])


SMALL_ORDER = bytes([1]) + bytes(31)


def test_a_key_whose_signatures_fit_everything_is_refused() -> None:
    with pytest.raises(KeyFormatError, match="main group"):
        VerifierKey(name="a.example", algorithm=Algorithm.ED25519, public=SMALL_ORDER)


def test_a_signer_is_two_keys_that_belong_together() -> None:
    ed25519, mldsa = SIGNER.key.halves
    log, cosigner = KEYS[FILE["log"]], KEYS[FILE["cosigner"]]
    assert [k.purpose for k in (SIGNER.key, log, cosigner)] == list(Purpose)
    for first, second in ((mldsa, ed25519), (ed25519, ed25519), (cosigner.ed25519, mldsa)):
        with pytest.raises(KeyFormatError):
            DualKey(ed25519=replace(first, name="a"), mldsa=replace(second, name="a"))
    with pytest.raises(KeyFormatError, match="different names"):
        DualKey(ed25519=ed25519, mldsa=replace(mldsa, name="other.example"))


def believe(vector: dict[str, str]) -> None:
    keys = [KEYS[name] for name in vector["keys"]]
    note = SignedNote.parse(bytes_of(vector), limit_bytes=LIMIT)
    if len(keys) == 1:
        verify(note, keys[0])
    verify_threshold(note, keys, int(vector["threshold"]))


@pytest.mark.parametrize(
    "vector", named("both lines", "accepted") + named("two of three", "accepted")
)
def test_a_note_signed_by_enough_is_believed(vector: dict[str, str]) -> None:
    believe(vector)


@pytest.mark.threat("T-08")
@pytest.mark.parametrize(
    "vector", named("both lines", "refused") + named("two of three", "refused")
)
def test_a_note_with_a_signature_missing_or_wrong_is_not_believed(vector: dict[str, str]) -> None:
    with pytest.raises(SignatureError):
        believe(vector)


@pytest.mark.threat("T-12")
def test_the_threshold_counts_signers_and_says_who_they_were() -> None:
    one, two, three = make_notes.ONE, make_notes.TWO, make_notes.THREE
    keys = [one.key, two.key, three.key]
    note = two.cosign(three.sign(make_notes.TEXT))
    assert verify_threshold(note, keys, 2) == (two.key.name, three.key.name)
    for threshold in (0, -1, 3, 4):
        with pytest.raises(SignatureError):
            verify_threshold(note, keys, threshold)
    with pytest.raises(SignatureError):
        verify_threshold(note, [], 0)


@pytest.mark.threat("T-12")
def test_one_signer_cannot_count_twice() -> None:
    """Neither as the same key again, nor as the same secret under a second name."""
    one = make_notes.ONE
    seeds = one.seeds
    again = NoteSigner.from_seeds(
        "again.example", ed25519_seed=seeds.ed25519, mldsa_seed=seeds.mldsa
    )
    note = again.cosign(one.sign(make_notes.TEXT))
    for keys in ([one.key, one.key], [one.key, again.key]):
        with pytest.raises(SignatureError, match="one signer"):
            verify_threshold(note, keys, 2)


@pytest.mark.threat("T-08")
def test_a_key_for_checkpoints_is_no_witness_to_another_text() -> None:
    note = make_notes.cosigned()
    for half in (KEYS[FILE["log"]].mldsa, *KEYS[FILE["cosigner"]].halves):
        (signature,) = note.signatures_of(half)
        half.verify(note.text, signature)
        with pytest.raises(SignatureError, match="not a checkpoint"):
            half.verify(make_notes.TEXT, signature)


@pytest.mark.threat("T-08")
def test_the_two_lines_of_a_cosigner_state_one_time() -> None:
    cosigner, log = make_notes.COSIGNER, make_notes.LOG
    note = log.sign(make_notes.log_checkpoint(), at=5)
    early, late = cosigner.cosign(note, at=6).signatures, cosigner.cosign(note, at=7).signatures
    both_early = replace(note, signatures=early)
    assert (cosigned_at(both_early, log.key), cosigned_at(both_early, cosigner.key)) == (5, 6)
    mixed = replace(note, signatures=(early[2], late[3]))
    with pytest.raises(SignatureError, match="different times"):
        cosigned_at(mixed, cosigner.key)


note_texts = st.text(st.characters(exclude_categories=["Cs"], min_codepoint=32)).map(
    lambda text: text.replace("\x85", "\n") + "\n"
)


@given(text=note_texts, count=st.integers(1, 3))
def test_any_text_comes_back_from_its_note(text: str, count: int) -> None:
    line = SignatureLine(name="a.example", key_id=bytes(4), signature=b"\x01")
    note = SignedNote(text=text, signatures=(line,) * count)
    assert SignedNote.parse(note.to_bytes(), limit_bytes=LIMIT) == note


@pytest.mark.parametrize("text", ["", "a", "a\tb\n", "\x00\n", "a\r\n", "\ud800\n"], ids=repr)
def test_a_text_that_can_be_no_notes_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        SIGNER.sign(text)


@pytest.mark.threat("T-13")
@given(untrusted=st.binary() | st.text("\u2014 \nab+=A\u00a0").map(str.encode))
def test_arbitrary_bytes_raise_nothing_but_our_error(untrusted: bytes) -> None:
    try:
        note = SignedNote.parse(untrusted, limit_bytes=LIMIT)
    except NoteError:
        return
    assert note.to_bytes() == untrusted


@pytest.mark.threat("T-08")
@settings(max_examples=60)
@given(data=st.data())
def test_a_note_with_any_byte_changed_is_not_believed(data: st.DataObject) -> None:
    whole = bytearray(NOTE.to_bytes())
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises((NoteError, SignatureError)):
        verify(SignedNote.parse(bytes(whole), limit_bytes=LIMIT), SIGNER.key)


@given(untrusted=st.text() | st.text("+0123456789abcdefA=/."))
def test_arbitrary_text_is_a_verifier_key_or_our_error(untrusted: str) -> None:
    try:
        key = VerifierKey.from_text(untrusted)
    except KeyFormatError:
        return
    assert key.to_text() == untrusted


@settings(max_examples=60)
@given(vkey=st.sampled_from(SIGNER.key.to_texts()), data=st.data())
def test_a_verifier_key_with_a_character_changed_is_refused(vkey: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(vkey) - 1))
    other = data.draw(st.characters().filter(lambda character: character != vkey[at]))
    with pytest.raises(KeyFormatError):
        VerifierKey.from_text(vkey[:at] + other + vkey[at + 1 :])
