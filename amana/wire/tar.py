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
from amana.wire.exact import ExactReader
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
    source = ExactReader(untrusted, ArchiveError)
    while (member := _next_member(source)) is not None:
        yield member, source.take(member.size)
        source.require(fill(member.size))
    source.require(END[BLOCK:])
    source.end()


def _next_member(source: ExactReader) -> Member | None:
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
