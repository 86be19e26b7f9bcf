"""JSON that has one spelling only: RFC 8785, without fractions.

A signature or a digest over JSON means something only if every reader finds the same value in the
same bytes. So what is read here must be, byte for byte, what would be written here: no second
spelling of a number, no key twice, no other order, no white space. Nothing in this module guesses,
repairs or drops. The standard library writes; this module gives it the order and the limits, and
the tests compare it with two independent writers (docs/adr/0004).
Format: docs/format/02-canonical-json.md.
"""

import json
from typing import Final, NoReturn, TypeAlias

from crypto.errors import CanonicalError

JsonValue: TypeAlias = "bool | int | str | list[JsonValue] | dict[str, JsonValue] | None"
"""What the formats are made of. There are no fractions: their text differs between languages."""

MAX_DEPTH: Final = 32
"""Most lists and objects inside one another. Ours: the deepest format (an ODRL policy) needs about
ten, and a parser that recurses must never meet what exhausts its stack."""

MAX_INTEGER: Final = 2**53 - 1
"""Largest integer, either sign: beyond it an IEEE 754 double is inexact (RFC 8785 section 3.2.2.3,
RFC 7493 section 2.2). Greater ones are written as strings."""

_MAX_INTEGER_DIGITS: Final = len(f"-{MAX_INTEGER}")


def encode(value: JsonValue) -> bytes:
    """Write a value as the one byte string that RFC 8785 gives it, in UTF-8.

    CanonicalError: the value holds a fraction, an integer over MAX_INTEGER, a text with half a
    surrogate pair, anything that is not JSON, or is more than MAX_DEPTH deep.
    """
    # Between ASCII keys Python's order is the standard's, and the writer has it in C.
    is_ascii = _survey(value, MAX_DEPTH)
    text = _SORTING_WRITER.encode(value) if is_ascii else _WRITER.encode(_in_order(value))
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as failure:
        raise CanonicalError("a text holds half a surrogate pair") from failure


def decode(untrusted: bytes, *, limit_bytes: int) -> JsonValue:
    """Read bytes that are exactly what encode() would write for some value.

    limit_bytes: longest input that is looked at; the caller knows its format.
    CanonicalError: longer, not UTF-8, not JSON, a key twice, a fraction, an integer over
    MAX_INTEGER, more than MAX_DEPTH deep, or any other spelling of the same value; or the caller's
    stack is so full that no value can be read.
    """
    try:
        return _decode(untrusted, limit_bytes)
    except RecursionError as failure:
        raise CanonicalError(f"more than {MAX_DEPTH} levels deep, or than is left") from failure


def _decode(untrusted: bytes, limit_bytes: int) -> JsonValue:
    if len(untrusted) > limit_bytes:
        raise CanonicalError(f"longer than the {limit_bytes} bytes allowed here")
    value = _parse(untrusted)
    if encode(value) != untrusted:
        raise CanonicalError("the same value has another, canonical spelling")
    return value


def _parse(untrusted: bytes) -> JsonValue:
    try:
        value: JsonValue = json.loads(
            untrusted.decode("utf-8"),
            object_pairs_hook=_object_of,
            parse_int=_integer_of,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
    except ValueError as failure:
        raise CanonicalError("not JSON in UTF-8") from failure
    return value


def _object_of(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    members = dict(pairs)
    # Parsers differ on which of two equal keys they keep; here neither is believed.
    if len(members) != len(pairs):
        raise CanonicalError("an object has the same key twice")
    return members


def _integer_of(digits: str) -> int:
    # int() takes time that grows with the square of the digits: look at the length first.
    if len(digits) > _MAX_INTEGER_DIGITS:
        raise CanonicalError("an integer is beyond what every reader can hold")
    return int(digits)


def _refuse_number(_spelling: str) -> NoReturn:
    raise CanonicalError("numbers with a fraction or an exponent are not part of the formats")


def _survey(value: JsonValue, depth: int) -> bool:
    """Look at all of a value; tell whether every key is ASCII. CanonicalError: as encode().

    The depth is bounded, so neither the stack nor a value that contains itself can harm.
    """
    if isinstance(value, dict):
        is_ascii, members = _are_ascii(value), iter(value.values())
    elif isinstance(value, list):
        is_ascii, members = True, iter(value)
    else:
        _require_scalar(value)
        return True
    if depth == 0:
        raise CanonicalError(f"more than {MAX_DEPTH} levels deep")
    for each in members:
        # Most members are texts or nothing: a call for each would be half of the time.
        if type(each) is not str and each is not None:
            is_ascii = _survey(each, depth - 1) and is_ascii
    return is_ascii


def _are_ascii(value: dict[str, JsonValue]) -> bool:
    try:
        return "".join(value).isascii()
    except TypeError as failure:
        raise CanonicalError("an object has a key that is not a text") from failure


def _require_scalar(value: JsonValue) -> None:
    if value is None or isinstance(value, (str, bool)):
        return
    if not isinstance(value, int):
        # Reached only when a caller's types were not checked, by a float for instance.
        raise CanonicalError("a value that canonical JSON does not have")
    if abs(value) > MAX_INTEGER:
        raise CanonicalError("an integer is beyond what every reader can hold")


def _in_order(value: JsonValue) -> JsonValue:
    """Give a value that was surveyed with all keys by UTF-16 code units (RFC 8785, 3.2.3)."""
    if isinstance(value, list):
        return [_in_order(each) for each in value]
    if isinstance(value, dict):
        return {key: _in_order(value[key]) for key in sorted(value, key=_utf16)}
    return value


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be", "surrogatepass")


# No white space, and only what RFC 8785 section 3.2.2.2 escapes is escaped.
_WRITER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_SORTING_WRITER: Final = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, sort_keys=True
)
