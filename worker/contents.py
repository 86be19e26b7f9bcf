"""The bytes of items, out of the sealed objects of a submission that was opened.

Raw objects stream and are never in memory as a whole; a pack, of at most 32 MiB, is opened once,
and its items are served from memory. What comes out of a raw object is final only when it has
ended, and the digests of its manifest are its consumer's to compare. Nothing is written.
Formats: docs/format/16-pack.md, 26-quarantine.md section 5.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final

from amana.wire import pack
from amana.wire.errors import WireError
from amana.wire.ids import ItemId, ObjectId
from amana.wire.manifest import ItemManifest
from amana.wire.places import items_by_object, places_of
from amana.wire.reasons import ReasonCode
from amana.wire.sealed import ObjectKind
from crypto.filekey import FileKey
from crypto.padding import Kind
from worker.agent_client import Keys
from worker.errors import DisagreementError, MismatchError
from worker.inspector import Item
from worker.memory import Content
from worker.opening import Opened
from worker.sealed_contents import SealedContents, opened

PACKS_HELD: Final = 2
"""Packs in memory at one time, at most 32 MiB each. Ours: where one ends the next begins, and items
in flight belong to the one or the other."""

KEYS_AHEAD: Final = 32
"""Objects for which file keys are asked together. Ours: few enough that no more is unwrapped than
will be read soon, enough that asking costs nothing."""


class SubmissionContents:
    """Where the bytes of a submission's items come from. Threads may share it."""

    def __init__(self, folder: Path, opened: Opened, keys: Keys) -> None:
        self._opened = opened
        self._sealed = SealedContents(folder, opened.note.submission_id, keys)
        self._objects = {each.object_id: each for each in opened.submission.objects}
        self._items = items_by_object(opened.submission.objects, opened.items)
        self._keys = _KeyRing(opened, self._sealed)
        self._packs: OrderedDict[ObjectId, Mapping[ItemId, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def items(self) -> tuple[Item, ...]:
        """Give the items that have bytes, object by object, for the inspector.

        In another order each pack is opened more than once.
        """
        return tuple(
            Item(
                item_id=item.item_id,
                content=Content(size_bytes=item.content.size, sha256=item.content.sha256),
                read=partial(self.open, item),
            )
            for items in self._items.values()
            for item in items
            if item.content is not None
        )

    def open(self, item: ItemManifest) -> Iterator[bytes]:
        """Yield the bytes of one item, cut anywhere.

        DisagreementError: its object does not open as it should, which is a fact about it; what
        was yielded until then is no item. KeysUnavailableError: try again later.
        """
        if item.content is None:
            raise MismatchError("the item has no bytes")
        object_id = item.content.place.object_id
        found = self._objects.get(object_id)
        if found is None:
            raise MismatchError("the item is not of this submission")
        match found.kind:
            case ObjectKind.RAW:
                yield from self._raw(object_id, item.content.size)
            case ObjectKind.PACK:
                yield self._pack(object_id)[item.item_id]

    def _raw(self, object_id: ObjectId, size: int) -> Iterator[bytes]:
        key = self._keys.key(object_id)
        with self._sealed.source(object_id) as source:
            yield from opened(source, key, Kind.RAW, object_id, size)

    def _pack(self, object_id: ObjectId) -> Mapping[ItemId, bytes]:
        # One at a time: whoever waits most likely wants the same pack.
        with self._lock:
            held = self._packs.get(object_id)
            if held is None:
                held = self._open_pack(object_id)
                self._packs[object_id] = held
            self._packs.move_to_end(object_id)
            while len(self._packs) > PACKS_HELD:
                self._packs.popitem(last=False)
            return held

    def _open_pack(self, object_id: ObjectId) -> Mapping[ItemId, bytes]:
        key = self._keys.key(object_id)
        places = places_of(self._items[object_id])
        try:
            with self._sealed.source(object_id) as source:
                content = opened(source, key, Kind.PACK, object_id)
                # Only when the last byte of the pack is right is any of it used.
                items = {
                    ItemId(place.item_id): b"".join(pieces)
                    for place, pieces in pack.split(content, places)
                }
        except WireError as failure:
            raise DisagreementError(
                ReasonCode.ITEM_MANIFEST_DISAGREES, object_id=object_id
            ) from failure
        return MappingProxyType(items)


class _KeyRing:
    """File keys of objects, asked for some objects ahead, in the order of the submission."""

    def __init__(self, opened: Opened, sealed: SealedContents) -> None:
        self._opened = opened
        self._sealed = sealed
        self._order = [each.object_id for each in opened.submission.objects]
        self._place = {object_id: number for number, object_id in enumerate(self._order)}
        self._keys: dict[ObjectId, FileKey | DisagreementError] = {}
        self._lock = threading.Lock()

    def key(self, object_id: ObjectId) -> FileKey:
        """Give the key of an object. DisagreementError: it is sealed to another."""
        with self._lock:
            if object_id not in self._keys:
                self._ask(self._ahead(object_id))
            found = self._keys[object_id]
        if isinstance(found, DisagreementError):
            raise found
        return found

    def _ahead(self, object_id: ObjectId) -> list[ObjectId]:
        start, holder = self._place[object_id], self._opened.holder_of(object_id)
        return [
            each
            for each in self._order[start : start + KEYS_AHEAD]
            if each not in self._keys and self._opened.holder_of(each) == holder
        ]

    def _ask(self, wanted: Sequence[ObjectId]) -> None:
        """Ask for keys; an object that is refused does not spoil those beside it."""
        waiting = list(wanted)
        while waiting:
            try:
                headed = [self._sealed.header(each) for each in waiting]
                keys = self._sealed.file_keys(self._opened.holder_of(waiting[0]), headed)
            except DisagreementError as refused:
                at_fault = waiting if refused.object_id is None else [refused.object_id]
                self._keys.update(dict.fromkeys(at_fault, refused))
                waiting = [each for each in waiting if each not in at_fault]
            else:
                self._keys.update(zip(waiting, keys, strict=True))
                return
