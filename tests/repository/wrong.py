"""Edits that make a package wrong inside, and the name under which each must be refused."""

import json
from collections.abc import Callable
from dataclasses import replace

from amana.wire import package_paths as paths
from amana.wire.acknowledgement import RefusalReason
from amana.wire.package import PackagedItem, PackageRecord
from amana.wire.snapshot import TermsSnapshot
from crypto import canonical
from tests.package.world import CONSENT_ID
from tests.repository import forge
from tests.repository.forge import Edit, added, changed, renamed, without
from tests.wire.givens import a_digest

FIRST = "data/objects/000001.bin"


def flipped(raw: bytes) -> bytes:
    return raw[:-1] + bytes([raw[-1] ^ 1])


def dropped_line(raw: bytes) -> bytes:
    return b"".join(raw.splitlines(keepends=True)[1:])


def other_day(raw: bytes) -> bytes:
    snapshot = TermsSnapshot.from_bytes(raw)
    return replace(snapshot, layers=()).to_bytes()


def swapped_snapshot(files: forge.Files) -> forge.Files:
    """Another snapshot, and a record that names it: the agreement then has no layer."""
    old = TermsSnapshot.from_bytes(dict(files)[paths.SNAPSHOT])
    new = replace(old, layers=())
    record = PackageRecord.from_bytes(dict(files)[paths.RECORD])
    named = replace(record, snapshot_sha256=new.digest)
    put = {paths.SNAPSHOT: new.to_bytes(), paths.RECORD: named.to_bytes()}
    return [(name, put.get(name, raw)) for name, raw in files]


def items(change: Callable[[PackagedItem], PackagedItem]) -> Edit:
    def edit(raw: bytes) -> bytes:
        first, *others = raw.splitlines(keepends=True)
        return change(PackagedItem.from_bytes(first[:-1])).to_bytes() + b"\n" + b"".join(others)

    return changed(paths.ITEMS, edit)


def proof_elsewhere(raw: bytes) -> bytes:
    first, *others = raw.splitlines()
    line = json.loads(first)
    return b"\n".join([canonical.encode(line | {"index": 1}), *others, b""])


WRONG: dict[str, tuple[Edit, RefusalReason]] = {
    "an object": (changed(FIRST, flipped), RefusalReason.INNER_FILE_CHANGED),
    "an object longer": (changed(FIRST, lambda r: r + b"x"), RefusalReason.INNER_FILE_CHANGED),
    "an object gone": (without(FIRST), RefusalReason.INNER_FILE_MISSING),
    "an object renamed": (
        renamed(FIRST, "data/objects/900001.bin"),
        RefusalReason.INNER_FILE_MISSING,
    ),
    "a stray object": (
        added("data/objects/000099.bin", b"x", behind="data/objects/000006.bin"),
        RefusalReason.INNER_FILE_MISSING,
    ),
    "a stray payload": (
        added("data/more.txt", b"x", behind=FIRST),
        RefusalReason.INNER_FILE_NOT_LISTED,
    ),
    "a stray tag file": (
        added("readme.txt", b"x", behind="bagit.txt"),
        RefusalReason.INNER_FILE_NOT_LISTED,
    ),
    "fetch.txt": (
        added("fetch.txt", b"file:///x - data/x\n", behind="bagit.txt"),
        RefusalReason.FETCH_FORBIDDEN,
    ),
    "no snapshot": (without(paths.SNAPSHOT), RefusalReason.SNAPSHOT_MISSING),
    "another snapshot": (changed(paths.SNAPSHOT, other_day), RefusalReason.SNAPSHOT_DISAGREES),
    "another snapshot, named": (swapped_snapshot, RefusalReason.TERMS_MISSING),
    "no record": (without(paths.RECORD), RefusalReason.INNER_FILE_MISSING),
    "record not canonical": (
        changed(paths.RECORD, lambda r: r + b" "),
        RefusalReason.RECORD_DISAGREES,
    ),
    "no consent record": (
        without(paths.consent_path(CONSENT_ID)),
        RefusalReason.CONSENT_DISAGREES,
    ),
    "another consent record": (
        changed(paths.consent_path(CONSENT_ID), lambda r: r.replace(b"YES", b"NO")),
        RefusalReason.CONSENT_DISAGREES,
    ),
    "note": (changed(paths.PROVIDER_NOTE, flipped), RefusalReason.PROVIDER_DOCUMENTS_DISAGREE),
    "submission": (
        changed(paths.PROVIDER_SUBMISSION, lambda r: r.replace(b'"erasable":true', b'"x":1')),
        RefusalReason.PROVIDER_DOCUMENTS_DISAGREE,
    ),
    "leaves": (
        changed(paths.PROVIDER_LEAVES, dropped_line),
        RefusalReason.PROVIDER_DOCUMENTS_DISAGREE,
    ),
    "an item manifest": (
        changed(paths.PROVIDER_ITEMS, lambda r: r.replace("صورة".encode(), "وثيقة".encode())),
        RefusalReason.PROVIDER_DOCUMENTS_DISAGREE,
    ),
    "an item manifest gone": (
        changed(paths.PROVIDER_ITEMS, dropped_line),
        RefusalReason.ITEM_DISAGREES,
    ),
    "an item gone": (changed(paths.ITEMS, dropped_line), RefusalReason.ITEM_DISAGREES),
    "an item of another manifest": (
        items(lambda item: replace(item, manifest_sha256=a_digest("other"))),
        RefusalReason.ITEM_DISAGREES,
    ),
    "a scan report": (changed(paths.scan_path(1), flipped), RefusalReason.ITEM_DISAGREES),
    "a custody event": (changed(paths.CUSTODY, proof_elsewhere), RefusalReason.CUSTODY_DISAGREES),
    "no checkpoint": (without(paths.CHECKPOINT), RefusalReason.CUSTODY_DISAGREES),
    "no custody": (without(paths.CUSTODY), RefusalReason.INNER_FILE_MISSING),
}
