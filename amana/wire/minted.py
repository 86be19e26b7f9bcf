"""One-time cards for witnesses: minted in batches, each proven by a path to one signed root.

The directory keys are off line and a witness needs a card now. So they certify a minting key, and
it signs the Merkle root over a batch of cards; a card travels with its path, the root's note, the
minting key's card and the cards that followed that one. One card serves one submission.
Format: docs/format/09-key-cards.md.
"""

from collections.abc import Sequence
from datetime import date
from typing import ClassVar, Final

from amana.wire.card import CARD_LIMIT_BYTES, check_current, check_days
from amana.wire.documents import Document, Nested, Statement, carries, record
from amana.wire.errors import CardError, CardFault, UnprovenError
from amana.wire.fields import Choice, Day, Many, Text, Whole
from amana.wire.ids import (
    BATCH_ID,
    CARD_ID,
    DIGEST,
    RECIPIENT,
    BatchId,
    CardId,
    Digest,
    RecipientText,
)
from amana.wire.signer_card import ExpectedSigner, SignerPurpose, SignerTrail, read_signers
from amana.wire.signers import read_signed
from amana.wire.vocabulary import Deployment
from crypto import merkle
from crypto.errors import ProofError
from crypto.merkle import TreeHash

LONGEST_MINTED_DAYS: Final = 35
"""Longest validity of a one-time card (docs/keys.md)."""

BATCH_CARDS: Final = 1 << 20
"""Most cards of a batch: a year of 3,000 a day."""

NOTE_LIMIT_BYTES: Final = 1 << 15
"""Longest note inside a minted card: a statement and up to eight signers of 3.5 KB."""

MINTERS: Final = 12
"""Most signer cards with a minted card. Ours: the minter's, a year of renewals, revocations."""

_PATH_HASHES: Final = 20
"""Longest path in a tree of BATCH_CARDS leaves."""


@record
class OneTimeCard(Document):
    """A recipient for one submission of one witness. It names nobody."""

    FORMAT: ClassVar = "amana/one-time-card/v1"
    LIMIT_BYTES: ClassVar = CARD_LIMIT_BYTES

    batch_id: BatchId = carries(BATCH_ID, "The batch that it was minted in.")
    deployment: Deployment = carries(Choice(Deployment), "Whether material is real.")
    recipient: RecipientText = carries(RECIPIENT, "What material is sealed to.")

    @property
    def card_id(self) -> CardId:
        """The digest of the card's bytes, by which everything refers to it."""
        return CardId(self.digest)

    @property
    def leaf(self) -> TreeHash:
        """The leaf of this card in its batch: RFC 6962 leaf hash of its bytes."""
        return merkle.leaf_hash(self.to_bytes())


@record
class MintedBatch(Statement):
    """What the minting key says of a batch. FieldError: a validity over LONGEST_MINTED_DAYS."""

    FORMAT: ClassVar = "amana/minted-batch/v1"
    LIMIT_BYTES: ClassVar = CARD_LIMIT_BYTES

    batch_id: BatchId = carries(BATCH_ID, "The batch.")
    deployment: Deployment = carries(Choice(Deployment), "Whether material is real.")
    minter: CardId = carries(CARD_ID, "The signer card of the minting key.")
    valid_from: date = carries(Day(), "First day on which to seal to its cards.")
    valid_to: date = carries(Day(), "Last day on which to seal to its cards.")
    cards: int = carries(Whole(1, BATCH_CARDS), "How many cards there are.")
    cards_root: Digest = carries(DIGEST, "RFC 6962 root over the cards' bytes.")

    def __post_init__(self) -> None:
        check_days(self.valid_from, self.valid_to, LONGEST_MINTED_DAYS)


@record
class MintedCard(Document):
    """A one-time card with all that proves it. Having one proves nothing: verify does."""

    FORMAT: ClassVar = "amana/minted-card/v1"
    LIMIT_BYTES: ClassVar = 1 << 19

    card: OneTimeCard = carries(Nested(OneTimeCard), "The card; its canonical JSON is the leaf.")
    index: int = carries(Whole(0, BATCH_CARDS - 1), "Which card of the batch it is, from 0.")
    path: tuple[Digest, ...] = carries(
        Many(DIGEST, _PATH_HASHES), "Hashes from the card's neighbour up to the root's child."
    )
    batch: str = carries(Text(NOTE_LIMIT_BYTES), "The note of the batch, signed by the minter.")
    minters: tuple[str, ...] = carries(
        Many(Text(NOTE_LIMIT_BYTES), MINTERS, least=1),
        "The note of the minter's card, and of the cards for minting that followed it, in order.",
    )


def read_minters(
    minted: MintedCard, expected: ExpectedSigner, *, more: Sequence[bytes] = ()
) -> SignerTrail:
    """Give the trail of signer cards that a minted card brings. Remember its pin, then verify.

    more: notes of later cards that the reader has from elsewhere, in order. Errors: as
    read_signers, and CardError if what is expected is no card for minting.
    """
    if expected.purpose is not SignerPurpose.MINTING:
        raise CardError(CardFault.ANOTHER_PURPOSE)
    return read_signers([*(each.encode("utf-8") for each in minted.minters), *more], expected)


def verify_minted_card(minted: MintedCard, minters: SignerTrail, *, on: date) -> OneTimeCard:
    """Give the one-time card in a minted card, if it may be sealed to on this day.

    minters: as read_minters gave it. UnsignedError: the minter did not sign the batch.
    UnprovenError: the card is not in the batch. CardError: wrong deployment, day or minter, or the
    minter was revoked. FormatError, FieldError: the note of the batch holds none.
    """
    first = minters.cards[0]
    minter = minters.certify(first.card_id, on=on)
    batch = read_signed(MintedBatch, minted.batch.encode("utf-8"), minter.key)
    if not minter.deployment is batch.deployment is minted.card.deployment:
        raise CardError(CardFault.ANOTHER_DEPLOYMENT)
    if batch.minter != minter.card_id or minted.card.batch_id != batch.batch_id:
        raise CardError(CardFault.CHAIN_BROKEN)
    check_current(batch.valid_from, batch.valid_to, on)
    _check_path(minted, batch)
    return minted.card


def _check_path(minted: MintedCard, batch: MintedBatch) -> None:
    try:
        merkle.verify_inclusion(
            tuple(bytes.fromhex(each) for each in minted.path),
            leaf=minted.card.leaf,
            index=minted.index,
            size=batch.cards,
            root=TreeHash(bytes.fromhex(batch.cards_root)),
        )
    except ProofError as failure:
        raise UnprovenError("the card is not proven to be in its batch") from failure
