"""The properties of the small world hold for any terms, facts and answers that can be written."""

from dataclasses import fields, replace
from typing import cast

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from terms.approval import Approval
from terms.evaluate import evaluate
from terms.evaluation import sentence_keys, sentences
from terms.facts import Facts
from terms.layer import Layer, LayerKind, Terms, freeze
from terms.names import Uid
from terms.plain import to_json
from terms.rule import Rule
from terms.vocabulary import (
    GIVING_ACTS,
    PRESERVATION,
    Effect,
    FairTrial,
    Operand,
    YesNo,
    strictest,
)
from tests.terms.oracle import ApprovalForm, Fact, TermsForm, decide
from tests.terms.strategies import APPROVAL_LISTS, FACTS, LAYERS, RULES, TERMS

pytestmark = pytest.mark.threat("T-14")


def is_no_looser(left: Effect, right: Effect) -> bool:
    return strictest((left, right)) is left


def reordered(data: st.DataObject, layer: Layer) -> Layer:
    rules = [
        replace(rule, constraints=tuple(data.draw(st.permutations(rule.constraints))))
        for rule in layer.rules
    ]
    return replace(layer, rules=tuple(data.draw(st.permutations(rules))))


@given(TERMS, FACTS, APPROVAL_LISTS, st.data())
def test_no_order_of_layers_rules_constraints_or_approvals_matters(
    terms: Terms,
    facts: Facts,
    approvals: list[Approval],
    data: st.DataObject,
) -> None:
    layers = data.draw(st.permutations([reordered(data, layer) for layer in terms.layers]))
    mixed = replace(terms, layers=tuple(layers))
    answers = data.draw(st.permutations(approvals))
    assert evaluate(terms=mixed, facts=facts, approvals=answers) == evaluate(
        terms=terms,
        facts=facts,
        approvals=approvals,
    )


@given(TERMS, FACTS, APPROVAL_LISTS, LAYERS)
def test_a_further_layer_never_loosens(
    terms: Terms,
    facts: Facts,
    approvals: list[Approval],
    further: Layer,
) -> None:
    """Further to terms that have their own: the first consent of all must be able to permit."""
    kinds = {layer.kind for layer in terms.layers}
    replaced = {LayerKind.AGREEMENT, LayerKind.STANDING_TERMS, LayerKind.CONSENT} - kinds
    assume(further.kind not in replaced)
    assume((further.kind, further.uid, further.version) not in names(terms))
    more = replace(terms, layers=(*terms.layers, further))
    before = evaluate(terms=terms, facts=facts, approvals=approvals)
    after = evaluate(terms=more, facts=facts, approvals=approvals)
    assert is_no_looser(after.decision, before.decision)
    assert before.duties <= after.duties


def names(terms: Terms) -> set[tuple[LayerKind, Uid, int]]:
    return {(layer.kind, layer.uid, layer.version) for layer in terms.layers}


@given(TERMS, FACTS, APPROVAL_LISTS, RULES, st.data())
def test_a_further_rule_that_denies_or_in_a_batch_or_item_never_loosens(
    terms: Terms,
    facts: Facts,
    approvals: list[Approval],
    further: Rule,
    data: st.DataObject,
) -> None:
    places = [i for i, _ in enumerate(terms.layers) if _.kind is not LayerKind.FREEZE]
    assume(places)
    place = data.draw(st.sampled_from(places))
    layer = terms.layers[place]
    adds_only = layer.kind in {LayerKind.BATCH, LayerKind.ITEM}
    rule = replace(further, uid=Uid("d"), effect=further.effect if adds_only else Effect.DENY)
    layers = [*terms.layers]
    layers[place] = replace(layer, rules=(*layer.rules, rule))
    more = replace(terms, layers=tuple(layers))
    before = evaluate(terms=terms, facts=facts, approvals=approvals)
    after = evaluate(terms=more, facts=facts, approvals=approvals)
    assert is_no_looser(after.decision, before.decision)
    assert before.duties <= after.duties


@given(TERMS, FACTS, APPROVAL_LISTS, st.sets(st.sampled_from(Operand), min_size=1))
def test_not_knowing_is_never_better_than_knowing(
    terms: Terms,
    facts: Facts,
    approvals: list[Approval],
    forgotten: set[Operand],
) -> None:
    less = replace(facts, **dict.fromkeys(map(str, forgotten)))  # type: ignore[arg-type]
    known = evaluate(terms=terms, facts=facts, approvals=approvals)
    unknown = evaluate(terms=terms, facts=less, approvals=approvals)
    assert is_no_looser(unknown.decision, known.decision)
    assert known.duties <= unknown.duties
    if forgotten.isdisjoint(unknown.missing_facts):
        assert unknown.decision is known.decision


@given(TERMS, FACTS, APPROVAL_LISTS)
def test_no_approval_touches_a_deny(
    terms: Terms,
    facts: Facts,
    approvals: list[Approval],
) -> None:
    if evaluate(terms=terms, facts=facts).decision is Effect.DENY:
        assert evaluate(terms=terms, facts=facts, approvals=approvals).decision is Effect.DENY


@given(TERMS, FACTS, APPROVAL_LISTS)
def test_the_floor_always_holds(terms: Terms, facts: Facts, approvals: list[Approval]) -> None:
    decision = evaluate(terms=terms, facts=facts, approvals=approvals).decision
    if facts.action in GIVING_ACTS and decision is not Effect.DENY:
        assert (facts.death_penalty, facts.fair_trial) == (YesNo.NO, FairTrial.MET)


@given(TERMS, FACTS, APPROVAL_LISTS)
def test_a_freeze_leaves_nothing_but_preservation(
    terms: Terms,
    facts: Facts,
    approvals: list[Approval],
) -> None:
    stop = freeze(uid=Uid("f"), party=Uid("p"))
    frozen = replace(terms, layers=(*terms.layers, stop))
    before = evaluate(terms=terms, facts=facts, approvals=approvals).decision
    after = evaluate(terms=frozen, facts=facts, approvals=approvals).decision
    assert after is (before if facts.action in PRESERVATION else Effect.DENY)


@given(TERMS, FACTS, APPROVAL_LISTS)
def test_every_answer_has_a_reason_and_sentences_that_a_catalogue_can_hold(
    terms: Terms,
    facts: Facts,
    approvals: list[Approval],
) -> None:
    evaluation = evaluate(terms=terms, facts=facts, approvals=approvals)
    assert evaluation.because
    assert {reason.effect for reason in evaluation.because} == {evaluation.decision}
    assert {sentence.key for sentence in sentences(evaluation)} <= sentence_keys()


@given(TERMS, FACTS, APPROVAL_LISTS)
def test_a_second_reading_of_the_chapter_decides_the_same(
    terms: Terms,
    facts: Facts,
    approvals: list[Approval],
) -> None:
    """The oracle shares no code with `terms`; it reads the JSON forms."""
    decision = decide(
        cast("TermsForm", to_json(terms)),
        cast("dict[str, Fact]", to_json(facts)),
        [cast("ApprovalForm", to_json(approval)) for approval in approvals],
    )
    assert evaluate(terms=terms, facts=facts, approvals=approvals).decision == decision


def test_every_fact_but_the_action_is_an_operand() -> None:
    assert {field.name for field in fields(Facts)} == {"action", *Operand}
