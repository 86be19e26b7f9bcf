"""Flat memory: files of gigabytes make the whole trip, and every process is weighed on the way.

    python -m drills.large [FOLDER] [--sealed-mib 3072] [--form-mib 1024]     `make drill-large`

One deployment, two trips: first of 1 MiB, then of the large files; each by command line and by the
form. What a process holds (Pss of its own and shared pages, proc(5)) is read five times a second.
The peak of the portal may grow by PORTAL_GROWTH_MIB, that of the worker by what its settings let
it hold; what arrives must be what was given.
"""

import argparse
import hashlib
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from drills.ground import end_in_order, ground
from drills.voyage import StrictDesk, portal
from examples.deployment import AGREEMENT, OFFICER, Deployment, set_up
from examples.trip import running
from examples.visitor import ANSWERS, Visitor

PORTAL_GROWTH_MIB: Final = 16
"""Ours: whoever gives a large file must not be able to fill the portal's memory."""

WORKER_SHARE: Final = 4
"""The quarantine's windows may hold at most a quarter of the machine's memory (equipment.py)."""

_MIB: Final = 1 << 20
_EVERY_SECONDS: Final = 0.2
_SECONDS: Final = 1_800.0
_PIECE: Final = 4 * _MIB
_WIDTH: Final = 110
_PROGRAMS: Final = {
    "portal serve": "portal",
    "portal pull": "pull",
    "worker run": "worker",
    "key agent": "key agent",
    "package receive": "receiver",
    "seal ": "client, seal",
    "submit ": "client, submit",
    "package open": "reader of packages",
}


@dataclass(slots=True)
class Scale:
    """Weighs the processes of one deployment until it is stopped."""

    settings: Path
    scratch: str
    peaks: dict[str, int] = field(default_factory=dict)
    _names: dict[int, str] = field(default_factory=dict)

    def weigh(self) -> None:
        """Read every process once, and keep the peak of each name."""
        held: dict[str, int] = {}
        for place in Path("/proc").iterdir():
            if place.name.isdecimal() and (name := self._name(place)):
                for part, size in _held(place, name):
                    held[part] = held.get(part, 0) + size
        for name, size in held.items():
            self.peaks[name] = max(self.peaks.get(name, 0), size)

    def _name(self, place: Path) -> str:
        number = int(place.name)
        if number not in self._names:
            try:
                words = " ".join((place / "cmdline").read_text("utf-8", "replace").split("\0"))
                told = (place / "environ").read_bytes()
            except OSError:
                return ""
            self._names[number] = self._named(words, f"AMANA_SETTINGS={self.settings}", told)
        return self._names[number]

    def _named(self, words: str, wanted: str, told: bytes) -> str:
        if self.scratch in words:
            return "clamd"
        if wanted.encode() not in told:
            return ""
        found = [name for part, name in _PROGRAMS.items() if part in f"{words} "]
        return "" if "amana.up" in words else next(iter(found), "")


def _held(place: Path, name: str) -> Iterator[tuple[str, int]]:
    """Yield what a process holds; and apart, what lies in its memfds, which no mapping shows."""
    try:
        lines = (place / "smaps_rollup").read_text("ascii").splitlines()
        yield name, next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) << 10
        if name == "worker":
            yield "worker, plaintext in memfds", _memfds(place / "fd")
    except OSError:
        return


def _memfds(folder: Path) -> int:
    found = {}
    for each in folder.iterdir():
        try:
            if str(each.readlink()).startswith("/memfd:"):
                status = each.stat()
                found[status.st_ino] = status.st_blocks * 512
        except OSError:
            continue
    return sum(found.values())


class LargeWitness(Visitor):
    """A person at the pages who gives one file, read as it is sent."""

    def hand_in(self, path: Path) -> None:
        """Give the file."""
        self._client.timeout = _SECONDS
        fields = {"token": self._token("give"), **ANSWERS, "words": self.words}
        with path.open("rb") as source:
            parts: list[tuple[str, object]] = [
                (name, (None, value.encode())) for name, value in fields.items()
            ]
            parts.append(("files", (path.name, source)))
            self._checked(self._client.post("give", files=parts))  # type: ignore[arg-type]


def trip(deployment: Deployment, folder: Path, sizes: tuple[int, int]) -> bool:
    """Give one file each way, and tell whether both arrive as they were."""
    sealed, plain = folder / "Material" / "sealed.bin", folder / "plain.bin"
    given = {_write(path, size) for path, size in zip((sealed, plain), sizes, strict=True)}
    desk = StrictDesk(deployment)
    before = len(desk.submissions())
    _submit(deployment, sealed.parent, folder / "bundle")
    LargeWitness(portal()).hand_in(plain)
    shutil.rmtree(folder)
    desk.await_examined(submissions=before + 2, seconds=_SECONDS)
    desk.keep_all()
    desk.await_settled(seconds=_SECONDS)
    return given == set(_arrived(deployment))


def _submit(deployment: Deployment, material: Path, bundle: Path) -> None:
    own = deployment.kit.parent
    member = ("--kit", deployment.kit, "--keys", deployment.keys)
    passphrase = ("--passphrase-file", deployment.passphrase)
    deployment.amana(
        *("seal", material, *member, *passphrase, "--card", deployment.card, "--out", bundle),
        *("--agreement", AGREEMENT),
    )
    deployment.amana(
        *("submit", bundle, *member, *passphrase, "--portal", portal()),
        *("--portal-card", own / "portal-receipts.note"),
        *("--receipt", bundle.with_name("submission.receipt")),
    )


def _arrived(deployment: Deployment) -> Iterator[str]:
    """Open and remove every package; yield the digest of each file in it."""
    data = deployment.data
    ends = ("--keys", data / "repository.keys", "--quarantine", data / "quarantine.end")
    for package in sorted((data / "repository" / "packages").iterdir()):
        out = deployment.folder / "opened"
        deployment.amana("package", "open", package / "bag", *ends, "--out", out)
        shutil.rmtree(package)
        for path in (out / "data" / "objects").iterdir():
            with path.open("rb") as source:
                yield hashlib.file_digest(source, "sha256").hexdigest()
        shutil.rmtree(out)


def _write(path: Path, size: int) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    state = hashlib.sha256()
    with path.open("wb") as target:
        for start in range(0, size, _PIECE):
            piece = os.urandom(min(_PIECE, size - start))
            state.update(piece)
            target.write(piece)
    return state.hexdigest()


def weighed(
    deployment: Deployment, folder: Path, sizes: tuple[int, int]
) -> tuple[dict[str, int], bool]:
    """Make a trip; give the peak of each program in bytes, and whether the same bytes arrived."""
    scale = Scale(deployment.settings, os.environ["AMANA_WORKER_SCRATCH"])
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(_EVERY_SECONDS):
            scale.weigh()

    watcher = threading.Thread(target=run)
    watcher.start()
    try:
        is_same = trip(deployment, folder, sizes)
    finally:
        stop.set()
        watcher.join()
    return scale.peaks, is_same


def tell(small: dict[str, int], large: dict[str, int], console: Console) -> None:
    """Print the peaks of both trips."""
    table = Table(title="Peak memory in MiB", title_justify="left")
    for column in ("program", "1 MiB", "large", "growth"):
        table.add_column(column, justify="left" if column == "program" else "right")
    for name in sorted(large):
        before, after = small.get(name, 0) / _MIB, large[name] / _MIB
        table.add_row(name, f"{before:.1f}", f"{after:.1f}", f"{after - before:+.1f}")
    console.print(table)


def faults(small: dict[str, int], large: dict[str, int]) -> list[str]:
    """Give what grew more than it may."""
    grown = {name: size - small.get(name, 0) for name, size in large.items()}
    budget = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // WORKER_SHARE
    limits = {"portal": PORTAL_GROWTH_MIB * _MIB, "pull": PORTAL_GROWTH_MIB * _MIB}
    limits |= {"worker": budget, "worker, plaintext in memfds": budget}
    return [name for name, limit in limits.items() if grown.get(name, 0) > limit]


def main() -> int:
    """Make both trips. 1: something grew more than it may, or arrived otherwise."""
    parser = argparse.ArgumentParser(prog="large")
    parser.add_argument("folder", type=Path, nargs="?", default=Path("var/drill-large"))
    parser.add_argument("--sealed-mib", type=int, default=3072, help="by command line")
    parser.add_argument("--form-mib", type=int, default=1024, help="by the form")
    options = parser.parse_args()
    shutil.rmtree(options.folder, ignore_errors=True)
    console = Console(width=_WIDTH)
    with ground() as environment:
        os.environ.clear()
        os.environ.update(environment)
        deployment = set_up(options.folder)
        sizes = (options.sealed_mib * _MIB, options.form_mib * _MIB)
        passphrase = ("--passphrase-file", deployment.passphrase)
        with running(deployment):
            deployment.amana("key", "unlock", "--officer", OFFICER, *passphrase)
            given = deployment.folder / "given"
            small, is_small_same = weighed(deployment, given, (_MIB, _MIB))
            large, is_large_same = weighed(deployment, given, sizes)
    shutil.rmtree(options.folder)
    tell(small, large, console)
    if not (is_small_same and is_large_same):
        console.print("What arrived is not what was given.")
        return 1
    grown = faults(small, large)
    console.print(f"Grew too much: {', '.join(grown)}" if grown else "Flat; and all is the same.")
    return 1 if grown else 0


if __name__ == "__main__":
    end_in_order()
    os.umask(0o077)
    sys.exit(main())
