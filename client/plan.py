"""Which item goes into which object, decided before a byte is read, and refused before if too much.

Large files get an object of their own; small ones share packs, because each object costs a header,
padding and a round trip. Format: docs/format/16-pack.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from amana.wire.ids import ItemId, ObjectId, random_id
from amana.wire.manifest import ItemKind, ObjectPlace
from amana.wire.manifest_lines import DEFAULT_LIMITS
from amana.wire.pack import Layout
from amana.wire.sealed import OBJECTS_LIMIT, ObjectKind
from client.errors import TreeError
from client.tree import Entry

PACKED_BELOW_BYTES: Final = 4 << 20
"""Smaller files share a pack. Ours: eight fit, and padding one of 4 MiB alone costs 3 %."""


MOST_ITEMS: Final = DEFAULT_LIMITS.manifests
"""Most items of one submission (amana.wire.manifest_lines)."""

MOST_OBJECTS: Final = OBJECTS_LIMIT - 1
"""Most objects that hold material: one of the submission's holds the item manifests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedItem:
    """An entry, the id it will have, and where its bytes will lie; nowhere without bytes."""

    entry: Entry
    item_id: ItemId
    place: ObjectPlace | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedObject:
    """One object to be sealed, and its items in the order of their bytes."""

    object_id: ObjectId
    kind: ObjectKind
    items: tuple[PlannedItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All objects, and the items that have no bytes: empty folders and links."""

    objects: tuple[PlannedObject, ...]
    bare: tuple[PlannedItem, ...]

    @property
    def content_bytes(self) -> int:
        """How many bytes of the provider's files will be read."""
        return sum(item.entry.size for each in self.objects for item in each.items)


def plan(entries: Iterable[Entry]) -> Plan:
    """Give every entry an id and a place. Packs are filled in the order of the entries.

    TreeError: more items, or more objects, than one submission can hold.
    """
    entries = tuple(entries)
    if len(entries) > MOST_ITEMS:
        raise TreeError("too-many-items", count=len(entries), most=MOST_ITEMS)
    objects: list[PlannedObject] = []
    bare: list[PlannedItem] = []
    pack = _OpenPack()
    for entry in entries:
        if entry.kind is not ItemKind.FILE:
            bare.append(PlannedItem(entry=entry, item_id=random_id(ItemId), place=None))
        elif entry.size >= PACKED_BELOW_BYTES:
            objects.append(_alone(entry))
        else:
            if not pack.fits(entry):
                objects.append(pack.close())
                pack = _OpenPack()
            pack.add(entry)
    if pack.items:
        objects.append(pack.close())
    if len(objects) > MOST_OBJECTS:
        raise TreeError("too-many-objects", count=len(objects), most=MOST_OBJECTS)
    return Plan(objects=tuple(objects), bare=tuple(bare))


def _alone(entry: Entry) -> PlannedObject:
    object_id = random_id(ObjectId)
    place = ObjectPlace(object_id=object_id, offset=None)
    item = PlannedItem(entry=entry, item_id=random_id(ItemId), place=place)
    return PlannedObject(object_id=object_id, kind=ObjectKind.RAW, items=(item,))


class _OpenPack:
    """A pack that still takes items."""

    def __init__(self) -> None:
        self._object_id = random_id(ObjectId)
        self._layout = Layout()
        self.items: list[PlannedItem] = []

    def fits(self, entry: Entry) -> bool:
        return self._layout.fits(entry.size)

    def add(self, entry: Entry) -> None:
        item_id = random_id(ItemId)
        offset = self._layout.add(item_id, entry.size).offset
        place = ObjectPlace(object_id=self._object_id, offset=offset)
        self.items.append(PlannedItem(entry=entry, item_id=item_id, place=place))

    def close(self) -> PlannedObject:
        return PlannedObject(
            object_id=self._object_id, kind=ObjectKind.PACK, items=tuple(self.items)
        )
