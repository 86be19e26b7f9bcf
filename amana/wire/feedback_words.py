"""A status as its reader is told it: the sentence of its code, and nothing that the code lacks.

The same on a page and on a command line. The sentences are `feedback.CODE` in the catalogues.
Vocabulary: docs/format/13-terms.md section 12.
"""

from datetime import date
from typing import Final, Protocol

from amana.i18n import Sentence, Speaker
from amana.wire.feedback import FeedbackStatus

_NO_ISOLATES: Final = {0x2068: None, 0x2069: None}


class Say(Protocol):
    """Gives the text of a sentence in the reader's language."""

    def __call__(self, key: str, **values: str | int) -> str:
        """Give the text."""
        ...


def say_with(speaker: Speaker) -> Say:
    """Give what says sentences by their key."""

    def say(key: str, **values: str | int) -> str:
        return speaker.say(Sentence(key=key, values=values))

    return say


def words_of_day(on: date, say: Say) -> str:
    """Give a date with the name of its month."""
    text = say("date.day", day=on.day, month=say(f"date.month.{on.month}"), year=on.year)
    # Our own words; a day stands in other sentences, where an isolate counts as hostile.
    return text.translate(_NO_ISOLATES)


def words_of(status: FeedbackStatus, say: Say) -> str:
    """Give the sentence of a status. Line breaks in its free text become spaces."""
    values: dict[str, str | int] = {}
    if status.reason is not None:
        values["reason"] = say(f"feedback.reason.{status.reason.value}")
    if status.date is not None:
        values["date"] = words_of_day(status.date, say)
    if status.text is not None:
        values["text"] = " ".join(status.text.split())
    return say(f"feedback.{status.code.value}", **values)
