"""Triage: hand each object of material to the identity of its handling class.

The file key stays and so does every byte behind the header; the old header, by which the intake
identity opened the object, is overwritten. Before that, what the object will be is written down,
from the very bytes that have the digest of the note. A run that is killed anywhere is finished by
the next. Nothing of the content is opened here. Format: docs/format/26-quarantine.md section 6.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from io import BufferedReader
from itertools import groupby
from pathlib import Path
from typing import Final

from amana.wire.ids import Digest, ObjectId
from amana.wire.reasons import ReasonCode
from amana.wire.sealed import ContentObject, SealedObject
from crypto.errors import CryptoError
from crypto.filekey import FileKey
from crypto.padding import HYBRID_HEADER_SIZE
from crypto.recipients import HybridRecipient
from crypto.rewrap import Rewrapping, rewrap
from terms.vocabulary import HandlingClass
from worker.agent_client import Keys
from worker.agent_messages import Holder, SealedHeader
from worker.errors import DisagreementError
from worker.opening import Opened
from worker.rewrapped import Rewrapped, finish, keep, read_rewrapped
from worker.sealed_contents import KEYS_AT_ONCE, SealedContents

_PIECE_BYTES: Final = 1 << 20

ClassOf = Callable[[ObjectId], HandlingClass]
"""Says of which class an object is: the strictest of its items' classes."""


def rewrap_objects(
    folder: Path, opened: Opened, keys: Keys, class_of_object: ClassOf
) -> tuple[Rewrapped, ...]:
    """Hand over every object of material, and give the last change of each, in their order.

    An object that has its class already is left as it is, so a second run does nothing. When this
    returns no copy of an old header is left in the folder. Use opened.after(...) from then on.
    KeysUnavailableError: try again later; what was done stays done. DisagreementError: an object is
    no longer what it was when it was opened. PipelineError: as read_rewrapped().
    """
    # What a run before this one wrote down counts, whenever the submission was opened.
    kept = read_rewrapped(folder, opened.note.submission_id, opened.note.objects)
    for change in kept.values():
        finish(folder, change)
    opened = opened.after(kept)
    triage = _Triage(folder, opened, keys)
    waiting = [
        (each, wanted)
        for each in opened.submission.objects
        if triage.class_now(each.object_id) is not (wanted := class_of_object(each.object_id))
    ]
    done = {
        change.object_id: change
        for _, group in groupby(waiting, key=lambda pair: opened.holder_of(pair[0].object_id))
        for batch in _batches(list(group))
        for change in triage.hand_over(batch)
    }
    everything = {**opened.rewrapped, **done}
    return tuple(everything[each.object_id] for each in opened.submission.objects)


class _Triage:
    """The objects of one submission on their way to their classes."""

    def __init__(self, folder: Path, opened: Opened, keys: Keys) -> None:
        self._folder = folder
        self._opened = opened
        self._keys = keys
        self._sealed = SealedContents(folder, opened.note.submission_id, keys)
        self._recipients: dict[HandlingClass, HybridRecipient] = {}

    def class_now(self, object_id: ObjectId) -> HandlingClass | None:
        """Give the class that an object has been handed to; None before its triage."""
        change = self._opened.rewrapped.get(object_id)
        return None if change is None else change.handling_class

    def hand_over(
        self, batch: Sequence[tuple[ContentObject, HandlingClass]]
    ) -> Iterator[Rewrapped]:
        """Hand over objects of one holder, one after the other; yield each when it is done."""
        objects = [each.object_id for each, _ in batch]
        holder: Holder = self._opened.holder_of(objects[0])
        file_keys = self._sealed.file_keys(holder, [self._sealed.header(each) for each in objects])
        for (each, wanted), file_key in zip(batch, file_keys, strict=True):
            yield self._hand_over_one(each, wanted, file_key)

    def _hand_over_one(
        self, each: ContentObject, wanted: HandlingClass, file_key: FileKey
    ) -> Rewrapped:
        before = self._opened.rewrapped.get(each.object_id)
        stated = each.outside if before is None else before.sealed
        with self._sealed.source(each.object_id) as source:
            header = source.read(HYBRID_HEADER_SIZE)
            try:
                change = rewrap(header, file_key, self._recipient(wanted))
            except CryptoError as failure:
                raise DisagreementError(
                    ReasonCode.OBJECT_DISAGREES, object_id=each.object_id
                ) from failure
            sealed_after = _digest_after(source, change, stated)
        kept = Rewrapped(
            submission_id=self._opened.note.submission_id,
            object_id=each.object_id,
            number=1 if before is None else before.number + 1,
            handling_class=wanted,
            sealed_size=stated.sealed_size,
            sealed_before=stated.sealed_sha256,
            sealed_after=sealed_after,
            header_before=Digest(change.old_digest.hex()),
            header=SealedHeader(change.new),
        )
        keep(self._folder, kept)
        finish(self._folder, kept)
        return kept

    def _recipient(self, wanted: HandlingClass) -> HybridRecipient:
        if wanted not in self._recipients:
            submission = self._opened.note.submission_id
            self._recipients[wanted] = self._keys.class_recipient(submission, wanted)
        return self._recipients[wanted]


def _digest_after(source: BufferedReader, change: Rewrapping, stated: SealedObject) -> Digest:
    """Give the digest under the new header, of the very bytes that have the stated one."""
    before, after = hashlib.sha256(change.old), hashlib.sha256(change.new)
    while piece := source.read(_PIECE_BYTES):
        before.update(piece)
        after.update(piece)
    if before.hexdigest() != stated.sealed_sha256:
        raise DisagreementError(ReasonCode.OBJECT_DISAGREES, object_id=stated.object_id)
    return Digest(after.hexdigest())


def _batches(
    waiting: Sequence[tuple[ContentObject, HandlingClass]],
) -> Iterator[Sequence[tuple[ContentObject, HandlingClass]]]:
    for start in range(0, len(waiting), KEYS_AT_ONCE):
        yield waiting[start : start + KEYS_AT_ONCE]
