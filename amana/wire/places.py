"""Which items lie in which object, and whether they can lie there: told by the manifests alone.

A raw object is one item; the items of a pack tile it. Whoever opens asks before any content is
opened, and reads the content by what is given here. Format: docs/format/16-pack.md, 17-bundle.md.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from amana.wire import pack
from amana.wire.errors import PackError
from amana.wire.ids import ObjectId
from amana.wire.manifest import ItemManifest
from amana.wire.sealed import ContentObject, ObjectKind


def items_by_object(
    objects: Iterable[ContentObject], items: Iterable[ItemManifest]
) -> Mapping[ObjectId, tuple[ItemManifest, ...]]:
    """Give the items of each object, in the order in which they lie.

    Items that name none of these objects are left out; item_mismatches() tells of them.
    PackError: a raw object is not one item without an offset, or the items of a pack have none, or
    do not tile it.
    """
    found: defaultdict[ObjectId, list[ItemManifest]] = defaultdict(list)
    for item in items:
        if item.content is not None:
            found[item.content.place.object_id].append(item)
    return MappingProxyType(
        {each.object_id: _items_of(each, found[each.object_id]) for each in objects}
    )


def places_of(items: Iterable[ItemManifest]) -> tuple[pack.Place, ...]:
    """Give where the items of a pack lie, in that order. PackError: as items_by_object()."""
    places = []
    for item in items:
        if item.content is None or item.content.place.offset is None:
            raise PackError("an item of a pack has no offset")
        places.append(
            pack.Place(
                item_id=item.item_id, offset=item.content.place.offset, size=item.content.size
            )
        )
    return pack.tiled(places)


def _items_of(each: ContentObject, items: Sequence[ItemManifest]) -> tuple[ItemManifest, ...]:
    if each.kind is ObjectKind.PACK:
        by_id = {str(item.item_id): item for item in items}
        if len(by_id) != len(items):
            raise PackError("an item stands twice in a pack")
        return tuple(by_id[place.item_id] for place in places_of(items))
    offsets = [item.content.place.offset for item in items if item.content is not None]
    if offsets != [None]:
        raise PackError("a raw object is not one item")
    return tuple(items)
