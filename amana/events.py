"""What a process writes into its log: a code, the day, and counts. Nothing else fits.

A log outlives the people in it, so there is no call that takes text: no message, no name, no
address, no path, no exception, no time finer than the day. Each zone declares its own codes as a
subclass of `Code`; a line is `2026-10-02 upload-refused files=3`.
"""

import enum
import re
from collections.abc import Callable
from typing import Final

from amana.clock import Clock, today

# Short, lower case, joined by hyphens in a code and by underscores in the name of a count, so that
# no text hides in either.
_CODE: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", re.ASCII)
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*", re.ASCII)
_WORD_LIMIT: Final = 48
# The largest integer that every JSON reader keeps (RFC 8259 section 6): no count is larger.
_COUNT_LIMIT: Final = 2**53 - 1


class EventError(Exception):
    """Something other than a declared code and counts was about to be logged."""


class Code(enum.StrEnum):
    """The root of every zone's operator codes: lower-case words joined by hyphens."""


class EventLog:
    """Writes events, one line each.

    write: takes one line without its newline, for example `print` or a journal's method.
    """

    def __init__(self, write: Callable[[str], object], clock: Clock) -> None:
        self._write = write
        self._clock = clock

    def record(self, code: Code, **counts: int) -> None:
        """Write that something happened, and how many times or to how many things.

        EventError if `code` is not a declared code or a count is not a whole number from 0 to
        2**53 - 1: a type checker cannot hold back what arrives at run time, and a log line cannot
        be unwritten.
        """
        given: object = code
        if not (isinstance(given, Code) and _is_word(_CODE, given.value)):
            raise EventError("an event is a declared code")
        for name, count in counts.items():
            if not _is_word(_NAME, name):
                raise EventError("the name of a count is one lower-case word")
            if type(count) is not int or not 0 <= count <= _COUNT_LIMIT:
                raise EventError("a count is a whole number")
        numbers = [f"{name}={count}" for name, count in sorted(counts.items())]
        self._write(" ".join([today(self._clock).isoformat(), code.value, *numbers]))


def _is_word(pattern: re.Pattern[str], text: str) -> bool:
    return len(text) <= _WORD_LIMIT and pattern.fullmatch(text) is not None
