"""What came of all that was given: everything that was promised, once, whole, and the same bytes.

Packages are opened and read to their last byte, by the repository's own reader, which compares
every byte with its manifest; here the manifests are compared with what the provider had.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from amana.settings import Settings
from drills.crash_givers import Given
from repository.errors import RefusedError
from repository.keys import RepositoryKeys, load_quarantine
from repository.opened import opened
from repository.store import BAG


@dataclass(slots=True)
class Arrived:
    """What lies in packages of one submission."""

    packages: list[str] = field(default_factory=list)
    items: Counter[tuple[bytes, str]] = field(default_factory=Counter)


@dataclass(slots=True)
class Verdict:
    """What was found."""

    faults: list[str] = field(default_factory=list)
    packages: int = 0
    files: int = 0
    unpromised: int = 0


def judge(settings: Settings, given: Sequence[Given]) -> Verdict:
    """Open every package of the repository, and hold it against what was given."""
    found = Verdict()
    arrived = _read(settings, found)
    used: set[str] = set()
    for each in given:
        mine = _submissions_of(each, arrived)
        used.update(mine)
        found.faults += faults_of(each, arrived)
        found.unpromised += bool(mine) and not each.is_acknowledged
        found.files += len(each.files) if mine else 0
    found.faults += [f"nobody gave the submission {name}" for name in set(arrived) - used]
    return found


def faults_of(each: Given, arrived: Mapping[str, Arrived]) -> Iterator[str]:
    """Yield what differs between what was given and what arrived, by submission."""
    mine = _submissions_of(each, arrived)
    if not mine:
        if each.is_acknowledged:
            yield f"{each.label}: acknowledged, and in no package"
        return
    if len(mine) > 1:
        yield f"{each.label}: in several submissions: {', '.join(mine)}"
    if each.submission and mine != [each.submission]:
        yield f"{each.label}: not under the id of its receipt"
    wanted = Counter(each.files.items())
    for name in mine:
        one = arrived[name]
        if len(one.packages) != 1:
            yield f"{each.label}: in {len(one.packages)} packages"
        others = one.items - wanted
        missing = wanted - one.items
        if missing:
            yield f"{each.label}: missing or other bytes: {sorted(missing)}"
        if sorted(sha256 for _, sha256 in others.elements()) != sorted(each.others):
            yield f"{each.label}: more than was given: {sorted(others.elements())}"


def _submissions_of(given: Given, arrived: Mapping[str, Arrived]) -> list[str]:
    """Give every submission in which something lies that has a name of what was given."""
    return [
        name
        for name, one in arrived.items()
        if any(item_name in given.files for item_name, _ in one.items)
    ]


def _read(settings: Settings, found: Verdict) -> dict[str, Arrived]:
    data = settings.data_directory
    keys = RepositoryKeys.load(data / "repository.keys")
    end = load_quarantine(data / "quarantine.end", keys)
    arrived: dict[str, Arrived] = defaultdict(Arrived)
    for folder in sorted((data / "repository" / "packages").iterdir()):
        found.packages += 1
        try:
            with opened(folder / BAG, keys, end) as reader:
                items = tuple(reader.items())
                reader.material()
        except RefusedError as refused:
            found.faults.append(f"package {folder.name} does not open: {refused.reason}")
            continue
        if reader.sealed.package_id != folder.name:
            found.faults.append(f"package {folder.name} lies under another's name")
        one = arrived[reader.record.submission_id]
        one.packages.append(folder.name)
        for item in items:
            place = b"" if item.folder is None else item.folder.raw + b"/"
            sha256 = "" if item.content is None else item.content.sha256
            one.items[place + item.name.raw, sha256] += 1
    return arrived


def leftovers(settings: Settings) -> Iterator[str]:
    """Yield whatever lies where nothing may lie once everything has gone its way."""
    data = settings.data_directory
    empty = (
        *("portal/receiving", "portal/received", "portal/events", "portal/posting"),
        *("worker/submissions", "worker/reports", "worker/outbox"),
        "repository/incoming",
    )
    for name in empty:
        for path in _below(data / name):
            yield f"left behind: {path.relative_to(data)}"
    for path in data.rglob("*.part"):
        yield f"a part of something: {path.relative_to(data)}"
    for path in (data / "worker" / "pull").glob("contradiction-*"):
        yield f"the portal's log contradicted itself: {path.name}"


def _below(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []
