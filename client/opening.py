"""Open a bundle on a machine that may see clear files, and believe nothing that does not agree.

Signature, sealed digests, manifests, content digests: each is checked before the next is looked
at, and a clear file gets its name only when all of its bytes have been authenticated and have the
digests of its manifest. Step numbers: docs/format/17-bundle.md.
"""

import hashlib
import io
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Final

from amana.wire import pack
from amana.wire.agree import item_mismatches, note_mismatches
from amana.wire.bundle import DISK, NOTE, OBJECTS, object_path
from amana.wire.errors import WireError
from amana.wire.ids import ItemId, ObjectId
from amana.wire.manifest import ItemManifest
from amana.wire.manifest_lines import Limits, read_manifests
from amana.wire.note import Attestation, PackageNote, read_note
from amana.wire.sealed import ContentObject, ObjectKind, SealedObject
from amana.wire.signers import SIGNATURES_LIMIT_BYTES
from amana.wire.submission import SubmissionManifest
from client.bundle import Progress, open_plain
from client.errors import BundleError
from client.output import OutputTree
from client.sealing import KINDS
from crypto.note import DualKey
from crypto.opening import HybridIdentity, SeekableObject
from crypto.padding import Kind

NOTE_LIMIT_BYTES: Final = PackageNote.LIMIT_BYTES + SIGNATURES_LIMIT_BYTES

_SEALED_SUBMISSION_LIMIT_BYTES: Final = 2 * SubmissionManifest.LIMIT_BYTES
"""Header, tags and padding come to far less than the content (chapter 1, section 6)."""

_ENTRIES: Final = frozenset({NOTE, OBJECTS})
"""All that stands in the folder of a bundle on one disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedItem:
    """One item that is whole: its manifest, and the path where it lies; links lie nowhere."""

    manifest: ItemManifest
    path: Path | None


class BundleOpener:
    """Opens one bundle with one identity. Making one does steps 1 to 5; no content is opened yet.

    BundleError: the folder is no bundle, or a step finds what does not agree. NoMatchError: the
    identity is not the one that the bundle was sealed to. Other CryptoError: an object is damaged.
    """

    def __init__(self, folder: Path, identity: HybridIdentity, signer: DualKey) -> None:
        self._folder = folder
        self._identity = identity
        self.note = self._read_note(signer)  # Steps 1 and 2.
        self._require_objects()  # Step 3.
        self.submission = self._read_submission()  # Step 4.
        self._require_records()  # Step 5.
        self.items = self._read_items()

    def open(self, out: Path, progress: Progress) -> Iterator[OpenedItem]:
        """Do step 6: yield each item once its file is complete under its name.

        out: a folder that is new or empty. Errors as above; what was yielded until then is whole,
        and nothing else has a name.
        """
        tree = OutputTree(out)
        by_object: defaultdict[ObjectId, list[ItemManifest]] = defaultdict(list)
        for item in self.items:
            if item.content is None:
                yield OpenedItem(manifest=item, path=tree.make_folder(item))
            else:
                by_object[item.content.place.object_id].append(item)
        for each in self.submission.objects:
            yield from self._open_object(each, by_object[each.object_id], tree, progress)
        tree.restore_folder_times()

    def _read_note(self, signer: DualKey) -> PackageNote:
        try:
            with open_plain(self._folder / NOTE) as source:
                untrusted = source.read(NOTE_LIMIT_BYTES + 1)
            return read_note(untrusted, signer, Attestation.SIGNED)
        except (FileNotFoundError, NotADirectoryError) as failure:
            raise BundleError("not-a-bundle", folder=str(self._folder)) from failure
        except WireError as failure:
            raise BundleError("note-not-believed", reason=str(failure)) from failure

    def _require_objects(self) -> None:
        named = {object_path(each.object_id).name: each for each in self.note.everything()}
        entries = {path.name for path in self._folder.iterdir()}
        if DISK in entries:
            raise BundleError("several-disks", folder=str(self._folder))
        strangers = entries - _ENTRIES
        strangers |= self._names() - named.keys()
        if strangers:
            raise BundleError("objects-not-named", count=len(strangers))
        if missing := named.keys() - self._names():
            raise BundleError("objects-missing", count=len(missing))
        for each in named.values():
            with self._source(each) as source:
                has_size = os.fstat(source.fileno()).st_size == each.sealed_size
                digest = hashlib.file_digest(source, "sha256").hexdigest() if has_size else ""
            _require_signed(digest, each)

    def _names(self) -> set[str]:
        folder = self._folder / OBJECTS
        is_folder = folder.is_dir() and not folder.is_symlink()
        return {path.name for path in folder.iterdir()} if is_folder else set()

    def _source(self, each: SealedObject | ContentObject) -> BufferedReader:
        try:
            return open_plain(self._folder / object_path(each.object_id))
        except (FileNotFoundError, NotADirectoryError) as failure:
            raise BundleError("objects-missing", count=1) from failure

    def _read_submission(self) -> SubmissionManifest:
        # Nothing inside says what this record must be, so it is opened from the very bytes whose
        # digest the note has; whoever holds the disk may have changed the file since step 3.
        sealed = self.note.submission_manifest
        if sealed.sealed_size > _SEALED_SUBMISSION_LIMIT_BYTES:
            raise BundleError("manifests-disagree", reason="too long")
        with self._source(sealed) as source:
            held = source.read(sealed.sealed_size + 1)
        _require_signed(hashlib.sha256(held).hexdigest(), sealed)
        record = SeekableObject(io.BytesIO(held), self._identity, kind=Kind.RECORD)
        submission = _believed(b"".join(record.contents()))
        if mismatches := note_mismatches(self.note, submission):
            raise BundleError("manifests-disagree", reason=", ".join(mismatches))
        return submission

    def _require_records(self) -> None:
        for each in self.submission.records:
            sha256 = hashlib.sha256()
            with self._source(each.outside) as source:
                for piece in SeekableObject(source, self._identity, kind=Kind.RECORD).contents():
                    sha256.update(piece)
            if sha256.hexdigest() != each.sha256:
                raise BundleError("manifests-disagree", reason="a record")

    def _read_items(self) -> tuple[ItemManifest, ...]:
        items: list[ItemManifest] = []
        for each in self.submission.item_manifests:
            with self._source(each) as source:
                record = SeekableObject(source, self._identity, kind=Kind.RECORD)
                limits = Limits(manifests=self.submission.items - len(items))
                try:
                    items += read_manifests(record.contents(), limits)
                except WireError as failure:
                    raise BundleError("manifests-disagree", reason=str(failure)) from failure
        if mismatches := item_mismatches(self.submission, items):
            raise BundleError("manifests-disagree", reason=", ".join(mismatches))
        return tuple(items)

    def _open_object(
        self,
        each: ContentObject,
        items: Sequence[ItemManifest],
        tree: OutputTree,
        progress: Progress,
    ) -> Iterator[OpenedItem]:
        with self._source(each) as source:
            content = SeekableObject(source, self._identity, kind=KINDS[each.kind]).contents()
            for item, pieces in _items_of(each, items, content):
                yield OpenedItem(manifest=item, path=tree.write(item, pieces, progress))


def _require_signed(digest: str, each: SealedObject) -> None:
    if digest != each.sealed_sha256:
        raise BundleError("object-changed", name=each.object_id)


def _believed(untrusted: bytes) -> SubmissionManifest:
    try:
        return SubmissionManifest.from_bytes(untrusted)
    except WireError as failure:
        raise BundleError("manifests-disagree", reason=str(failure)) from failure


def _items_of(
    each: ContentObject, items: Sequence[ItemManifest], content: Iterator[bytes]
) -> Iterator[tuple[ItemManifest, Iterator[bytes]]]:
    """Yield the items of one object with their bytes, in the order in which they lie."""
    offsets = [item.content.place.offset for item in items if item.content is not None]
    if each.kind is ObjectKind.RAW:
        if offsets != [None]:
            raise BundleError("manifests-disagree", reason="a raw object is one item")
        yield items[0], content
        return
    by_id = {item.item_id: item for item in items}
    places = [
        pack.Place(item_id=item.item_id, offset=item.content.place.offset, size=item.content.size)
        for item in items
        if item.content is not None and item.content.place.offset is not None
    ]
    if len(places) != len(items):
        raise BundleError("manifests-disagree", reason="an item of a pack has no offset")
    try:
        for place, pieces in pack.split(content, places):
            yield by_id[ItemId(place.item_id)], pieces
    except WireError as failure:
        raise BundleError("manifests-disagree", reason=str(failure)) from failure
