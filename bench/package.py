"""A package (bag, seal, fsync) against GNU tar and sync of the same files: ratio of the times.

python bench/package.py [MEBIBYTES] [FILES]     default 128 and 2000; aims: 1024 and 10000

The same plain files are read by both. Ours also hashes every byte twice and the archive once,
seals, hashes what was sealed, writes manifests, tables and PREMIS, and checks every digest. Medians
of three rounds, which take turns. Memory is the growth of the peak while packaging.
"""

import hashlib
import os
import resource
import secrets
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from amana.wire.ids import ContentSha256, ContentSha512, ItemId, ObjectId, random_id
from amana.wire.manifest import Content, ItemManifest, ObjectPlace
from tests.package.world import KEYS, QUARANTINE, Given, World, a_world
from worker.package import Maker, write_package
from worker.package_plan import PackagePlan, plan_packages

ROUNDS = 3
MEBIBYTE = 1 << 20
SMALL = 69_000  # The mean of a set of 10,000 photographs scaled for the web.
MAKER = Maker(recipient=KEYS.identity.recipient, signer=QUARANTINE)


class OnDisk:
    """Contents that are plain files, which is also what tar reads."""

    def __init__(self, files: dict[ItemId, Path]) -> None:
        self._files = files

    def open(self, item: ItemManifest) -> Iterator[bytes]:
        """Yield a file in pieces of 1 MiB."""
        with self._files[item.item_id].open("rb", buffering=0) as source:
            while piece := source.read(MEBIBYTE):
                yield piece


def prepared(folder: Path, sizes: list[int]) -> tuple[World, OnDisk]:
    """Write files of random bytes, and accept them as the items of one submission."""
    folder.mkdir(parents=True)
    paths = [folder / f"{number:06d}.jpg" for number in range(len(sizes))]
    given = [
        Given(name=path.name.encode(), content=b"", stated=written(path, size))
        for path, size in zip(paths, sizes, strict=True)
    ]
    world = a_world(given, with_bare=False)
    items = (item.manifest.item_id for item in world.items)
    return world, OnDisk(dict(zip(items, paths, strict=True)))


def written(path: Path, size: int) -> Content:
    """Write a file of random bytes, and give what its manifest says of it."""
    sha256, sha512 = hashlib.sha256(), hashlib.sha512()
    with path.open("wb") as target:
        for start in range(0, size, MEBIBYTE):
            piece = secrets.token_bytes(min(MEBIBYTE, size - start))
            target.write(piece)
            sha256.update(piece)
            sha512.update(piece)
    return Content(
        place=ObjectPlace(object_id=random_id(ObjectId), offset=None),
        size=size,
        sha256=ContentSha256(sha256.hexdigest()),
        sha512=ContentSha512(sha512.hexdigest()),
    )


def tar_seconds(folder: Path, out: Path) -> float:
    """GNU tar to a file, and sync of that file."""
    start = time.perf_counter()
    subprocess.run(["tar", "-cf", str(out), "-C", str(folder), "."], check=True)
    subprocess.run(["sync", str(out)], check=True)
    return time.perf_counter() - start


def ours_seconds(plan: PackagePlan, contents: OnDisk, out: Path) -> float:
    """One package, durable when this returns."""
    start = time.perf_counter()
    write_package(plan, contents, MAKER, out)
    return time.perf_counter() - start


def measure(name: str, folder: Path, sizes: list[int]) -> None:
    """Print one row."""
    world, contents = prepared(folder / "files", sizes)
    (plan,) = plan_packages(world.dossier, world.items)
    theirs, ours = [], []
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(ROUNDS):
        theirs.append(tar_seconds(folder / "files", folder / "tar"))
        (folder / "tar").unlink()
        ours.append(ours_seconds(plan, contents, folder / f"package-{number}"))
        shutil.rmtree(folder / f"package-{number}")
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    tar, own = statistics.median(theirs), statistics.median(ours)
    rate = sum(sizes) / own / MEBIBYTE
    print(
        f"{name:<24} tar+sync {tar:7.2f} s   ours {own:7.2f} s   {rate:6.0f} MiB/s   "
        f"ratio {tar / own:5.2f}   memory +{grown} MiB"
    )


def main() -> None:
    """Measure one large file, and many small ones."""
    large = int(sys.argv[1]) if len(sys.argv) > 1 else 128
    many = int(sys.argv[2]) if len(sys.argv) > 2 else 2_000
    root = Path(os.environ.get("TMPDIR", "/var/tmp"))  # noqa: S108 - a folder of its own below it
    place = root / f"amana-bench-{secrets.token_hex(4)}"
    try:
        measure(f"one file, {large} MiB", place / "one", [large * MEBIBYTE])
        measure(f"{many:,} files", place / "many", [SMALL] * many)
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
