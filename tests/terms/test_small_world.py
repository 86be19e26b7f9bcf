"""The algebra, shown on every one of 1,620 contexts of a small world.

A context is an act, a purpose, a country, and the three facts of the floor; None is "not known".
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import permutations, product

import pytest

from terms.agreement import agreement_layer
from terms.approval import WITHOUT_COUNTRY, Answerer, Approval
from terms.consent import consent_layer
from terms.evaluate import evaluate
from terms.evaluation import Evaluation
from terms.facts import Facts
from terms.layer import Layer, LayerKind, Terms
from terms.mandate import MANDATE
from terms.names import Country
from terms.vocabulary import (
    JUSTICE_ACTS,
    SHARING_ACTS,
    Action,
    Duty,
    Effect,
    FairTrial,
    Operand,
    Operator,
    Purpose,
    YesNo,
    strictest,
)
from tests.terms.world import AGREEMENT, CONSENT, YES_EVIDENCE, layer, rule, usual, where

VALUES: dict[Operand, tuple[str | None, ...]] = {
    Operand.PURPOSE: (
        Purpose.CRIMINAL_PROSECUTION,
        Purpose.IMMIGRATION,
        Purpose.PUBLIC_REPORT,
        None,
    ),
    Operand.COUNTRY: (Country("DE"), Country("XX"), None),
    Operand.DEATH_PENALTY: (*YesNo, None),
    Operand.FAIR_TRIAL: (*FairTrial, None),
    Operand.IN_ABSENTIA: (*YesNo, None),
}
ACTIONS = (
    Action.ANALYSE,
    Action.USE_AS_LEAD,
    Action.USE_AS_EVIDENCE,
    Action.SHARE_DERIVED,
    Action.PUBLISH,
)
WORLD = (
    agreement_layer(AGREEMENT),
    consent_layer(replace(CONSENT, excluded_countries=frozenset({Country("XX")}))),
    layer(
        LayerKind.BATCH,
        rule(
            "ask-abroad",
            Effect.ASK,
            SHARING_ACTS,
            where(Operand.COUNTRY, Operator.NEQ, "DE"),
        ),
    ),
)


@cache
def contexts() -> tuple[Facts, ...]:
    return tuple(
        replace(usual(action), **dict(zip(VALUES, values, strict=True)))  # type: ignore[arg-type]
        for action in ACTIONS
        for values in product(*VALUES.values())
    )


def weigh(facts: Facts, *layers: Layer, approvals: tuple[Approval, ...] = ()) -> Evaluation:
    return evaluate(terms=Terms(layers=layers), facts=facts, approvals=approvals)


@cache
def plain_answers() -> dict[Facts, Evaluation]:
    return {facts: weigh(facts, *WORLD) for facts in contexts()}


def is_no_looser(left: Effect, right: Effect) -> bool:
    return strictest((left, right)) is left


def test_the_small_world_has_1620_contexts_and_every_outcome() -> None:
    assert len(contexts()) == 1_620
    assert {answer.decision for answer in plain_answers().values()} == set(Effect)


@pytest.mark.threat("T-14")
def test_no_order_of_layers_matters() -> None:
    """9,720 evaluations: every context in all six orders, comparing the whole answers."""
    orders = list(permutations(WORLD))
    assert len(orders) == 6
    for facts, answer in plain_answers().items():
        assert all(weigh(facts, *order) == answer for order in orders)


@pytest.mark.threat("T-14")
def test_not_knowing_is_never_better_than_knowing() -> None:
    compared = 0
    for facts, answer in plain_answers().items():
        for operand, values in VALUES.items():
            if facts.known(operand) is None:
                for value in values[:-1]:
                    known = plain_answers()[replace(facts, **{operand.value: value})]  # type: ignore[arg-type]
                    assert is_no_looser(answer.decision, known.decision)
                    assert known.duties <= answer.duties
                    compared += 1
    assert compared == 1_620 // 3 * 2 * 4 + 1_620 // 4 * 3


@pytest.mark.threat("T-14")
def test_a_fact_that_is_not_missing_changes_nothing() -> None:
    for facts, answer in plain_answers().items():
        for operand, values in VALUES.items():
            if facts.known(operand) is None and operand not in answer.missing_facts:
                for value in values[:-1]:
                    known = plain_answers()[replace(facts, **{operand.value: value})]  # type: ignore[arg-type]
                    assert known.decision is answer.decision


def further_layers() -> Iterator[Layer]:
    """One rule each: on everything by a joint owner, and where it may be death for an item."""
    perhaps_death = where(Operand.DEATH_PENALTY, Operator.NEQ, YesNo.NO)
    for effect in Effect:
        everywhere = rule("further", effect, Action)
        with_duty = replace(everywhere, duties=frozenset({Duty.REVIEW_FIRST}))
        yield layer(LayerKind.ORIGINATOR, with_duty)
        yield layer(LayerKind.ITEM, replace(with_duty, constraints=(perhaps_death,)))


@pytest.mark.threat("T-14")
@pytest.mark.requirement("R28")
def test_adding_a_layer_never_loosens() -> None:
    for further in further_layers():
        for facts, answer in plain_answers().items():
            narrowed = weigh(facts, *WORLD, further)
            assert is_no_looser(narrowed.decision, answer.decision)
            assert answer.duties <= narrowed.duties


@pytest.mark.threat("T-14")
@pytest.mark.requirement("R32")
def test_the_floor_holds_whatever_the_layers_say() -> None:
    """All other layers permit everything; only the mandate is left to say no."""
    kinds = (LayerKind.AGREEMENT, LayerKind.CONSENT, LayerKind.BATCH, LayerKind.ITEM)
    permissive = [layer(kind, rule("all", Effect.PERMIT, Action)) for kind in kinds]
    for facts in contexts():
        decision = weigh(facts, *permissive).decision
        serves = {Purpose.CRIMINAL_PROSECUTION}
        if facts.action not in JUSTICE_ACTS:
            serves |= {Purpose.PUBLIC_REPORT}
        is_bad_purpose = facts.purpose not in serves
        is_bad_trial = (facts.death_penalty, facts.fair_trial) != (YesNo.NO, FairTrial.MET)
        if is_bad_purpose or (facts.action in JUSTICE_ACTS and is_bad_trial):
            assert decision is Effect.DENY
        elif facts.action in JUSTICE_ACTS and facts.in_absentia is not YesNo.NO:
            assert decision is Effect.ASK
        else:
            assert decision is Effect.PERMIT


@pytest.mark.threat("T-14")
def test_no_approval_touches_a_deny_and_those_of_all_that_asked_are_enough() -> None:
    """A yes to every rule there is, from whoever it takes, turns every ASK and no DENY."""
    everything = tuple(
        replace(
            YES_EVIDENCE,
            layer_kind=of.kind,
            layer_uid=of.uid,
            rule_uid=asking.uid,
            layer_version=of.version,
            answered_by=Answerer.HEAD if of is MANDATE else Answerer.PARTY,
            party=of.party,
            actions=frozenset(Action),
            recipient_kind=kind,
            country=None if kind in WITHOUT_COUNTRY else Country(place),
            purpose=purpose,
        )
        for of in (MANDATE, *WORLD)
        for asking in of.rules
        for purpose in (Purpose.CRIMINAL_PROSECUTION, Purpose.PUBLIC_REPORT)
        for kind in {facts.recipient_kind for facts in contexts()}
        if kind is not None
        for place in ("DE", "XX")
    )
    for facts, answer in plain_answers().items():
        approved = weigh(facts, *WORLD, approvals=everything).decision
        is_told = facts.country is not None or facts.recipient_kind in WITHOUT_COUNTRY
        turned = Effect.PERMIT if is_told else answer.decision
        assert approved is (Effect.DENY if answer.decision is Effect.DENY else turned)
