"""What a provider gave, as its own machine wrote it: items, submission manifest, note."""

import hashlib
from collections.abc import Sequence
from datetime import date

from amana.wire.card import Audience, CardStatus, KeyCard
from amana.wire.ids import (
    ContentSha256,
    ContentSha512,
    Digest,
    ItemId,
    Nonce,
    ObjectId,
    Salt,
    derive_submission_id,
)
from amana.wire.manifest import Content, Description, ItemKind, ItemManifest, ObjectPlace
from amana.wire.manifest_lines import items_root
from amana.wire.names import FileTimes, RawName, file_time
from amana.wire.note import Attestation, PackageNote
from amana.wire.provenance import UNKNOWN_PROVENANCE
from amana.wire.references import ConsentReference, TermsReference
from amana.wire.sealed import SealedObject
from amana.wire.submission import SubmissionManifest
from amana.wire.vocabulary import ConsentBasis, Deployment, SealedBy
from tests.wire.givens import ACCOUNT, TRAINING, a_digest, a_recipient, an_id, seed

CARD = KeyCard(
    audience=Audience.CSO,
    account=ACCOUNT,
    deployment=TRAINING,
    recipient=a_recipient("recipient"),
    valid_from=date(2026, 9, 1),
    valid_to=date(2027, 3, 30),
    status=CardStatus.ACTIVE,
    sequence=1,
    previous=None,
)
NONCE = Nonce(seed("package nonce"))
SUBMISSION_ID = derive_submission_id(NONCE, ACCOUNT, CARD.card_id)
UNKNOWN = ConsentReference(state=ConsentBasis.UNKNOWN, consent_id=None, exempt_reason=None)
UNDESCRIBED = Description(
    text=None,
    languages=None,
    material_type=None,
    source_type=None,
    assertions=None,
    prior_accounts=None,
)


def content_of(raw: bytes, number: int) -> Content:
    """What a manifest says of bytes."""
    return Content(
        place=ObjectPlace(object_id=an_id(ObjectId, f"object {number}"), offset=None),
        size=len(raw),
        sha256=ContentSha256(hashlib.sha256(raw).hexdigest()),
        sha512=ContentSha512(hashlib.sha512(raw).hexdigest()),
    )


def an_item(
    number: int, name: bytes, content: Content | None, terms: TermsReference
) -> ItemManifest:
    """A file, or an empty folder where there is no content."""
    modified = file_time(1_377_054_765_123_456_789)
    return ItemManifest(
        salt=Salt(seed(f"item salt {number}")),
        item_id=an_id(ItemId, f"package item {number}"),
        submission_id=SUBMISSION_ID,
        kind=ItemKind.FOLDER if content is None else ItemKind.FILE,
        content=content,
        link_target=None,
        name=RawName.of(name),
        folder=RawName.of("٢٠١٣/أوراق".encode()),
        claimed_type=None,
        file_times=FileTimes(modified=modified, created=None, accessed=None),
        provider_reference=f"B-{number}",
        group_id=None,
        sidecars=(),
        batch_id=None,
        terms=terms,
        consents=(UNKNOWN,),
        handling_class=None,
        at_risk=None,
        description=UNDESCRIBED,
        provenance=UNKNOWN_PROVENANCE,
        sealed_by=SealedBy.CLIENT,
        client_version=None,
    )


def a_submission(
    manifests: Sequence[ItemManifest], terms: TermsReference, deployment: Deployment
) -> tuple[SubmissionManifest, PackageNote]:
    """A submission of these items, and the note on it."""
    root = Digest(items_root(each.to_bytes() for each in manifests).hex())
    submission = SubmissionManifest(
        submission_id=SUBMISSION_ID,
        client_nonce=NONCE,
        account=ACCOUNT,
        card=CARD.card_id,
        deployment=deployment,
        terms=terms,
        batch_terms=(),
        handling_class=None,
        transfer_id=None,
        consignment_id=None,
        corrects=None,
        reply=None,
        erasable=True,
        sealed_by=SealedBy.CLIENT,
        client_version=None,
        items=len(manifests),
        items_root=root,
        objects=(),
        item_manifests=(),
        records=(),
    )
    sealed = SealedObject(
        object_id=an_id(ObjectId, "submission"),
        sealed_size=65_536,
        sealed_sha256=a_digest("sealed submission"),
    )
    note = PackageNote(
        submission_id=SUBMISSION_ID,
        account=ACCOUNT,
        card=CARD.card_id,
        deployment=deployment,
        attestation=Attestation.SIGNED,
        received_on=None,
        items_root=root,
        submission_manifest=sealed,
        item_manifests=(),
        records=(),
        objects=(),
    )
    return submission, note
