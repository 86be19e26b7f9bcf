"""What a doctor sees of a machine: swap, core dumps, the disk, who can read, what time it is."""

import datetime as dt
import os
from pathlib import Path

import pytest

from amana.clock import FixedClock, SystemClock
from amana.findings import Finding, Severity
from amana.machine import (
    LEAST_DAYS,
    LEAST_FREE_BYTES,
    MachineFinding,
    examine_address,
    examine_disk,
    examine_folder,
    examine_kernel,
    judge_free,
)

NOON = dt.datetime(2026, 10, 2, 12, tzinfo=dt.UTC)
HEADING = "Filename\tType\tSize\tUsed\tPriority\n"


def codes(findings: object) -> list[str]:
    assert isinstance(findings, list)
    return [str(each.code) for each in findings if isinstance(each, Finding)]


def a_kernel(folder: Path, swaps: str = "", pattern: str = "core") -> Path:
    (folder / "sys/kernel").mkdir(parents=True)
    (folder / "swaps").write_text(HEADING + swaps)
    (folder / "sys/kernel/core_pattern").write_text(f"{pattern}\n")
    return folder


def test_a_kernel_that_keeps_memory_to_itself_is_in_order(tmp_path: Path) -> None:
    assert list(examine_kernel(a_kernel(tmp_path))) == []


def test_swap_is_found(tmp_path: Path) -> None:
    (found,) = examine_kernel(a_kernel(tmp_path, "/dev/sda2 partition 1 0 -2\n"))
    assert (found.code, found.severity, found.values) == (
        MachineFinding.SWAP_ON,
        Severity.DANGER,
        {"count": 1},
    )


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("core", []),
        ("/var/cores/%p", []),
        ("|/bin/false", []),
        ("|/usr/lib/systemd/systemd-coredump %P", ["core-dumps-piped"]),
    ],
)
def test_a_limit_of_zero_does_not_stop_a_dump_into_a_program(
    tmp_path: Path, pattern: str, found: list[str]
) -> None:
    """core(5): RLIMIT_CORE is not enforced for core dumps that are piped."""
    assert codes(list(examine_kernel(a_kernel(tmp_path, pattern=pattern)))) == found


def test_a_kernel_that_does_not_say_is_a_warning_not_a_clean_bill(tmp_path: Path) -> None:
    assert codes(list(examine_kernel(tmp_path))) == ["kernel-hidden"]


def test_the_machine_here_can_be_looked_at() -> None:
    assert isinstance(list(examine_kernel()), list)


def a_folder(tmp_path: Path, mode: int = 0o700, key_mode: int = 0o600) -> tuple[Path, Path]:
    home = tmp_path / "home"
    home.mkdir()
    key = home / "some.keys"
    key.touch()
    key.chmod(key_mode)
    home.chmod(mode)
    return home, key


@pytest.mark.parametrize(
    ("mode", "key_mode", "found"),
    [
        (0o700, 0o600, []),
        (0o750, 0o600, ["folder-group"]),
        (0o701, 0o600, ["folder-open"]),
        (0o700, 0o640, ["keys-readable"]),
        (0o700, 0o604, ["keys-readable"]),
        (0o755, 0o644, ["folder-open", "keys-readable"]),
    ],
)
def test_whoever_else_could_read_is_found(
    tmp_path: Path, mode: int, key_mode: int, found: list[str]
) -> None:
    home, key = a_folder(tmp_path, mode, key_mode)
    none = home / "none.keys"
    assert codes(list(examine_folder(home, [key, none], SystemClock()))) == found


def test_a_folder_that_is_missing_is_one_finding(tmp_path: Path) -> None:
    assert codes(list(examine_folder(tmp_path / "none", [], SystemClock()))) == ["folder-missing"]


def test_a_clock_behind_the_files_is_found_and_by_how_much(tmp_path: Path) -> None:
    home, key = a_folder(tmp_path)
    stamp = (NOON + dt.timedelta(days=2)).timestamp()
    for path in (key, home):
        os.utime(path, (stamp, stamp))
    (found,) = examine_folder(home, [], FixedClock(NOON))
    assert (found.code, found.values) == (MachineFinding.CLOCK_BEHIND, {"count": 48})
    assert list(examine_folder(home, [], FixedClock(NOON + dt.timedelta(days=3)))) == []


@pytest.mark.parametrize(
    ("free", "bytes_a_day", "found"),
    [
        (LEAST_FREE_BYTES, 0, {}),
        (LEAST_FREE_BYTES - 1, 0, {"disk-low": {"megabytes": 2047}}),
        (LEAST_DAYS << 32, 1 << 32, {}),
        ((LEAST_DAYS << 32) - 1, 1 << 32, {"disk-days": {"count": LEAST_DAYS - 1}}),
    ],
)
def test_a_disk_is_measured_against_the_busiest_day(
    free: int, bytes_a_day: int, found: dict[str, dict[str, int]]
) -> None:
    assert {str(each.code): each.values for each in judge_free(free, bytes_a_day)} == found


def test_the_disk_here_can_be_looked_at(tmp_path: Path) -> None:
    assert codes(list(examine_disk(tmp_path))) in ([], ["disk-low"])


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("unix:portal.sock", []),
        ("127.0.0.1:8700", ["listens-on-port"]),
        ("0.0.0.0:8700", ["listens-outside"]),
        ("[::]:8700", ["listens-outside"]),
    ],
)
def test_an_address_is_judged_by_who_reaches_it(address: str, found: list[str]) -> None:
    assert codes(list(examine_address("listen", address))) == found
