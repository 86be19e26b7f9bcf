"""The submission manifest: what a provider says of a whole submission, sealed.

It binds what the portal may not see (agreement, consents, reply keys) to what it may (the sealed
objects), and its id to the account and card, so nothing can be moved to another submission.
Format: docs/format/07-manifests.md.
"""

from typing import ClassVar, Final

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
from amana.wire.references import TermsReference
from amana.wire.sealed import (
    OBJECTS_LIMIT,
    RECORDS_LIMIT,
    ContentObject,
    RecordObject,
    SealedObject,
)
from amana.wire.signers import NOTE_SIGNER
from amana.wire.vocabulary import Deployment, SealedBy
from amana.wire.words import VERSION_TEXT, VersionText
from crypto.note import DualKey
from terms.errors import TermsError
from terms.layer import Layer, LayerKind, Terms
from terms.vocabulary import HandlingClass

BATCH_KINDS: Final = frozenset({LayerKind.ORIGINATOR, LayerKind.BATCH, LayerKind.ITEM})
"""Layers that a provider can add to what was agreed. A joint owner's is *originator*: it must say
yes as well. None of them can stand in for an agreement, a consent or the mandate."""


@record
class ReplyKeys:
    """How the provider can be answered, and how its answers are known to be its own."""

    recipient: RecipientText = carries(RECIPIENT, "Replies are sealed to this, and to no other.")
    answer_key: DualKey = carries(NOTE_SIGNER, "Answers and withdrawals are signed with this.")


@record
class SubmissionManifest(Document):
    """What a provider says of a whole submission.

    FieldError: the id is not that of nonce, account and card; an object or a consent stands twice;
    the objects are too many together; a layer is of a kind that no provider adds.
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
        Many(LAYER, 256),
        "Conditions of joint owners and for single batches or items; they only tighten.",
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
    records: tuple[RecordObject, ...] = carries(
        Many(Nested(RecordObject), RECORDS_LIMIT),
        "The objects that hold consent records and other documents.",
    )

    def __post_init__(self) -> None:
        derived = derive_submission_id(self.client_nonce, self.account, self.card)
        if self.submission_id != derived:
            raise FieldError("is not the hash of nonce, account and card", "submission_id")
        ids = [each.object_id for each in self.objects]
        ids += [each.object_id for each in self.item_manifests]
        ids += [each.object_id for each in self.records]
        if len(ids) > OBJECTS_LIMIT:
            raise FieldError(f"has more than {OBJECTS_LIMIT} with those of other lists", "objects")
        if len(set(ids)) != len(ids):
            raise FieldError("names an object twice", "objects")
        consents = [each.consent_id for each in self.records if each.consent_id is not None]
        if len(set(consents)) != len(consents):
            raise FieldError("names a consent twice", "records")
        if any(each.kind not in BATCH_KINDS for each in self.batch_terms):
            raise FieldError("has a layer that no provider adds", "batch_terms")
        try:
            Terms(layers=self.batch_terms)
        except TermsError as failure:
            raise FieldError("has a version of a layer twice", "batch_terms") from failure
