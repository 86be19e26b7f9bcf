"""Judge a package from inside: conditions first, then the provider's documents, items, material.

Each statement is held against another that was made before it: items against their manifests,
these against the note's root, bytes against manifests, conditions against their digests. Step
numbers: docs/format/21-answers.md section 2.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Final

from amana.wire import bag
from amana.wire import package_paths as paths
from amana.wire.acknowledgement import RefusalReason
from amana.wire.agree import note_mismatches
from amana.wire.ends import QuarantineEnd
from amana.wire.errors import ArchiveError, WireError
from amana.wire.item_terms import item_terms, leaves_out
from amana.wire.manifest import Content, ItemManifest
from amana.wire.names import RawName
from amana.wire.note import PackageNote
from amana.wire.package import (
    CustodyLine,
    ObjectPath,
    PackagedItem,
    PackageRecord,
    RegistrationNumber,
    SealedPackage,
)
from amana.wire.signers import SIGNATURES_LIMIT_BYTES
from amana.wire.snapshot import TermsSnapshot, consent_document, consent_id
from amana.wire.submission import SubmissionManifest
from crypto import merkle
from crypto.checkpoint import Checkpoint
from crypto.errors import CryptoError, NoMatchError, NoteError, ProofError, SignatureError
from crypto.merkle import TreeHash
from crypto.note import SignedNote
from crypto.opening import HybridIdentity, SeekableObject
from crypto.padding import Kind
from crypto.tlogproof import LogPolicy, believe
from repository.cursor import LINES, MANY_LINES, Cursor, Nobody, Witness
from repository.errors import RefusedError
from terms.layer import Terms

_LEAF_LINE: Final = 65
"""A leaf in hexadecimal, and its line feed."""
_NOTE_LIMIT_BYTES: Final = PackageNote.LIMIT_BYTES + SIGNATURES_LIMIT_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of a package: what the package says of it, and what its provider said."""

    packaged: PackagedItem
    name: RawName
    folder: RawName | None
    content: Content | None
    terms: Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stated:
    """What is kept of an item manifest until its item comes."""

    manifest: ItemManifest
    sha256: str
    leaf: TreeHash


class PackageReader:
    """Reads one package front to back: items() first, then material().

    sealed: what the verified outer note says. RefusedError names what is wrong; what was given
    before it is then worth nothing.
    """

    def __init__(
        self,
        source: BinaryIO,
        identity: HybridIdentity,
        sealed: SealedPackage,
        end: QuarantineEnd,
        witness: Witness | None = None,
    ) -> None:
        """Do steps 6 and 7: open the seal, and read what the package is and its conditions."""
        self.sealed = sealed
        self._end = end
        self._inner = hashlib.sha256()
        self._objects: list[tuple[ObjectPath, Content]] = []
        self._scans: set[str] = set()
        with _judged():
            opened = SeekableObject(source, identity, kind=Kind.RAW)  # Step 6.
            self._cursor = Cursor(self._hashed(opened.contents()), witness or Nobody())
            self.record, self.snapshot = self._read_conditions()  # Step 7.

    def items(self) -> Iterator[Item]:
        """Do steps 8 and 9: yield every item, in the package's order, with its conditions."""
        with _judged():
            leaves = self._read_provider()
            stated = self._read_manifests(leaves)
            numbers: set[RegistrationNumber] = set()
            lines = self._cursor.lines(
                paths.ITEMS, PackagedItem, LINES, RefusalReason.ITEM_DISAGREES
            )
            for _, packaged in lines:
                numbers.add(packaged.registration)
                item = self._item(packaged, stated.pop(packaged.place, None))
                yield item
            if stated or len(numbers) != self.record.items:
                raise RefusedError(RefusalReason.ITEM_DISAGREES)

    def material(self) -> None:
        """Do steps 10 to 12: custody, reports, every byte of material, the manifests, the id."""
        with _judged():
            self._read_custody()
            self._read_reports()
            for path, content in self._objects:
                found = self._cursor.skip(path)
                if (found.sha256, found.sha512) != (content.sha256, content.sha512):
                    raise RefusedError(RefusalReason.INNER_FILE_CHANGED)
            self._cursor.finish()
            if self._inner.hexdigest() != self.sealed.package_id:
                raise RefusedError(RefusalReason.PACKAGE_ID_DISAGREES)

    def _hashed(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._inner.update(chunk)
            yield chunk

    def _read_conditions(self) -> tuple[PackageRecord, TermsSnapshot]:
        cursor = self._cursor
        declared = cursor.whole(
            bag.DECLARATION_NAME, len(bag.DECLARATION), RefusalReason.INNER_FILE_CHANGED
        )
        if declared != bag.DECLARATION:
            raise RefusedError(RefusalReason.INNER_FILE_CHANGED)
        record = cursor.document(paths.RECORD, PackageRecord, RefusalReason.RECORD_DISAGREES)
        if record.deployment is not self.sealed.deployment:
            raise RefusedError(RefusalReason.OTHER_DEPLOYMENT)
        if record.made_on != self.sealed.made_on:
            raise RefusedError(RefusalReason.RECORD_DISAGREES)
        if cursor.path != paths.SNAPSHOT:
            raise RefusedError(RefusalReason.SNAPSHOT_MISSING)
        snapshot = cursor.document(paths.SNAPSHOT, TermsSnapshot, RefusalReason.SNAPSHOT_DISAGREES)
        told = (snapshot.digest, snapshot.submission_id, snapshot.deployment)
        if told != (record.snapshot_sha256, record.submission_id, record.deployment):
            raise RefusedError(RefusalReason.SNAPSHOT_DISAGREES)
        for consent in sorted(snapshot.consents, key=consent_id):
            path = paths.consent_path(consent_id(consent))
            document = consent_document(consent)
            if cursor.path != path:
                raise RefusedError(RefusalReason.CONSENT_DISAGREES)
            if cursor.whole(path, len(document), RefusalReason.CONSENT_DISAGREES) != document:
                raise RefusedError(RefusalReason.CONSENT_DISAGREES)
        return record, snapshot

    def _read_provider(self) -> list[TreeHash]:
        """Hold note, submission manifest and leaves against one another.

        Whose the note is, was verified in the quarantine, which alone knows the provider's keys.
        """
        fault = RefusalReason.PROVIDER_DOCUMENTS_DISAGREE
        raw = self._cursor.whole(paths.PROVIDER_NOTE, _NOTE_LIMIT_BYTES, fault)
        signed = SignedNote.parse(raw, limit_bytes=_NOTE_LIMIT_BYTES)
        note = PackageNote.from_bytes(signed.text.encode())
        submission = self._cursor.document(paths.PROVIDER_SUBMISSION, SubmissionManifest, fault)
        told = (note.digest, note.submission_id, note.deployment)
        record = self.record
        if told != (record.note_sha256, record.submission_id, record.deployment):
            raise RefusedError(fault)
        if note_mismatches(note, submission):
            raise RefusedError(fault)
        limit = MANY_LINES.manifests * _LEAF_LINE
        text = self._cursor.whole(paths.PROVIDER_LEAVES, limit, fault).decode("ascii", "replace")
        try:
            leaves = [TreeHash(bytes.fromhex(line)) for line in text.split("\n")[:-1]]
        except ValueError as failure:
            raise RefusedError(fault) from failure
        spelled = "".join(f"{leaf.hex()}\n" for leaf in leaves)
        if spelled != text or merkle.root(leaves).hex() != note.items_root:
            raise RefusedError(fault)
        return leaves

    def _read_manifests(self, leaves: list[TreeHash]) -> dict[int, _Stated]:
        """Give the item manifests by their places; which those are follows from their leaves."""
        places = {leaf: place for place, leaf in enumerate(leaves)}
        fault = RefusalReason.PROVIDER_DOCUMENTS_DISAGREE
        stated: dict[int, _Stated] = {}
        for line, manifest in self._cursor.lines(paths.PROVIDER_ITEMS, ItemManifest, LINES, fault):
            leaf = merkle.leaf_hash(line)
            place = places.get(leaf)
            if place is None or place in stated:
                raise RefusedError(fault)
            if manifest.submission_id != self.record.submission_id:
                raise RefusedError(fault)
            digest = hashlib.sha256(line).hexdigest()
            stated[place] = _Stated(manifest=manifest, sha256=digest, leaf=leaf)
        return stated

    def _item(self, packaged: PackagedItem, stated: _Stated | None) -> Item:
        if stated is None:
            raise RefusedError(RefusalReason.ITEM_DISAGREES)
        manifest, record = stated.manifest, self.record
        has_bytes = manifest.content is not None
        path = paths.object_path(len(self._objects) + 1) if has_bytes else None
        told = (packaged.item_id, packaged.manifest_sha256, packaged.path)
        if told != (manifest.item_id, stated.sha256, path):
            raise RefusedError(RefusalReason.ITEM_DISAGREES)
        if (packaged.handling_class, packaged.terms) != (record.handling_class, record.terms):
            raise RefusedError(RefusalReason.ITEM_DISAGREES)
        if leaves_out(manifest.consents, packaged.consents):
            raise RefusedError(RefusalReason.ITEM_DISAGREES)
        if manifest.content is not None and path is not None:
            self._objects.append((path, manifest.content))
        if packaged.scan_sha256 is not None:
            self._scans.add(packaged.scan_sha256)
        try:
            terms = item_terms(self.snapshot, packaged.terms, packaged.consents)
        except WireError as failure:
            raise RefusedError(RefusalReason.TERMS_MISSING) from failure
        return Item(
            packaged=packaged,
            name=manifest.name,
            folder=manifest.folder,
            content=manifest.content,
            terms=terms,
        )

    def _read_custody(self) -> None:
        fault = RefusalReason.CUSTODY_DISAGREES
        checkpoint = self._read_checkpoint()
        for _, line in self._cursor.lines(paths.CUSTODY, CustodyLine, MANY_LINES, fault):
            if line.event.deployment is not self.record.deployment:
                raise RefusedError(fault)
            if line.index is None:
                continue
            if checkpoint is None:
                raise RefusedError(fault)
            merkle.verify_inclusion(
                [bytes.fromhex(each) for each in line.hashes],
                leaf=line.event.leaf,
                index=line.index,
                size=checkpoint.size,
                root=checkpoint.root,
            )

    def _read_checkpoint(self) -> Checkpoint | None:
        if self._cursor.path != paths.CHECKPOINT:
            return None
        limit = SIGNATURES_LIMIT_BYTES
        raw = self._cursor.whole(paths.CHECKPOINT, limit, RefusalReason.CUSTODY_DISAGREES)
        if self._end.log is None:
            raise RefusedError(RefusalReason.CUSTODY_DISAGREES)
        policy = LogPolicy(log=self._end.log, cosigners=(), threshold=0)
        return believe(SignedNote.parse(raw, limit_bytes=limit), policy).checkpoint

    def _read_reports(self) -> None:
        """Read scan reports, of which items name each; the rest is for other programs."""
        number, found = 0, set()
        while self._cursor.path.startswith(paths.SCANS):
            number += 1
            found.add(self._cursor.skip(paths.scan_path(number)).sha256)
        if found != self._scans:
            raise RefusedError(RefusalReason.ITEM_DISAGREES)
        for path in (paths.PREMIS, paths.METADATA, paths.RIGHTS, paths.LOADFILE):
            self._cursor.skip(path)


@contextmanager
def _judged() -> Iterator[None]:
    """Turn what the seal, an archive, a note or a proof says into a refusal."""
    try:
        yield
    except ArchiveError as failure:
        raise RefusedError(RefusalReason.ARCHIVE_MALFORMED) from failure
    except WireError as failure:
        raise RefusedError(RefusalReason.PROVIDER_DOCUMENTS_DISAGREE) from failure
    except NoMatchError as failure:
        raise RefusedError(RefusalReason.ANOTHER_RECIPIENT) from failure
    except NoteError as failure:
        raise RefusedError(RefusalReason.PROVIDER_DOCUMENTS_DISAGREE) from failure
    except (ProofError, SignatureError) as failure:
        raise RefusedError(RefusalReason.CUSTODY_DISAGREES) from failure
    except CryptoError as failure:
        raise RefusedError(RefusalReason.SEAL_DAMAGED) from failure
