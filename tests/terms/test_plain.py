"""Records as JSON values: one form per record, one record per form, anything else refused."""

import json
import traceback
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terms import names
from terms.approval import Approval
from terms.errors import ContradictionError, TermsError, TermsFormatError
from terms.facts import Facts
from terms.layer import Terms
from terms.plain import MAX_ELEMENTS, JsonValue, from_json, to_json
from tests.terms.records import RECORDS
from tests.terms.strategies import APPROVALS, FACTS, TERMS
from tests.terms.world import USUAL, YES_EVIDENCE

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(TERMS | FACTS | APPROVALS)
def test_a_record_comes_back_from_its_form(record: Terms | Facts | Approval) -> None:
    form = to_json(record)
    assert from_json(type(record), form) == record
    assert json.loads(json.dumps(form)) == form


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_every_kind_of_record_comes_back_from_its_form(record: object) -> None:
    assert from_json(type(record), to_json(record)) == record


@pytest.mark.threat("T-13")
@given(st.sampled_from([type(record) for record in RECORDS]), JSON)
def test_any_json_value_is_a_record_or_is_refused(kind: type[object], untrusted: JsonValue) -> None:
    with pytest.raises(TermsError):
        from_json(kind, untrusted)


def places(form: JsonValue, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    match form:
        case dict():
            inner = [place for key in form for place in places(form[key], (*path, key))]
        case list():
            inner = [_ for place, each in enumerate(form) for _ in places(each, (*path, place))]
        case _:
            inner = []
    return [path, *inner]


def changed(form: JsonValue, path: tuple[str | int, ...], value: JsonValue) -> JsonValue:
    if not path:
        return value
    copy: JsonValue = json.loads(json.dumps(form))
    container = copy
    for step in path[:-1]:
        container = cast("dict[str | int, JsonValue]", container)[step]
    cast("dict[str | int, JsonValue]", container)[path[-1]] = value
    return copy


@pytest.mark.threat("T-13")
@given(st.sampled_from(RECORDS), st.data())
def test_a_changed_form_is_refused_or_is_the_form_of_another_record(
    record: object,
    data: st.DataObject,
) -> None:
    """Nothing but TermsError escapes, and no two forms are read as one record."""
    form = to_json(record)
    path = data.draw(st.sampled_from(places(form)))
    mutant = changed(form, path, data.draw(JSON))
    try:
        read = from_json(type(record), mutant)
    except TermsError:
        return
    assert to_json(read) == mutant


def test_a_list_longer_than_its_limit_is_refused() -> None:
    form = to_json(YES_EVIDENCE)
    assert isinstance(form, dict)
    items: list[JsonValue] = [f"{number:06}" for number in range(MAX_ELEMENTS + 1)]
    with pytest.raises(TermsFormatError, match="limit"):
        from_json(Approval, form | {"items": items})
    approval = from_json(Approval, form | {"items": items[1:]})
    assert len(approval.items) == MAX_ELEMENTS


@pytest.mark.parametrize(("field", "value"), [("action", "Nour-Haddad"), ("date", "Nour-Haddad")])
def test_no_traceback_repeats_what_was_refused(field: str, value: str) -> None:
    form = to_json(USUAL)
    assert isinstance(form, dict)
    with pytest.raises(TermsError) as refusal:
        from_json(Facts, form | {field: value})
    assert value not in "".join(traceback.format_exception(refusal.value))


def test_an_approval_says_of_a_recipient_what_it_has() -> None:
    """A country where one matters, and none where none does."""
    form = to_json(YES_EVIDENCE)
    assert isinstance(form, dict)
    changes: list[dict[str, JsonValue]] = [{"country": None}]
    changes += [{"recipient_kind": kind} for kind in ("MECHANISM", "PROVIDER", "PUBLIC")]
    for change in changes:
        with pytest.raises(ContradictionError):
            from_json(Approval, form | change)


def test_what_terms_do_not_hold_has_no_form() -> None:
    with pytest.raises(TermsFormatError):
        to_json(0.5)


def test_only_records_are_read_by_themselves() -> None:
    with pytest.raises(TermsFormatError):
        from_json(float, "1.5")


@pytest.mark.parametrize("text", ["", "-a", "a b", "a\n", "ا", "a" * 129])
def test_a_name_that_is_not_written_as_names_are_is_refused(text: str) -> None:
    with pytest.raises(TermsError):
        names.uid(text)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("de", True), ("ckb", True), ("DE", False), ("d", False), ("arab", False)],
)
def test_a_language_is_two_or_three_small_letters(text: str, *, is_one: bool) -> None:
    if is_one:
        assert names.language(text) == text
    else:
        with pytest.raises(TermsError):
            names.language(text)


def test_a_digest_is_64_hex_digits() -> None:
    assert names.digest("0a" * 32) == "0a" * 32
    for text in ("0A" * 32, "0a" * 31, "0a" * 32 + "\n"):
        with pytest.raises(TermsError):
            names.digest(text)
