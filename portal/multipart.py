"""A multipart body as a stream of parts, read as it arrives and kept nowhere.

python-multipart cuts; what a part's head may say is decided here, by one rule: a name, a file name
where it is a file, and a media type. A file name is what stands between the first quote after
`filename=` and the last of the line, byte for byte: browsers write nothing behind it (HTML
standard, multipart form data). Whatever else stands there refuses the body. RFC 7578, RFC 2046
section 5.1.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from portal.errors import RefusedError
from portal.refusal import Refusal

HEAD_LIMIT_BYTES: Final = 8_192
"""Longest line of a part's head: a path of 4,096 bytes (PATH_MAX of Linux) and what stands around
it; each quote or line break in a name takes three bytes."""

_BOUNDARY: Final = re.compile(
    # RFC 2046 section 5.1.1: 1 to 70 characters, which browsers never need to quote.
    rb'multipart/form-data; *boundary=("?)([A-Za-z0-9\'()+_,./:=?-]{1,70})\1'
)
_DISPOSITION: Final = re.compile(
    rb'form-data; *name="([A-Za-z_]{1,64})"(?:; *filename="(.*)")?', re.DOTALL
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartHead:
    """The head of a part. filename: its exact bytes, None where the part is no file."""

    name: str
    filename: bytes | None
    media_type: bytes | None


class PartEnd(Enum):
    """That a part has ended."""

    END = "end"


Event: TypeAlias = PartHead | memoryview | PartEnd
"""A part begins, goes on by some bytes (cut anywhere), or ends."""


def boundary_of(content_type: bytes) -> bytes:
    """Give the boundary that a Content-Type names. RefusedError: it is no form with files."""
    match = _BOUNDARY.fullmatch(content_type)
    if match is None:
        raise RefusedError(Refusal.UNREADABLE)
    return match[2]


class PartReader:
    """Turns the body's chunks into events.

    is_complete: whether the closing boundary has come. A body without it was cut, and nothing of it
    may be kept.
    """

    def __init__(self, boundary: bytes) -> None:
        self.is_complete = False
        self._events: list[Event] = []
        self._headers: dict[bytes, bytes] = {}
        self._field = bytearray()
        self._value = bytearray()
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._headers.clear,
                "on_header_field": _into(self._field),
                "on_header_value": _into(self._value),
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_head,
                "on_part_data": self._data,
                "on_part_end": self._end_part,
                "on_end": self._end,
            },
            max_header_count=2,
            max_header_size=HEAD_LIMIT_BYTES,
        )

    def feed(self, chunk: bytes) -> list[Event]:
        """Give the events that this chunk brings, in order. Pieces of data refer to the chunk.

        RefusedError: the body is not as RFC 2046 and the rule above say.
        """
        self._events = []
        try:
            self._parser.write(chunk)
        except FormParserError:
            # Its message quotes the body.
            raise RefusedError(Refusal.UNREADABLE) from None
        return self._events

    def _end_header(self) -> None:
        name = bytes(self._field).lower()
        if name in self._headers:
            raise RefusedError(Refusal.UNREADABLE)
        self._headers[name] = bytes(self._value)
        self._field.clear()
        self._value.clear()

    def _end_head(self) -> None:
        disposition = self._headers.pop(b"content-disposition", b"")
        media_type = self._headers.pop(b"content-type", None)
        match = _DISPOSITION.fullmatch(disposition)
        # A transfer encoding, for one, would make other bytes of these.
        if match is None or self._headers:
            raise RefusedError(Refusal.UNREADABLE)
        head = PartHead(name=match[1].decode("ascii"), filename=match[2], media_type=media_type)
        self._events.append(head)

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(memoryview(data)[start:end])

    def _end_part(self) -> None:
        self._events.append(PartEnd.END)

    def _end(self) -> None:
        self.is_complete = True


def _into(buffer: bytearray) -> Callable[[bytes, int, int], None]:
    def take(data: bytes, start: int, end: int) -> None:
        buffer.extend(data[start:end])

    return take
