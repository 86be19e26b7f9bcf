"""What this machine believes of keys: the enrolment kit, and the last card it has seen.

There is no trust on first use: the kit is compared on paper. The last genuine card is remembered
beside the kit, whether it may be used or not, so that nobody can bring an older one back, least of
all one that was revoked. Format: docs/format/09-key-cards.md, 17-bundle.md.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import ClassVar, Final

from amana.durable import durable, sync_folder
from amana.wire.card import (
    CARD_LIMIT_BYTES,
    SEQUENCE,
    Expected,
    KeyCard,
    Pin,
    check_usable,
    next_card,
)
from amana.wire.documents import Document, carries, record
from amana.wire.errors import CardError, WireError
from amana.wire.ids import CARD_ID, CardId
from amana.wire.kit import EnrolmentKit
from amana.wire.signers import SIGNATURES_LIMIT_BYTES
from client.errors import KeysError

_CARD_NOTE_LIMIT_BYTES: Final = CARD_LIMIT_BYTES + SIGNATURES_LIMIT_BYTES


@record
class SeenCard(Document):
    """The last genuine card that this machine saw."""

    FORMAT: ClassVar = "amana/seen-card/v1"
    LIMIT_BYTES: ClassVar = 1_024

    card: CardId = carries(CARD_ID, "The card.")
    sequence: int = carries(SEQUENCE, "Its place in its chain.")


def load_kit(path: Path) -> EnrolmentKit:
    """Read an enrolment kit. KeysError: it is missing or malformed."""
    try:
        return EnrolmentKit.from_bytes(_read(path, EnrolmentKit.LIMIT_BYTES))
    except WireError as failure:
        raise KeysError("not-a-kit", path=str(path)) from failure


def believe_card(
    kit_path: Path, kit: EnrolmentKit, card_paths: Sequence[Path], on: date
) -> KeyCard:
    """Give the newest card, if it may be sealed to on this day.

    Each card that is genuine and the next one is remembered beside the kit, before anything else
    is asked of it. card_paths: oldest first, from the card last seen or the one after it.
    KeysError: a card is missing, malformed, not signed by two of the directory keys, for someone
    else, older than one that was seen, or not the next one; or the newest is revoked or expired.
    """
    seen_path = kit_path.with_name(kit_path.name + ".seen")
    expected = replace(kit.expected, pin=_seen(seen_path) or kit.expected.pin)
    try:
        *links, newest = card_paths
        for path in links:
            expected = replace(expected, pin=Pin.of(_take(path, expected, seen_path)))
        card = _take(newest, expected, seen_path)
        check_usable(card, on)
    except CardError as failure:
        raise KeysError(f"card-{failure.fault}") from failure
    except WireError as failure:
        raise KeysError("card-not-believed", reason=str(failure)) from failure
    return card


def _take(path: Path, expected: Expected, seen_path: Path) -> KeyCard:
    """Give the card in a file, if it is the next one, and remember it."""
    card = next_card(_read(path, _CARD_NOTE_LIMIT_BYTES), expected)
    if expected.pin != Pin.of(card):
        _remember(seen_path, card)
    return card


def _seen(path: Path) -> Pin | None:
    if not path.exists():
        return None
    try:
        seen = SeenCard.from_bytes(_read(path, SeenCard.LIMIT_BYTES))
    except WireError as failure:
        # Never fall back to the kit: whoever damaged the memory may want the old card to count.
        raise KeysError("memory-of-cards-damaged", path=str(path)) from failure
    return Pin(card_id=seen.card, sequence=seen.sequence)


def _remember(path: Path, card: KeyCard) -> None:
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with durable(fresh) as target:
        target.write(SeenCard(card=card.card_id, sequence=card.sequence).to_bytes())
    fresh.replace(path)
    sync_folder(path.parent)


def _read(path: Path, limit_bytes: int) -> bytes:
    try:
        with path.open("rb") as source:
            return source.read(limit_bytes + 1)
    except FileNotFoundError as failure:
        raise KeysError("no-such-file", path=str(path)) from failure
    except OSError as failure:
        raise KeysError(
            "file-unreadable", path=str(path), reason=failure.strerror or ""
        ) from failure
