"""Items: names are kept to the byte, nothing needs to be known, leaves cannot be guessed."""

import dataclasses
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amana.wire.errors import FieldError
from amana.wire.ids import random_id, random_nonce, random_salt
from amana.wire.manifest import ItemKind, ItemManifest
from amana.wire.names import RawName
from amana.wire.provenance import When
from amana.wire.references import ConsentReference, TermsReference
from amana.wire.vocabulary import ConsentBasis, TermsState
from tests.wire import examples
from tests.wire.givens import TODAY

HOSTILE = [
    b"",
    b"a\x00b",
    b"../../etc/passwd",
    b"C:\\CON",
    b"-rf",
    "\u202egpj.exe".encode(),
    "e\u0301 is not \u00e9".encode(),
    b"\xff\xfe not UTF-8",
    b"\xed\xa0\x80",  # half a surrogate pair, as Windows can have it
    b"x" * 255,
    "ض".encode() * 4_096,
    b"new\nline\r",
    "\u2028\u0085".encode(),
]


@pytest.mark.threat("T-17")
@pytest.mark.parametrize("raw", HOSTILE, ids=repr)
def test_a_hostile_name_is_kept_to_the_byte(raw: bytes) -> None:
    item = dataclasses.replace(
        examples.BARE_ITEM, name=RawName.of(raw), folder=RawName.of(b"/".join([raw, raw]))
    )
    read = ItemManifest.from_bytes(item.to_bytes())
    assert read.name.raw == raw
    assert read.folder is not None
    assert read.folder.raw == raw + b"/" + raw
    assert b"\n" not in item.to_bytes()


@pytest.mark.threat("T-17")
@given(st.binary(max_size=300))
def test_the_text_of_a_name_is_its_bytes_or_nothing(raw: bytes) -> None:
    text = RawName.of(raw).text
    assert text is None or text.encode() == raw


def test_a_name_whose_text_differs_from_its_bytes_is_refused() -> None:
    honest = examples.BARE_ITEM.to_bytes()
    with pytest.raises(FieldError) as refusal:
        ItemManifest.from_bytes(honest.replace("صورة.jpg".encode(), b"report.pdf"))
    assert refusal.value.path == "name.text"


def test_nothing_needs_to_be_known_of_an_item() -> None:
    assert examples.BARE_ITEM.terms.state is TermsState.UNKNOWN
    assert examples.BARE_ITEM.consents[0].state is ConsentBasis.UNKNOWN
    unknown = dataclasses.asdict(examples.BARE_ITEM.provenance)
    assert set(unknown.values()) == {None}
    assert ItemManifest.from_bytes(examples.BARE_ITEM.to_bytes()) == examples.BARE_ITEM


def test_an_empty_folder_is_an_item_without_bytes() -> None:
    assert examples.FOLDER_ITEM.content is None
    with pytest.raises(FieldError, match="content"):
        dataclasses.replace(examples.FOLDER_ITEM, content=examples.BARE_ITEM.content)
    with pytest.raises(FieldError, match="content"):
        dataclasses.replace(examples.BARE_ITEM, content=None)


def test_a_link_names_its_target_and_only_a_link_does() -> None:
    target = RawName.of(b"../../../etc/shadow")
    link = dataclasses.replace(
        examples.BARE_ITEM, kind=ItemKind.LINK, content=None, link_target=target
    )
    assert ItemManifest.from_bytes(link.to_bytes()).link_target == target
    with pytest.raises(FieldError, match="link_target"):
        dataclasses.replace(examples.BARE_ITEM, link_target=target)


def test_a_time_does_not_end_before_it_begins() -> None:
    with pytest.raises(FieldError, match="latest"):
        When(earliest=TODAY, latest=TODAY - timedelta(days=1), words=None, certainty=None)


def test_conditions_are_named_or_said_to_be_unknown() -> None:
    with pytest.raises(FieldError):
        TermsReference(state=TermsState.UNKNOWN, named=examples.AGREEMENT_REF)
    with pytest.raises(FieldError):
        TermsReference(state=TermsState.STANDING, named=None)
    with pytest.raises(FieldError):
        ConsentReference(state=ConsentBasis.RECORDED, consent_id=None, exempt_reason=None)
    with pytest.raises(FieldError):
        ConsentReference(state=ConsentBasis.EXEMPT, consent_id=None, exempt_reason=None)


@pytest.mark.threat("T-10")
def test_two_equal_items_have_leaves_that_tell_nothing() -> None:
    again = dataclasses.replace(examples.BARE_ITEM, salt=random_salt())
    assert again.leaf != examples.BARE_ITEM.leaf


@pytest.mark.threat("T-10")
def test_salts_nonces_and_ids_are_drawn_anew() -> None:
    draws = {random_salt() for _ in range(50)} | {random_nonce() for _ in range(50)}
    assert len(draws) == 100
    assert {len(draw) for draw in draws} == {32}
    ids = {random_id(str) for _ in range(50)}
    assert len(ids) == 50
    assert {len(each) for each in ids} == {32}
