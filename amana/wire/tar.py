"""A stream of files as a POSIX tar of which every byte follows from names, sizes and one time.

What is not content is made again by the reader and compared, so there is one spelling of an
archive and no dialect to disagree about. Nothing here ever touches a disk, and no member is
anything but a plain file. Format: docs/format/20-package.md section 3.
"""

import re
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from amana.wire.errors import ArchiveError
from amana.wire.pack import BLOCK, END, fill

MOST_BYTES: Final = 1 << 47
"""Longest member, 128 TiB: as long as the content of a sealed object may be."""
MOST_TIME: Final = 8**11 - 1
"""Latest time in eleven octal digits: POSIX.1-2017, pax, "ustar Interchange Format"."""

_OCTAL_LIMIT: Final = 8**11
_NAME: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_OCTAL: Final = re.compile(rb"[0-7]{11}\0")
_SIZE_RECORD: Final = re.compile(rb"[0-9]{1,3} size=([0-9]{1,16})\n\0*")
_EXTENDED: Final = b"x"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file of an archive: its path, its bytes, and the time that all members share."""

    path: str
    size: int
    modified: int


def header(member: Member) -> bytes:
    """Give what stands before a member's bytes: one block, or three above 8 GiB."""
    entry = tarfile.TarInfo(member.path)
    entry.size = member.size
    entry.mtime = member.modified
    entry.mode = 0o444
    return entry.tobuf(format=tarfile.PAX_FORMAT, encoding="ascii", errors="strict")


def read(untrusted: Iterable[bytes]) -> Iterator[tuple[Member, Iterator[bytes]]]:
    """Yield each member and its bytes, which must be used up before the next is asked for.

    untrusted: the archive, cut anywhere. ArchiveError: one byte is not as the writer would have
    it, the archive is cut or goes on after its end. Only when the iterator ends is it whole.
    """
    source = _Source(untrusted)
    while (member := _next_member(source)) is not None:
        yield member, source.take(member.size)
        source.require(fill(member.size))
    source.require(END[BLOCK:])
    source.end()


def _next_member(source: "_Source") -> Member | None:
    block = source.exactly(BLOCK)
    if block == bytes(BLOCK):
        return None
    prefix, size = b"", _octal(block[124:136])
    if block[156:157] == _EXTENDED:
        record = source.exactly(BLOCK)
        found = _SIZE_RECORD.fullmatch(record)
        if found is None:
            raise ArchiveError("the archive has an extended header that is not a size")
        prefix, size = block + record, int(found[1])
        block = source.exactly(BLOCK)
    elif size is None:
        raise ArchiveError("the archive has a header without a size")
    name = block[:100].rstrip(b"\0")
    modified = _octal(block[136:148])
    if modified is None or not _NAME.fullmatch(name) or size > MOST_BYTES:
        raise ArchiveError("the archive has a header that is none of ours")
    member = Member(path=name.decode("ascii"), size=size, modified=modified)
    if header(member) != prefix + block:
        raise ArchiveError("the archive has a header that is spelled in another way")
    return member


def _octal(field: bytes) -> int | None:
    return int(field[:-1], 8) if _OCTAL.fullmatch(field) else None


class _Source:
    """Reads exact lengths from bytes that are cut anywhere."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = memoryview(b"")
        self._owed = 0

    def take(self, size: int) -> Iterator[bytes]:
        """Yield the next `size` bytes in pieces."""
        self._owed = size
        return self._pieces()

    def _pieces(self) -> Iterator[bytes]:
        while self._owed:
            while not self._rest:
                self._rest = memoryview(self._next_chunk())
            piece, self._rest = self._rest[: self._owed], self._rest[self._owed :]
            self._owed -= len(piece)
            yield bytes(piece)

    def _next_chunk(self) -> bytes:
        chunk = next(self._chunks, None)
        if chunk is None:
            raise ArchiveError("the archive ends before its end")
        return chunk

    def exactly(self, size: int) -> bytes:
        """Give the next `size` bytes."""
        if self._owed:
            raise ArchiveError("a member was not read to its end")
        return b"".join(self.take(size))

    def require(self, wanted: bytes) -> None:
        """Read what must stand here."""
        if self.exactly(len(wanted)) != wanted:
            raise ArchiveError("the archive holds bytes that its headers do not explain")

    def end(self) -> None:
        """Make sure that nothing follows."""
        if self._rest or any(self._chunks):
            raise ArchiveError("the archive goes on after its end")
