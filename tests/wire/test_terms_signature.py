"""A provider's signature over a text names that text and that provider; no other counts."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amana.wire.errors import UnsignedError, WireError
from amana.wire.ids import AccountId
from amana.wire.terms_signature import TermsSignature, read_terms_signature
from tests.wire.givens import ACCOUNT, MEMBER, TODAY, TRAINING, a_digest, a_signer, signed

WORD = TermsSignature(
    deployment=TRAINING, account=ACCOUNT, text_sha256=a_digest("text"), signed_on=TODAY
)
NOTE = signed(WORD, MEMBER)
OTHER = a_signer(f"{ACCOUNT}/member-2")


def test_it_is_read_by_whoever_knows_the_members() -> None:
    assert read_terms_signature(NOTE, [OTHER.key, MEMBER.key]) == WORD
    assert TermsSignature.from_bytes(WORD.to_bytes()) == WORD


@pytest.mark.threat("T-08")
def test_nobody_else_signs_for_them() -> None:
    for members in ([], [OTHER.key]):
        with pytest.raises(UnsignedError):
            read_terms_signature(NOTE, members)
    moved = replace(WORD, account=AccountId("00" * 16))
    head = NOTE.index(b"\n\n")
    forged = moved.to_bytes().removesuffix(b"\n") + NOTE[head:]
    with pytest.raises(UnsignedError):
        read_terms_signature(forged, [MEMBER.key])


@pytest.mark.threat("T-08")
def test_half_of_a_signature_is_none() -> None:
    *text, first, second = NOTE.splitlines(keepends=True)
    for half in (first, second):
        with pytest.raises(UnsignedError):
            read_terms_signature(b"".join([*text, half]), [MEMBER.key])


@pytest.mark.threat("T-13")
@given(at=st.integers(0, len(NOTE) - 1), mask=st.integers(1, 255))
def test_a_note_with_one_byte_changed_is_refused(at: int, mask: int) -> None:
    changed = bytes([*NOTE[:at], NOTE[at] ^ mask, *NOTE[at + 1 :]])
    with pytest.raises(WireError):
        read_terms_signature(changed, [MEMBER.key])
