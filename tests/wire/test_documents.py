"""One rule reads every document: what it gives back, and what it refuses."""

import dataclasses
import json
from typing import TypeAlias, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amana.wire.documents import Document, Statement
from amana.wire.errors import FieldError, FormatError, WireError
from amana.wire.event import CustodyEvent
from amana.wire.ids import ItemId, Salt
from amana.wire.kit import EnrolmentKit
from amana.wire.provenance import Alteration
from amana.wire.receipt import ReceiptFile
from crypto import canonical
from crypto.errors import CanonicalError
from tests.wire import cards, examples
from tests.wire.strategies import records

Json: TypeAlias = "dict[str, canonical.JsonValue]"

FREE = [
    kind
    for kind in dict.fromkeys(type(document) for document in examples.DOCUMENTS.values())
    if kind is not EnrolmentKit
]
"""Classes of which Hypothesis makes any example; a kit's three signers cannot be drawn freely."""

any_document = st.sampled_from(list(examples.DOCUMENTS.values()))
a_name = pytest.mark.parametrize("name", examples.DOCUMENTS)


def json_of(document: Document) -> Json:
    raw = document.to_bytes()
    value = json.loads(raw.splitlines()[1] if isinstance(document, Statement) else raw)
    assert isinstance(value, dict)
    return value


def bytes_of(kind: type[Document], value: canonical.JsonValue) -> bytes:
    body = canonical.encode(value)
    if issubclass(kind, Statement):
        return f"{kind.FORMAT}\n".encode() + body + b"\n"
    return body


def refused(kind: type[Document], untrusted: bytes) -> bool:
    try:
        kind.from_bytes(untrusted)
    except WireError:
        return True
    return False


@pytest.mark.parametrize("kind", FREE, ids=lambda kind: kind.__name__)
@settings(max_examples=10)
@given(data=st.data())
def test_whatever_is_written_is_read_back(kind: type[Document], data: st.DataObject) -> None:
    document = data.draw(records(kind))
    assert kind.from_bytes(document.to_bytes()) == document


@a_name
def test_a_document_names_its_format(name: str) -> None:
    document = examples.DOCUMENTS[name]
    assert json_of(document)["format"] == document.FORMAT
    assert document.FORMAT.startswith("amana/")
    assert document.FORMAT.endswith("/v1")


@a_name
@pytest.mark.threat("T-13")
def test_another_version_is_refused(name: str) -> None:
    document = examples.DOCUMENTS[name]
    kind = type(document)
    later = json_of(document) | {"format": document.FORMAT.replace("/v1", "/v2")}
    with pytest.raises(FormatError):
        kind.from_bytes(bytes_of(kind, later))


@a_name
@pytest.mark.threat("T-13")
def test_an_unknown_field_is_refused_and_not_repeated(name: str) -> None:
    kind = type(examples.DOCUMENTS[name])
    more = json_of(examples.DOCUMENTS[name]) | {"zeinab": "a name from the material"}
    with pytest.raises(FieldError) as refusal:
        kind.from_bytes(bytes_of(kind, more))
    assert "zeinab" not in str(refusal.value)
    assert "material" not in str(refusal.value)


@a_name
def test_each_missing_field_is_named(name: str) -> None:
    document = examples.DOCUMENTS[name]
    whole = json_of(document)
    for field in whole.keys() - {"format"}:
        less = {key: value for key, value in whole.items() if key != field}
        with pytest.raises(FieldError) as refusal:
            type(document).from_bytes(bytes_of(type(document), less))
        assert refusal.value.path == field


@a_name
@pytest.mark.parametrize("wrong", [None, True, -1, "", "x" * 300, [[]], {"a": 1}], ids=repr)
def test_no_field_takes_just_anything(name: str, wrong: canonical.JsonValue) -> None:
    """Every field of every document is either refused with this value, or reads as this value."""
    document = examples.DOCUMENTS[name]
    kind = type(document)
    for field in json_of(document):
        changed = bytes_of(kind, json_of(document) | {field: wrong})
        if not refused(kind, changed):
            assert kind.from_bytes(changed).to_bytes() == changed


@a_name
@pytest.mark.threat("T-13")
def test_a_second_spelling_is_refused(name: str) -> None:
    document = examples.DOCUMENTS[name]
    body = canonical.encode(json_of(document))
    raw = document.to_bytes()
    for other in (body.replace(b":", b": ", 1), body[:-1] + b',"format":"x"}', body + b" "):
        assert refused(type(document), raw.replace(body, other))


@settings(max_examples=200)
@given(document=any_document, data=st.data())
def test_a_changed_byte_never_reads_as_the_same_document(
    document: Document, data: st.DataObject
) -> None:
    raw = bytearray(document.to_bytes())
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    kind = type(document)
    assert refused(kind, bytes(raw)) or kind.from_bytes(bytes(raw)) != document


@settings(max_examples=150)
@given(document=any_document, data=st.data())
def test_a_cut_or_longer_document_is_refused(document: Document, data: st.DataObject) -> None:
    raw = document.to_bytes()
    cut = data.draw(st.integers(0, len(raw) - 1))
    assert refused(type(document), raw[:cut])
    assert refused(type(document), raw + data.draw(st.binary(min_size=1, max_size=9)))


@settings(max_examples=200)
@given(kind=st.sampled_from([*FREE, EnrolmentKit, ReceiptFile]), junk=st.binary(max_size=300))
def test_arbitrary_bytes_are_refused_in_our_own_words(kind: type[Document], junk: bytes) -> None:
    assert refused(kind, junk)
    assert refused(kind, f"{kind.FORMAT}\n".encode() + junk)


@settings(max_examples=100)
@given(
    kind=st.sampled_from([*FREE, EnrolmentKit, ReceiptFile]),
    junk=st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
        max_leaves=9,
    ),
)
def test_arbitrary_json_is_refused_in_our_own_words(
    kind: type[Document], junk: canonical.JsonValue
) -> None:
    try:
        raw = bytes_of(kind, junk)
    except CanonicalError:
        return
    assert refused(kind, raw)


def test_a_document_over_its_limit_is_not_looked_at() -> None:
    with pytest.raises(FormatError):
        CustodyEvent.from_bytes(b" " * (CustodyEvent.LIMIT_BYTES + 1))


def test_a_document_over_its_limit_is_not_written() -> None:
    """A control character takes six bytes in JSON, so fields within limits can still add up."""
    long = "\x01" * 1_024
    cut = Alteration(what=long, why=long, tool=long, who=None, when=None)
    altered = dataclasses.replace(examples.BARE_ITEM.provenance, alterations=(cut,) * 64)
    with pytest.raises(FieldError, match="longer than"):
        dataclasses.replace(examples.BARE_ITEM, provenance=altered).to_bytes()


def test_what_a_reader_would_refuse_is_not_written() -> None:
    bare = examples.BARE_ITEM
    wrong = {
        "provider_reference": dataclasses.replace(bare, provider_reference="x" * 257),
        "item_id": dataclasses.replace(bare, item_id=ItemId("A" * 32)),
        "salt": dataclasses.replace(bare, salt=Salt(b"short")),
    }
    for field, item in wrong.items():
        with pytest.raises(FieldError) as refusal:
            item.to_bytes()
        assert refusal.value.path == field


def test_what_would_be_read_back_as_something_else_is_not_written() -> None:
    """A list would come back as a tuple: whoever made it did not ask the type checker."""
    ids = cast("tuple[ItemId, ...]", [examples.FOLDER_ITEM.item_id])
    with pytest.raises(FieldError, match="read back"):
        dataclasses.replace(examples.BARE_ITEM, sidecars=ids).to_bytes()


def test_half_a_surrogate_pair_is_not_written() -> None:
    with pytest.raises(FieldError):
        dataclasses.replace(examples.BARE_ITEM, provider_reference="\ud800").to_bytes()


def test_a_fault_is_found_by_its_path() -> None:
    value = json_of(examples.NOTE)
    objects = value["objects"]
    assert isinstance(objects, list)
    assert isinstance(objects[0], dict)
    objects[0]["sealed_size"] = "secret"
    with pytest.raises(FieldError) as refusal:
        type(examples.NOTE).from_bytes(bytes_of(type(examples.NOTE), value))
    assert refusal.value.path == "objects[0].sealed_size"
    assert "secret" not in str(refusal.value)


def test_a_statement_begins_with_its_format() -> None:
    first, second, end = cards.CARD.to_bytes().split(b"\n")
    assert first == b"amana/key-card/v1"
    assert json.loads(second)["format"] == "amana/key-card/v1"
    assert end == b""
