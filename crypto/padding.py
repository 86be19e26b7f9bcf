"""Hide how long the content is: zeros and a trailer, so that sealed sizes fall on few steps.

A payload is content, zeros, and a trailer of 16 bytes that says where the content ends. The number
of zeros follows from the length of the content and nothing else, so there is one true payload for
each content and no room to hide anything. The steps are Padmé's (Nikitin et al., "Reducing Metadata
Leakage from Encrypted Files and Communication with PURBs", PoPETs 2019/4, section 4), but never
finer than the floor of the kind. This module only counts: it sees no content and no key.
Format: docs/format/01-sealed-object.md sections 5 and 6.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self, assert_never

from crypto.errors import TrailerError
from crypto.stream import opened_payload_size, sealed_payload_size

HYBRID_HEADER_SIZE: Final = 1627
"""Bytes in an age header with one mlkem768x25519 stanza: version line 22; stanza line 18 + 1494 + 1
(1 120 bytes of share in base64); body 43 + 1 (32 bytes); MAC line 4 + 43 + 1."""

TRAILER_SIZE: Final = 16
MAX_CONTENT_SIZE: Final = 2**52
"""Bytes. Ours: the sealed size too must stand as an integer in an RFC 8785 manifest (2**53 - 1)."""

_TRAILER: Final = struct.Struct(">QB7s")
_MAGIC: Final = b"amana/1"  # The format and its version: another version is another magic.


class Kind(IntEnum):
    """What the content is, hence how it opens without us. The value is the trailer's kind byte."""

    RAW = 1
    """One file, byte for byte: `age -d | head -c SIZE`."""
    PACK = 2
    """Many small files as one POSIX pax tar: `age -d | tar -x`."""
    RECORD = 3
    """Canonical JSON, a line for each record: manifests, receipts, messages. Opens like RAW."""

    @property
    def floor_bytes(self) -> int:
        """The finest step of sealed sizes: 64 KiB for material, 4 KiB for records."""
        match self:
            case Kind.RAW | Kind.PACK:
                return 65_536
            case Kind.RECORD:
                return 4096
            case _:
                assert_never(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trailer:
    """The last 16 bytes of every payload: u64 content size (big-endian), kind byte, magic."""

    content_size: int
    kind: Kind

    def to_bytes(self) -> bytes:
        """Write the 16 bytes."""
        return _TRAILER.pack(self.content_size, self.kind, _MAGIC)

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> Self:
        """Read the 16 bytes. TrailerError: not ours, an unknown kind, or a size over the limit."""
        if len(untrusted) != TRAILER_SIZE:
            raise TrailerError("the payload is shorter than a trailer")
        content_size, untrusted_kind, magic = _TRAILER.unpack(untrusted)
        if magic != _MAGIC:
            raise TrailerError("the payload does not end with the trailer of this format")
        if content_size > MAX_CONTENT_SIZE:
            raise TrailerError("the trailer states a content size over the limit")
        try:
            return cls(content_size=content_size, kind=Kind(untrusted_kind))
        except ValueError as failure:
            raise TrailerError("the trailer states an unknown kind") from failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Every size, in bytes, of the one object that holds a content of this size and kind."""

    content_size: int
    padding_size: int
    payload_size: int
    sealed_size: int


def layout(content_size: int, kind: Kind) -> Layout:
    """Work out how content is padded: to the next step that an age file can have as its size.

    TrailerError: the size is negative or over MAX_CONTENT_SIZE.
    """
    if not 0 <= content_size <= MAX_CONTENT_SIZE:
        raise TrailerError("the content size is outside the limits of the format")
    sealed_size = _next_step(sealed_size_of(content_size + TRAILER_SIZE), kind.floor_bytes)
    while (payload_size := payload_size_of(sealed_size)) is None:
        # A chunk's tag makes some sizes impossible. Two steps in a row never are: see section 6.
        sealed_size = _next_step(sealed_size + 1, kind.floor_bytes)
    return Layout(
        content_size=content_size,
        padding_size=payload_size - content_size - TRAILER_SIZE,
        payload_size=payload_size,
        sealed_size=sealed_size,
    )


def sealed_size_of(payload_size: int) -> int:
    """Return the size of the whole object whose payload, trailer included, has this many bytes."""
    return HYBRID_HEADER_SIZE + sealed_payload_size(payload_size)


def payload_size_of(sealed_size: int) -> int | None:
    """Return the payload's size in an object of this size, or None if no age file has that size."""
    return opened_payload_size(sealed_size - HYBRID_HEADER_SIZE)


def is_on_step(sealed_size: int, kind: Kind) -> bool:
    """Tell whether an object of this kind can have this size at all."""
    is_reachable = payload_size_of(sealed_size) is not None
    return is_reachable and sealed_size == _next_step(sealed_size, kind.floor_bytes)


def padme_step(size: int) -> int:
    """Return Padmé's step, a power of two, at this size: at most 1/8 of it, 1/32 above 64 KiB."""
    exponent = size.bit_length() - 1
    return 1 << max(0, exponent - exponent.bit_length())


def _next_step(size: int, floor_bytes: int) -> int:
    step = max(floor_bytes, padme_step(size))
    return -(-size // step) * step
