"""Which recipient a witness's material is sealed to today, on the directory's word.

The card lies on the portal's own disk, so it is verified each time it is used: nobody who can
only write files here can have material sealed to a key of their own.
Format: docs/format/09-key-cards.md.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Self

from amana.settings import Settings
from amana.wire import directory
from amana.wire.card import CARD_LIMIT_BYTES, Audience, Expected, verify_card
from amana.wire.errors import FormatError, WireError
from amana.wire.ids import CardId
from amana.wire.signers import SIGNATURES_LIMIT_BYTES
from amana.wire.vocabulary import Deployment
from crypto.errors import KeyFormatError
from crypto.note import DualKey
from crypto.recipients import HybridRecipient
from portal.errors import DirectoryError


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessCard:
    """A card that was verified: its id, and what to seal to."""

    card_id: CardId
    recipient: HybridRecipient


@dataclass(frozen=True, slots=True, kw_only=True)
class CardSource:
    """Where the witnesses' card lies, and whose word on it counts."""

    path: Path
    directory: tuple[DualKey, ...]
    deployment: Deployment

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Read the directory keys that the settings name. DirectoryError: they are not there."""
        base = settings.data_directory
        return cls(
            path=base / settings.portal.witness_card,
            directory=read_directory(base / settings.portal.directory_keys),
            deployment=Deployment(settings.deployment.value),
        )

    def current(self, on: date) -> WitnessCard | None:
        """Give the card to seal to on this day; None when there is no valid one.

        A missing, forged or lapsed card stops intake and nothing else: what came in is kept.
        """
        expected = Expected(
            directory=self.directory,
            deployment=self.deployment,
            audience=Audience.WITNESS_MONTH,
            account=None,
            pin=None,
        )
        try:
            with self.path.open("rb") as source:
                untrusted = source.read(CARD_LIMIT_BYTES + SIGNATURES_LIMIT_BYTES + 1)
            card = verify_card(untrusted, expected, on=on)
            recipient = HybridRecipient.from_text(card.recipient)
        except (OSError, WireError, KeyFormatError):
            return None
        return WitnessCard(card_id=card.card_id, recipient=recipient)


def read_directory(path: Path) -> tuple[DualKey, ...]:
    """Read the directory's three signers: two C2SP verifier lines each, Ed25519 first.

    DirectoryError: missing, malformed, or not three signers of notes.
    """
    try:
        with path.open("rb") as source:
            untrusted = source.read(directory.SIGNERS_LIMIT_BYTES + 1)
        return directory.read_directory(untrusted)
    except (OSError, FormatError) as failure:
        raise DirectoryError("the directory keys cannot be read") from failure
