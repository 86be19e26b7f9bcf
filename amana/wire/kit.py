"""The enrolment kit: what an organisation's machine pins before it trusts anything.

It is handed over in person, with the agreement, and is the root of all later trust: whose word on
keys counts, which account this is, which card comes first. It is not signed, for there is nobody
yet whose signature could be checked. Format: docs/format/09-key-cards.md.
"""

from typing import ClassVar, Self

from amana.wire.card import SEQUENCE, Audience, Expected, Pin
from amana.wire.documents import Document, Nested, carries, record
from amana.wire.errors import FieldError
from amana.wire.fields import Choice, Many
from amana.wire.ids import ACCOUNT_ID, CARD_ID, AccountId, CardId
from amana.wire.signer_card import ExpectedSigner, SignerCard, SignerPurpose
from amana.wire.signers import SIGNER
from amana.wire.vocabulary import Deployment
from crypto.note import DualKey, Purpose

DIRECTORY_KEYS = 3
"""Directory keys there are (docs/keys.md)."""


@record
class SignerPin:
    """The newest signer card of one purpose on the day of enrolment."""

    purpose: SignerPurpose = carries(Choice(SignerPurpose), "What its key may sign.")
    card: CardId = carries(CARD_ID, "The card.")
    sequence: int = carries(SEQUENCE, "Which card of its purpose that is.")

    @classmethod
    def of(cls, card: SignerCard) -> Self:
        """Give the pin of a card."""
        return cls(purpose=card.purpose, card=card.card_id, sequence=card.sequence)


@record
class EnrolmentKit(Document):
    """What an organisation's machine pins.

    FieldError: the directory keys are not three signers of notes, or a purpose is pinned twice.
    """

    FORMAT: ClassVar = "amana/enrolment-kit/v1"
    LIMIT_BYTES: ClassVar = 1 << 15

    deployment: Deployment = carries(Choice(Deployment), "Whether material is real.")
    account: AccountId = carries(ACCOUNT_ID, "The organisation's account.")
    directory: tuple[DualKey, ...] = carries(
        Many(SIGNER, DIRECTORY_KEYS, least=DIRECTORY_KEYS), "The directory's three signers."
    )
    card: CardId = carries(CARD_ID, "The organisation's card on the day of enrolment.")
    card_sequence: int = carries(SEQUENCE, "Which card of its chain that is.")
    signers: tuple[SignerPin, ...] = carries(
        Many(Nested(SignerPin), len(SignerPurpose)), "The signer cards that there were, by purpose."
    )

    def __post_init__(self) -> None:
        halves = {half.public for key in self.directory for half in key.halves}
        names = {key.name for key in self.directory}
        if len(halves) != 2 * len(self.directory) or len(names) != len(self.directory):
            raise FieldError("has a signer twice", "directory")
        if any(key.purpose is not Purpose.NOTE for key in self.directory):
            raise FieldError("has a key that signs no notes", "directory")
        if len({each.purpose for each in self.signers}) != len(self.signers):
            raise FieldError("has a purpose twice", "signers")

    @property
    def expected(self) -> Expected:
        """What verify_card needs to know before the first card is seen."""
        return Expected(
            directory=self.directory,
            deployment=self.deployment,
            audience=Audience.CSO,
            account=self.account,
            pin=Pin(card_id=self.card, sequence=self.card_sequence),
        )

    def expected_signer(self, purpose: SignerPurpose) -> ExpectedSigner:
        """Give what read_signers needs to know before a card of this purpose is seen."""
        pins = [each for each in self.signers if each.purpose is purpose]
        return ExpectedSigner(
            directory=self.directory,
            deployment=self.deployment,
            purpose=purpose,
            pin=Pin(card_id=pins[0].card, sequence=pins[0].sequence) if pins else None,
        )
