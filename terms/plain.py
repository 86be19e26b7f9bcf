"""The records of this package as plain JSON values, and back.

One JSON value per record and one record per JSON value: every field is there, unknown is null, a
set is a list in order without repetitions. Whatever is not exactly that is refused. Bytes are not
made here. Format: docs/format/13-terms.md section 7.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache
from itertools import pairwise
from types import MappingProxyType, UnionType
from typing import TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

from terms import names
from terms.errors import TermsFormatError

JsonValue: TypeAlias = "bool | int | str | list[JsonValue] | dict[str, JsonValue] | None"

MAX_ELEMENTS = 100_000
"""Elements of one list: more than the items that one approval names (docs/format/13-terms.md)."""

MAX_INTEGER = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly (RFC 8785 section 3.2.2.3, I-JSON)."""

MAX_TEXT = 128
"""Characters of one text: the longest there are is a name (`terms.names.uid`)."""

_FORMAT_FIELD = "format"
_NAMES: Mapping[object, Callable[[str], object]] = MappingProxyType(
    {
        names.Uid: names.uid,
        names.Country: names.country,
        names.Digest: names.digest,
        names.Language: names.language,
        dt.date: names.day,
    },
)

# `Uid | None` is a Union, `int | None` a UnionType: Python 3.11 has two forms of one thing.
_UNIONS = frozenset({Union, UnionType})

Record = TypeVar("Record")
Plain = TypeVar("Plain")


def to_json(value: object) -> JsonValue:
    """Give a record of this package as JSON values: dict, list, str, int, bool and None."""
    match value:
        case None | bool() | int():
            return value
        case dt.date():
            return value.isoformat()
        case str():
            return str(value)
        case AbstractSet():
            return [*sorted(str(member) for member in value)]
        case tuple():
            return [to_json(member) for member in value]
        case _ if is_dataclass(value):
            form = {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
            return _format_of(type(value)) | form
        case _:
            raise TermsFormatError("a value of a kind that terms do not hold")


def from_json(kind: type[Record], untrusted: JsonValue) -> Record:
    """Give the record that a JSON value is; TermsError if it is not exactly one of that kind."""
    record = _read(kind, untrusted)
    if not isinstance(record, kind):
        raise TermsFormatError("terms are read as one of their records")
    return record


def _read(kind: object, untrusted: JsonValue) -> object:
    """Read by the type of the field: there is one rule per type, and the types are the schema."""
    if kind in _NAMES:
        return _NAMES[kind](_text(untrusted))
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in _UNIONS:
        (inner,) = (argument for argument in arguments if argument is not type(None))
        return None if untrusted is None else _read(inner, untrusted)
    if origin is frozenset:
        return _read_set(arguments[0], _list(untrusted))
    if origin is tuple:
        return tuple(_read(arguments[0], member) for member in _list(untrusted))
    if isinstance(kind, type) and is_dataclass(kind):
        return _read_record(kind, untrusted)
    return _read_single(kind, untrusted)


def _read_single(kind: object, untrusted: JsonValue) -> object:
    if kind is bool:
        return _expected(bool, untrusted)
    if kind is int:
        return _integer(untrusted)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return _word(kind, _text(untrusted))
    return _text(untrusted)


def _read_record(kind: type, untrusted: JsonValue) -> object:
    form = _expected(dict, untrusted)
    types = _field_types(kind)
    expected = _format_of(kind)
    if form.keys() != types.keys() | expected.keys():
        raise TermsFormatError("a field is missing, or there is one more than there should be")
    if any(form[field] != value for field, value in expected.items()):
        raise TermsFormatError("a record of another kind, or of a version that is not known")
    build: Callable[..., object] = kind
    return build(**{field: _read(inner, form[field]) for field, inner in types.items()})


def _read_set(kind: object, untrusted: Sequence[JsonValue]) -> frozenset[object]:
    texts = [_text(member) for member in untrusted]
    # Any other order, or a repetition, would be a second way to write the same set.
    if any(left >= right for left, right in pairwise(texts)):
        raise TermsFormatError("a set is not in order, or repeats a member")
    return frozenset(_read(kind, text) for text in texts)


@cache
def _field_types(kind: type) -> Mapping[str, object]:
    hints: dict[str, object] = get_type_hints(kind)
    return MappingProxyType({field.name: hints[field.name] for field in fields(kind)})


def _format_of(kind: type) -> dict[str, JsonValue]:
    """Give the field that names kind and version, where a record has one of its own."""
    name: str | None = getattr(kind, "FORMAT", None)
    return {} if name is None else {_FORMAT_FIELD: name}


def _expected(kind: type[Plain], untrusted: JsonValue) -> Plain:
    if not isinstance(untrusted, kind):
        raise TermsFormatError("a value is not of its field's kind")
    return untrusted


def _list(untrusted: JsonValue) -> list[JsonValue]:
    members = _expected(list, untrusted)
    if len(members) > MAX_ELEMENTS:
        raise TermsFormatError("a list is longer than its limit")
    return members


def _text(untrusted: JsonValue) -> str:
    text = _expected(str, untrusted)
    if len(text) > MAX_TEXT:
        raise TermsFormatError("a text is longer than its limit")
    return text


def _integer(untrusted: JsonValue) -> int:
    number = _expected(int, untrusted)
    if isinstance(number, bool) or not 0 <= number <= MAX_INTEGER:
        raise TermsFormatError("a number is not whole, or not within its limits")
    return number


def _word(kind: type[StrEnum], text: str) -> StrEnum:
    try:
        return kind(text)
    except ValueError:
        # The cause would repeat the text, which may be anything, in every traceback.
        raise TermsFormatError("a word is not in its vocabulary") from None
