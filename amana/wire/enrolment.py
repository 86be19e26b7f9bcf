"""What a portal is told of the organisations that are enrolled: public keys and cards, no names.

The portal uses it as a filter: who may open an upload session, and which card is in force. It
decides nothing; the quarantine judges every note again by its own register. Whoever takes this
file learns the pseudonyms of organisations, and no label, no agreement and no person.
Format: docs/format/26-quarantine.md.
"""

from typing import ClassVar, Final

from amana.wire.card import CARD_LIMIT_BYTES, CardStatus, KeyCard
from amana.wire.documents import Document, Nested, carries, record
from amana.wire.errors import FieldError, WireError
from amana.wire.fields import Choice, Many, Text
from amana.wire.ids import ACCOUNT_ID, CARD_ID, AccountId, CardId
from amana.wire.signers import NOTE_SIGNER, SIGNATURES_LIMIT_BYTES
from amana.wire.vocabulary import Deployment
from crypto.errors import NoteError
from crypto.note import DualKey, SignedNote

MEMBERS_LIMIT: Final = 64
"""Most members of one organisation. Ours: a key for each field team, and room."""

ACCOUNTS_LIMIT: Final = 4_096
"""Most organisations of one portal: several times the 500 that it is made for."""

CARD_NOTE_LIMIT_BYTES: Final = CARD_LIMIT_BYTES + SIGNATURES_LIMIT_BYTES
"""Longest note of a key card."""


@record
class PortalAccount:
    """One organisation, as its portal may know it.

    FieldError: the card is not this account's card, or a key is not named for the account.
    """

    account: AccountId = carries(ACCOUNT_ID, "The organisation's pseudonym.")
    members: tuple[DualKey, ...] = carries(
        Many(NOTE_SIGNER, MEMBERS_LIMIT), "Keys of the members who may hand over now."
    )
    card: CardId = carries(CARD_ID, "The newest key card of the account, usable or not.")
    card_note: str = carries(
        Text(CARD_NOTE_LIMIT_BYTES), "The signed note of that card, for members to fetch."
    )

    def __post_init__(self) -> None:
        if any(not key.name.startswith(f"{self.account}/") for key in self.members):
            raise FieldError("has a key that is not named for the account", "members")
        if len({key.name for key in self.members}) != len(self.members):
            raise FieldError("has a member twice", "members")
        card = self.key_card
        if (card.account, card.card_id) != (self.account, self.card):
            raise FieldError("is not the note of this account's card", "card_note")

    @property
    def key_card(self) -> KeyCard:
        """The card inside the note. Its signatures are not judged here: see verify_card."""
        try:
            note = SignedNote.parse(self.card_note.encode(), limit_bytes=CARD_NOTE_LIMIT_BYTES)
            return KeyCard.from_bytes(note.text.encode())
        except (NoteError, WireError) as failure:
            raise FieldError("is not the note of a key card", "card_note") from failure

    @property
    def is_open(self) -> bool:
        """Whether the newest card is one that may be sealed to, its days apart."""
        return self.key_card.status is CardStatus.ACTIVE


@record
class PortalEnrolment(Document):
    """Everything that a portal is told of enrolled organisations. A newer one replaces it whole.

    FieldError: an account twice, or not in the order of ids.
    """

    FORMAT: ClassVar = "amana/portal-enrolment/v1"
    LIMIT_BYTES: ClassVar = 64 << 20

    deployment: Deployment = carries(Choice(Deployment), "Whether the material is real.")
    accounts: tuple[PortalAccount, ...] = carries(
        Many(Nested(PortalAccount), ACCOUNTS_LIMIT), "The organisations, in the order of their ids."
    )

    def __post_init__(self) -> None:
        ids = [each.account for each in self.accounts]
        # One order, so that two files that say the same are the same.
        if ids != sorted(set(ids)):
            raise FieldError("is not in the order of ids, each once", "accounts")

    def find(self, account: AccountId) -> PortalAccount | None:
        """Give what is known of an account; None when it is not enrolled."""
        return next((each for each in self.accounts if each.account == account), None)
