"""What waits says for what, and goes on as soon as it is there."""

import time
from dataclasses import replace

import pytest

from amana.clock import SystemClock
from amana.events import EventLog
from tests.worker.opening.keys import RealKeys
from tests.worker.pipeline.ground import Quarantine
from tests.worker.pipeline.victim import Running
from worker import work as working
from worker.codes import WaitCode
from worker.engine import Engine
from worker.errors import RetryReason
from worker.pipeline.states import SubmissionState
from worker.work import Work


def test_every_reason_to_try_again_is_a_code() -> None:
    assert {each.value for each in WaitCode} == {each.value for each in RetryReason}


def test_what_waited_for_the_keys_says_so_and_is_opened_when_they_are_unlocked(
    quarantine: Quarantine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "FIRST_WAIT_SECONDS", 300.0)
    keys = quarantine.shop.keys
    assert isinstance(keys, RealKeys)
    locked = RealKeys(identities=keys.identities, locked=True)
    submission = quarantine.fetch({"a.txt": b"harmless"})
    log: list[str] = []
    work = Work(
        shop=replace(quarantine.shop, keys=locked),
        scanner=Running(),
        log=EventLog(log.append, SystemClock()),
        carrying=None,
        pull_seconds=1,
        feedback_seconds=1,
    )

    def look_until(state: SubmissionState, code: str) -> None:
        until = time.monotonic() + 90
        while not (quarantine.row(submission).state is state and log and log[-1].endswith(code)):
            assert time.monotonic() < until
            work.look(engine)
            time.sleep(0.05)

    with Engine(quarantine.shop.places.engine, "waiting", work.plan) as engine:
        look_until(SubmissionState.FETCHED, " run-again")
        assert [line.split()[1] for line in log] == ["keys-locked", "run-again"]
        work.look(engine)
        locked.locked = False
        look_until(SubmissionState.EXAMINED, " run-done")
