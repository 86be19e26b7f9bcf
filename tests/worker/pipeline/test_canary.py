"""No row says what nobody may read from a seized database: neither ours nor the engine's."""

import hashlib
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from amana.clock import SystemClock
from amana.events import EventLog
from tests.worker.opening.world import LABEL
from tests.worker.pipeline.ground import Quarantine
from tests.worker.pipeline.victim import Running
from worker.canary import EICAR
from worker.engine import Engine
from worker.pipeline.states import ItemState, SubmissionState
from worker.work import Work

NAME = "فاطمة-statement"
CONTENT = b"canary of the content " * 40


def rows(path: Path) -> Iterator[bytes]:
    """Every value of every table, as bytes, and the bytes of the file itself."""
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in tables.fetchall():
            for row in connection.execute(f'SELECT * FROM "{table.decode()}"'):  # noqa: S608 - ours
                for value in row:
                    yield value if isinstance(value, bytes) else str(value).encode()
    for each in path.parent.glob(f"{path.name}*"):
        yield each.read_bytes()


@pytest.mark.threat("T-16")
def test_no_database_holds_a_name_a_digest_of_plaintext_or_a_signature(
    quarantine: Quarantine,
) -> None:
    submission = quarantine.fetch({NAME: CONTENT, "b.com": EICAR})
    work = Work(
        shop=quarantine.shop,
        scanner=Running(),
        log=EventLog(lambda _: None, SystemClock()),
        carrying=None,
        pull_seconds=1,
        feedback_seconds=1,
    )
    engine_path = quarantine.shop.places.engine
    with Engine(engine_path, "canary", work.plan) as engine:
        until = time.monotonic() + 90
        for state in (SubmissionState.EXAMINED, SubmissionState.FORWARDED, SubmissionState.ERASED):
            while quarantine.row(submission).state is not state:
                assert time.monotonic() < until
                work.look(engine)
                time.sleep(0.05)
            if state is SubmissionState.EXAMINED:
                quarantine.accept(submission)
            if state is SubmissionState.FORWARDED:
                quarantine.receive()
    assert {each.state for each in quarantine.items(submission)} == {ItemState.ACKNOWLEDGED}
    member = quarantine.world.member.signer.key.name.partition("/")[2]
    secrets = [NAME.encode(), b"b.com", CONTENT[:22], LABEL.encode(), member.encode(), b"Eicar"]
    for content in (CONTENT, EICAR):
        digest = hashlib.sha256(content)
        secrets += [digest.digest(), digest.hexdigest().encode()]
        secrets += [hashlib.sha512(content).hexdigest().encode()]
    for path in (quarantine.home / "worker.db", engine_path):
        found = list(rows(path))
        assert any(submission.encode() in value for value in found), "the search itself works"
        for secret in secrets:
            assert not any(secret in value for value in found), secret
