"""A submission that has begun: what its items are sealed under, and what is known of each.

Nothing here is a name, a text or a digest of plaintext: it can be written into a draft, and the
manifests of the whole can be made of it later. Formats: docs/format/07-manifests.md, 18 section 8.
"""

from dataclasses import dataclass
from typing import Self

from amana.wire.documents import Nested, carries, record
from amana.wire.fields import Flag, Whole
from amana.wire.ids import (
    DIGEST,
    ConsentId,
    Digest,
    Nonce,
    SubmissionId,
    derive_submission_id,
    random_id,
    random_nonce,
)
from amana.wire.sealed import ContentObject, ObjectKind, SealedObject
from portal.account import Account
from portal.card import WitnessCard


@record
class SealedItem:
    """An item whose sealed bytes are durable."""

    content: SealedObject = carries(Nested(SealedObject), "The object with its bytes.")
    manifest: SealedObject = carries(Nested(SealedObject), "The object with its item manifest.")
    leaf: Digest = carries(DIGEST, "RFC 6962 leaf hash of the salted item manifest.")
    content_size: int = carries(Whole(0), "Bytes that were given.")
    is_text: bool = carries(Flag(), "Whether it was typed into the page.")

    @property
    def object(self) -> ContentObject:
        """The object with its bytes, as the sealed submission manifest names it."""
        return ContentObject(
            object_id=self.content.object_id,
            kind=ObjectKind.RAW,
            sealed_size=self.content.sealed_size,
            sealed_sha256=self.content.sealed_sha256,
        )

    @property
    def sealed_size(self) -> int:
        """Bytes on the disk, of both objects."""
        return self.content.sealed_size + self.manifest.sealed_size


@dataclass(frozen=True, slots=True, kw_only=True)
class Underway:
    """What every item of a submission refers to. It does not change once an item is sealed.

    holder: held to the end, for who comes with the same words meanwhile meets it. has_consent:
    whether something was decided, so that there will be a consent record.
    """

    nonce: Nonce
    holder: Account
    card: WitnessCard
    consent_id: ConsentId
    has_consent: bool

    @classmethod
    def begin(cls, card: WitnessCard, holder: Account, *, has_consent: bool) -> Self:
        """Give a new submission under this card."""
        return cls(
            nonce=random_nonce(),
            holder=holder,
            card=card,
            consent_id=random_id(ConsentId),
            has_consent=has_consent,
        )

    @property
    def submission_id(self) -> SubmissionId:
        """The id that nonce, account and card make."""
        return derive_submission_id(self.nonce, self.holder.account, self.card.card_id)
