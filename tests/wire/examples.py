"""The smallest true things: one example of every document, the same on every machine.

Their bytes never change. Tests vary them with `dataclasses.replace`.
"""

import hashlib
from datetime import date

from amana.wire.bundle import Disk
from amana.wire.documents import Document
from amana.wire.event import Agent, CustodyEvent, EventType, Outcome, Role, Thing, ThingKind
from amana.wire.ids import (
    BatchId,
    ConsentId,
    ConsignmentId,
    ContentSha256,
    ContentSha512,
    Digest,
    ItemId,
    LogOrigin,
    Nonce,
    ObjectId,
    ReceiptId,
    Salt,
    ThingId,
    TransferId,
    derive_submission_id,
)
from amana.wire.manifest import Content, Description, ItemKind, ItemManifest, ObjectPlace
from amana.wire.manifest_lines import items_root
from amana.wire.member import Member
from amana.wire.names import FileTimes, RawName, file_time
from amana.wire.note import Attestation, PackageNote
from amana.wire.provenance import UNKNOWN_PROVENANCE
from amana.wire.receipt import Decision, Fate, ReceiptItem, ReceiptR1, ReceiptR2
from amana.wire.references import (
    AgreementRef,
    ConsentReference,
    TermsReference,
)
from amana.wire.sealed import ContentObject, ObjectKind, RecordKind, RecordObject, SealedObject
from amana.wire.signers import key_id
from amana.wire.snapshot import SnapshotLayer, TermsSnapshot, consent_digest
from amana.wire.submission import ReplyKeys, SubmissionManifest
from amana.wire.vocabulary import ConsentBasis, SealedBy, TermsState
from amana.wire.words import VersionText
from crypto.sign import NoteSigner
from terms.consent import (
    AgeBand,
    Answer,
    ConsentMethod,
    ConsentPurpose,
    ConsentRecord,
    ConsentState,
    IndicatedBy,
    Informed,
    PurposeAnswer,
    Risk,
)
from terms.layer import Layer, LayerKind
from terms.names import Language, Uid
from terms.rule import Rule
from terms.vocabulary import Action, Effect, HandlingClass
from tests.wire.cards import CARD, KIT, MINTED_BATCH, ONE_TIME_CARDS, SIGNER_CARD
from tests.wire.givens import (
    ACCOUNT,
    LOG,
    MEMBER,
    PORTAL,
    QUARANTINE,
    TODAY,
    TRAINING,
    a_digest,
    a_recipient,
    a_signer,
    an_id,
    seed,
)

NONCE = Nonce(seed("nonce"))
SUBMISSION_ID = derive_submission_id(NONCE, ACCOUNT, CARD.card_id)

AGREEMENT_REF = AgreementRef(uid=Uid("mou:7f2a"), version=3, digest=a_digest("agreement"))
UNDER_AGREEMENT = TermsReference(state=TermsState.AGREEMENT, named=AGREEMENT_REF)
UNKNOWN_TERMS = TermsReference(state=TermsState.UNKNOWN, named=None)
UNKNOWN_CONSENT = ConsentReference(state=ConsentBasis.UNKNOWN, consent_id=None, exempt_reason=None)
NO_TIMES = FileTimes(modified=None, created=None, accessed=None)
NO_DESCRIPTION = Description(
    text=None,
    languages=None,
    material_type=None,
    source_type=None,
    assertions=None,
    prior_accounts=None,
)


def content_of(raw: bytes, object_id: ObjectId, offset: int | None) -> Content:
    return Content(
        place=ObjectPlace(object_id=object_id, offset=offset),
        size=len(raw),
        sha256=ContentSha256(hashlib.sha256(raw).hexdigest()),
        sha512=ContentSha512(hashlib.sha512(raw).hexdigest()),
    )


PHOTO_OBJECT = an_id(ObjectId, "photo object")
PHOTO_BYTES = b"not really a photograph\n"

BARE_ITEM = ItemManifest(
    salt=Salt(seed("bare salt")),
    item_id=an_id(ItemId, "bare"),
    submission_id=SUBMISSION_ID,
    kind=ItemKind.FILE,
    content=content_of(PHOTO_BYTES, PHOTO_OBJECT, None),
    link_target=None,
    name=RawName.of("صورة.jpg".encode()),
    folder=None,
    claimed_type=None,
    file_times=NO_TIMES,
    provider_reference=None,
    group_id=None,
    sidecars=(),
    batch_id=None,
    terms=UNKNOWN_TERMS,
    consents=(UNKNOWN_CONSENT,),
    handling_class=None,
    at_risk=None,
    description=NO_DESCRIPTION,
    provenance=UNKNOWN_PROVENANCE,
    sealed_by=SealedBy.SERVER,
    client_version=None,
)
"""An item of which nothing is said: it is taken all the same."""

FOLDER_ITEM = ItemManifest(
    salt=Salt(seed("folder salt")),
    item_id=an_id(ItemId, "folder"),
    submission_id=SUBMISSION_ID,
    kind=ItemKind.FOLDER,
    content=None,
    link_target=None,
    name=RawName.of(b"\xdd\xe4\xc7\xd1\xdb"),
    folder=RawName.of("٢٠١٣/أوراق".encode()),
    claimed_type=None,
    file_times=FileTimes(
        modified=file_time(1_377_054_765_123_456_789), created=None, accessed=None
    ),
    provider_reference="B-17",
    group_id=None,
    sidecars=(),
    batch_id=an_id(BatchId, "batch"),
    terms=UNDER_AGREEMENT,
    consents=(
        ConsentReference(
            state=ConsentBasis.RECORDED,
            consent_id=an_id(ConsentId, "consent"),
            exempt_reason=None,
        ),
    ),
    handling_class=HandlingClass.SENSITIVE,
    at_risk=True,
    description=NO_DESCRIPTION,
    provenance=UNKNOWN_PROVENANCE,
    sealed_by=SealedBy.CLIENT,
    client_version=VersionText("amana-client/1.0.0"),
)
"""An empty folder with a name in an old Arabic code page."""

ITEM_LINES = (BARE_ITEM.to_bytes(), FOLDER_ITEM.to_bytes())
ITEMS_ROOT = Digest(items_root(ITEM_LINES).hex())

PHOTO = ContentObject(
    object_id=PHOTO_OBJECT,
    kind=ObjectKind.RAW,
    sealed_size=65_536,
    sealed_sha256=a_digest("sealed photo"),
)
SEALED_ITEMS = SealedObject(
    object_id=an_id(ObjectId, "sealed items"),
    sealed_size=65_536,
    sealed_sha256=a_digest("sealed items"),
)
SEALED_SUBMISSION = SealedObject(
    object_id=an_id(ObjectId, "sealed submission"),
    sealed_size=65_536,
    sealed_sha256=a_digest("sealed submission"),
)
CONSENT_ID = an_id(ConsentId, "consent")
CONSENT = ConsentRecord(
    uid=Uid(CONSENT_ID),
    person=Uid("person:1"),
    age_band=AgeBand.ADULT,
    notice=Uid("notice:1"),
    language=Language("ar"),
    collected_by=Uid("field-team:1"),
    collected_on=date(2026, 9, 20),
    indicated_by=IndicatedBy.SELF,
    method=ConsentMethod.WRITTEN,
    informed=Informed(
        disclosure=True,
        voluntariness=True,
        comprehension=True,
        competence=True,
        interpreter=None,
        guardian_consents=None,
        guardian_conflict=None,
        child_assents=None,
        risks_explained=frozenset(Risk),
        referral_offered=True,
    ),
    state=ConsentState.GIVEN,
    answers=(
        PurposeAnswer(purpose=ConsentPurpose.SHARE_INTERNATIONAL_COURT, answer=Answer.YES),
        PurposeAnswer(purpose=ConsentPurpose.SHARE_SYRIAN_AUTHORITIES, answer=Answer.NO),
    ),
    excluded_countries=frozenset(),
    valid_to=None,
    events=(),
)
SEALED_CONSENT = RecordObject(
    object_id=an_id(ObjectId, "sealed consent"),
    sealed_size=4_096,
    sealed_sha256=a_digest("sealed consent"),
    kind=RecordKind.CONSENT,
    consent_id=CONSENT_ID,
    sha256=ContentSha256(consent_digest(CONSENT)),
)
LAYER = Layer(
    kind=LayerKind.BATCH,
    uid=Uid("batch:1"),
    version=1,
    party=Uid("party:7f2a"),
    rules=(
        Rule(uid=Uid("no-publication"), effect=Effect.DENY, actions=frozenset({Action.PUBLISH})),
    ),
)

SUBMISSION = SubmissionManifest(
    submission_id=SUBMISSION_ID,
    client_nonce=NONCE,
    account=ACCOUNT,
    card=CARD.card_id,
    deployment=TRAINING,
    terms=UNDER_AGREEMENT,
    batch_terms=(LAYER,),
    handling_class=HandlingClass.STANDARD,
    transfer_id=an_id(TransferId, "transfer"),
    consignment_id=an_id(ConsignmentId, "consignment"),
    corrects=None,
    reply=ReplyKeys(recipient=a_recipient("reply"), answer_key=a_signer("answer").key),
    erasable=True,
    sealed_by=SealedBy.CLIENT,
    client_version=VersionText("amana-client/1.0.0"),
    items=2,
    items_root=ITEMS_ROOT,
    objects=(PHOTO,),
    item_manifests=(SEALED_ITEMS,),
    records=(SEALED_CONSENT,),
)
NOTE = PackageNote(
    submission_id=SUBMISSION_ID,
    account=ACCOUNT,
    card=CARD.card_id,
    deployment=TRAINING,
    attestation=Attestation.SIGNED,
    received_on=None,
    items_root=ITEMS_ROOT,
    submission_manifest=SEALED_SUBMISSION,
    item_manifests=(SEALED_ITEMS,),
    records=(SEALED_CONSENT.outside,),
    objects=(PHOTO.outside,),
)
DISK = Disk(submission_id=SUBMISSION_ID, number=1, disks=2)
MEMBER_KEYS = Member(signer=MEMBER.key, feedback=a_recipient("feedback"))


def an_event(kind: EventType, role: Role, signer: NoteSigner, after: Digest | None) -> CustodyEvent:
    return CustodyEvent.of(
        salt=Salt(seed(f"{kind} salt")),
        type=kind,
        thing=Thing(kind=ThingKind.SUBMISSION, id=ThingId(SUBMISSION_ID)),
        deployment=TRAINING,
        on=TODAY,
        agent=Agent(role=role, key_id=key_id(signer.key)),
        outcome=Outcome.SUCCESS,
        digest_after=after,
    )


EVENT = an_event(EventType.TRANSFER, Role.PORTAL, PORTAL, NOTE.digest)
SNAPSHOT = TermsSnapshot(
    submission_id=SUBMISSION_ID,
    deployment=TRAINING,
    taken_on=TODAY,
    layers=(SnapshotLayer(layer=LAYER, source_sha256=a_digest("batch document")),),
    consents=(CONSENT,),
)
R1 = ReceiptR1(
    receipt_id=an_id(ReceiptId, "r1"),
    submission_id=SUBMISSION_ID,
    note_sha256=NOTE.digest,
    event=EVENT,
    log=LogOrigin(LOG.key.name),
    merged_by=TODAY,
    status_vocabulary=1,
)
DECISION = Decision(
    submission_id=SUBMISSION_ID,
    deployment=TRAINING,
    note_sha256=NOTE.digest,
    sequence=1,
    previous=None,
    decided_on=date(2026, 10, 9),
    items=(
        ReceiptItem(
            item_id=BARE_ITEM.item_id,
            provider_reference=None,
            fate=Fate.KEPT,
            reason=None,
            size=len(PHOTO_BYTES),
            sha256=ContentSha256(hashlib.sha256(PHOTO_BYTES).hexdigest()),
            sha512=ContentSha512(hashlib.sha512(PHOTO_BYTES).hexdigest()),
            terms=SNAPSHOT.digest,
        ),
        ReceiptItem(
            item_id=FOLDER_ITEM.item_id,
            provider_reference="B-17",
            fate=Fate.WAITING,
            reason=None,
            size=None,
            sha256=None,
            sha512=None,
            terms=None,
        ),
    ),
)
R2 = ReceiptR2(
    receipt_id=an_id(ReceiptId, "r2"),
    decision=DECISION,
    event=an_event(EventType.ACCESSION, Role.QUARANTINE, QUARANTINE, DECISION.digest),
    log=LogOrigin("example.org/quarantine-log"),
    merged_by=date(2026, 10, 10),
    status_vocabulary=1,
)


DOCUMENTS: dict[str, Document] = {
    "item-bare": BARE_ITEM,
    "item-folder": FOLDER_ITEM,
    "submission": SUBMISSION,
    "package-note": NOTE,
    "key-card": CARD,
    "signer-card": SIGNER_CARD,
    "one-time-card": ONE_TIME_CARDS[0],
    "minted-batch": MINTED_BATCH,
    "enrolment-kit": KIT,
    "custody-event": EVENT,
    "receipt-r1": R1,
    "decision": DECISION,
    "receipt-r2": R2,
    "terms-snapshot": SNAPSHOT,
    "disk": DISK,
    "member": MEMBER_KEYS,
}
"""Every document whose bytes are the same each time: no signature is in them."""
