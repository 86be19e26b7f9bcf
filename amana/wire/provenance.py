"""Where an item comes from, as its provider tells it. Every field may be unknown.

Words here are the provider's, never ours, and are not checked. An unknown provenance never stops
an item (A/74/699 para. 17c). Fields: Berkeley Protocol, paragraphs 153-155 and 167; reference list
in docs/format/07-manifests.md.
"""

from datetime import date, datetime
from typing import Final

from amana.wire.documents import Nested, carries, record
from amana.wire.errors import FieldError
from amana.wire.fields import Choice, Day, Flag, Instant, Many, Nullable, Text, Whole
from amana.wire.ids import CONTENT_SHA256, ContentSha256
from amana.wire.vocabulary import Certainty, CollectionMethod, Originality

LINE: Final = Text(1_024)
"""A line of somebody's words: a name, a place, a tool. Ours, generous for Arabic at two bytes."""

PARAGRAPH: Final = Text(16_384)
"""Some pages of somebody's words. Longer text is material and travels as an item."""

FEW: Final = 64
"""Most custodians, alterations or earlier accounts of one item. Ours."""

_MICRODEGREES: Final = 1_000_000
_HALF_EARTH_METRES: Final = 20_037_508
"""Half of the equator, WGS 84: no place is less exact than anywhere."""


@record
class When:
    """A time as well as it is known. FieldError: it ends before it begins."""

    earliest: date | None = carries(Nullable(Day()), "Not before this day.")
    latest: date | None = carries(Nullable(Day()), "Not after this day.")
    words: str | None = carries(Nullable(LINE), "The time in the provider's words.")
    certainty: Certainty | None = carries(Nullable(Choice(Certainty)), "How sure that is.")

    def __post_init__(self) -> None:
        if self.earliest is not None and self.latest is not None and self.latest < self.earliest:
            raise FieldError("is before the earliest day", "latest")


@record
class Who:
    """A person or organisation, by a code where there is one."""

    words: str = carries(LINE, "A code or a name.")
    certainty: Certainty | None = carries(Nullable(Choice(Certainty)), "How sure that is.")


@record
class Position:
    """A point on the earth, WGS 84, in millionths of a degree: JSON here has no fractions."""

    latitude: int = carries(
        Whole(-90 * _MICRODEGREES, 90 * _MICRODEGREES), "Millionths of a degree, north positive."
    )
    longitude: int = carries(
        Whole(-180 * _MICRODEGREES, 180 * _MICRODEGREES), "Millionths of a degree, east positive."
    )
    within_metres: int | None = carries(
        Nullable(Whole(0, _HALF_EARTH_METRES)), "How far off it may be."
    )


@record
class Where:
    """A place as well as it is known."""

    words: str | None = carries(Nullable(LINE), "The place in the provider's words.")
    position: Position | None = carries(Nullable(Nested(Position)), "The place as a point.")
    certainty: Certainty | None = carries(Nullable(Choice(Certainty)), "How sure that is.")


@record
class Custodian:
    """Someone who held the item before the provider gave it."""

    who: Who | None = carries(Nullable(Nested(Who)), "Who held it.")
    held: When | None = carries(Nullable(Nested(When)), "When they held it.")
    how: str | None = carries(Nullable(LINE), "How it came to them and went on.")


@record
class Alteration:
    """Something that was done to the item before it was given."""

    what: str = carries(LINE, "What was done: cut, blurred, renamed, converted.")
    why: str | None = carries(Nullable(LINE), "Why.")
    tool: str | None = carries(Nullable(LINE), "With what.")
    who: Who | None = carries(Nullable(Nested(Who)), "By whom.")
    when: When | None = carries(Nullable(Nested(When)), "When.")


@record
class PriorAccount:
    """Someone to whom the person has already told this, so that nobody asks again for nothing."""

    given_to: str = carries(LINE, "To whom: an organisation or a kind of one.")
    when: When | None = carries(Nullable(Nested(When)), "When.")


@record
class OpenSource:
    """What makes a web capture usable in court: address, source and picture of the page."""

    url: str | None = carries(Nullable(Text(8_192)), "The address, as it was.")
    captured_at: datetime | None = carries(Nullable(Instant()), "When it was captured.")
    html_sha256: ContentSha256 | None = carries(
        Nullable(CONTENT_SHA256), "The item that holds the page's source."
    )
    capture_sha256: ContentSha256 | None = carries(
        Nullable(CONTENT_SHA256), "The item that holds the whole page as a picture."
    )
    tool: str | None = carries(Nullable(LINE), "What captured it, with its version.")
    context: str | None = carries(Nullable(PARAGRAPH), "Where and how it was found.")


@record
class Provenance:
    """Where an item comes from. Null is not known; an empty list is known to be none."""

    collected: When | None = carries(Nullable(Nested(When)), "When it was collected.")
    collected_by: Who | None = carries(Nullable(Nested(Who)), "Who collected it.")
    place: Where | None = carries(Nullable(Nested(Where)), "Where it was collected.")
    method: CollectionMethod | None = carries(
        Nullable(Choice(CollectionMethod)), "How it came to the collector."
    )
    method_words: str | None = carries(Nullable(PARAGRAPH), "The same in words.")
    originality: Originality | None = carries(
        Nullable(Choice(Originality)), "Original, copy or derivative."
    )
    controlled_capture: bool | None = carries(
        Nullable(Flag()), "Whether an app that guards its recordings made it."
    )
    open_source: OpenSource | None = carries(
        Nullable(Nested(OpenSource)), "For what was found in the open."
    )
    prior_custodians: tuple[Custodian, ...] | None = carries(
        Nullable(Many(Nested(Custodian), FEW)), "Who held it before, first holder first."
    )
    alterations: tuple[Alteration, ...] | None = carries(
        Nullable(Many(Nested(Alteration), FEW)), "What was done to it, first first."
    )


UNKNOWN_PROVENANCE: Final = Provenance(
    collected=None,
    collected_by=None,
    place=None,
    method=None,
    method_words=None,
    originality=None,
    controlled_capture=None,
    open_source=None,
    prior_custodians=None,
    alterations=None,
)
"""An item of which its provider says nothing. It is taken all the same."""
