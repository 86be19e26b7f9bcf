"""Constraints and rules: what they may say, and when they hold."""

import datetime as dt
from dataclasses import replace

import pytest

from terms.errors import ContradictionError, TermsError, VocabularyError
from terms.layer import Layer, LayerKind, Terms
from terms.names import Uid
from terms.rule import Constraint, Truth
from terms.vocabulary import (
    STOPPABLE_ACTS,
    Action,
    Effect,
    Operand,
    Operator,
    Undertaking,
)
from tests.terms.world import LAYERS, USUAL, layer, rule, where

DAY = "2027-03-01"  # the day of the usual case


@pytest.mark.parametrize(
    ("relation", "before", "same", "after"),
    [
        (Operator.EQ, False, True, False),
        (Operator.NEQ, True, False, True),
        (Operator.LT, True, False, False),
        (Operator.LTEQ, True, True, False),
        (Operator.GT, False, False, True),
        (Operator.GTEQ, False, True, True),
        (Operator.IS_ANY_OF, False, True, False),
        (Operator.IS_NONE_OF, True, False, True),
    ],
)
def test_days_are_compared_as_days(
    relation: Operator,
    *,
    before: bool,
    same: bool,
    after: bool,
) -> None:
    claim = where(Operand.DATE, relation, DAY)
    days = (dt.date(999, 12, 31), dt.date(2027, 3, 1), dt.date(2027, 3, 2))
    truths = [claim.holds(replace(USUAL, date=day)) for day in days]
    assert truths == [Truth.TRUE if is_so else Truth.FALSE for is_so in (before, same, after)]


@pytest.mark.parametrize("relation", Operator)
def test_every_claim_about_an_unknown_fact_is_unknown(relation: Operator) -> None:
    value = "COMPETENT_JURISDICTION" if relation is Operator.IS_A else DAY
    operand = Operand.RECIPIENT_KIND if relation is Operator.IS_A else Operand.DATE
    claim = where(operand, relation, value)
    unknown = replace(USUAL, date=None, recipient_kind=None)
    assert claim.holds(unknown) is Truth.UNKNOWN
    assert claim.holds(USUAL) is not Truth.UNKNOWN


def test_a_promise_is_there_or_not_among_several() -> None:
    claim = where(Operand.UNDERTAKINGS, Operator.EQ, Undertaking.NO_PUBLICATION)
    both = replace(USUAL, undertakings=frozenset(Undertaking))
    none = replace(USUAL, undertakings=frozenset())
    assert (claim.holds(both), claim.holds(none)) == (Truth.TRUE, Truth.FALSE)


@pytest.mark.parametrize(
    ("left", "relation", "right"),
    [
        (Operand.PURPOSE, Operator.LT, ["CASE_BUILDING"]),
        (Operand.DATE, Operator.EQ, []),
        (Operand.DATE, Operator.LTEQ, ["2027-01-01", "2027-01-02"]),
        (Operand.DATE, Operator.EQ, ["20270101"]),
        (Operand.DATE, Operator.EQ, ["tomorrow"]),
        (Operand.PURPOSE, Operator.EQ, ["REVENGE"]),
        (Operand.PURPOSE, Operator.IS_A, ["COMPETENT_JURISDICTION"]),
        (Operand.COUNTRY, Operator.EQ, ["Germany"]),
        (Operand.RECIPIENT, Operator.EQ, [""]),
        (Operand.DEATH_PENALTY, Operator.NEQ, ["UNKNOWN"]),
    ],
)
def test_a_claim_that_could_never_mean_anything_is_refused(
    left: Operand,
    relation: Operator,
    right: list[str],
) -> None:
    with pytest.raises(TermsError):
        Constraint(left=left, operator=relation, right=frozenset(right))


def test_a_rule_lapses_after_its_last_day_and_is_open_when_the_day_is_not_known() -> None:
    until = rule("r", Effect.DENY, Action, valid_to=dt.date(2027, 3, 1))
    days = (dt.date(2027, 3, 1), dt.date(2027, 3, 2), None)
    truths = [until.match(replace(USUAL, date=day)).truth for day in days]
    assert truths == [Truth.TRUE, Truth.FALSE, Truth.UNKNOWN]


def test_a_rule_about_no_act_is_refused() -> None:
    with pytest.raises(ContradictionError):
        rule("r", Effect.DENY, [])


@pytest.mark.parametrize("uid", ["silence", "expired", "not-yet-valid"])
def test_no_rule_may_be_called_what_a_layer_calls_its_own_reasons(uid: str) -> None:
    with pytest.raises(ContradictionError):
        layer(LayerKind.BATCH, rule(uid, Effect.DENY, Action))


def test_two_rules_of_one_layer_cannot_share_a_name() -> None:
    with pytest.raises(ContradictionError):
        layer(LayerKind.BATCH, *[rule("r", effect, Action) for effect in Effect])


@pytest.mark.threat("T-14")
@pytest.mark.parametrize(
    "change",
    [
        {"rules": ()},
        {"rules": (rule("stop", Effect.DENY, [Action.REVIEW]),)},
        {"rules": (rule("stop", Effect.ASK, STOPPABLE_ACTS),)},
        {"valid_from": dt.date(2027, 3, 2)},
        {"valid_to": dt.date(2027, 3, 1)},
        {"conditions_survive": frozenset({Action.USE_AS_LEAD})},
    ],
)
def test_a_freeze_that_would_not_stop_everything_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ContradictionError):
        replace(LAYERS["freeze"], **change)  # type: ignore[arg-type]


@pytest.mark.threat("T-14")
def test_the_mandate_cannot_be_carried_and_so_not_edited() -> None:
    edited = Layer(
        kind=LayerKind.MANDATE,
        uid=Uid("mandate"),
        version=2,
        party=Uid("head"),
        rules=(),
    )
    with pytest.raises(ContradictionError):
        Terms(layers=(edited, LAYERS["agreement"]))


def test_an_unknown_word_is_told_from_a_contradiction() -> None:
    with pytest.raises(VocabularyError):
        where(Operand.PURPOSE, Operator.EQ, "REVENGE")
