"""One small submission and its packages: real keys, real conditions, hostile names.

Whatever is random in life is the hash of a label here, but for the seal.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from amana.wire.ends import QuarantineEnd, RepositoryEnd
from amana.wire.event import Agent, CustodyEvent, EventType, Outcome, Role, Thing, ThingKind
from amana.wire.ids import ConsentId, Digest, ItemId, Salt, ThingId
from amana.wire.manifest import Content, ItemManifest
from amana.wire.package import CustodyLine, RegistrationNumber, ScanVerdict
from amana.wire.references import AgreementRef, ConsentReference, TermsReference
from amana.wire.signers import key_id
from amana.wire.snapshot import SnapshotLayer, TermsSnapshot
from amana.wire.vocabulary import ConsentBasis, Deployment, TermsState
from amana.wire.words import MediaType
from crypto import merkle
from crypto.checkpoint import Checkpoint
from crypto.identities import HybridIdentity
from repository.keys import RepositoryKeys
from terms.agreement import agreement_layer
from terms.consent import ConsentRecord
from terms.layer import Layer
from terms.names import Uid
from terms.vocabulary import HandlingClass
from tests.package.provider import SUBMISSION_ID, UNKNOWN, a_submission, an_item, content_of
from tests.terms.world import AGREEMENT, CONSENT
from tests.wire.givens import (
    MEMBER,
    NOON,
    TODAY,
    TRAINING,
    a_log_signer,
    a_signer,
    an_id,
    seed,
    signed,
)
from worker.package_plan import AcceptedItem, Dossier

QUARANTINE = a_signer("quarantine-packages-1")
LOG = a_log_signer("example.org/quarantine-log")
KEYS = RepositoryKeys(
    deployment=TRAINING,
    signer=a_signer("repository-1"),
    identity=HybridIdentity(seed=seed("repository identity")),
)
END = QuarantineEnd(deployment=TRAINING, signers=(QUARANTINE.key,), log=LOG.key)
REPOSITORY: RepositoryEnd = KEYS.public

CONSENT_ID = an_id(ConsentId, "package consent")
RECORD: ConsentRecord = replace(CONSENT, uid=Uid(CONSENT_ID))
RECORDED = ConsentReference(state=ConsentBasis.RECORDED, consent_id=CONSENT_ID, exempt_reason=None)
UNDER_AGREEMENT = TermsReference(
    state=TermsState.AGREEMENT,
    named=AgreementRef(
        uid=AGREEMENT.uid, version=AGREEMENT.version, digest=Digest(AGREEMENT.source_sha256)
    ),
)
HOSTILE_NAMES = (
    "صورة.jpg".encode(),
    b"100% true\r\n%0A.txt",
    "\u202egpj.exe".encode(),
    b"\xc7\xe1\xd3\xe6\xd1\xed\xc9.doc",
    ("طويل" * 40).encode()[:254] + b"x",
    b'=cmd|"calc"!A1,"quoted"',
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A file as its provider gave it."""

    name: bytes
    content: bytes
    handling_class: HandlingClass = HandlingClass.STANDARD
    consents: tuple[ConsentReference, ...] = (RECORDED,)
    stated: Content | None = None  # of bytes that lie elsewhere


SAMPLES = tuple(
    Given(name=name, content=f"content {number}\n".encode() * (number * 400 + 1))
    for number, name in enumerate(HOSTILE_NAMES)
)


class Held:
    """Contents that lie in memory, given out in pieces."""

    def __init__(self, contents: dict[ItemId, bytes], piece_bytes: int = 4_096) -> None:
        self._contents = contents
        self._piece_bytes = piece_bytes

    def open(self, item: ItemManifest) -> Iterator[bytes]:
        content = self._contents[item.item_id]
        for start in range(0, len(content), self._piece_bytes):
            yield content[start : start + self._piece_bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A submission that officers accepted, and where its bytes come from."""

    dossier: Dossier
    items: tuple[AcceptedItem, ...]
    contents: Held


def an_event(
    kind: EventType, thing: Thing, at: datetime, deployment: Deployment = TRAINING
) -> CustodyEvent:
    return CustodyEvent.of(
        salt=Salt(seed(f"{kind} {thing.id}")),
        type=kind,
        thing=thing,
        deployment=deployment,
        on=at.date(),
        at=at,
        agent=Agent(role=Role.QUARANTINE, key_id=key_id(QUARANTINE.key)),
        outcome=Outcome.SUCCESS,
    )


def a_world(
    given: Sequence[Given] = SAMPLES,
    *,
    layers: Sequence[Layer] = (),
    consent: ConsentRecord = RECORD,
    with_bare: bool = True,
    deployment: Deployment = TRAINING,
    kept: Path | None = None,
) -> World:
    """Build note, manifests, snapshot and accepted items for what was given.

    kept: where signed notes are kept from run to run, for no signature is made the same twice.
    """
    manifests, contents, classes = _manifests(given, with_bare=with_bare)
    submission, note = a_submission(manifests, UNDER_AGREEMENT, deployment)
    snapshot = _snapshot(layers, consent, deployment)
    about = Thing(kind=ThingKind.SUBMISSION, id=ThingId(SUBMISSION_ID))
    received = an_event(EventType.TRANSFER, about, NOON, deployment)
    size = 3
    leaves = [received.leaf, *(merkle.leaf_hash(bytes([n])) for n in range(size - 1))]
    checkpoint = Checkpoint(origin=LOG.key.name, size=size, root=merkle.root(leaves))
    dossier = Dossier(
        snapshot=snapshot,
        note=_kept(kept, "provider.note", lambda: signed(note, MEMBER)),
        submission=submission,
        leaves=tuple(each.leaf for each in manifests),
        custody=(
            CustodyLine(
                event=received,
                index=0,
                hashes=tuple(Digest(_.hex()) for _ in merkle.inclusion_proof(leaves, 0)),
            ),
        ),
        checkpoint=_kept(kept, "checkpoint.note", lambda: LOG.sign(checkpoint).to_bytes()),
    )
    items = tuple(
        _accepted(place, manifest, snapshot, *classes[place])
        for place, manifest in enumerate(manifests)
    )
    return World(dossier=dossier, items=items, contents=Held(contents))


def _manifests(
    given: Sequence[Given], *, with_bare: bool
) -> tuple[
    list[ItemManifest],
    dict[ItemId, bytes],
    list[tuple[HandlingClass, tuple[ConsentReference, ...]]],
]:
    manifests = [
        an_item(number, each.name, each.stated or content_of(each.content, number), UNDER_AGREEMENT)
        for number, each in enumerate(given)
    ]
    contents = {
        manifest.item_id: each.content for manifest, each in zip(manifests, given, strict=True)
    }
    classes = [(each.handling_class, each.consents) for each in given]
    if with_bare:
        # An empty folder whose name is in an old Arabic code page.
        bare = an_item(len(given), b"\xdd\xe4\xc7\xd1\xdb", None, UNDER_AGREEMENT)
        manifests.append(bare)
        classes.append((HandlingClass.STANDARD, (UNKNOWN,)))
    return manifests, contents, classes


def _snapshot(
    layers: Sequence[Layer], consent: ConsentRecord, deployment: Deployment
) -> TermsSnapshot:
    return TermsSnapshot(
        submission_id=SUBMISSION_ID,
        deployment=deployment,
        taken_on=TODAY,
        layers=tuple(
            SnapshotLayer(layer=layer, source_sha256=None)
            for layer in (agreement_layer(AGREEMENT), *layers)
        ),
        consents=(consent,),
    )


def _kept(folder: Path | None, name: str, make: Callable[[], bytes]) -> bytes:
    if folder is None:
        return make()
    path = folder / name
    if not path.exists():
        path.write_bytes(make())
    return path.read_bytes()


def _accepted(
    place: int,
    manifest: ItemManifest,
    snapshot: TermsSnapshot,
    handling_class: HandlingClass,
    consents: tuple[ConsentReference, ...],
) -> AcceptedItem:
    about = Thing(kind=ThingKind.ITEM, id=ThingId(manifest.item_id))
    at = datetime(2026, 10, 9, 8, 30, place % 60, tzinfo=UTC)
    event = an_event(EventType.ACCESSION, about, at, snapshot.deployment)
    return AcceptedItem(
        registration=an_id(RegistrationNumber, f"registration {manifest.item_id}"),
        place=place,
        manifest=manifest,
        handling_class=handling_class,
        snapshot=snapshot.digest,
        terms=UNDER_AGREEMENT,
        consents=consents,
        detected_type=MediaType("text/plain"),
        verdict=ScanVerdict.CLEAN,
        scan=b'{"engine":"example","signatures":"2026-10-09"}',
        custody=(CustodyLine(event=event, index=None, hashes=()),),
    )
