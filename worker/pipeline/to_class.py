"""Give the objects of a submission to their handling classes, and say so in custody events.

An object is opened as a whole, so it belongs to the strictest class of what lies in it. Format:
docs/format/26-quarantine.md.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from amana.wire.event import EventType, Role, Thing, ThingKind
from amana.wire.ids import ItemId, ObjectId, ThingId
from amana.wire.reasons import ReasonCode
from terms.vocabulary import HandlingClass
from worker.custody import Deed, about
from worker.opening import Opened
from worker.pipeline.rows import ItemRow, SubmissionRow
from worker.pipeline.workshop import Workshop
from worker.rewrapped import Rewrapped
from worker.triage import rewrap_objects

STRICTER: Final = (
    HandlingClass.STANDARD,
    HandlingClass.SENSITIVE,
    HandlingClass.SGBV,
    HandlingClass.CHILD,
)
"""The order in which a stricter class wins over a milder one that shares its object."""


def strictest(classes: Sequence[HandlingClass]) -> HandlingClass:
    """Give the class that counts of several; the mildest of all where there is none."""
    return max(classes, key=STRICTER.index, default=HandlingClass.STANDARD)


def give_to_classes(
    shop: Workshop, row: SubmissionRow, opened: Opened, items: Sequence[ItemRow]
) -> list[Deed]:
    """Hand every object to its class, and give what is to be said of it. Done again, the same.

    items: all of the submission. What officers never accepted goes by the class that its provider
    declared, so nothing beside it makes it milder. Errors: as worker.triage.rewrap_objects.
    """
    classes = _declared(opened) | {
        each.item_id: each.handling_class for each in items if each.handling_class is not None
    }
    inside = _items_of(opened)

    def class_of(object_id: ObjectId) -> HandlingClass:
        return strictest([classes[each] for each in inside[object_id] if each in classes])

    changes = rewrap_objects(shop.places.bundle(row.submission_id), opened, shop.keys, class_of)
    return [_deed(change, inside[change.object_id]) for change in changes]


def _items_of(opened: Opened) -> Mapping[ObjectId, list[ItemId]]:
    inside: defaultdict[ObjectId, list[ItemId]] = defaultdict(list)
    for item in opened.items:
        if item.content is not None:
            inside[item.content.place.object_id].append(item.item_id)
    return inside


def _declared(opened: Opened) -> dict[ItemId, HandlingClass]:
    """Give the class of each item as its provider declared it, where it did."""
    declared = {
        item.item_id: item.handling_class or opened.submission.handling_class
        for item in opened.items
    }
    return {item: each for item, each in declared.items() if each is not None}


def _deed(change: Rewrapped, items: Sequence[ItemId]) -> Deed:
    return Deed(
        type=EventType.ENCRYPTION,
        thing=Thing(kind=ThingKind.OBJECT, id=ThingId(change.object_id)),
        # Senders choose the ids of objects; two submissions may have the same.
        others=(about(change.submission_id),),
        role=Role.KEY_AGENT,
        # The history of one item, or of the whole where many share the object.
        item=items[0] if len(items) == 1 else None,
        occurrence=change.number,
        digest_before=change.header_before,
        digest_after=change.header_after,
        reason=ReasonCode.CLASS_ASSIGNED,
    )
