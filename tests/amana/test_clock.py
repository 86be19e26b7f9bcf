"""Time is passed in, aware, in UTC, in whole seconds."""

import datetime as dt

import pytest

from amana.clock import FixedClock, SystemClock, today

NOON = dt.datetime(2026, 10, 2, 12, 0, tzinfo=dt.UTC)


def test_the_machine_s_time_is_aware_and_in_whole_seconds() -> None:
    now = SystemClock().now()
    assert now.tzinfo is dt.UTC
    assert now.microsecond == 0


def test_a_fixed_clock_moves_only_when_told() -> None:
    clock = FixedClock(NOON)
    assert clock.now() == clock.now() == NOON
    clock.advance(3600)
    assert clock.now() == NOON.replace(hour=13)


def test_a_clock_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="does not go back"):
        FixedClock(NOON).advance(-1)


def test_today_is_the_day_in_utc() -> None:
    assert today(FixedClock(NOON)) == dt.date(2026, 10, 2)
