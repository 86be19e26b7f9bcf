"""Give the objects of a submission to their handling classes, and say so in custody events.

An object is opened as a whole, so it belongs to the strictest class of what lies in it. Format:
docs/format/26-quarantine.md.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from amana.wire.event import EventType, Role, Thing, ThingKind
from amana.wire.ids import ItemId, ObjectId, ThingId
from amana.wire.reasons import ReasonCode
from terms.vocabulary import HandlingClass
from worker.custody import Deed
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
    shop: Workshop, row: SubmissionRow, opened: Opened, accepted: Sequence[ItemRow]
) -> list[Deed]:
    """Hand every object to its class, and give what is to be said of it. Done again, the same.

    What lies beside accepted items goes by the class that its provider declared. Errors: as
    worker.triage.rewrap_objects.
    """
    decided = {
        each.item_id: each.handling_class for each in accepted if each.handling_class is not None
    }
    inside = _items_of(opened)

    def class_of(object_id: ObjectId) -> HandlingClass:
        ids = inside[object_id]
        return (
            strictest([decided[each] for each in ids if each in decided])
            if (any(each in decided for each in ids))
            else strictest(list(_declared(opened, ids)))
        )

    changes = rewrap_objects(shop.places.bundle(row.submission_id), opened, shop.keys, class_of)
    return [_deed(change, inside[change.object_id]) for change in changes]


def _items_of(opened: Opened) -> Mapping[ObjectId, list[ItemId]]:
    inside: defaultdict[ObjectId, list[ItemId]] = defaultdict(list)
    for item in opened.items:
        if item.content is not None:
            inside[item.content.place.object_id].append(item.item_id)
    return inside


def _declared(opened: Opened, ids: Sequence[ItemId]) -> Iterator[HandlingClass]:
    wanted = set(ids)
    for item in opened.items:
        declared = item.handling_class or opened.submission.handling_class
        if item.item_id in wanted and declared is not None:
            yield declared


def _deed(change: Rewrapped, items: Sequence[ItemId]) -> Deed:
    return Deed(
        type=EventType.ENCRYPTION,
        thing=Thing(kind=ThingKind.OBJECT, id=ThingId(change.object_id)),
        role=Role.KEY_AGENT,
        # The history of one item, or of the whole where many share the object.
        item=items[0] if len(items) == 1 else None,
        occurrence=change.number,
        digest_before=change.header_before,
        digest_after=change.header_after,
        reason=ReasonCode.CLASS_ASSIGNED,
    )
