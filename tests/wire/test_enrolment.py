"""What a portal is told of organisations, and the files in which keys are carried."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amana.wire.card import Audience, CardStatus, KeyCard
from amana.wire.directory import read_directory, read_signer
from amana.wire.enrolment import PortalAccount, PortalEnrolment
from amana.wire.errors import FieldError, WireError
from amana.wire.ids import AccountId, RecipientText
from amana.wire.vocabulary import Deployment
from crypto.opening import HybridIdentity
from crypto.sign import NoteSigner

ACCOUNT = AccountId("0" * 31 + "1")
SIGNERS = tuple(NoteSigner.generate(f"training.invalid/directory-{n}") for n in (1, 2))
MEMBER = NoteSigner.generate(f"{ACCOUNT}/member-1").key
CARD = KeyCard(
    audience=Audience.CSO,
    account=ACCOUNT,
    deployment=Deployment.TRAINING,
    recipient=RecipientText(HybridIdentity.generate().recipient.to_text()),
    valid_from=date(2026, 10, 2),
    valid_to=date(2027, 3, 1),
    status=CardStatus.ACTIVE,
    sequence=1,
    previous=None,
)


def note_of(card: KeyCard) -> str:
    first, second = SIGNERS
    return second.cosign(first.sign(card.to_bytes().decode())).to_bytes().decode()


KNOWN = PortalAccount(
    account=ACCOUNT, members=(MEMBER,), card=CARD.card_id, card_note=note_of(CARD)
)
ENROLMENT = PortalEnrolment(deployment=Deployment.TRAINING, accounts=(KNOWN,))
WRITTEN = ENROLMENT.to_bytes()


def test_what_is_written_is_read_back() -> None:
    read = PortalEnrolment.from_bytes(WRITTEN)
    assert read == ENROLMENT
    assert read.find(ACCOUNT) == KNOWN
    assert KNOWN.key_card == CARD
    assert KNOWN.is_open


@pytest.mark.threat("T-12")
def test_an_account_has_its_own_members_and_its_own_card() -> None:
    other = replace(CARD, account=AccountId("2" * 32))
    month = replace(CARD, audience=Audience.WITNESS_MONTH, account=None, valid_to=date(2026, 11, 1))
    for wrong in (
        {"members": (NoteSigner.generate("2" * 32 + "/member-1").key,)},
        {"members": (MEMBER, MEMBER)},
        {"card": other.card_id},
        {"card": other.card_id, "card_note": note_of(other)},
        {"card": month.card_id, "card_note": note_of(month)},
        {"card_note": "a note"},
        {"card_note": SIGNERS[0].sign("something else\n").to_bytes().decode()},
    ):
        with pytest.raises(FieldError):
            replace(KNOWN, **wrong)


@pytest.mark.threat("T-13")
def test_accounts_stand_in_one_order_and_once() -> None:
    later = AccountId("2" * 32)
    card = replace(CARD, account=later)
    second = PortalAccount(account=later, members=(), card=card.card_id, card_note=note_of(card))
    assert replace(ENROLMENT, accounts=(KNOWN, second)).find(later) == second
    for wrong in ((second, KNOWN), (KNOWN, KNOWN)):
        with pytest.raises(FieldError):
            replace(ENROLMENT, accounts=wrong)


@pytest.mark.threat("T-13")
@given(at=st.integers(0, len(WRITTEN) - 1), byte=st.integers(0, 255))
def test_a_changed_byte_is_refused_or_another_enrolment(at: int, byte: int) -> None:
    changed = WRITTEN[:at] + bytes([byte]) + WRITTEN[at + 1 :]
    try:
        assert (PortalEnrolment.from_bytes(changed) == ENROLMENT) == (changed == WRITTEN)
    except WireError:
        assert changed != WRITTEN


@pytest.mark.threat("T-13")
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_by_name(untrusted: bytes) -> None:
    for read in (PortalEnrolment.from_bytes, read_directory, read_signer):
        with pytest.raises(WireError):
            read(untrusted)
