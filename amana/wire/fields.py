"""How one value stands in a document: a codec for each kind, both ways by one rule.

A codec is a small frozen description. `write` gives the JSON value, `read` takes it back from
untrusted JSON and refuses whatever `write` could not have given. No codec repairs, trims or
guesses, and none puts a value into an error. Format: docs/format/06-ids-and-fields.md.
"""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Final, Generic, NewType, Protocol, TypeVar

from amana.wire.errors import FieldError
from crypto.canonical import MAX_INTEGER, JsonValue

T = TypeVar("T")
TextT = TypeVar("TextT", bound=str)
BytesT = TypeVar("BytesT", bound=bytes)
ChoiceT = TypeVar("ChoiceT", bound=StrEnum)

RawBytes = NewType("RawBytes", bytes)
"""Bytes of no fixed length, kept exactly as they came."""

FIRST_DAY: Final = date(1900, 1, 1)
"""Earliest date that a document may hold: before any material that can reach the Mechanism."""

_INSTANT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class Codec(Protocol[T]):
    """One kind of value, its JSON form and its limits."""

    def write(self, value: T) -> JsonValue:
        """Give the JSON form of a value that the program made."""
        ...

    def read(self, untrusted: JsonValue) -> T:
        """Give the value in untrusted JSON. FieldError: it is not of this kind, or over a limit."""
        ...

    def describe(self) -> str:
        """Give the kind and its limits in words, as the tables in docs/format have them."""
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """Text of at least one byte and at most `most_bytes` in UTF-8; nothing to say is null."""

    most_bytes: int

    def write(self, value: str) -> JsonValue:
        """Give the text itself."""
        return value

    def read(self, untrusted: JsonValue) -> str:
        """Give the text itself, not normalised."""
        if not isinstance(untrusted, str):
            raise FieldError("is not text")
        # One character is one to four bytes, so the cheap test comes before the encoding.
        if len(untrusted) > self.most_bytes or len(_utf8(untrusted)) > self.most_bytes:
            raise FieldError(f"is longer than {self.most_bytes} bytes")
        if not untrusted:
            raise FieldError("is empty text, which is written null")
        return untrusted

    def describe(self) -> str:
        """Give the kind and its limit."""
        return f"text, 1 to {self.most_bytes:,} bytes"


@dataclass(frozen=True, slots=True)
class Token(Generic[TextT]):
    """ASCII text of one fixed shape, such as a digest, an id or a recipient.

    kind: the NewType it becomes. pattern: the whole of it, matched without flags. words: the
    shape as the documentation has it. The pattern's own repetitions bound the length.
    """

    kind: Callable[[str], TextT]
    pattern: re.Pattern[str]
    words: str

    def write(self, value: TextT) -> JsonValue:
        """Give the text itself."""
        return str(value)

    def read(self, untrusted: JsonValue) -> TextT:
        """Give the text, when all of it has the shape."""
        if not isinstance(untrusted, str) or self.pattern.fullmatch(untrusted) is None:
            raise FieldError(f"is not {self.words}")
        return self.kind(untrusted)

    def describe(self) -> str:
        """Give the shape."""
        return self.words


def hexadecimal(kind: Callable[[str], TextT], size_bytes: int, words: str) -> Token[TextT]:
    """Give the codec for `size_bytes` bytes as lower-case hexadecimal text."""
    shape = re.compile(rf"[0-9a-f]{{{2 * size_bytes}}}", re.ASCII)
    return Token(kind, shape, f"{words}: {2 * size_bytes} lower-case hexadecimal digits")


@dataclass(frozen=True, slots=True)
class Base64(Generic[BytesT]):
    """Bytes as base64url without padding (RFC 4648 section 5), of a bounded length."""

    kind: Callable[[bytes], BytesT]
    least_bytes: int
    most_bytes: int

    def write(self, value: BytesT) -> JsonValue:
        """Give the text form."""
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii")

    def read(self, untrusted: JsonValue) -> BytesT:
        """Give the bytes, when the text is the one that `write` gives for them."""
        if not isinstance(untrusted, str) or not untrusted.isascii():
            raise FieldError("is not base64url text")
        if len(untrusted) > (4 * self.most_bytes + 2) // 3:
            raise FieldError(f"is longer than {self.most_bytes} bytes")
        try:
            raw = base64.urlsafe_b64decode(untrusted + "=" * (-len(untrusted) % 4))
        except binascii.Error as failure:
            raise FieldError("is not base64url text") from failure
        value = self.kind(raw)
        # The decoder skips foreign characters and loose trailing bits; only one spelling may pass.
        if self.write(value) != untrusted:
            raise FieldError("is not base64url text")
        if len(raw) < self.least_bytes:
            raise FieldError(f"is shorter than {self.least_bytes} bytes")
        return value

    def describe(self) -> str:
        """Give the kind and its limits."""
        if self.least_bytes == self.most_bytes:
            return f"base64url of {self.most_bytes:,} bytes"
        return f"base64url of {self.least_bytes:,} to {self.most_bytes:,} bytes"


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `least` to `most`, both included."""

    least: int
    most: int = MAX_INTEGER

    def write(self, value: int) -> JsonValue:
        """Give the number itself."""
        return value

    def read(self, untrusted: JsonValue) -> int:
        """Give the number itself."""
        # A bool is an int to Python, and a word of its own to JSON.
        if isinstance(untrusted, bool) or not isinstance(untrusted, int):
            raise FieldError("is not a whole number")
        if not self.least <= untrusted <= self.most:
            raise FieldError(f"is not from {self.least} to {self.most}")
        return untrusted

    def describe(self) -> str:
        """Give the kind and its limits."""
        return f"whole number, {self.least:,} to {self.most:,}"


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def write(self, value: bool) -> JsonValue:  # noqa: FBT001 - the value is the subject here
        """Give the value itself."""
        return value

    def read(self, untrusted: JsonValue) -> bool:
        """Give the value itself."""
        if not isinstance(untrusted, bool):
            raise FieldError("is neither true nor false")
        return untrusted

    def describe(self) -> str:
        """Give the kind."""
        return "true or false"


@dataclass(frozen=True, slots=True)
class Choice(Generic[ChoiceT]):
    """One word of a closed list. A word added later needs a new version of the format."""

    kind: type[ChoiceT]

    def write(self, value: ChoiceT) -> JsonValue:
        """Give the word."""
        return str(value)

    def read(self, untrusted: JsonValue) -> ChoiceT:
        """Give the member of the list that the word stands for."""
        if not isinstance(untrusted, str):
            raise FieldError("is not a word of its list")
        try:
            return self.kind(untrusted)
        except ValueError as failure:
            raise FieldError("is not a word of its list") from failure

    def describe(self) -> str:
        """Give the list, by its name in code; the chapter spells it out."""
        return f"word of *{self.kind.__name__}*"


@dataclass(frozen=True, slots=True)
class Day:
    """A date, `2026-10-02`: all the time that a witness's document may hold."""

    def write(self, value: date) -> JsonValue:
        """Give the date in RFC 3339 full-date form."""
        return value.isoformat()

    def read(self, untrusted: JsonValue) -> date:
        """Give the date."""
        if not isinstance(untrusted, str) or _DAY.fullmatch(untrusted) is None:
            raise FieldError("is not a date")
        try:
            value = date.fromisoformat(untrusted)
        except ValueError as failure:
            raise FieldError("is not a date") from failure
        if value < FIRST_DAY:
            raise FieldError(f"is before {FIRST_DAY}")
        return value

    def describe(self) -> str:
        """Give the kind and its limit."""
        return f"date from {FIRST_DAY}"


@dataclass(frozen=True, slots=True)
class Instant:
    """A time in UTC to the whole second, `2026-10-02T09:00:00Z` (RFC 3339, one spelling)."""

    def write(self, value: datetime) -> JsonValue:
        """Give the time in the one spelling. FieldError: not in UTC, or finer than a second."""
        if value.tzinfo is not UTC or value.microsecond:
            raise FieldError("is not a whole second in UTC")
        return f"{value.replace(tzinfo=None).isoformat()}Z"

    def read(self, untrusted: JsonValue) -> datetime:
        """Give the time, aware, in UTC."""
        if not isinstance(untrusted, str) or _INSTANT.fullmatch(untrusted) is None:
            raise FieldError("is not a time in UTC")
        try:
            value = datetime.fromisoformat(untrusted)
        except ValueError as failure:
            raise FieldError("is not a time in UTC") from failure
        if value.date() < FIRST_DAY:
            raise FieldError(f"is before {FIRST_DAY}")
        return value

    def describe(self) -> str:
        """Give the kind."""
        return "time in UTC, whole seconds"


@dataclass(frozen=True, slots=True)
class Nullable(Generic[T]):
    """A value, or an explicit null for "not known" or "not so". The field itself always stands."""

    codec: Codec[T]

    def write(self, value: T | None) -> JsonValue:
        """Give the value's JSON form, or null."""
        return None if value is None else self.codec.write(value)

    def read(self, untrusted: JsonValue) -> T | None:
        """Give the value, or None."""
        return None if untrusted is None else self.codec.read(untrusted)

    def describe(self) -> str:
        """Give the inner kind, or null."""
        return f"{self.codec.describe()}; or null"


@dataclass(frozen=True, slots=True)
class Many(Generic[T]):
    """A list in the sender's order, of at least `least` and at most `most` values."""

    codec: Codec[T]
    most: int
    least: int = 0

    def write(self, value: tuple[T, ...]) -> JsonValue:
        """Give the list."""
        return [self.codec.write(each) for each in value]

    def read(self, untrusted: JsonValue) -> tuple[T, ...]:
        """Give the list as a tuple. The count is judged before any member is."""
        if not isinstance(untrusted, list):
            raise FieldError("is not a list")
        if not self.least <= len(untrusted) <= self.most:
            raise FieldError(f"does not have {self.least} to {self.most} members")
        return tuple(self._member(index, each) for index, each in enumerate(untrusted))

    def _member(self, index: int, untrusted: JsonValue) -> T:
        try:
            return self.codec.read(untrusted)
        except FieldError as fault:
            raise fault.inside(f"[{index}]") from None

    def describe(self) -> str:
        """Give the inner kind and the counts."""
        return f"list of {self.least:,} to {self.most:,}: {self.codec.describe()}"


def _utf8(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as failure:
        raise FieldError("holds half a surrogate pair") from failure
