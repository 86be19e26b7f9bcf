"""Make one sealed package: the inner bag as a tar, sealed on the way, inside an outer bag.

Content is opened, hashed, put into the tar and sealed in one pass; no byte of it is written in
clear and no temporary file exists. Memory follows the number of items, never their size. The
package id is the SHA-256 of the tar and follows from the plan alone, so a package made again after
a crash is the same package. Format: docs/format/20-package.md.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from amana.durable import durable, sync_folder
from amana.wire import package_paths as paths
from amana.wire.bag import Digests
from amana.wire.ids import Digest
from amana.wire.manifest import ItemManifest
from amana.wire.manifest_lines import write_lines
from amana.wire.outer_bag import outer_tags
from amana.wire.package import PackageId, SealedPackage
from amana.wire.snapshot import consent_document, consent_id
from crypto.padding import Kind
from crypto.recipients import HybridRecipient
from crypto.seal import Sealer
from crypto.sign import NoteSigner
from worker.bagging import BagStream
from worker.errors import MismatchError
from worker.package_plan import ListedItem, PackagePlan
from worker.package_tables import loadfile_table, metadata_table, rights_table
from worker.premis import premis


class Contents(Protocol):
    """Where the bytes of items come from: sealed objects, opened on the way."""

    def open(self, item: ItemManifest) -> Iterator[bytes]:
        """Yield the bytes of one item, cut anywhere; they are compared with its manifest here."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """To whom packages are sealed, and who signs them."""

    recipient: HybridRecipient
    signer: NoteSigner


def write_package(
    plan: PackagePlan, contents: Contents, maker: Maker, folder: Path
) -> SealedPackage:
    """Write a package into a new folder; when this returns, all of it is on the disk.

    MismatchError: content is not what its manifest says; then the folder is no package and its
    caller removes it. FileExistsError: the folder is there.
    """
    folder.mkdir(mode=0o700)
    for name in (paths.SEALED, paths.SEAL_NOTE):
        (folder / name).parent.mkdir(mode=0o700)
    with durable(folder / paths.SEALED) as target, ThreadPoolExecutor(max_workers=2) as executor:
        sealing = _Sealing(target, maker.recipient)
        stream = BagStream(
            sealing.write, top=paths.TOP, modified=int(plan.made_at.timestamp()), executor=executor
        )
        listed = tuple(plan.listed())
        for path, pieces in _documents(plan, listed):
            held = list(pieces)
            stream.add(path, sum(map(len, held)), held)
        for each in listed:
            if each.packaged.path is not None:
                manifest = each.accepted.manifest
                size = each.accepted.size
                digests = stream.add(each.packaged.path, size, contents.open(manifest))
                _require_agrees(manifest, digests)
        stream.finish(plan.made_at.date())
        sealing.finish()
    sealed = sealing.describe(plan)
    _write_outside(folder, sealed, maker.signer)
    return sealed


def _documents(
    plan: PackagePlan, listed: Sequence[ListedItem]
) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Yield everything but material, in the order of the format: conditions first."""
    dossier = plan.dossier
    yield paths.RECORD, [plan.record.to_bytes()]
    yield paths.SNAPSHOT, [dossier.snapshot.to_bytes()]
    for consent in sorted(dossier.snapshot.consents, key=consent_id):
        yield paths.consent_path(consent_id(consent)), [consent_document(consent)]
    yield paths.PROVIDER_NOTE, [dossier.note]
    yield paths.PROVIDER_SUBMISSION, [dossier.submission.to_bytes()]
    yield paths.PROVIDER_LEAVES, (f"{leaf.hex()}\n".encode() for leaf in dossier.leaves)
    yield paths.PROVIDER_ITEMS, write_lines(each.manifest_line for each in listed)
    yield paths.ITEMS, write_lines(each.packaged.to_bytes() for each in listed)
    if dossier.checkpoint is not None:
        yield paths.CHECKPOINT, [dossier.checkpoint]
    yield paths.CUSTODY, write_lines(line.to_bytes() for line in plan.custody())
    for number, scan in enumerate(plan.scans(), start=1):
        yield paths.scan_path(number), [scan]
    yield paths.PREMIS, premis(plan)
    yield paths.METADATA, metadata_table(listed)
    yield paths.RIGHTS, rights_table(plan.dossier.snapshot, listed)
    yield paths.LOADFILE, loadfile_table(listed)


def _require_agrees(manifest: ItemManifest, found: Digests) -> None:
    content = manifest.content
    if content is None or (content.sha256, content.sha512) != (found.sha256, found.sha512):
        raise MismatchError("an item's bytes are not those of its manifest")


class _Sealing:
    """The tar on its way through the seal onto the disk."""

    def __init__(self, target: BinaryIO, recipient: HybridRecipient) -> None:
        self._target = target
        self._sealer = Sealer(recipient, Kind.RAW)
        self._inner = hashlib.sha256()
        self._outer = hashlib.sha256()
        self._size = 0

    def write(self, piece: bytes) -> None:
        """Take the next bytes of the tar."""
        self._inner.update(piece)
        self._put(self._sealer.update(piece))

    def finish(self) -> None:
        """End the object."""
        for piece in self._sealer.finish():
            self._put(piece)

    def describe(self, plan: PackagePlan) -> SealedPackage:
        """Give what may be said of it in the clear."""
        return SealedPackage(
            package_id=PackageId(self._inner.hexdigest()),
            deployment=plan.dossier.snapshot.deployment,
            sealed_size=self._size,
            sealed_sha256=Digest(self._outer.hexdigest()),
            made_on=plan.made_at.date(),
        )

    def _put(self, sealed: bytes) -> None:
        self._outer.update(sealed)
        self._target.write(sealed)
        self._size += len(sealed)


def _write_outside(folder: Path, sealed: SealedPackage, signer: NoteSigner) -> None:
    note = signer.sign(sealed.to_bytes().decode()).to_bytes()
    for name, raw in outer_tags(sealed, note).items():
        with durable(folder / name) as target:
            target.write(raw)
    sync_folder(folder)
