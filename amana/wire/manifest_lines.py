"""Many item manifests in one sealed object: a line each, and nothing else.

How much was said of an item is hidden by the object around them: a record has steps of 4 KiB
(docs/adr/0005). Format: docs/format/07-manifests.md.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from amana.wire.errors import FormatError
from amana.wire.manifest import ITEM_LIMIT_BYTES, ItemManifest
from amana.wire.sealed import OBJECTS_LIMIT
from crypto import merkle
from crypto.merkle import TreeHash

_NEWLINE: Final = b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a reader is ready to read: manifests in one object, bytes in a line."""

    manifests: int = 16 * OBJECTS_LIMIT
    line_bytes: int = ITEM_LIMIT_BYTES


DEFAULT_LIMITS: Final = Limits()
"""A million manifests: memory does not grow with them."""


def write_lines(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield manifests, each as ItemManifest.to_bytes() gave it, as lines. Memory holds one.

    FormatError: there is none, or one has a line feed or nothing in it.
    """
    is_empty = True
    for line in lines:
        if not line or _NEWLINE in line:
            raise FormatError("a manifest is empty, or more than one line")
        is_empty = False
        yield line + _NEWLINE
    if is_empty:
        raise FormatError("there is no manifest")


def read_lines(untrusted: Iterable[bytes], limits: Limits = DEFAULT_LIMITS) -> Iterator[bytes]:
    """Yield the lines, in order; memory holds one line and one piece.

    untrusted: the content, cut anywhere. FormatError: no line, an empty line, a line too many or
    too long, or a last line without its end. As that may come after the last line, the lines count
    only when the iterator has ended.
    """
    reader = _LineReader(limits)
    for piece in untrusted:
        yield from reader.take(piece)
    reader.end()


def read_manifests(
    untrusted: Iterable[bytes], limits: Limits = DEFAULT_LIMITS
) -> Iterator[ItemManifest]:
    """Yield the manifests, in order. Errors: as read_lines and from_bytes."""
    for line in read_lines(untrusted, limits):
        yield ItemManifest.from_bytes(line)


def items_root(lines: Iterable[bytes]) -> TreeHash:
    """Give the RFC 6962 root over the manifests of a submission, in the order of its note."""
    return merkle.root([merkle.leaf_hash(line) for line in lines])


class _LineReader:
    """Cuts pieces into lines."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._rest = bytearray()
        self._lines = 0

    def take(self, piece: bytes) -> Iterator[bytes]:
        """Yield the lines that end in this piece."""
        # Only what is new is searched: pieces may be of one byte each.
        first, *others = piece.split(_NEWLINE)
        self._keep(first)
        for start in others:
            yield self._line()
            self._keep(start)

    def _keep(self, part: bytes) -> None:
        self._rest += part
        if len(self._rest) > self._limits.line_bytes:
            raise FormatError("a manifest is longer than allowed")

    def _line(self) -> bytes:
        line = bytes(self._rest)
        self._rest.clear()
        self._lines += 1
        if not line:
            raise FormatError("a line of the manifests is empty")
        if self._lines > self._limits.manifests:
            raise FormatError("the manifests are more than allowed")
        return line

    def end(self) -> None:
        """Judge what only the end shows. FormatError: cut, or empty."""
        if self._rest or not self._lines:
            raise FormatError("the manifests are cut, or there is none")
