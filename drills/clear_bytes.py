"""No clear byte rests on a disk: a whole trip full of canaries, watched from outside.

    python -m drills.clear_bytes FOLDER [--few]     `make drill-clear`

Every process of every zone is traced from its first instruction. Whatever one writes outside its
own places is a finding; so is a canary, in any spelling, in what was ever written to a file or is
there at the end. The places where clear material may lie are in one table, PLACES.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from drills.canaries import Canary, Watch
from drills.ground import end_in_order, ground
from drills.tracing import SANDBOX, acts, run_traced
from drills.voyage import CANARIES, REGISTER_ONLY
from worker.tmpfs import file_system_of

_WIDTH: Final = 132


class Zone(StrEnum):
    """Whose process it is."""

    PROVIDER = "provider"
    PORTAL = "portal"
    QUARANTINE = "quarantine"
    REPOSITORY = "repository"
    SUPERVISOR = "amana up"
    REHEARSAL = "rehearsal"


class Place(StrEnum):
    """What lies at a path."""

    OWN = "provider's own"
    OPENED = "opened on request"
    LOG = "lines of amana up"
    PORTAL = "portal"
    REGISTER = "register"
    HANDED = "outbox, answers"
    QUARANTINE = "quarantine"
    REPOSITORY = "repository"
    PUBLIC = "keys, cards"
    MEMORY = "memory"
    SANDBOX = "sandbox's own tmpfs"
    NOWHERE = "pipe, socket, device"
    ELSEWHERE = "ELSEWHERE"


PLACES: Final = (
    ("up.log", Place.LOG),
    ("opened", Place.OPENED),
    ("data/portal", Place.PORTAL),
    ("data/portal.db", Place.PORTAL),
    ("data/worker/enrolled", Place.REGISTER),
    ("data/worker/outbox", Place.HANDED),
    ("data/worker/answers", Place.HANDED),
    ("data/worker", Place.QUARANTINE),
    ("data/worker.db", Place.QUARANTINE),
    ("data/repository", Place.REPOSITORY),
    ("data", Place.PUBLIC),
    ("", Place.OWN),
)
"""Below the folder of a deployment; the first that fits counts."""

MAY_BE_CLEAR: Final = frozenset({Place.OWN, Place.OPENED, Place.MEMORY, Place.NOWHERE})
"""Where canaries are not looked for. No other place may hold one, but the register its labels."""

WRITERS: Final = {
    Place.OWN: {Zone.PROVIDER, Zone.REHEARSAL},
    Place.OPENED: {Zone.REPOSITORY, Zone.REHEARSAL},
    Place.LOG: {Zone.SUPERVISOR, Zone.REHEARSAL},
    Place.PORTAL: {Zone.PORTAL},
    Place.REGISTER: {Zone.QUARANTINE},
    Place.HANDED: {Zone.QUARANTINE, Zone.REPOSITORY},
    Place.QUARANTINE: {Zone.QUARANTINE, Zone.REHEARSAL},
    Place.REPOSITORY: {Zone.REPOSITORY},
    Place.PUBLIC: {Zone.QUARANTINE, Zone.REPOSITORY, Zone.REHEARSAL},
    Place.MEMORY: {Zone.QUARANTINE},
    Place.SANDBOX: {Zone.QUARANTINE},
    Place.NOWHERE: frozenset(Zone),
    Place.ELSEWHERE: frozenset[Zone](),
}
"""Whose processes may write where. The rehearsal plays operator: it carries keys and cards."""

_SQLITE: Final = ("-wal", "-shm", "-journal")
_NOWHERE: Final = (
    b"pipe:",
    b"socket:",
    b"anon_inode:",
    b"/dev/null",
    b"/dev/tty",
    b"/dev/pts",
    b"/proc/",
)
_ZONES: Final = {
    "portal": Zone.PORTAL,
    **dict.fromkeys(("worker", "key", "provider", "agreement", "review"), Zone.QUARANTINE),
    "package": Zone.REPOSITORY,
    **dict.fromkeys(("keygen", "seal", "sign", "submit", "status"), Zone.PROVIDER),
    "up": Zone.SUPERVISOR,
}
_SYSTEM: Final = ("clamd", "bwrap", "setpriv", SANDBOX)


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """What must not be. who: a program, or that it was found at rest."""

    who: str
    where: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a trip left. rows: program, place, acts, bytes."""

    rows: tuple[tuple[str, Place, int, int], ...]
    searched_files: int
    searched_bytes: int
    canaries: int
    findings: tuple[Finding, ...]


def judge(folder: Path, traces: Path) -> Judgement:
    """Look at everything that a trip wrote, and at everything that is there."""
    marks = json.loads((folder / CANARIES).read_text(encoding="utf-8"))
    canaries = tuple(Canary(what=what, mark=bytes.fromhex(mark)) for what, mark in marks)
    watch = Watch(canaries)
    counted: Counter[tuple[str, Place]] = Counter()
    sizes: Counter[tuple[str, Place]] = Counter()
    streams: dict[tuple[str, Place, bytes], bytearray] = {}
    findings: set[Finding] = set()
    for act in acts(traces):
        name, zone = who(act.program)
        place = place_of(act.path, folder)
        counted[name, place] += 1
        sizes[name, place] += len(act.content)
        if zone not in WRITERS[place] and place is not Place.NOWHERE:
            findings.add(Finding(name, os.fsdecode(act.path), f"{act.how}: not its place"))
        if place not in MAY_BE_CLEAR:
            streams.setdefault((name, place, act.path), bytearray()).extend(act.content)
    for (name, place, path), content in streams.items():
        # The name of a file can tell as much as what is in it.
        findings |= set(_seen(watch, place, name, path, bytes(content) + b"\n" + path))
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    searched = [each for each in files if place_of(os.fsencode(each), folder) not in MAY_BE_CLEAR]
    for each in searched:
        raw = os.fsencode(each)
        found = _seen(watch, place_of(raw, folder), "at rest", raw, each.read_bytes())
        findings |= set(found)
    return Judgement(
        rows=tuple((*key, counted[key], sizes[key]) for key in sorted(counted)),
        searched_files=len(streams) + len(searched),
        searched_bytes=sum(map(len, streams.values())) + sum(p.stat().st_size for p in searched),
        canaries=len(canaries),
        findings=tuple(sorted(findings)),
    )


def who(program: Sequence[str]) -> tuple[str, Zone | None]:
    """Give a short name for a program, and whose it is; None for one that is nobody's."""
    if "amana.up.guard" in program:
        return "up", Zone.SUPERVISOR
    for index, word in enumerate(program):
        if word.endswith(("/amana", "amana.cli")) and len(program) > index + 1:
            first, *more = program[index + 1 :]
            zone = _ZONES.get(first)
            is_one_word = zone in {Zone.PROVIDER, Zone.SUPERVISOR} or not more
            return (first if is_one_word else f"{first} {more[0]}"), zone
        if word == "drills.voyage":
            return "the rehearsal", Zone.REHEARSAL
    name = Path(program[0]).name
    return name, Zone.QUARANTINE if name in _SYSTEM or "inside" in program[-1] else None


def place_of(path: bytes, folder: Path) -> Place:
    """Tell what lies at a path."""
    if path.startswith(_NOWHERE):
        return Place.NOWHERE
    if path.startswith(b"/memfd:"):
        return Place.MEMORY
    # bubblewrap makes its root on a tmpfs that has no other name.
    if path.startswith(b"/newroot/") or not path.startswith((b"/", b"io_uring")):
        return Place.SANDBOX
    whole = Path(os.fsdecode(path))
    if whole.is_relative_to(folder):
        below = whole.relative_to(folder)
        if below.name.endswith(_SQLITE):
            below = below.with_name(below.name.rpartition("-")[0])
        return next(place for prefix, place in PLACES if below.is_relative_to(prefix))
    return Place.MEMORY if whole.is_absolute() and _is_in_memory(whole) else Place.ELSEWHERE


def _is_in_memory(path: Path) -> bool:
    there = next(each for each in (path, *path.parents) if each.exists())
    return file_system_of(there) == "tmpfs"


def _seen(watch: Watch, place: Place, name: str, path: bytes, content: bytes) -> Iterator[Finding]:
    for sighting in watch.sightings(content):
        if sighting.what != REGISTER_ONLY or place is not Place.REGISTER:
            where = os.fsdecode(path)
            yield Finding(name, where, f"{sighting.what}, as {sighting.spelling}")


def make_trip(folder: Path, *words: str) -> Path:
    """Make the trip in `folder/trip`, traced into `folder/traces`; give its folder.

    CalledProcessError: the trip itself failed.
    """
    trip = folder.absolute() / "trip"
    command = [sys.executable, "-m", "drills.voyage", str(trip), *words]
    with ground() as environment:
        code = run_traced(command, folder / "traces", environment)
    if code:
        raise subprocess.CalledProcessError(code, command)
    return trip


def tell(judgement: Judgement, console: Console) -> None:
    """Print what was written where, and the findings."""
    table = Table(title="Who wrote where", title_justify="left")
    for column in ("program", "place", "acts", "bytes"):
        table.add_column(column, justify="right" if column in {"acts", "bytes"} else "left")
    for name, place, count, size in judgement.rows:
        table.add_row(name, place.value, f"{count:,}", f"{size:,}")
    console.print(table)
    console.print(
        f"{judgement.canaries} canaries, looked for in {judgement.searched_files:,} files and"
        f" streams, {judgement.searched_bytes:,} bytes: {len(judgement.findings)} findings."
    )
    for finding in judgement.findings:
        console.print(f"FINDING {finding.who}: {finding.where}: {finding.what}", markup=False)


def main() -> int:
    """Make the trip and judge it. 1: there are findings."""
    parser = argparse.ArgumentParser(prog="clear_bytes")
    parser.add_argument("folder", type=Path, nargs="?", default=Path("var/drill-clear"))
    parser.add_argument("--few", action="store_true", help="a photograph and a broken archive")
    options = parser.parse_args()
    shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(mode=0o700, parents=True)
    trip = make_trip(options.folder, *(["--few"] if options.few else []))
    judgement = judge(trip, options.folder / "traces")
    tell(judgement, Console(width=_WIDTH))
    return 1 if judgement.findings else 0


if __name__ == "__main__":
    end_in_order()
    sys.exit(main())
