"""A submission's conditions are all that was said, none that nobody verified, or it is held."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from amana.wire.consent_toml import read_consent
from amana.wire.item_terms import item_terms
from amana.wire.note import Attestation
from amana.wire.reasons import ReasonCode
from amana.wire.references import AgreementRef, TermsReference
from amana.wire.snapshot import TermsSnapshot
from amana.wire.standing import UNDER_STANDING_TERMS
from amana.wire.terms_toml import read_agreement
from amana.wire.vocabulary import TermsState
from terms.agreement import Material, TransmissionMode
from terms.consent import ConsentEvent, ConsentRecord, ConsentState, IndicatedBy
from terms.evaluate import evaluate
from terms.layer import LayerKind
from terms.names import Uid
from terms.vocabulary import Action, Effect
from tests.package.provider import SUBMISSION_ID
from tests.terms.world import EMBARGO, layer, usual
from tests.worker.agreed import (
    ARRIVED,
    EXAMPLES,
    ORCHARD,
    UNKNOWN_TERMS,
    WELL,
    Came,
    came,
    put,
    signature,
    under,
    version,
)
from tests.worker.test_agreements import ORCHARD_UID, STRANGER, an_amendment
from worker.agreements import AgreementStore
from worker.opening import Held
from worker.snapshots import Snapshot, take_snapshot

pytestmark = pytest.mark.threat("T-33")

ADULT = read_consent((EXAMPLES / "consent-adult.toml").read_bytes())
ASK = read_consent((EXAMPLES / "consent-ask-me-first.toml").read_bytes())
TAKEN = dt.date(2026, 11, 1)
# A later word that is stricter: no leads either.
STRICTER = (b'acts = ["use_as_lead", "use_as_evidence"', b'acts = ["use_as_evidence"')


@pytest.fixture
def store(tmp_path: Path) -> AgreementStore:
    return AgreementStore(tmp_path / "agreements")


def taken(opened: Came, store: AgreementStore, known: tuple[ConsentRecord, ...] = ()) -> Snapshot:
    snapshot = take_snapshot(opened, store, TAKEN, known=known)
    assert isinstance(snapshot, Snapshot)
    return snapshot


def held(opened: Came, store: AgreementStore) -> ReasonCode:
    found = take_snapshot(opened, store, TAKEN)
    assert isinstance(found, Held)
    assert found.submission == SUBMISSION_ID
    return found.reason


def decision(opened: Came, snapshot: Snapshot, act: Action = Action.USE_AS_LEAD) -> Effect:
    """What comes out for the first item, from the document alone."""
    document = TermsSnapshot.from_bytes(snapshot.document.to_bytes())
    item = opened.items[0]
    terms = item_terms(document, snapshot.terms(item), snapshot.consents(item))
    return evaluate(terms=terms, facts=usual(act)).decision


def test_what_was_agreed_and_allowed_is_there_whole(store: AgreementStore) -> None:
    put(store, ORCHARD)
    opened = came(under(ORCHARD), consents=[ADULT, ASK])
    snapshot = taken(opened, store)
    (kept,) = snapshot.document.layers
    assert kept.source_sha256 == read_agreement(ORCHARD).ref.digest
    assert snapshot.document.consents == (ADULT, ASK)
    assert snapshot.document.taken_on == TAKEN
    assert snapshot.terms(opened.items[0]) == under(ORCHARD)
    assert snapshot.consents(opened.items[0]) == opened.items[0].consents
    assert snapshot.held(opened.items[0]) is None
    assert decision(opened, snapshot) is Effect.PERMIT
    assert decision(opened, snapshot, Action.USE_AS_EVIDENCE) is Effect.ASK
    assert taken(opened, store).document.digest == snapshot.document.digest


@pytest.mark.threat("T-14")
def test_an_agreement_that_is_not_known_in_that_very_text_holds_the_submission(
    store: AgreementStore,
) -> None:
    put(store, ORCHARD)
    for other in (WELL, version(2), b"# More.\n" + ORCHARD):
        assert held(came(under(other)), store) is ReasonCode.TERMS_UNKNOWN
        # Also where only one item of many names it.
        assert held(came(under(ORCHARD), under(other)), store) is ReasonCode.TERMS_UNKNOWN


def test_material_without_known_terms_is_kept_and_never_shared(store: AgreementStore) -> None:
    opened = came(UNKNOWN_TERMS)
    snapshot = taken(opened, store)
    assert snapshot.document.layers == ()
    assert snapshot.terms(opened.items[0]) == UNKNOWN_TERMS
    assert decision(opened, snapshot) is Effect.DENY


def test_standing_terms_are_known_by_their_digest(store: AgreementStore) -> None:
    opened = came(UNDER_STANDING_TERMS, consents=[ADULT])
    snapshot = taken(opened, store)
    assert decision(opened, snapshot) is Effect.PERMIT
    assert UNDER_STANDING_TERMS.named is not None
    other = AgreementRef(
        uid=UNDER_STANDING_TERMS.named.uid, version=1, digest=read_agreement(ORCHARD).ref.digest
    )
    false = TermsReference(state=TermsState.STANDING, named=other)
    assert held(came(false), store) is ReasonCode.TERMS_UNKNOWN


@pytest.mark.threat("T-14")
def test_nobody_gives_under_the_agreement_of_another(store: AgreementStore) -> None:
    store.add(ORCHARD, STRANGER)
    store.sign(ORCHARD_UID, signature(ORCHARD))
    assert held(came(under(ORCHARD)), store) is ReasonCode.ACCOUNT_DISAGREES


def test_an_agreement_that_is_not_in_force_holds_the_submission(store: AgreementStore) -> None:
    store.add(ORCHARD, came(UNKNOWN_TERMS).note.account)
    assert held(came(under(ORCHARD)), store) is ReasonCode.AGREEMENT_NOT_IN_FORCE
    store.sign(ORCHARD_UID, signature(ORCHARD))
    assert isinstance(take_snapshot(came(under(ORCHARD)), store, TAKEN), Snapshot)
    early = came(under(ORCHARD), on=dt.date(2025, 12, 31))
    assert held(early, store) is ReasonCode.AGREEMENT_NOT_IN_FORCE


def test_a_lapsed_agreement_stops_new_intake_and_not_what_came_before(
    store: AgreementStore,
) -> None:
    lapsing = ORCHARD.replace(b'intake_until = "NO_LAST_DAY"', b"intake_until = 2026-10-09", 1)
    put(store, lapsing)
    in_time = came(under(lapsing), consents=[ADULT])
    assert decision(in_time, taken(in_time, store)) is Effect.PERMIT
    late = came(under(lapsing), on=ARRIVED + dt.timedelta(days=1))
    assert held(late, store) is ReasonCode.AGREEMENT_LAPSED
    # By hand, the day on which the quarantine had it counts, and that day where nobody tells it.
    by_hand = came(under(lapsing), on=None)
    assert held(by_hand, store) is ReasonCode.AGREEMENT_LAPSED
    assert isinstance(take_snapshot(by_hand, store, TAKEN, received_on=ARRIVED), Snapshot)


@pytest.mark.parametrize(
    ("allowed", "on", "attestation", "is_held"),
    [
        ("CLIENT", ARRIVED, Attestation.SIGNED, False),
        ("COURIER", ARRIVED, Attestation.SIGNED, True),
        ("COURIER", None, Attestation.SIGNED, False),
        ("CLIENT", None, Attestation.SIGNED, True),
        ("CLIENT", ARRIVED, Attestation.OBSERVED, True),
        ("TOR_WEB", ARRIVED, Attestation.OBSERVED, False),
    ],
)
def test_a_way_that_was_not_agreed_holds_the_submission(
    allowed: str,
    on: dt.date | None,
    attestation: Attestation,
    is_held: bool,  # noqa: FBT001 - a table
    store: AgreementStore,
) -> None:
    modes = ORCHARD.replace(b'["CLIENT", "COURIER"]', b'["%b"]' % allowed.encode(), 1)
    put(store, modes)
    opened = came(under(modes), on=on, attestation=attestation)
    found = take_snapshot(opened, store, TAKEN)
    assert isinstance(found, Held) is is_held
    assert not isinstance(found, Held) or found.reason is ReasonCode.MODE_NOT_AGREED
    known_better = take_snapshot(opened, store, TAKEN, mode=TransmissionMode(allowed))
    assert isinstance(known_better, Snapshot)


@pytest.mark.threat("T-14")
def test_a_later_version_stands_beside_the_one_that_something_came_under(
    store: AgreementStore,
) -> None:
    put(store, ORCHARD)
    opened = came(under(ORCHARD), consents=[ADULT])
    assert decision(opened, taken(opened, store)) is Effect.PERMIT
    put(store, version(2, ORCHARD, STRICTER))
    snapshot = taken(opened, store)
    assert [each.layer.version for each in snapshot.document.layers] == [1, 2]
    assert snapshot.terms(opened.items[0]) == under(ORCHARD)
    assert decision(opened, snapshot) is Effect.DENY


@pytest.mark.threat("T-14")
def test_a_later_version_widens_only_where_its_provider_signed_that_it_does(
    store: AgreementStore,
) -> None:
    strict, wide = version(1, ORCHARD, STRICTER), version(2)
    put(store, strict)
    put(store, wide)
    opened = came(under(strict), consents=[ADULT])
    assert decision(opened, taken(opened, store)) is Effect.DENY
    amendment = store.amend(an_amendment(wide, SUBMISSION_ID))
    assert decision(opened, taken(opened, store)) is Effect.DENY
    word = replace(signature(ORCHARD), signed_sha256=amendment.source_sha256)
    store.sign(ORCHARD_UID, word)
    snapshot = taken(opened, store)
    assert [each.layer.version for each in snapshot.document.layers] == [2]
    assert snapshot.terms(opened.items[0]) == under(wide)
    assert decision(opened, snapshot) is Effect.PERMIT


def test_what_a_provider_adds_for_a_batch_goes_along_and_tightens(store: AgreementStore) -> None:
    put(store, ORCHARD)
    embargo = layer(LayerKind.BATCH, EMBARGO)
    opened = came(under(ORCHARD), consents=[ADULT], batch_terms=(embargo,))
    snapshot = taken(opened, store)
    assert embargo in {each.layer for each in snapshot.document.layers}
    assert decision(opened, snapshot) is Effect.DENY


@pytest.mark.threat("T-14")
def test_an_item_that_names_a_consent_which_nobody_holds_waits(store: AgreementStore) -> None:
    put(store, ORCHARD)
    named = came(under(ORCHARD), consents=[ADULT])
    without = replace(named, consents=())
    snapshot = taken(without, store)
    assert snapshot.held(named.items[0]) is ReasonCode.CONSENT_UNKNOWN
    before = taken(without, store, known=(ADULT, ASK))
    assert before.document.consents == (ADULT,)
    assert before.held(named.items[0]) is None


@pytest.mark.threat("T-14")
def test_words_that_nobody_verified_count_for_nobody(store: AgreementStore) -> None:
    put(store, ORCHARD)
    event = ConsentEvent(
        counter=1,
        state=ConsentState.RENEWED,
        answers=(),
        on=ARRIVED,
        indicated_by=IndicatedBy.SELF,
        method=ADULT.method,
        notice=ADULT.notice,
        language=ADULT.language,
        interpreter=None,
    )
    claimed = replace(ADULT, events=(event,))
    assert held(came(under(ORCHARD), consents=[claimed]), store) is ReasonCode.CONSENT_UNKNOWN
    unsigned = replace(ADULT, events=(replace(event, counter=None),))
    kept = taken(came(under(ORCHARD), consents=[unsigned]), store)
    assert kept.document.consents == (unsigned,)
    opened = came(under(ORCHARD), consents=[ADULT])
    found = take_snapshot(opened, store, TAKEN, known=[claimed])
    assert isinstance(found, Held)
    assert found.reason is ReasonCode.CONSENT_UNKNOWN


def test_an_item_of_a_kind_that_was_not_agreed_waits_alone(store: AgreementStore) -> None:
    put(store, WELL)
    opened = came(under(WELL), under(WELL))
    first, second = opened.items
    satellite = replace(first.description, material_type=Material.SATELLITE_IMAGERY)
    snapshot = taken(opened, store)
    assert snapshot.held(replace(first, description=satellite)) is ReasonCode.NATURE_NOT_AGREED
    document = replace(first.description, material_type=Material.DOCUMENT)
    assert snapshot.held(replace(first, description=document)) is None
    assert snapshot.held(second) is None


def test_items_of_one_submission_may_be_under_several_agreements(store: AgreementStore) -> None:
    put(store, ORCHARD)
    put(store, WELL)
    opened = came(under(ORCHARD), under(WELL), UNKNOWN_TERMS, consents=[ADULT])
    snapshot = taken(opened, store)
    assert len(snapshot.document.layers) == 2
    names = [snapshot.terms(item).named for item in opened.items]
    assert [name and name.uid for name in names] == [Uid("example/orchard"), "example/well", None]
