"""Bundles that are signed by the right member and sealed to the right key, and lie."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from amana.wire.bundle import NOTE, object_path
from amana.wire.ids import ConsentId, ContentSha256, Digest, ObjectId, random_id
from amana.wire.manifest import ItemManifest
from amana.wire.manifest_lines import items_root, write_lines
from amana.wire.note import PackageNote
from amana.wire.sealed import RecordKind, RecordObject, SealedObject
from amana.wire.submission import SubmissionManifest
from crypto.filekey import FileKey
from crypto.header import Header
from crypto.padding import Kind, Trailer, layout
from crypto.recipients import HybridRecipient
from crypto.seal import seal
from crypto.sign import NoteSigner
from crypto.stream import NONCE_SIZE, ChunkSealer
from tests.worker.opening.world import World
from worker.opening import Opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What the documents of a bundle say. Honest ones agree."""

    note: PackageNote
    submission: SubmissionManifest
    items: tuple[ItemManifest, ...]


Lie = Callable[[Story], Story]


def honest(story: Story) -> Story:
    return story


def story_of(opened: Opened) -> Story:
    return Story(note=opened.note, submission=opened.submission, items=opened.items)


class Forger:
    """Takes the place of a provider who lies: everything is sealed and signed anew."""

    def __init__(self, world: World, bundle: Path) -> None:
        self._signer: NoteSigner = world.member.signer
        self.recipient: HybridRecipient = world.rehearsal.intake.recipient
        self.bundle = bundle

    def tell(self, told: Story, lie: Lie) -> None:
        """Write the story with the lie in it; lines and root are made to fit the items first."""
        for each in (told.note.submission_manifest, *told.note.item_manifests):
            (self.bundle / object_path(each.object_id)).unlink()
        items = lie(told).items
        lines = [item.to_bytes() for item in items]
        manifests = self.seal(b"".join(write_lines(lines)))
        root = Digest(items_root(lines).hex())
        submission = replace(
            told.submission, items=len(items), items_root=root, item_manifests=(manifests,)
        )
        note = replace(told.note, items_root=root, item_manifests=(manifests,))
        told = lie(Story(note=note, submission=submission, items=items))
        self.write(told.note, told.submission.to_bytes())

    def write(self, note: PackageNote, submission: bytes) -> None:
        """Seal a submission manifest, whatever it is, and sign the note that names it."""
        self.sign(replace(note, submission_manifest=self.seal(submission)))

    def sign(self, note: PackageNote) -> None:
        signed = self._signer.sign(note.to_bytes().decode())
        (self.bundle / NOTE).write_bytes(signed.to_bytes())

    def seal(
        self, content: bytes, kind: Kind = Kind.RECORD, recipient: HybridRecipient | None = None
    ) -> SealedObject:
        return self.put(self.sealed(content, kind, recipient))

    def sealed(
        self, content: bytes, kind: Kind = Kind.RECORD, recipient: HybridRecipient | None = None
    ) -> bytes:
        return b"".join(seal([content], recipient or self.recipient, kind))

    def put(self, sealed: bytes) -> SealedObject:
        """Put any bytes where a sealed object lies."""
        object_id = random_id(ObjectId)
        (self.bundle / object_path(object_id)).write_bytes(sealed)
        return SealedObject(
            object_id=object_id,
            sealed_size=len(sealed),
            sealed_sha256=Digest(hashlib.sha256(sealed).hexdigest()),
        )

    def record(
        self, content: bytes, kind: RecordKind, consent_id: ConsentId | None = None
    ) -> RecordObject:
        outside = self.seal(content)
        return RecordObject(
            object_id=outside.object_id,
            sealed_size=outside.sealed_size,
            sealed_sha256=outside.sealed_sha256,
            kind=kind,
            consent_id=consent_id,
            sha256=ContentSha256(hashlib.sha256(content).hexdigest()),
        )


def with_records(*records: RecordObject) -> Lie:
    """Not a lie by itself: the story has these records too."""

    def lie(told: Story) -> Story:
        return Story(
            note=replace(told.note, records=tuple(each.outside for each in records)),
            submission=replace(told.submission, records=records),
            items=told.items,
        )

    return lie


def text_of(bundle: Path) -> str:
    """The text of a note, without its signatures."""
    return (bundle / NOTE).read_text().rpartition("\n\n")[0] + "\n"


def signed_by(bundle: Path, signer: NoteSigner) -> Path:
    """The same bundle, with its note signed by somebody else."""
    (bundle / NOTE).write_bytes(signer.sign(text_of(bundle)).to_bytes())
    return bundle


def with_byte_in_padding(
    content: bytes, recipient: HybridRecipient, kind: Kind = Kind.RECORD
) -> bytes:
    """Seal an object as its format says, but for one byte where only zeros may be."""
    file_key, nonce = FileKey.generate(), bytes(NONCE_SIZE)
    size = layout(len(content), kind)
    trailer = Trailer(content_size=len(content), kind=kind).to_bytes()
    sealer = ChunkSealer(file_key, nonce)
    payload = content + b"\x01" + bytes(size.padding_size - 1) + trailer
    header = Header.make((recipient.wrap(file_key),), file_key)
    return header.to_bytes() + nonce + sealer.update(payload) + sealer.finish()


def objects_of(folder: Path) -> Iterator[Path]:
    yield from sorted((folder / "objects").iterdir())


def copied(folder: Path, target: Path) -> Path:
    return Path(shutil.copytree(folder, target, symlinks=True))
