"""What the quarantine sees when it opens what the portal received."""

import io
from dataclasses import dataclass
from pathlib import Path

from amana.wire.agree import item_mismatches, note_mismatches
from amana.wire.bundle import NOTE, object_path
from amana.wire.manifest import ItemManifest
from amana.wire.manifest_lines import read_manifests
from amana.wire.note import Attestation, PackageNote, read_note
from amana.wire.submission import SubmissionManifest
from crypto.note import DualKey
from crypto.opening import HybridIdentity, SeekableObject
from crypto.padding import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    note: PackageNote
    submission: SubmissionManifest
    items: tuple[ItemManifest, ...]
    contents: tuple[bytes, ...]
    records: tuple[bytes, ...]

    def content_of(self, name: bytes) -> bytes:
        (index,) = [n for n, item in enumerate(self.items) if item.name.raw == name]
        return self.contents[index]

    def item(self, name: bytes) -> ItemManifest:
        (found,) = [item for item in self.items if item.name.raw == name]
        return found


def opened(folder: Path, identity: HybridIdentity, key: DualKey) -> Opened:
    """Open a bundle by the rules of docs/format/17, and compare all that must agree."""
    note = read_note((folder / NOTE).read_bytes(), key, Attestation.OBSERVED)
    named = {object_path(each.object_id).name for each in note.everything()}
    assert {path.name for path in (folder / "objects").iterdir()} == named
    path = folder / object_path(note.submission_manifest.object_id)
    submission = SubmissionManifest.from_bytes(open_record(path, identity))
    assert note_mismatches(note, submission) == ()
    items = tuple(
        item
        for each in submission.item_manifests
        for item in read_manifests([open_record(folder / object_path(each.object_id), identity)])
    )
    assert item_mismatches(submission, items) == ()
    contents = tuple(
        _open(folder / object_path(item.content.place.object_id), identity, Kind.RAW)
        for item in items
        if item.content is not None
    )
    records = tuple(
        open_record(folder / object_path(each.object_id), identity) for each in submission.records
    )
    return Opened(note=note, submission=submission, items=items, contents=contents, records=records)


def open_record(path: Path, identity: HybridIdentity) -> bytes:
    return _open(path, identity, Kind.RECORD)


def _open(path: Path, identity: HybridIdentity, kind: Kind) -> bytes:
    source = io.BytesIO(path.read_bytes())
    return b"".join(SeekableObject(source, identity, kind=kind).contents())
