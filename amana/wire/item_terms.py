"""The conditions of one item: the only way from a snapshot to what `terms` evaluate.

A snapshot covers a submission; an item is under the agreement that it names and the consents of
the persons in it, no more and no fewer. A person's layer is made here from the record itself, so
what was withdrawn cannot stand beside a layer that was not. A person whose consent is not known
stands there with a layer that lets nothing out, whatever others have allowed. Conditions for a
batch or for single items say so in their own rules, so they stand over every item. Format:
docs/format/12-terms-snapshot.md.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from amana.wire.errors import FieldError
from amana.wire.references import ConsentReference, TermsReference
from amana.wire.snapshot import TermsSnapshot, consent_id
from amana.wire.vocabulary import ConsentBasis, TermsState
from terms.consent import consent_layer
from terms.layer import Layer, LayerKind, Terms
from terms.names import Uid
from terms.rule import Rule
from terms.vocabulary import CUSTODY_ACTS, Action, Effect

_BASES: Final = {
    TermsState.AGREEMENT: LayerKind.AGREEMENT,
    TermsState.STANDING: LayerKind.STANDING_TERMS,
}
_NAMED: Final = frozenset(_BASES.values())

CONSENT_NOT_KNOWN: Final = Layer(
    kind=LayerKind.CONSENT,
    uid=Uid("not-known"),
    version=0,
    party=Uid("not-known"),
    rules=(
        Rule(
            uid=Uid("kept-and-worked-on"),
            effect=Effect.PERMIT,
            actions=CUSTODY_ACTS
            | {Action.ANALYSE, Action.TRANSLATE, Action.DERIVE, Action.ANONYMISE},
        ),
    ),
)
"""A person of whose consent nothing is known: the material is kept, worked on, and never shared
(docs/format/13-terms.md section 11)."""


def item_terms(
    snapshot: TermsSnapshot, terms: TermsReference, consents: Sequence[ConsentReference]
) -> Terms:
    """Give the conditions of one item, ready for `terms.evaluate`.

    FieldError: the snapshot lacks the agreement or a consent that the item names.
    """
    layers = [each.layer for each in snapshot.layers]
    exempt = [each.exempt_reason for each in consents if each.exempt_reason is not None]
    return Terms(
        layers=(
            *_base(layers, terms),
            *_persons(snapshot, consents),
            *(layer for layer in layers if layer.kind not in _NAMED),
        ),
        consent_exempt_reason=exempt[0] if exempt else None,
    )


def leaves_out(given: Sequence[ConsentReference], now: Sequence[ConsentReference]) -> bool:
    """Tell whether a person whom the provider named is no longer among those who are asked.

    given: what the item's manifest says. now: what it is accepted under; officers may add persons
    and say more of those who were not known, but take away none, nor call the item exempt.
    """
    named = {each.consent_id for each in given if each.state is ConsentBasis.RECORDED}
    kept = {each.consent_id for each in now if each.state is ConsentBasis.RECORDED}
    is_exempt = any(each.state is ConsentBasis.EXEMPT for each in now)
    return bool(named - kept) or (bool(named) and is_exempt)


def _base(layers: Sequence[Layer], terms: TermsReference) -> tuple[Layer, ...]:
    if terms.named is None:
        return ()
    kind = _BASES[terms.state]
    found = tuple(each for each in layers if (each.kind, each.uid) == (kind, terms.named.uid))
    if all(each.version != terms.named.version for each in found):
        raise FieldError("is not among the snapshot's layers", "terms")
    # Every version in the snapshot counts: which of them governs was decided when it was taken.
    return found


def _persons(snapshot: TermsSnapshot, consents: Sequence[ConsentReference]) -> Iterator[Layer]:
    if not consents:
        raise FieldError("says nothing of anybody's consent", "consents")
    if any(each.state is ConsentBasis.UNKNOWN for each in consents):
        yield CONSENT_NOT_KNOWN
    records = {consent_id(each): each for each in snapshot.consents}
    for wanted in sorted({each.consent_id for each in consents if each.consent_id is not None}):
        if wanted not in records:
            raise FieldError("names a consent that the snapshot lacks", "consents")
        yield consent_layer(records[wanted])
