"""The submission manifest: what a provider says of a whole submission, sealed.

It binds what the portal may not see (agreement, consents, reply keys) to what it may (the sealed
objects), and its id to the account and card, so nothing can be moved to another submission.
Format: docs/format/07-manifests.md.
"""

from typing import ClassVar

from amana.wire.conditions import LAYER
from amana.wire.documents import Document, Nested, carries, record
from amana.wire.errors import FieldError
from amana.wire.fields import Choice, Flag, Many, Nullable, Whole
from amana.wire.ids import (
    ACCOUNT_ID,
    CARD_ID,
    CONSIGNMENT_ID,
    DIGEST,
    NONCE,
    RECIPIENT,
    SUBMISSION_ID,
    TRANSFER_ID,
    AccountId,
    CardId,
    ConsignmentId,
    Digest,
    Nonce,
    RecipientText,
    SubmissionId,
    TransferId,
    derive_submission_id,
)
from amana.wire.manifest_lines import DEFAULT_LIMITS
from amana.wire.references import ConsentRecordRef, TermsReference
from amana.wire.sealed import OBJECTS_LIMIT, ContentObject, SealedObject
from amana.wire.signers import SIGNER
from amana.wire.vocabulary import Deployment, SealedBy
from amana.wire.words import VERSION_TEXT, VersionText
from crypto.note import DualKey
from terms.layer import Layer
from terms.vocabulary import HandlingClass


@record
class ReplyKeys:
    """How the provider can be answered, and how its answers are known to be its own."""

    recipient: RecipientText = carries(RECIPIENT, "Replies are sealed to this, and to no other.")
    answer_key: DualKey = carries(SIGNER, "Answers and withdrawals are signed with this.")


@record
class SubmissionManifest(Document):
    """What a provider says of a whole submission.

    FieldError: the id is not that of nonce, account and card, or an object stands twice.
    """

    FORMAT: ClassVar = "amana/submission-manifest/v1"
    LIMIT_BYTES: ClassVar = 16 << 20

    submission_id: SubmissionId = carries(SUBMISSION_ID, "Hash of nonce, account and card.")
    client_nonce: Nonce = carries(NONCE, "Random, new for each submission.")
    account: AccountId = carries(ACCOUNT_ID, "The provider's account.")
    card: CardId = carries(CARD_ID, "The card whose recipient all objects are sealed to.")
    deployment: Deployment = carries(Choice(Deployment), "Whether the material is real.")
    terms: TermsReference = carries(Nested(TermsReference), "The conditions of the whole.")
    batch_terms: tuple[Layer, ...] = carries(
        Many(LAYER, 256), "Conditions for single batches or items; they only tighten."
    )
    consent_records: tuple[ConsentRecordRef, ...] = carries(
        Many(Nested(ConsentRecordRef), 4_096), "Consent records that travel with the submission."
    )
    handling_class: HandlingClass | None = carries(
        Nullable(Choice(HandlingClass)), "As declared by the provider; officers decide."
    )
    transfer_id: TransferId | None = carries(Nullable(TRANSFER_ID), "The agreed hand-over.")
    consignment_id: ConsignmentId | None = carries(
        Nullable(CONSIGNMENT_ID), "The part of the hand-over."
    )
    corrects: SubmissionId | None = carries(
        Nullable(SUBMISSION_ID), "An earlier submission that this one corrects."
    )
    reply: ReplyKeys | None = carries(
        Nullable(Nested(ReplyKeys)), "Null when the provider wants no reply this way."
    )
    erasable: bool = carries(Flag(), "Whether destroying the card's identity erases it.")
    sealed_by: SealedBy = carries(Choice(SealedBy), "Where plaintext last was.")
    client_version: VersionText | None = carries(
        Nullable(VERSION_TEXT), "The program that made this; null when it is not to be named."
    )
    items: int = carries(Whole(0, DEFAULT_LIMITS.manifests), "How many item manifests there are.")
    items_root: Digest = carries(DIGEST, "RFC 6962 root over the item manifests, in their order.")
    objects: tuple[ContentObject, ...] = carries(
        Many(Nested(ContentObject), OBJECTS_LIMIT), "The objects that hold material."
    )
    item_manifests: tuple[SealedObject, ...] = carries(
        Many(Nested(SealedObject), OBJECTS_LIMIT), "The objects that hold item manifests, in order."
    )

    def __post_init__(self) -> None:
        derived = derive_submission_id(self.client_nonce, self.account, self.card)
        if self.submission_id != derived:
            raise FieldError("is not the hash of nonce, account and card", "submission_id")
        ids = [each.object_id for each in self.objects]
        ids += [each.object_id for each in self.item_manifests]
        if len(set(ids)) != len(ids):
            raise FieldError("names an object twice", "objects")
