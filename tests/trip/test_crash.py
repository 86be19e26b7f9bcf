"""Kill -9 at any instant: what was acknowledged arrives once and whole, what was not promises
nothing.

The drill runs as a process of its own, as `make drill-crash` runs it. Other seeds are other orders
of kills; a failure prints its seed, its steps and everything that differs.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from drills.crash_dice import Dice
from drills.crash_givers import Given
from drills.crash_judge import Arrived, faults_of

_SEED: Final = 5
_KILLS: Final = 5


@pytest.mark.timeout(600)
@pytest.mark.threat("T-09")
@pytest.mark.threat("T-23")
@pytest.mark.threat("T-28")
@pytest.mark.threat("T-29")
def test_what_was_acknowledged_arrives_once_and_whole_whatever_is_killed(tmp_path: Path) -> None:
    words = ["--kills", str(_KILLS), "--seed", str(_SEED), "--folder", str(tmp_path / "crash")]

    done = subprocess.run(
        [sys.executable, "-m", "drills.crash", *words],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )

    assert done.returncode == 0, done.stdout
    assert f"seed {_SEED}: {_KILLS} kills and breaks" in done.stdout


def test_the_judge_sees_what_is_missing_changed_doubled_and_unasked() -> None:
    given = Given(label="one", files={b"a": "11", b"b": "22"}, is_acknowledged=True)
    whole = Arrived(packages=["p"])
    whole.items.update([(b"a", "11"), (b"b", "22")])
    half = Arrived(packages=["p"])
    half.items.update([(b"a", "11")])
    changed = Arrived(packages=["p"])
    changed.items.update([(b"a", "11"), (b"b", "33")])
    doubled = Arrived(packages=["p", "q"])
    doubled.items.update([(b"a", "11"), (b"b", "22"), (b"b", "22")])

    assert not list(faults_of(given, {"s": whole}))
    assert list(faults_of(given, {})) == ["one: acknowledged, and in no package"]
    assert any("missing" in each for each in faults_of(given, {"s": half}))
    assert any("other bytes" in each for each in faults_of(given, {"s": changed}))
    assert any("in 2 packages" in each for each in faults_of(given, {"s": doubled}))
    assert any("in several" in each for each in faults_of(given, {"s": whole, "t": whole}))


def test_what_was_not_acknowledged_may_be_missing_but_never_half_there() -> None:
    given = Given(label="one", files={b"a": "11", b"b": "22"}, is_acknowledged=False)
    half = Arrived(packages=["p"])
    half.items.update([(b"a", "11")])

    assert not list(faults_of(given, {}))
    assert any("missing" in each for each in faults_of(given, {"s": half}))


def test_the_same_seed_throws_the_same() -> None:
    first, again, other = Dice(7, "kills"), Dice(7, "kills"), Dice(8, "kills")

    throws = [first.below(1000) for _ in range(20)]

    assert throws == [again.below(1000) for _ in range(20)]
    assert throws != [other.below(1000) for _ in range(20)]
