"""One item's conditions: its own agreement, its own persons, as these stand now."""

import dataclasses

import pytest

from amana.wire.errors import FieldError
from amana.wire.ids import ConsentId
from amana.wire.item_terms import CONSENT_NOT_KNOWN, item_terms, leaves_out
from amana.wire.references import AgreementRef, ConsentReference, TermsReference
from amana.wire.snapshot import SnapshotLayer, TermsSnapshot
from amana.wire.vocabulary import ConsentBasis, TermsState
from terms.consent import ConsentState, consent_layer
from terms.layer import ConsentExemptReason, Layer, LayerKind
from terms.names import Uid
from tests.wire import examples, givens
from tests.wire.examples import CONSENT, CONSENT_ID, LAYER, SNAPSHOT, UNKNOWN_CONSENT, UNKNOWN_TERMS

RECORDED = ConsentReference(state=ConsentBasis.RECORDED, consent_id=CONSENT_ID, exempt_reason=None)
EXEMPT = ConsentReference(
    state=ConsentBasis.EXEMPT,
    consent_id=None,
    exempt_reason=ConsentExemptReason.PERPETRATOR_DOCUMENT,
)
AGREEMENT = Layer(
    kind=LayerKind.AGREEMENT,
    uid=Uid("mou:7f2a"),
    version=3,
    party=Uid("party:7f2a"),
    rules=LAYER.rules,
)


def layers_of(
    snapshot: TermsSnapshot, *consents: ConsentReference, terms: TermsReference = UNKNOWN_TERMS
) -> tuple[Layer, ...]:
    return item_terms(snapshot, terms, consents).layers


@pytest.mark.threat("T-14")
def test_a_person_stands_over_an_item_as_their_record_says_now() -> None:
    assert layers_of(SNAPSHOT, RECORDED) == (consent_layer(CONSENT), LAYER)
    withdrawn = dataclasses.replace(CONSENT, state=ConsentState.WITHDRAWN)
    later = dataclasses.replace(SNAPSHOT, consents=(withdrawn,))
    assert layers_of(later, RECORDED) == (consent_layer(withdrawn), LAYER)
    assert consent_layer(withdrawn) != consent_layer(CONSENT)


@pytest.mark.threat("T-14")
def test_another_persons_yes_is_nothing_to_an_item() -> None:
    """Two victims in one submission: one allows, the other has taken it back."""
    other = givens.an_id(ConsentId, "another person")
    withdrawn = dataclasses.replace(CONSENT, uid=Uid(other), state=ConsentState.WITHDRAWN)
    both = dataclasses.replace(SNAPSHOT, consents=(CONSENT, withdrawn))
    theirs = dataclasses.replace(RECORDED, consent_id=other)
    assert layers_of(both, theirs) == (consent_layer(withdrawn), LAYER)
    assert set(layers_of(both, RECORDED, theirs)) == {
        consent_layer(CONSENT),
        consent_layer(withdrawn),
        LAYER,
    }


@pytest.mark.threat("T-14")
def test_an_item_that_names_what_the_snapshot_lacks_has_no_conditions_at_all() -> None:
    nobody = dataclasses.replace(RECORDED, consent_id=givens.an_id(ConsentId, "nobody"))
    with pytest.raises(FieldError, match="consent"):
        item_terms(SNAPSHOT, UNKNOWN_TERMS, [RECORDED, nobody])
    with pytest.raises(FieldError, match="consents"):
        item_terms(SNAPSHOT, UNKNOWN_TERMS, [])
    with pytest.raises(FieldError, match="terms"):
        item_terms(SNAPSHOT, examples.UNDER_AGREEMENT, [RECORDED])


@pytest.mark.threat("T-14")
def test_an_item_is_exempt_only_where_it_says_so_itself() -> None:
    exempt = item_terms(SNAPSHOT, UNKNOWN_TERMS, [EXEMPT])
    assert exempt.layers == (LAYER,)
    assert exempt.consent_exempt_reason is ConsentExemptReason.PERPETRATOR_DOCUMENT
    assert item_terms(SNAPSHOT, UNKNOWN_TERMS, [RECORDED]).consent_exempt_reason is None
    assert layers_of(SNAPSHOT, EXEMPT, UNKNOWN_CONSENT) == (CONSENT_NOT_KNOWN, LAYER)
    assert layers_of(SNAPSHOT, EXEMPT, RECORDED) == (consent_layer(CONSENT), LAYER)


def test_an_item_is_under_every_version_of_the_agreement_that_it_names() -> None:
    layers = (
        AGREEMENT,
        dataclasses.replace(AGREEMENT, version=4),
        dataclasses.replace(AGREEMENT, uid=Uid("mou:other")),
        LAYER,
    )
    carried = tuple(SnapshotLayer(layer=layer, source_sha256=None) for layer in layers)
    snapshot = dataclasses.replace(SNAPSHOT, layers=carried)
    under = layers_of(snapshot, EXEMPT, terms=examples.UNDER_AGREEMENT)
    assert under == (AGREEMENT, layers[1], LAYER)
    assert layers_of(snapshot, EXEMPT) == (LAYER,)
    missing = AgreementRef(uid=Uid("mou:7f2a"), version=5, digest=givens.a_digest("v5"))
    with pytest.raises(FieldError, match="terms"):
        layers_of(snapshot, EXEMPT, terms=TermsReference(state=TermsState.AGREEMENT, named=missing))


@pytest.mark.threat("T-14")
@pytest.mark.parametrize(
    ("given", "now", "is_left_out"),
    [
        ("A", "A", False),
        ("A", "AB", False),
        ("?", "A", False),
        ("?", "?", False),
        ("?", "-", False),
        ("A", "B", True),
        ("A", "?", True),
        ("A", "-", True),
        ("A", "A-", True),
        ("AB", "A", True),
    ],
)
def test_nobody_whom_the_provider_named_is_left_out(
    given: str, now: str, *, is_left_out: bool
) -> None:
    """Letters are persons with a record, `?` one who is not known, `-` no one's consent needed."""
    assert leaves_out(_references(given), _references(now)) is is_left_out


def _references(persons: str) -> list[ConsentReference]:
    return [
        ConsentReference(state=ConsentBasis.UNKNOWN, consent_id=None, exempt_reason=None)
        if person == "?"
        else ConsentReference(
            state=ConsentBasis.EXEMPT,
            consent_id=None,
            exempt_reason=ConsentExemptReason.PUBLIC_SOURCE,
        )
        if person == "-"
        else ConsentReference(
            state=ConsentBasis.RECORDED,
            consent_id=ConsentId(person.lower() * 32),
            exempt_reason=None,
        )
        for person in persons
    ]
