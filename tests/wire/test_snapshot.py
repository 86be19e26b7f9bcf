"""The terms snapshot: what `terms` would evaluate, in bytes and back, and never more than that."""

import dataclasses
import hashlib

import pytest

from amana.wire.errors import FieldError
from amana.wire.snapshot import SnapshotLayer, TermsSnapshot, consent_digest, consent_document
from terms.consent import ConsentState
from terms.layer import Layer, LayerKind, freeze
from terms.names import Uid
from tests.wire import examples
from tests.wire.examples import CONSENT, LAYER, SNAPSHOT


def test_layers_and_records_come_back_as_terms_made_them() -> None:
    read = TermsSnapshot.from_bytes(SNAPSHOT.to_bytes())
    assert read == SNAPSHOT
    assert [each.layer for each in read.layers] == [LAYER]
    assert read.consents == (CONSENT,)


@pytest.mark.threat("T-14")
@pytest.mark.parametrize("kind", LayerKind)
def test_every_layer_that_is_a_document_travels_and_no_other(kind: LayerKind) -> None:
    """A consent beside its record could say what the person has long taken back."""
    if kind is LayerKind.FREEZE:
        layer = freeze(uid=Uid("a"), party=Uid("b"))
    else:
        layer = Layer(kind=kind, uid=Uid("a"), version=1, party=Uid("b"), rules=LAYER.rules)
    carried = (SnapshotLayer(layer=layer, source_sha256=None),)
    if kind in {LayerKind.MANDATE, LayerKind.CONSENT}:
        with pytest.raises(FieldError, match="layers"):
            dataclasses.replace(SNAPSHOT, layers=carried)
    else:
        whole = dataclasses.replace(SNAPSHOT, layers=carried)
        assert TermsSnapshot.from_bytes(whole.to_bytes()) == whole


@pytest.mark.threat("T-14")
def test_the_same_layer_or_record_twice_is_refused() -> None:
    with pytest.raises(FieldError, match="layers"):
        dataclasses.replace(SNAPSHOT, layers=SNAPSHOT.layers * 2)
    withdrawn = dataclasses.replace(CONSENT, state=ConsentState.WITHDRAWN)
    with pytest.raises(FieldError, match="consents"):
        dataclasses.replace(SNAPSHOT, consents=(CONSENT, withdrawn))


def test_a_record_has_the_name_by_which_items_find_it() -> None:
    unnamed = dataclasses.replace(CONSENT, uid=Uid("consent:1"))
    with pytest.raises(FieldError, match="consents"):
        dataclasses.replace(SNAPSHOT, consents=(unnamed,))


def test_a_record_alone_is_the_same_bytes_as_in_the_snapshot() -> None:
    document = consent_document(CONSENT)
    assert document in SNAPSHOT.to_bytes()
    assert consent_digest(CONSENT) == hashlib.sha256(document).hexdigest()
    assert str(examples.SEALED_CONSENT.sha256) == consent_digest(CONSENT)


@pytest.mark.threat("T-14")
def test_nothing_gives_conditions_without_an_item() -> None:
    """What stands over everything at once would be what stands over nothing."""
    assert not hasattr(SNAPSHOT, "to_terms")
    assert "consent_exempt_reason" not in SNAPSHOT.to_bytes().decode()


@pytest.mark.threat("T-13")
def test_a_layer_that_terms_would_refuse_is_refused() -> None:
    honest = SNAPSHOT.to_bytes()
    for before, after in ((b'"publish"', b'"punish!"'), (b'"DENY"', b'"MAYB"')):
        assert before in honest
        with pytest.raises(FieldError) as refusal:
            TermsSnapshot.from_bytes(honest.replace(before, after))
        assert refusal.value.path == "layers[0].layer"
    with pytest.raises(FieldError) as refusal:
        TermsSnapshot.from_bytes(honest.replace(b'"ConsentGiven"', b'"ConsentTaken"'))
    assert refusal.value.path == "consents[0]"
