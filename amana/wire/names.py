"""Names and times as the provider's machine had them: exact bytes, exact nanoseconds.

A name may hold anything: bidi controls, NUL, `../`, 255 bytes that are not UTF-8. It is kept as it
came and is evidence; nothing here, and nobody else, ever makes a path of it.
Format: docs/format/07-manifests.md.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Final, NewType, Self

from amana.wire.documents import carries, record
from amana.wire.errors import FieldError
from amana.wire.fields import Base64, Nullable, RawBytes, Text, Token

NAME_LIMIT_BYTES: Final = 32_768
"""Longest name or folder: Windows paths reach 32,767 UTF-16 units, of which most are ASCII; Linux
stops at 4,096 bytes (PATH_MAX)."""

FileTime = NewType("FileTime", str)
"""A file's own time, `2013-08-21T03:12:45.123456789Z`. A claim of the file, checked by nobody."""

FILE_TIME: Final = Token(
    FileTime,
    re.compile(
        r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
        r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{9}Z",
        re.ASCII,
    ),
    "time in UTC with nine decimals",
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NANOSECONDS: Final = 1_000_000_000


def file_time(nanoseconds: int) -> FileTime | None:
    """Give a file's time as text, or None for a year before 1 or after 9999."""
    seconds, fraction = divmod(nanoseconds, _NANOSECONDS)
    try:
        second = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return None
    return FileTime(f"{second.replace(tzinfo=None).isoformat()}.{fraction:09d}Z")


def posix_nanoseconds(time: FileTime) -> int:
    """Give back the nanoseconds since 1970 that file_time() was given.

    FieldError: not a day of the calendar.
    """
    try:
        second = datetime.fromisoformat(f"{time[:19]}+00:00")
    except ValueError as failure:
        raise FieldError("is not a day of the calendar") from failure
    return (second - _EPOCH) // timedelta(seconds=1) * _NANOSECONDS + int(time[20:29])


@record
class RawName:
    """A name: the bytes that were there, and what they read as where they are UTF-8.

    Use `RawName.of(raw)`. FieldError: the text is not what the bytes read as.
    """

    raw: RawBytes = carries(Base64(RawBytes, 0, NAME_LIMIT_BYTES), "The exact bytes.")
    text: str | None = carries(
        Nullable(Text(NAME_LIMIT_BYTES)),
        "The same as Unicode, for people; null when it is empty or not UTF-8.",
    )

    def __post_init__(self) -> None:
        if self.text != _text_of(self.raw):
            raise FieldError("is not what the bytes read as", "text")

    @classmethod
    def of(cls, raw: bytes) -> Self:
        """Give the name that has these bytes."""
        return cls(raw=RawBytes(raw), text=_text_of(raw))


@record
class FileTimes:
    """What the file system said, each null where it said nothing.

    FieldError: a day that no calendar has.
    """

    modified: FileTime | None = carries(Nullable(FILE_TIME), "Last change of the content.")
    created: FileTime | None = carries(Nullable(FILE_TIME), "Birth of the file on that disk.")
    accessed: FileTime | None = carries(Nullable(FILE_TIME), "Last reading, before ours.")

    def __post_init__(self) -> None:
        for name in ("modified", "created", "accessed"):
            time: FileTime | None = getattr(self, name)
            if time is not None:
                try:
                    posix_nanoseconds(time)
                except FieldError as fault:
                    raise fault.inside(name) from None


def _text_of(raw: bytes) -> str | None:
    try:
        return raw.decode("utf-8") or None
    except UnicodeDecodeError:
        return None
