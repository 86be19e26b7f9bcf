"""The terms snapshot: what `terms` would evaluate, in bytes and back."""

import dataclasses

import pytest

from amana.wire.errors import FieldError
from amana.wire.snapshot import SnapshotLayer, TermsSnapshot
from terms.layer import ConsentExemptReason, Layer, LayerKind
from terms.names import Uid
from tests.wire import examples
from tests.wire.examples import LAYER, SNAPSHOT


def test_the_layers_come_back_as_terms_made_them() -> None:
    read = TermsSnapshot.from_bytes(SNAPSHOT.to_bytes())
    assert read == SNAPSHOT
    assert read.to_terms().layers == (LAYER,)


def test_every_kind_of_layer_but_the_mandate_travels() -> None:
    for kind in LayerKind:
        layer = Layer(kind=kind, uid=Uid("a"), version=1, party=Uid("b"), rules=())
        carried = (SnapshotLayer(layer=layer, source_sha256=None),)
        if kind is LayerKind.MANDATE:
            with pytest.raises(FieldError):
                dataclasses.replace(SNAPSHOT, layers=carried)
        else:
            whole = dataclasses.replace(SNAPSHOT, layers=carried)
            assert TermsSnapshot.from_bytes(whole.to_bytes()) == whole


def test_the_same_layer_or_record_twice_is_refused() -> None:
    with pytest.raises(FieldError):
        dataclasses.replace(SNAPSHOT, layers=SNAPSHOT.layers * 2)
    with pytest.raises(FieldError):
        dataclasses.replace(SNAPSHOT, consents=SNAPSHOT.consents * 2)


def test_an_exemption_reaches_terms() -> None:
    exempt = dataclasses.replace(SNAPSHOT, consent_exempt_reason=ConsentExemptReason.PUBLIC_SOURCE)
    assert exempt.to_terms().consent_exempt_reason is ConsentExemptReason.PUBLIC_SOURCE


@pytest.mark.threat("T-13")
def test_a_layer_that_terms_would_refuse_is_refused() -> None:
    honest = SNAPSHOT.to_bytes()
    for before, after in ((b'"publish"', b'"punish!"'), (b'"DENY"', b'"MAYB"')):
        assert before in honest
        with pytest.raises(FieldError) as refusal:
            TermsSnapshot.from_bytes(honest.replace(before, after))
        assert refusal.value.path == "layers[0].layer"
    assert examples.SUBMISSION.batch_terms == (LAYER,)
