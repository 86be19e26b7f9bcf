"""Reading a container with libarchive: its members in order, their names and bytes.

Formats that read other files (mtree) or call other programs (lrzip and its like) are left out. What
libarchive only warns of while reading bytes counts as unreadable: it would hand over other bytes
than the container was made from.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import c_int, c_void_p, create_string_buffer
from dataclasses import dataclass
from typing import Final

from libarchive import ffi  # type: ignore[import-untyped]
from libarchive.exception import ArchiveError  # type: ignore[import-untyped]

from worker.inside import ends
from worker.inside.channel import PIECE_BYTES

_FORMATS: Final = (
    "zip", "tar", "7zip", "rar", "rar5", "cab", "cpio", "iso9660", "lha", "ar", "xar",
    "warc", "raw",
)  # fmt: skip
_FILTERS: Final = ("gzip", "bzip2", "compress", "xz", "lzma", "lzip", "zstd", "lz4", "rpm", "uu")

_RAW: Final = 0x90000
"""ARCHIVE_FORMAT_RAW: the format of anything at all."""
_TAR: Final = 0x30000
"""ARCHIVE_FORMAT_TAR."""
_FAMILY: Final = 0xFF0000
"""ARCHIVE_FORMAT_BASE_MASK."""
_ZIP: Final = 0x50000
"""ARCHIVE_FORMAT_ZIP."""
_SEVEN_ZIP: Final = 0xE0000
"""ARCHIVE_FORMAT_7ZIP."""
_KINDS_WITH_DATA: Final = frozenset({0x10000, _ZIP, 0xD0000, _SEVEN_ZIP, 0x100000})
"""Families (cpio, zip, rar, 7z, rar5) where an entry of any kind may have data: a link's target."""
_KIND: Final = 0o170000
_REGULAR: Final = 0o100000
_LINK: Final = 0o120000
"""S_IFLNK of inode(7)."""
_ONE_FILTER: Final = 2
"""What archive_filter_count(3) gives for one filter: that which does nothing counts, too."""
_READ_BLOCK: Final = 1 << 16

_format_of = ffi.ffi("format", [c_void_p], c_int)
_is_encrypted = ffi.ffi("entry_is_data_encrypted", [c_void_p], c_int)
_size_is_set = ffi.ffi("entry_size_is_set", [c_void_p], c_int)
_has_encrypted = ffi.ffi("read_has_encrypted_entries", [c_void_p], c_int)


class EncryptedError(Exception):
    """It can be read only with a passphrase, which nobody gave."""


class UnreadableError(Exception):
    """It is damaged, or in a way that libarchive does not know."""


class TrailingError(Exception):
    """All members were given, and something that is no part of the container lies beside them."""


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of a container, valid until the next is asked for."""

    container: int
    name: bytes
    is_empty: bool
    is_closed: bool
    is_encrypted: bool

    def pieces(self) -> Iterator[bytes]:
        """Yield its bytes. EncryptedError, UnreadableError: they cannot be had.

        Of every kind of entry: a "directory" or "device" may have data for all that it says, and
        is unreadable where libarchive does not give them.
        """
        has_any = False
        buffer = create_string_buffer(PIECE_BYTES)
        while True:
            try:
                count = ffi.read_data(self.container, buffer, PIECE_BYTES)
            except ArchiveError as failure:
                if self.is_encrypted:
                    raise EncryptedError from failure
                raise UnreadableError from failure
            if count < 0:
                raise UnreadableError
            if count == 0:
                if self.is_closed and not (has_any or self.is_empty):
                    raise UnreadableError
                return
            has_any = True
            yield buffer.raw[:count]


@contextmanager
def opened(descriptor: int) -> Iterator[Iterator[Member] | None]:
    """Open a container for the time of a `with`; None: it is none that libarchive knows.

    The iterator raises EncryptedError or UnreadableError where the list of members cannot be read,
    and TrailingError behind the last one if the content does not end with the container.
    """
    with _reading(_FORMATS) as (container, entry):
        yield _recognised(container, entry, descriptor)


@contextmanager
def _reading(formats: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    container, entry = ffi.read_new(), ffi.entry_new()
    try:
        for name in _FILTERS:
            ffi.get_read_filter_function(name)(container)
        for name in formats:
            ffi.get_read_format_function(name)(container)
        yield container, entry
    finally:
        ffi.entry_free(entry)
        ffi.read_free(container)


def _recognised(container: int, entry: int, descriptor: int) -> Iterator[Member] | None:
    failed = False
    try:
        ffi.read_open_fd(container, descriptor, _READ_BLOCK)
        ended = ffi.read_next_header2(container, entry) == ffi.ARCHIVE_EOF
    except ArchiveError:
        failed, ended = True, True
    # Every format was tried, and `raw` takes what no other does: then only a filter, such as gzip,
    # makes it a container. The count includes the filter that does nothing.
    plain, family = ffi.filter_count(container) <= 1, _format_of(container) & _FAMILY
    # Zeros are an empty tar to libarchive: any file that begins with a kilobyte of them.
    is_empty_tar = family == _TAR and ended and not failed
    if plain and (family in {0, _RAW} or is_empty_tar):
        return None
    if failed:
        return _failed(container)
    return _members(container, entry, descriptor, ended=ended)


def _failed(container: int) -> Iterator[Member]:
    yield from ()
    raise _failure(container)


def _members(container: int, entry: int, descriptor: int, *, ended: bool) -> Iterator[Member]:
    while not ended:
        kind = ffi.entry_filetype(entry) & _KIND
        keeps_data = _format_of(container) & _FAMILY in _KINDS_WITH_DATA
        yield Member(
            container=container,
            name=_name_of(entry),
            # The size of a link is 0 where its target was taken from its data.
            is_empty=kind != _LINK and _size_is_set(entry) != 0 and ffi.entry_size(entry) == 0,
            is_closed=keeps_data and kind not in {0, _REGULAR},
            is_encrypted=_is_encrypted(entry) == 1,
        )
        try:
            ended = ffi.read_next_header2(container, entry) == ffi.ARCHIVE_EOF
        except ArchiveError as failure:
            raise _failure(container) from failure
    if _is_followed(container, descriptor):
        raise TrailingError


def _is_followed(container: int, descriptor: int) -> bool:
    """Say whether the content goes on behind the container, whose last member has been read."""
    family, reached = _format_of(container) & _FAMILY, ffi.filter_bytes(container, 0)
    if ffi.filter_count(container) > 1:
        return _is_followed_under_filter(descriptor, reached, is_raw=family == _RAW)
    if family == _ZIP:
        return not ends.is_whole_zip(descriptor)
    if family == _SEVEN_ZIP:
        reached = ends.end_of_7z(descriptor)
    return ends.has_more_at(descriptor, reached)


def _is_followed_under_filter(descriptor: int, reached: int, *, is_raw: bool) -> bool:
    """Read what a filter gives once more, to its end: behind the container, and behind itself."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    with _reading(("raw",)) as (container, entry):
        try:
            ffi.read_open_fd(container, descriptor, _READ_BLOCK)
            is_empty = ffi.read_next_header2(container, entry) == ffi.ARCHIVE_EOF
        except ArchiveError as failure:
            raise _failure(container) from failure
        # Of filters around filters, only where the outermost ends can be known.
        if ffi.filter_count(container) > _ONE_FILTER:
            return True
        if not is_empty:
            content = Member(container, b"", is_empty=False, is_closed=False, is_encrypted=False)
            skipped = ends.has_more(content.pieces(), reached)
            if skipped and not is_raw:
                return True
        return ends.has_more_at(descriptor, ffi.filter_bytes(container, -1))


def _failure(container: int) -> Exception:
    # Where no format was recognised, libarchive 3.6 would end the process for the question.
    is_known = _format_of(container) != 0
    return EncryptedError() if is_known and _has_encrypted(container) == 1 else UnreadableError()


def _name_of(entry: int) -> bytes:
    """Give the name in bytes. It ends at its first NUL: libarchive keeps names as C does."""
    name: bytes | None = ffi.entry_pathname(entry)
    if name is not None:
        return name
    wide: str | None = ffi.entry_pathname_w(entry)
    return b"" if wide is None else wide.encode("utf-8", "surrogateescape")
