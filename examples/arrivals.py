"""Open what the repository holds, and compare each file with what was given, byte for byte."""

import hashlib
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from amana.i18n import visible
from amana.wire import package_paths as paths
from amana.wire.manifest import ItemManifest
from amana.wire.manifest_lines import read_lines, read_manifests
from amana.wire.package import PackagedItem
from amana.wire.vocabulary import SealedBy
from examples.deployment import Deployment, tell

_SHOWN: Final = 12
_WIDTH: Final = 118


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One item of an opened package. sha256: of the bytes that lie there; None where none do."""

    provider: str
    package: str
    name: bytes
    object_id: str
    verdict: str
    handling_class: str
    sha256: str | None


def arrivals(deployment: Deployment) -> tuple[Arrival, ...]:
    """Open every package of the repository, and give everything that is in it."""
    data = deployment.data
    ends = ("--keys", data / "repository.keys", "--quarantine", data / "quarantine.end")
    found: list[Arrival] = []
    for folder in sorted((data / "repository" / "packages").iterdir()):
        out = deployment.folder / "opened" / folder.name
        out.parent.mkdir(exist_ok=True)
        deployment.amana("package", "open", folder, *ends, "--out", out)
        found += _items(out, folder.name)
    return tuple(found)


def _items(opened: Path, package: str) -> Iterator[Arrival]:
    manifests = {
        each.item_id: each for each in read_manifests([_read(opened, paths.PROVIDER_ITEMS)])
    }
    for line in read_lines([_read(opened, paths.ITEMS)]):
        item = PackagedItem.from_bytes(line)
        manifest = manifests[item.item_id]
        content = manifest.content
        yield Arrival(
            provider="organisation" if manifest.sealed_by is SealedBy.CLIENT else "person",
            package=package,
            name=_name(manifest),
            object_id="" if content is None else content.place.object_id,
            verdict=item.verdict.value,
            handling_class=item.handling_class.value,
            sha256=None if item.path is None else _digest(opened / item.path),
        )


def report(
    found: Sequence[Arrival],
    provider: str,
    given: Sequence[tuple[bytes, Path]],
    refused: Collection[str],
) -> int:
    """Print what became of each file that a provider gave; give how many are missing or differ.

    given: each file's name as the provider sent it, and where it lies. refused: names of what the
    officer did not keep, which therefore lies in no package.
    """
    by_name = {each.name: each for each in found if each.provider == provider}
    table = Table(title=f"Given by the {provider}", title_justify="left")
    for column in ("file", "sealed object", "verdict", "decision", "package", "SHA-256", "same"):
        table.add_column(column, no_wrap=True)
    differs = 0
    for name, path in given:
        arrival, sha256 = by_name.get(name), _digest(path)
        shown = visible(os.fsdecode(name.rpartition(b"/")[2]))[:32]
        if arrival is None:
            is_refused = os.fsdecode(name) in refused
            differs += not is_refused
            decision = "not kept" if is_refused else "MISSING"
            table.add_row(shown, "", "", decision, "", sha256[:_SHOWN], "" if is_refused else "NO")
            continue
        is_same = arrival.sha256 == sha256
        differs += not is_same
        table.add_row(
            *(shown, arrival.object_id[:_SHOWN], arrival.verdict),
            *(arrival.handling_class, arrival.package[:_SHOWN], sha256[:_SHOWN]),
            "yes" if is_same else "NO",
        )
    Console(width=_WIDTH).print(table)
    tell(f"{len(by_name)} items of the {provider} lie in packages.")
    return differs


def _name(manifest: ItemManifest) -> bytes:
    folder = b"" if manifest.folder is None else manifest.folder.raw + b"/"
    return folder + manifest.name.raw


def _read(opened: Path, name: str) -> bytes:
    return (opened / name).read_bytes()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
