"""A draft is read back as it was written, opens with its cookie alone, and holds nothing clear."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amana.i18n import Language
from amana.wire.errors import WireError
from amana.wire.ids import CardId, Digest, ObjectId, random_id
from amana.wire.sealed import SealedObject
from crypto.errors import SecretBoxError
from crypto.opening import HybridIdentity
from crypto.secretbox import open_box, seal_box
from portal.account import Account
from portal.card import WitnessCard
from portal.draft import BOX_STEP_BYTES, Answered, Draft, DraftSecret, from_box, to_box
from portal.errors import RefusedError
from portal.refusal import Refusal
from portal.underway import SealedItem
from terms.consent import AgeBand, Answer, ConsentPurpose

DAY = dt.date(2026, 10, 2)
CARD = WitnessCard(card_id=CardId("c" * 64), recipient=HybridIdentity.generate().recipient)
EMPTY = Draft.begin(CARD, Account.without_return(), Language.AR, DAY)
SECRET = DraftSecret.generate()


def item(number: int) -> SealedItem:
    def object_of(size: int) -> SealedObject:
        return SealedObject(
            object_id=random_id(ObjectId), sealed_size=size, sealed_sha256=Digest("d" * 64)
        )

    return SealedItem(
        content=object_of(65_536),
        manifest=object_of(8_192),
        leaf=Digest("e" * 64),
        content_size=number,
        is_text=number % 2 == 0,
    )


def draft(items: int, answers: int) -> Draft:
    return replace(
        EMPTY,
        items=tuple(item(number) for number in range(items)),
        answers=tuple(
            Answered(purpose=purpose, answer=Answer.ASK_ME_FIRST)
            for purpose in list(ConsentPurpose)[:answers]
        ),
        age=AgeBand.ADULT,
        receipt="R1" if items else None,
    )


@settings(max_examples=25)
@given(st.integers(0, 20), st.integers(0, len(ConsentPurpose)))
def test_a_draft_comes_back_as_it_was(items: int, answers: int) -> None:
    made = draft(items, answers)
    assert Draft.from_bytes(made.to_bytes()) == made
    assert from_box(to_box(made, SECRET), SECRET) == made
    assert made.underway.submission_id == EMPTY.underway.submission_id
    assert (len(made.given.purposes), made.underway.has_consent) == (answers, answers > 0)


@pytest.mark.threat("T-13")
@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_no_draft(junk: bytes) -> None:
    with pytest.raises(WireError):
        Draft.from_bytes(junk)
    with pytest.raises(RefusedError):
        from_box(junk, SECRET)


@pytest.mark.threat("T-13")
@given(st.data())
def test_changed_bytes_are_another_draft_or_none(data: st.DataObject) -> None:
    """Inside the box, where only whoever has the cookie could change them."""
    made = draft(2, 3).to_bytes()
    whole = bytearray(made)
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = Draft.from_bytes(bytes(whole))
    except WireError:
        return
    assert found.to_bytes() == whole


@given(st.data())
def test_a_changed_box_or_another_key_opens_nothing(data: st.DataObject) -> None:
    box = bytearray(to_box(EMPTY, SECRET))
    box[data.draw(st.integers(0, len(box) - 1))] ^= data.draw(st.integers(1, 255))
    for untrusted, secret in (
        (bytes(box), SECRET),
        (to_box(EMPTY, SECRET), DraftSecret.generate()),
    ):
        with pytest.raises(RefusedError) as refused:
            from_box(untrusted, secret)
        assert refused.value.refusal is Refusal.DRAFT_GONE


@given(st.text(max_size=80))
def test_a_cookie_is_ours_or_is_refused(untrusted: str) -> None:
    with pytest.raises(RefusedError):
        DraftSecret.read(untrusted)
    assert DraftSecret.read(SECRET.cookie) == SECRET


def test_neither_half_of_a_cookie_stands_in_the_other_or_in_the_id() -> None:
    assert len(SECRET.draft_id) == 64
    assert SECRET.lookup.hex() not in SECRET.draft_id
    assert SECRET.lookup not in SECRET.key
    assert SECRET.cookie not in repr(SECRET)


@pytest.mark.threat("T-03")
def test_words_and_answers_do_not_show_in_the_size_of_a_box() -> None:
    sizes = {len(to_box(draft(0, answers), SECRET)) for answers in (0, 1, 10)}
    assert len(sizes) == 1
    assert (sizes.pop() - 40) % BOX_STEP_BYTES == 0


@pytest.mark.parametrize("length", [0, 1, 12, 13, 5_000])
def test_a_box_gives_its_content_back(length: int) -> None:
    key, content = b"k" * 32, b"c" * length
    assert open_box(key, seal_box(key, content, step_bytes=16)) == content


def test_a_box_needs_a_key_of_its_length() -> None:
    for key in (b"", b"k" * 31, b"k" * 33):
        with pytest.raises(SecretBoxError):
            seal_box(key, b"", step_bytes=16)
        with pytest.raises(SecretBoxError):
            open_box(key, bytes(60))
