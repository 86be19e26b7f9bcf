"""Many small items in one object: a POSIX tar whose every byte follows from ids and sizes.

A member is named by its item id, never by the provider's name for it: a hostile name can then
hurt nobody who unpacks with a stock `tar`, and a reader that holds the manifests can check each
byte that is not content. No tar is ever parsed here. Format: docs/format/16-pack.md.
"""

import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from amana.wire.errors import PackError
from amana.wire.exact import ExactReader

BLOCK: Final = 512
"""Bytes in a tar block: POSIX.1-2017, pax, "ustar Interchange Format"."""
END: Final = bytes(2 * BLOCK)
"""A tar ends with two blocks of zeros: ibid."""
LIMIT_BYTES: Final = 32 << 20
"""A pack is closed before it grows over 32 MiB, so that it fits any reader's memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an item's bytes lie in the content of its object."""

    item_id: str
    offset: int
    size: int


def header(item_id: str, size: int) -> bytes:
    """Give the one block that stands before an item's bytes: name, size, and constants."""
    member = tarfile.TarInfo(item_id)
    member.size = size
    member.mode = 0o400
    return member.tobuf(format=tarfile.USTAR_FORMAT, encoding="ascii", errors="strict")


def fill(size: int) -> bytes:
    """Give the zeros that bring an item's bytes to a whole number of blocks."""
    return bytes(-size % BLOCK)


class Layout:
    """Says where each next item of a pack lies, before any of it is read."""

    def __init__(self) -> None:
        self._next = 0

    @property
    def size(self) -> int:
        """How long the pack is when it is closed now, end blocks included."""
        return self._next + len(END)

    def fits(self, size: int) -> bool:
        """Say whether an item of this size still goes into the pack."""
        return self.size + BLOCK + size + len(fill(size)) <= LIMIT_BYTES

    def add(self, item_id: str, size: int) -> Place:
        """Take the next place for an item."""
        place = Place(item_id=item_id, offset=self._next + BLOCK, size=size)
        self._next = place.offset + size + len(fill(size))
        return place


def tiled(places: Iterable[Place]) -> tuple[Place, ...]:
    """Give places in the order in which they lie. PackError: they are not all of one pack.

    Nothing of the pack is needed: manifests that cannot be true are refused before it is opened.
    """
    layout = Layout()
    ordered = tuple(sorted(places, key=lambda place: place.offset))
    for place in ordered:
        if not layout.fits(place.size):
            raise PackError("the manifests make the pack longer than a pack may be")
        if place != layout.add(place.item_id, place.size):
            raise PackError("the manifests leave a gap in the pack, or overlap")
    return ordered


def split(
    pack: Iterable[bytes], places: Iterable[Place]
) -> Iterator[tuple[Place, Iterator[bytes]]]:
    """Cut a pack into its items, in the order in which they lie.

    pack: the content of the object, cut anywhere. places: what the manifests say.
    Yields each place with its bytes; the bytes must be used up before the next item is asked for.
    Raises PackError as tiled(), and for a byte of the pack that does not follow from the places.
    """
    source = ExactReader(pack, PackError)
    for place in tiled(places):
        source.require(header(place.item_id, place.size))
        yield place, source.take(place.size)
        source.require(fill(place.size))
    source.require(END)
    source.end()
