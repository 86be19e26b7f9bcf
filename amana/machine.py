"""What every zone's doctor looks at: the machine, and who can read the zone's folder.

It reads and changes nothing. Facts of the kernel: proc(5), core(5).
"""

import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum, unique
from pathlib import Path
from typing import Final

from amana.clock import Clock
from amana.findings import Finding, Severity

PROC: Final = Path("/proc")

LEAST_FREE_BYTES: Final = 2 << 30
"""Free disk below which a zone may stop at any moment. Ours: the portal keeps half of it spare."""

LEAST_DAYS: Final = 14
"""For how many days of the busiest kind the disk must last. Ours: longer than any absence planned
for (docs/guides/operator.md)."""

CLOCK_SLACK: Final = timedelta(hours=1)
"""How far the files' times may be ahead of the clock. Ours: a broken clock is off by far more."""

_GROUP: Final = 0o070
_OTHERS: Final = 0o007
# A core file that goes to this program goes nowhere.
_NOWHERE: Final = frozenset({"|/bin/false", "|/bin/true"})


@unique
class MachineFinding(StrEnum):
    """What may be wrong with a machine."""

    SWAP_ON = "swap-on"
    CORE_DUMPS = "core-dumps-piped"
    KERNEL_HIDDEN = "kernel-hidden"
    DISK_LOW = "disk-low"
    DISK_DAYS = "disk-days"
    FOLDER_OPEN = "folder-open"
    FOLDER_GROUP = "folder-group"
    FOLDER_MISSING = "folder-missing"
    KEYS_READABLE = "keys-readable"
    CLOCK_BEHIND = "clock-behind"
    LISTENS_ON_PORT = "listens-on-port"
    LISTENS_OUTSIDE = "listens-outside"
    DATABASE_UNUSABLE = "database-unusable"


def examine_kernel(proc: Path = PROC) -> Iterator[Finding]:
    """Look whether memory can reach a disk. proc: the kernel's folder."""
    try:
        swaps = (proc / "swaps").read_text("ascii", errors="replace").splitlines()
        pattern = (proc / "sys/kernel/core_pattern").read_text("utf-8", errors="replace").strip()
    except OSError:
        yield Finding(code=MachineFinding.KERNEL_HIDDEN, severity=Severity.WARNING)
        return
    if len(swaps) > 1:  # the first line is a heading
        yield Finding(
            code=MachineFinding.SWAP_ON,
            severity=Severity.DANGER,
            values={"count": len(swaps) - 1},
        )
    # The limit of zero that our programs set themselves does not count for a pipe.
    if pattern.startswith("|") and pattern not in _NOWHERE:
        yield Finding(code=MachineFinding.CORE_DUMPS, severity=Severity.DANGER)


def examine_folder(home: Path, keys: Iterable[Path], clock: Clock) -> Iterator[Finding]:
    """Look who can read a zone's folder and its key files, and whether its times are possible."""
    try:
        mode = stat.S_IMODE(home.stat().st_mode)
    except FileNotFoundError:
        yield Finding(code=MachineFinding.FOLDER_MISSING, severity=Severity.DANGER)
        return
    if mode & _OTHERS:
        yield Finding(code=MachineFinding.FOLDER_OPEN, severity=Severity.DANGER)
    elif mode & _GROUP:
        yield Finding(code=MachineFinding.FOLDER_GROUP, severity=Severity.WARNING)
    loose = sum(_is_loose(each) for each in keys)
    if loose:
        values = {"count": loose}
        yield Finding(code=MachineFinding.KEYS_READABLE, severity=Severity.DANGER, values=values)
    ahead = _newest(home) - clock.now()
    if ahead > CLOCK_SLACK:
        yield clock_behind(ahead)


def examine_disk(home: Path, bytes_a_day: int = 0) -> Iterator[Finding]:
    """Look how long the disk lasts. bytes_a_day: what came on the busiest day that is known."""
    yield from judge_free(shutil.disk_usage(home).free, bytes_a_day)


def judge_free(free: int, bytes_a_day: int) -> Iterator[Finding]:
    """Say how long so many free bytes last."""
    if free < LEAST_FREE_BYTES:
        values = {"megabytes": free >> 20}
        yield Finding(code=MachineFinding.DISK_LOW, severity=Severity.DANGER, values=values)
    elif bytes_a_day and free // bytes_a_day < LEAST_DAYS:
        values = {"count": free // bytes_a_day}
        yield Finding(code=MachineFinding.DISK_DAYS, severity=Severity.WARNING, values=values)


def examine_address(setting: str, address: str) -> Iterator[Finding]:
    """Look who can reach an address of the settings. setting: its name, for the sentence."""
    if address.startswith("unix:"):
        return
    is_near = address.rpartition(":")[0] == "127.0.0.1"
    yield Finding(
        code=MachineFinding.LISTENS_ON_PORT if is_near else MachineFinding.LISTENS_OUTSIDE,
        severity=Severity.WARNING if is_near else Severity.DANGER,
        values={"setting": setting},
    )


def clock_behind(by: timedelta) -> Finding:
    """Say that something kept here is from a time that has not come. by: how far ahead it is."""
    return Finding(
        code=MachineFinding.CLOCK_BEHIND,
        severity=Severity.DANGER,
        values={"count": -(-by // timedelta(hours=1))},
    )


def database_unusable(failure: Exception) -> Finding:
    """Say that a zone's database cannot be used. failure: named for why."""
    return Finding(
        code=MachineFinding.DATABASE_UNUSABLE,
        severity=Severity.DANGER,
        values={"why": type(failure).__name__},
    )


def _is_loose(path: Path) -> bool:
    return path.exists() and bool(stat.S_IMODE(path.stat().st_mode) & (_GROUP | _OTHERS))


def _newest(home: Path) -> datetime:
    """Give the latest time of the folder and of what lies directly in it.

    A folder's own time is that of the last name in it, so not every file needs to be asked.
    """
    times = [home.stat().st_mtime]
    with os.scandir(home) as entries:
        times += [each.stat(follow_symlinks=False).st_mtime for each in entries]
    return datetime.fromtimestamp(max(times), tz=UTC)
