"""Where time comes from: a Clock is passed to whatever needs one.

`SystemClock` is the only place in the project that asks the machine what time it is.
"""

import dataclasses
import datetime as dt
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> dt.datetime:
        """Return the present moment: aware, in UTC, in whole seconds, as every format writes it."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> dt.datetime:
        """Return the machine's time, its fraction of a second cut off."""
        present = dt.datetime.now(dt.UTC)  # noqa: TID251 - the one place that may ask
        return present.replace(microsecond=0)


@dataclasses.dataclass(slots=True)
class FixedClock:
    """A clock that moves only when it is told to, for tests and for vectors."""

    at: dt.datetime

    def now(self) -> dt.datetime:
        """Return the moment at which the clock stands."""
        return self.at

    def advance(self, seconds: int) -> None:
        """Move the clock forward. A clock never goes back: ValueError for a negative step."""
        if seconds < 0:
            raise ValueError("a clock does not go back")
        self.at += dt.timedelta(seconds=seconds)


def today(clock: Clock) -> dt.date:
    """Return the day in UTC: the finest time that is ever kept about a witness."""
    return clock.now().date()
