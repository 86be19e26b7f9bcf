"""kill -9 at any instant: every submission goes on, and nothing happens twice."""

import hashlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from amana.wire.event import EventType
from amana.wire.package_paths import SEAL_NOTE
from amana.wire.spool import COMMIT
from repository.receive import Received
from tests.worker.pipeline.ground import SIGNERS, Quarantine, Scanner
from worker.agent_client import CardHolder
from worker.engine import Progress
from worker.pipeline.erase import collect
from worker.pipeline.receipts import waiting_receipts
from worker.pipeline.states import SubmissionState

pytestmark = pytest.mark.threat("T-29")

KILLS = 3
LONGEST_SECONDS = 240.0


def instant(seed: int, number: int) -> float:
    """When a process is killed, in seconds after it began to work."""
    digest = hashlib.sha256(f"{seed} {number}".encode()).digest()
    return int.from_bytes(digest[:2], "big") / 0xFFFF * 3.0


@contextmanager
def at_work(home: Path, socket: Path, signatures: Path) -> Iterator["subprocess.Popen[str]"]:
    words = [str(home), str(socket), str(signatures)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.worker.pipeline.victim", *words],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.mark.timeout(2 * LONGEST_SECONDS)
@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 5))]
)
def test_a_quarantine_that_is_killed_makes_exactly_one_package(
    quarantine: Quarantine, scanner: Scanner, memory: Path, seed: int
) -> None:
    home = quarantine.home
    identities = {
        holder.card: identity.to_text()
        for holder, identity in quarantine.world.keys.identities.items()
        if isinstance(holder, CardHolder)
    }
    (home / "cards.json").write_text(json.dumps(identities))
    SIGNERS.save(home / "signers.json")
    given = {"a.jpg": b"\xff\xd8\xff" + bytes(range(256)) * 4_000, "b.txt": b"b"}
    submission = quarantine.fetch(given)
    received: list[Received] = []

    def people() -> None:
        """What officers and the repository do in between."""
        row = quarantine.row(submission)
        if row.state is SubmissionState.EXAMINED:
            quarantine.accept_waiting(submission)
        for each in quarantine.receive():
            assert isinstance(each, Received)
            received.append(each)

    began = time.monotonic()
    kills = 0
    while quarantine.row(submission).state is not SubmissionState.ERASED:
        with at_work(home, memory / "clamd" / "clamd.sock", scanner.signatures):
            until = time.monotonic() + (instant(seed, kills) if kills < KILLS else LONGEST_SECONDS)
            while time.monotonic() < until:
                people()
                if quarantine.row(submission).state is SubmissionState.ERASED:
                    break
                time.sleep(0.1)
        kills += 1
        assert time.monotonic() - began < LONGEST_SECONDS
    (package,) = quarantine.packages(submission)
    assert [each.word.package_id for each in received] == [package.package_id]
    assert received[0].word.sealed_sha256 == package.sealed_sha256
    assert len(quarantine.shop.books.read(waiting_receipts)) == 1
    types = [each.type for each in quarantine.events(submission)]
    for once in (EventType.DISSEMINATION, EventType.DELETION, EventType.POLICY_ASSIGNMENT):
        assert types.count(once) == 1
    assert not list((home / "outbox").iterdir())
    assert not quarantine.shop.places.bundle(submission).exists()


def test_a_package_that_was_half_removed_leaves_nothing_behind(quarantine: Quarantine) -> None:
    submission = quarantine.fetch({"a.txt": b"a"})
    quarantine.examine(submission)
    quarantine.accept(submission)
    quarantine.release(submission)
    (received,) = quarantine.receive()
    collect(quarantine.shop, submission)
    outbox = quarantine.home / "outbox"
    # A kill after the mark and our note were removed, before the sealed bytes were.
    (outbox / f"{received.word.package_id}{COMMIT}").unlink()
    (outbox / received.word.package_id / SEAL_NOTE).unlink()

    assert quarantine.settle(submission) is Progress.DONE

    assert not list(outbox.iterdir())
