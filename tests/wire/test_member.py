"""The public half of a member's keys."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amana.wire.errors import FieldError, WireError
from amana.wire.ids import RecipientText
from amana.wire.member import Member
from crypto.opening import HybridIdentity
from crypto.sign import NoteSigner
from tests.wire.givens import LOG

RECIPIENT = RecipientText(HybridIdentity.generate().recipient.to_text())
MEMBER = Member(signer=NoteSigner.generate("a/member-1").key, feedback=RECIPIENT)


def test_what_is_written_is_read_back() -> None:
    assert Member.from_bytes(MEMBER.to_bytes()) == MEMBER


def test_it_fits_its_limit_many_times() -> None:
    assert len(MEMBER.to_bytes()) < Member.LIMIT_BYTES / 2


@pytest.mark.threat("T-12")
def test_a_member_signs_notes_and_has_a_recipient_that_works() -> None:
    for wrong in (
        replace(MEMBER, signer=LOG.key),
        replace(MEMBER, feedback=RecipientText("age1pq1" + "q" * 1_952)),
        replace(MEMBER, feedback=RecipientText(RECIPIENT.upper())),
    ):
        with pytest.raises(FieldError):
            wrong.to_bytes()


@pytest.mark.threat("T-13")
@given(at=st.integers(0, len(MEMBER.to_bytes()) - 1), byte=st.integers(0, 255))
def test_a_changed_byte_is_refused_or_another_member(at: int, byte: int) -> None:
    raw = MEMBER.to_bytes()
    changed = raw[:at] + bytes([byte]) + raw[at + 1 :]
    try:
        assert (Member.from_bytes(changed) == MEMBER) == (changed == raw)
    except WireError:
        assert changed != raw
