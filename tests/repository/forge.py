"""Packages that are wrong inside, sealed and signed as if they were right.

Only who holds the quarantine's signing key can make one; the repository still believes no more
than what holds together.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from amana.wire import bag, tar
from amana.wire import package_paths as paths
from amana.wire.bag import Algorithm, Digests
from amana.wire.ids import Digest
from amana.wire.outer_bag import outer_tags
from amana.wire.pack import END, fill
from amana.wire.package import PackageId, SealedPackage
from amana.wire.spool import COMMIT
from crypto.opening import SeekableObject
from crypto.padding import Kind
from crypto.seal import seal
from tests.package.world import KEYS, QUARANTINE

Files = list[tuple[str, bytes]]
"""The files of an inner bag, by path, in their order."""
Edit = Callable[[Files], Files]


def files_of(package: Path) -> tuple[Files, int]:
    """Every file of the inner bag, and the time that they have."""
    with (package / paths.SEALED).open("rb") as source:
        chunks = SeekableObject(source, KEYS.identity).contents()
        found = [(member, b"".join(pieces)) for member, pieces in tar.read(chunks)]
    files = [(member.path.removeprefix(paths.TOP), raw) for member, raw in found]
    return files, found[0][0].modified


def with_manifests(files: Files) -> Files:
    """The same files with manifests and counts that fit them."""
    made = {bag.INFO_NAME, *(n for a in Algorithm for n in (a.manifest, a.tag_manifest))}
    kept = [(name, raw) for name, raw in files if name not in made]
    payload = [(name, raw) for name, raw in kept if name.startswith(bag.PAYLOAD)]
    info = next(raw for name, raw in files if name == bag.INFO_NAME)
    day, _, _ = info.partition(b"\n")
    oxum = f"Payload-Oxum: {sum(len(raw) for _, raw in payload)}.{len(payload)}\n".encode()
    tags = [(name, raw) for name, raw in kept if not name.startswith(bag.PAYLOAD)]
    tags.append((bag.INFO_NAME, day + b"\n" + oxum))
    tags += [(each.manifest, listing(payload, each)) for each in Algorithm]
    last = [(each.tag_manifest, listing(tags, each)) for each in Algorithm]
    made_again = [entry for entry in tags if entry not in kept]
    return [*kept, *made_again, *last]


def listing(files: Files, algorithm: Algorithm) -> bytes:
    return b"".join(bag.manifest_line(Digests.of(raw).by(algorithm), name) for name, raw in files)


def archive(files: Files, modified: int) -> bytes:
    """The tar of these files."""
    parts = []
    for name, raw in files:
        member = tar.Member(path=paths.TOP + name, size=len(raw), modified=modified)
        parts += [tar.header(member), raw, fill(len(raw))]
    return b"".join([*parts, END])


def forge(spool: Path, sealed: SealedPackage, edit: Edit, *, fit: bool = True) -> PackageId:
    """Put an edited copy of a package into the spool in place of it; fit: mend its manifests."""
    files, modified = files_of(spool / sealed.package_id)
    edited = edit(files)
    return put(spool, sealed, archive(with_manifests(edited) if fit else edited, modified))


def put(spool: Path, sealed: SealedPackage, content: bytes) -> PackageId:
    """Seal and sign any content as a package, in place of another."""
    raw = b"".join(seal([content], KEYS.identity.recipient, Kind.RAW))
    said = replace(
        sealed,
        package_id=PackageId(hashlib.sha256(content).hexdigest()),
        sealed_size=len(raw),
        sealed_sha256=Digest(hashlib.sha256(raw).hexdigest()),
    )
    place = spool / said.package_id
    (spool / sealed.package_id).rename(place)
    (spool / f"{sealed.package_id}{COMMIT}").rename(spool / f"{said.package_id}{COMMIT}")
    (place / paths.SEALED).write_bytes(raw)
    note = QUARANTINE.sign(said.to_bytes().decode()).to_bytes()
    for name, tag in outer_tags(said, note).items():
        (place / name).write_bytes(tag)
    return said.package_id


def changed(path: str, change: Callable[[bytes], bytes]) -> Edit:
    """An edit of one file."""
    return lambda files: [(n, change(raw) if n == path else raw) for n, raw in files]


def without(path: str) -> Edit:
    return lambda files: [(name, raw) for name, raw in files if name != path]


def added(path: str, raw: bytes, *, behind: str) -> Edit:
    def edit(files: Files) -> Files:
        at = next(number for number, (name, _) in enumerate(files) if name == behind) + 1
        return [*files[:at], (path, raw), *files[at:]]

    return edit


def renamed(path: str, other: str) -> Edit:
    return lambda files: [(other if name == path else name, raw) for name, raw in files]
