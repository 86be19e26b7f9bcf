"""The states of submissions and items, and the one table of moves between them.

Nothing in the quarantine changes a state but by a move that stands here, together with its custody
event (worker/custody.py). What a state means: docs/format/26-quarantine.md.
"""

from collections.abc import Mapping
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final


@unique
class SubmissionState(StrEnum):
    """How far a submission has come."""

    FETCHED = "FETCHED"
    HELD = "HELD"
    EXAMINED = "EXAMINED"
    RELEASED = "RELEASED"
    FORWARDED = "FORWARDED"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    ERASED = "ERASED"
    CLOSED = "CLOSED"


@unique
class ItemState(StrEnum):
    """How far an item has come."""

    FOUND = "FOUND"
    WAITING = "WAITING"
    HELD = "HELD"
    ASKED = "ASKED"
    ACCEPTED = "ACCEPTED"
    NOT_KEPT = "NOT_KEPT"
    PACKAGED = "PACKAGED"
    ACKNOWLEDGED = "ACKNOWLEDGED"


@unique
class PackageState(StrEnum):
    """How far a package has come."""

    SPOOLED = "SPOOLED"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    REFUSED = "REFUSED"


SUBMISSION_MOVES: Final[Mapping[SubmissionState | None, frozenset[SubmissionState]]] = (
    MappingProxyType(
        {
            None: frozenset({SubmissionState.FETCHED}),
            SubmissionState.FETCHED: frozenset({SubmissionState.EXAMINED, SubmissionState.HELD}),
            # Whatever was held is examined again from the beginning, never waved through.
            SubmissionState.HELD: frozenset({SubmissionState.FETCHED}),
            SubmissionState.EXAMINED: frozenset(
                {SubmissionState.RELEASED, SubmissionState.CLOSED, SubmissionState.HELD}
            ),
            SubmissionState.RELEASED: frozenset({SubmissionState.FORWARDED, SubmissionState.HELD}),
            SubmissionState.FORWARDED: frozenset(
                {SubmissionState.ACKNOWLEDGED, SubmissionState.HELD}
            ),
            # Back to the desk while an item is held or asked about: nothing is erased till all is
            # settled.
            SubmissionState.ACKNOWLEDGED: frozenset(
                {SubmissionState.ERASED, SubmissionState.CLOSED, SubmissionState.EXAMINED}
            ),
            SubmissionState.ERASED: frozenset(),
            SubmissionState.CLOSED: frozenset(),
        }
    )
)
"""From which state a submission may go to which. None: the quarantine does not know it yet."""

ITEM_MOVES: Final[Mapping[ItemState | None, frozenset[ItemState]]] = MappingProxyType(
    {
        None: frozenset({ItemState.FOUND}),
        ItemState.FOUND: frozenset({ItemState.WAITING, ItemState.HELD}),
        ItemState.WAITING: frozenset(
            {ItemState.ACCEPTED, ItemState.NOT_KEPT, ItemState.HELD, ItemState.ASKED}
        ),
        # An item that is held has no verdict that counts: it is examined again first.
        ItemState.HELD: frozenset({ItemState.FOUND, ItemState.NOT_KEPT}),
        ItemState.ASKED: frozenset({ItemState.ACCEPTED, ItemState.NOT_KEPT, ItemState.HELD}),
        ItemState.ACCEPTED: frozenset({ItemState.PACKAGED, ItemState.HELD}),
        ItemState.PACKAGED: frozenset({ItemState.ACKNOWLEDGED, ItemState.HELD}),
        ItemState.ACKNOWLEDGED: frozenset(),
        ItemState.NOT_KEPT: frozenset(),
    }
)
"""From which state an item may go to which. None: it was not found yet."""

UNDECIDED: Final = frozenset({ItemState.FOUND, ItemState.WAITING})
"""Items that keep a submission from being released: nobody has looked at them yet."""

UNSETTLED: Final = frozenset({*UNDECIDED, ItemState.HELD, ItemState.ASKED, ItemState.ACCEPTED})
"""Items that keep a submission from being erased: they may still become part of a package."""
