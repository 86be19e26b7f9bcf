"""Where a container ends: whether anything but zeros lies behind what libarchive made of it.

Another program, or another reader, may take what lies there for a second container. Formats that
are read from their last bytes are measured by those; APPNOTE 6.3.10 (ZIP), 7zFormat.txt (7z).
"""

import os
import re
from collections.abc import Iterable
from typing import Final

_BLOCK: Final = 1 << 18
_END_BYTES: Final = 22
"""APPNOTE 4.3.16: the end of central directory record without its comment."""
_END64_BYTES: Final = 56
"""APPNOTE 4.3.14: its ZIP64 form without extensible data; the locator after it has 20 bytes."""
_LOCATOR_BYTES: Final = 20
_ENTRY_BYTES: Final = 46
"""APPNOTE 4.3.12: one member in the central directory, without its names."""
_LOCAL_BYTES: Final = 30
"""APPNOTE 4.3.7: the local header, without its name."""
_LONG: Final = 0xFFFFFFFF
"""APPNOTE 4.4.8: the number stands in the ZIP64 extra field."""
_NOTHING_BYTES: Final = 14
_START_7Z: Final = 32
"""7zFormat.txt: signature header; offset and size of the next header stand at bytes 12 and 20."""
_NOT_TEXT: Final = re.compile(rb"[\x00-\x08\x0e-\x1f]")


def has_more(pieces: Iterable[bytes], position: int) -> bool:
    """Say whether anything but zeros comes after so many bytes of these."""
    for piece in pieces:
        if piece[position:].strip(b"\0"):
            return True
        position = max(0, position - len(piece))
    return False


def has_more_at(descriptor: int, position: int) -> bool:
    """Say whether a file holds anything but zeros from a position on."""
    while block := os.pread(descriptor, _BLOCK, position):
        if block.strip(b"\0"):
            return True
        position += len(block)
    return False


def is_whole_zip(descriptor: int) -> bool:
    """Say whether a ZIP fills its file: from its first member to its comment, which is text."""
    size = os.fstat(descriptor).st_size
    begin = max(0, size - _END_BYTES - 0xFFFF)
    tail = os.pread(descriptor, size - begin, begin)
    at = tail.rfind(b"PK\x05\x06")
    end, comment = tail[at : at + _END_BYTES], tail[at + _END_BYTES :]
    if at < 0 or len(end) < _END_BYTES or _number(end, 20, 2) != len(comment):
        return False
    if _NOT_TEXT.search(comment):
        return False
    length, offset, behind = _number(end, 12, 4), _number(end, 16, 4), begin + at
    locator = os.pread(descriptor, _LOCATOR_BYTES, max(0, behind - _LOCATOR_BYTES))
    if locator.startswith(b"PK\x06\x07"):
        behind -= _LOCATOR_BYTES + _END64_BYTES
        end64 = os.pread(descriptor, _END64_BYTES, max(0, behind))
        if not end64.startswith(b"PK\x06\x06") or behind != _number(locator, 8, 8):
            return False
        length, offset = _number(end64, 40, 8), _number(end64, 48, 8)
    return offset + length == behind and _is_tiled(descriptor, offset, behind)


def _is_tiled(descriptor: int, directory: int, end: int) -> bool:
    """Say whether the members lie one behind the other from the first byte to the directory."""
    extents, at = [], directory
    while at < end:
        head = os.pread(descriptor, _ENTRY_BYTES, at)
        if len(head) < _ENTRY_BYTES or not head.startswith(b"PK\x01\x02"):
            return False
        names, extras, comments = (_number(head, each, 2) for each in (28, 30, 32))
        extra = os.pread(descriptor, extras, at + _ENTRY_BYTES + names)
        packed, plain, offset = _sizes(head, extra)
        local = os.pread(descriptor, _LOCAL_BYTES, offset) if offset < directory else b""
        # Nothing, deflated, takes 2 bytes, encrypted 14: what says that it is empty holds no more.
        if len(local) < _LOCAL_BYTES or (plain == 0 and packed > _NOTHING_BYTES):
            return False
        data = offset + _LOCAL_BYTES + _number(local, 26, 2) + _number(local, 28, 2)
        extents.append((offset, data + packed))
        at += _ENTRY_BYTES + names + extras + comments
    reached = 0
    for offset, behind in [*sorted(extents), (directory, directory)]:
        # APPNOTE 4.3.9: a data descriptor of at most 24 bytes may lie behind a member's data.
        if not 0 <= offset - reached <= (24 if reached else 0):
            return False
        reached = behind
    return True


def _sizes(head: bytes, extra: bytes) -> tuple[int, int, int]:
    """Give a member's packed and plain size, and its offset: APPNOTE 4.3.12; if long, 4.5.3."""
    packed, plain, offset = (_number(head, each, 4) for each in (20, 24, 42))
    at = 0
    while at + 4 <= len(extra):
        kind, length = _number(extra, at, 2), _number(extra, at + 2, 2)
        if kind == 1:
            field = extra[at + 4 : at + 4 + length]
            if plain == _LONG:
                plain, field = _number(field, 0, 8), field[8:]
            if packed == _LONG:
                packed, field = _number(field, 0, 8), field[8:]
            if offset == _LONG:
                offset = _number(field, 0, 8)
            break
        at += 4 + length
    return packed, plain, offset


def end_of_7z(descriptor: int) -> int:
    """Give where a 7z file ends, by its first 32 bytes; 0 if it does not begin there."""
    head = os.pread(descriptor, _START_7Z, 0)
    if not head.startswith(b"7z\xbc\xaf\x27\x1c"):
        return 0
    return min(_START_7Z + _number(head, 12, 8) + _number(head, 20, 8), (1 << 63) - 1)


def _number(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little")
