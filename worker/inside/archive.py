"""Reading a container with libarchive: its members in order, their names and bytes.

Formats that read other files (mtree) or call other programs (lrzip and its like) are left out. What
libarchive only warns of while reading bytes counts as unreadable: it would hand over other bytes
than the container was made from.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import c_int, c_void_p, create_string_buffer
from dataclasses import dataclass
from typing import Final

from libarchive import ffi  # type: ignore[import-untyped]
from libarchive.exception import ArchiveError  # type: ignore[import-untyped]

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
_REGULAR: Final = 0o100000
_KIND: Final = 0o170000
_READ_BLOCK: Final = 1 << 16

_format_of = ffi.ffi("format", [c_void_p], c_int)
_is_encrypted = ffi.ffi("entry_is_data_encrypted", [c_void_p], c_int)
_has_encrypted = ffi.ffi("read_has_encrypted_entries", [c_void_p], c_int)


class EncryptedError(Exception):
    """It can be read only with a passphrase, which nobody gave."""


class UnreadableError(Exception):
    """It is damaged, or in a way that libarchive does not know."""


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of a container, valid until the next is asked for."""

    container: int
    name: bytes
    is_file: bool
    is_encrypted: bool

    def pieces(self) -> Iterator[bytes]:
        """Yield its bytes. EncryptedError, UnreadableError: they cannot be had."""
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
                return
            yield buffer.raw[:count]


@contextmanager
def opened(descriptor: int) -> Iterator[Iterator[Member] | None]:
    """Open a container for the time of a `with`; None: it is none that libarchive knows.

    The iterator raises EncryptedError or UnreadableError where the list of members cannot be read.
    """
    container, entry = ffi.read_new(), ffi.entry_new()
    try:
        for name in _FILTERS:
            ffi.get_read_filter_function(name)(container)
        for name in _FORMATS:
            ffi.get_read_format_function(name)(container)
        yield _recognised(container, entry, descriptor)
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
    return _members(container, entry, failed=failed, ended=ended)


def _members(container: int, entry: int, *, failed: bool, ended: bool) -> Iterator[Member]:
    if failed:
        raise _failure(container)
    while not ended:
        yield Member(
            container=container,
            name=_name_of(entry),
            is_file=ffi.entry_filetype(entry) & _KIND in {0, _REGULAR},
            is_encrypted=_is_encrypted(entry) == 1,
        )
        try:
            ended = ffi.read_next_header2(container, entry) == ffi.ARCHIVE_EOF
        except ArchiveError as failure:
            raise _failure(container) from failure


def _failure(container: int) -> Exception:
    return EncryptedError() if _has_encrypted(container) == 1 else UnreadableError()


def _name_of(entry: int) -> bytes:
    """Give the name in bytes. It ends at its first NUL: libarchive keeps names as C does."""
    name: bytes | None = ffi.entry_pathname(entry)
    if name is not None:
        return name
    wide: str | None = ffi.entry_pathname_w(entry)
    return b"" if wide is None else wide.encode("utf-8", "surrogateescape")
