"""Agreements, and what came under them, as the quarantine meets both."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from amana.wire.event import CustodyEvent, EventType, Thing, ThingKind
from amana.wire.ids import ThingId
from amana.wire.manifest import ItemManifest
from amana.wire.note import Attestation, PackageNote
from amana.wire.references import ConsentReference, TermsReference
from amana.wire.snapshot import consent_id
from amana.wire.submission import SubmissionManifest
from amana.wire.terms_toml import AgreementText, read_agreement
from amana.wire.vocabulary import ConsentBasis, TermsState
from terms.agreement import Signature, SignatureKind
from terms.consent import ConsentRecord
from terms.layer import Layer
from terms.names import Uid
from tests.package.provider import SUBMISSION_ID, a_submission, an_item
from tests.package.world import an_event
from tests.wire.givens import ACCOUNT, TRAINING
from worker.agreements import AgreementStore

EXAMPLES = Path(__file__).parents[2] / "examples" / "terms"
ORCHARD = (EXAMPLES / "agreement-orchard.toml").read_bytes()
WELL = (EXAMPLES / "agreement-well.toml").read_bytes()
UNKNOWN_TERMS = TermsReference(state=TermsState.UNKNOWN, named=None)
ARRIVED = dt.date(2026, 10, 9)


def version(number: int, source: bytes = ORCHARD, *changes: tuple[bytes, bytes]) -> bytes:
    """Another version of a text, with whatever is changed in it."""
    text = source.replace(b"version = 1 ", b"version = %d " % number, 1)
    text = text.replace(b"version = 1\n", b"version = %d\n" % number, 1)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def signature(source: bytes, party: str = "example/orchard-archive") -> Signature:
    """A signature over the very text."""
    return Signature(
        kind=SignatureKind.WET_INK_ATTESTED,
        party=Uid(party),
        signed_on=dt.date(2026, 1, 1),
        signed_sha256=read_agreement(source).agreement.source_sha256,
        attested_by=frozenset({Uid("officer-1"), Uid("officer-2")}),
    )


def put(store: AgreementStore, source: bytes) -> AgreementText:
    """Keep a text and its provider's signature."""
    text = store.add(source, ACCOUNT)
    store.sign(text.agreement.uid, signature(source, text.agreement.provider))
    return text


def under(source: bytes) -> TermsReference:
    """How an item names the agreement of a text."""
    return TermsReference(state=TermsState.AGREEMENT, named=read_agreement(source).ref)


def recorded(record: ConsentRecord) -> ConsentReference:
    """How an item names a person's consent."""
    return ConsentReference(
        state=ConsentBasis.RECORDED, consent_id=consent_id(record), exempt_reason=None
    )


@dataclass(frozen=True, kw_only=True)
class Came:
    """An opened submission, as far as conditions go."""

    note: PackageNote
    submission: SubmissionManifest
    items: tuple[ItemManifest, ...]
    consents: tuple[ConsentRecord, ...] = ()
    arrival: CustodyEvent | None = None


def came(
    *terms: TermsReference,
    consents: Sequence[ConsentRecord] = (),
    alone: Sequence[ConsentRecord] | None = None,
    batch_terms: tuple[Layer, ...] = (),
    on: dt.date | None = ARRIVED,
    attestation: Attestation = Attestation.SIGNED,
) -> Came:
    """A submission with one item under each of these terms; every person is in all of them.

    alone: instead, one person for each item. on: the day on which the portal took it in; None: it
    came by hand.
    """
    persons = tuple(map(recorded, consents))
    bare = [an_item(number, b"a", None, each) for number, each in enumerate(terms)]
    items = tuple(replace(each, consents=persons or each.consents) for each in bare)
    if alone is not None:
        one_each = zip(bare, alone, strict=True)
        items = tuple(replace(each, consents=(recorded(who),)) for each, who in one_each)
        consents = tuple(dict.fromkeys(alone))
    submission, note = a_submission(items, terms[0], TRAINING)
    submission = replace(submission, batch_terms=batch_terms)
    received = ARRIVED if attestation is Attestation.OBSERVED else None
    return Came(
        note=replace(note, attestation=attestation, received_on=received),
        submission=submission,
        items=items,
        consents=tuple(consents),
        arrival=None if on is None else _arrival(on),
    )


def _arrival(on: dt.date) -> CustodyEvent:
    thing = Thing(kind=ThingKind.SUBMISSION, id=ThingId(SUBMISSION_ID))
    at = dt.datetime.combine(on, dt.time(9), dt.UTC)
    return an_event(EventType.TRANSFER, thing, at)
