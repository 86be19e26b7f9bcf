"""What the key agent did: one line for each act, in order, each naming the one before."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amana.clock import FixedClock
from worker.agent_journal import Act, Entry, Journal, read_journal
from worker.agent_messages import OfficerName
from worker.errors import KeyPlaceError

CLOCK = FixedClock(datetime(2026, 11, 22, 9, tzinfo=UTC))
OFFICER = OfficerName("registrar")
ENTRIES = [
    Entry(act=Act.STARTED),
    Entry(act=Act.UNLOCKED, officer=OFFICER),
    Entry(act=Act.LOCKED, officer=OFFICER),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    journal = Journal(tmp_path / "journal", CLOCK)
    journal.write(ENTRIES)
    journal.close()
    return tmp_path / "journal"


def write_more(path: Path) -> None:
    journal = Journal(path, CLOCK)
    journal.write([Entry(act=Act.STOPPED)])
    journal.close()


def test_lines_are_read_back_in_order_across_restarts(path: Path) -> None:
    write_more(path)
    acts = [each.act for each in read_journal(path)]
    assert acts == [Act.STARTED, Act.UNLOCKED, Act.LOCKED, Act.STOPPED]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("left", [0, 1, 150, 400])
def test_a_line_that_a_kill_cut_is_cut_off(left: int, path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:left])
    write_more(path)
    kept = whole[: whole.rfind(b"\n", 0, left) + 1]
    assert path.read_bytes().startswith(kept)
    acts = [each.act for each in read_journal(path)]
    assert acts == [*[each.act for each in ENTRIES][: kept.count(b"\n")], Act.STOPPED]


@pytest.mark.threat("T-09")
@pytest.mark.parametrize("number", [0, 1])
def test_a_line_that_was_taken_out_or_changed_is_missed(number: int, path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:number] + lines[number + 1 :]))
    with pytest.raises(KeyPlaceError):
        list(read_journal(path))
    changed = lines[number].replace(b"09:00:00Z", b"10:00:00Z")
    path.write_bytes(b"".join([*lines[:number], changed, *lines[number + 1 :]]))
    with pytest.raises(KeyPlaceError):
        list(read_journal(path))


def test_a_journal_that_others_can_read_is_not_written_to(path: Path) -> None:
    path.chmod(0o640)
    with pytest.raises(KeyPlaceError):
        Journal(path, CLOCK)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(untrusted=st.binary(max_size=6000))
def test_arbitrary_bytes_are_no_journal(untrusted: bytes, tmp_path: Path) -> None:
    path = tmp_path / "arbitrary"
    path.write_bytes(untrusted + b"x\n")
    path.chmod(0o600)
    with pytest.raises(KeyPlaceError):
        list(read_journal(path))
    with pytest.raises(KeyPlaceError):
        Journal(path, CLOCK)


def test_a_line_holds_ids_digests_and_words_alone(path: Path) -> None:
    (line, *_) = path.read_text("ascii").splitlines()
    fields = {"act", "after", "at", "format", "header", "holder", "officer", "recipient"}
    assert json.loads(line).keys() == fields | {"submission"}
