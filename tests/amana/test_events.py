"""A log line holds a code, the day and counts, and cannot be made to hold more."""

import datetime as dt
import enum

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from amana.clock import FixedClock
from amana.events import Code, EventError, EventLog

CLOCK = FixedClock(dt.datetime(2026, 10, 2, 12, 34, 56, tzinfo=dt.UTC))


class Happened(Code):
    UPLOAD_REFUSED = "upload-refused"
    BADLY_NAMED = "Upload refused from 10.0.0.1"


class NotACode(enum.StrEnum):
    UPLOAD_REFUSED = "upload-refused"


def test_a_line_is_the_day_the_code_and_the_counts() -> None:
    lines: list[str] = []
    EventLog(lines.append, CLOCK).record(Happened.UPLOAD_REFUSED, files=3, accounts=1)
    assert lines == ["2026-10-02 upload-refused accounts=1 files=3"]


@pytest.mark.threat("T-16")
def test_no_line_is_finer_than_the_day() -> None:
    lines: list[str] = []
    EventLog(lines.append, CLOCK).record(Happened.UPLOAD_REFUSED)
    assert "12" not in lines[0]
    assert "34" not in lines[0]


@pytest.mark.threat("T-16")
@pytest.mark.parametrize(
    "code", ["upload-refused", NotACode.UPLOAD_REFUSED, Happened.BADLY_NAMED, None, b"x", 3]
)
def test_what_is_not_a_declared_code_is_not_written(code: object) -> None:
    lines: list[str] = []
    with pytest.raises(EventError):
        EventLog(lines.append, CLOCK).record(code)  # type: ignore[arg-type] # the point
    assert lines == []


@pytest.mark.threat("T-16")
@given(
    value=st.one_of(st.text(), st.floats(), st.booleans(), st.binary(), st.integers(max_value=-1))
)
def test_what_is_not_a_count_is_not_written(value: object) -> None:
    lines: list[str] = []
    with pytest.raises(EventError):
        EventLog(lines.append, CLOCK).record(Happened.UPLOAD_REFUSED, files=value)  # type: ignore[arg-type] # the point
    assert lines == []


@given(name=st.text().filter(lambda name: not name.isidentifier()))
@example(name="a-b")
@example(name="a" * 49)
def test_the_name_of_a_count_carries_no_text(name: str) -> None:
    with pytest.raises(EventError):
        EventLog(print, CLOCK).record(Happened.UPLOAD_REFUSED, **{name: 1})


def test_a_count_that_a_json_reader_would_round_is_refused() -> None:
    with pytest.raises(EventError):
        EventLog(print, CLOCK).record(Happened.UPLOAD_REFUSED, files=2**53)
