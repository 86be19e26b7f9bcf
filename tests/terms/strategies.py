"""Any terms, facts and answers, drawn from few enough values that they often meet.

Were all values drawn evenly, nearly every answer would be DENY; so what allows is drawn more often.
"""

import datetime as dt
from itertools import product

from hypothesis import strategies as st

from terms.approval import Answerer, Approval, Reply
from terms.facts import Facts
from terms.layer import ConsentExemptReason, Layer, LayerKind, Terms, freeze
from terms.mandate import HEAD, MANDATE
from terms.names import Country, Uid
from terms.rule import Constraint, Rule
from terms.vocabulary import (
    CLASSES,
    WORDS,
    Action,
    Duty,
    Effect,
    FairTrial,
    HandlingClass,
    Operand,
    Operator,
    Purpose,
    RecipientKind,
    Stage,
    Undertaking,
    YesNo,
)

DAYS = [dt.date(2026, 1, day) for day in range(1, 6)]
A, B = Uid("a"), Uid("b")
EVERY_ACT = frozenset(Action)
ONE_FOR_EACH = [Operator.EQ, Operator.NEQ]
ONE_FOR_DAYS = [Operator.LT, Operator.LTEQ, Operator.GT, Operator.GTEQ]


def _values(operand: Operand) -> list[str]:
    match operand:
        case Operand.DATE:
            return [day.isoformat() for day in DAYS]
        case Operand.ITEM | Operand.RECIPIENT:
            return [A, B]
        case Operand.COUNTRY:
            return ["DE", "SY"]
        case _:
            return sorted(WORDS[operand])


def _constraints(left: Operand) -> list[Constraint]:
    values = _values(left)
    forms = [(relation, {value}) for relation, value in product(ONE_FOR_EACH, values)]
    forms += [(Operator.IS_ANY_OF, set(values[:2])), (Operator.IS_NONE_OF, set(values[:2]))]
    forms += [(Operator.IS_A, {name}) for operand, name in CLASSES if operand is left]
    if left is Operand.DATE:
        forms += [(relation, {value}) for relation, value in product(ONE_FOR_DAYS, values)]
    return [Constraint(left=left, operator=_, right=frozenset(right)) for _, right in forms]


CONSTRAINTS = st.sampled_from([_constraints(operand) for operand in Operand]).flatmap(
    st.sampled_from,
)
ACTION_SETS = st.sampled_from(
    [EVERY_ACT, EVERY_ACT, frozenset({Action.USE_AS_LEAD}), EVERY_ACT - {Action.DERIVE}],
)
VALID_DAYS = st.sampled_from([None, None, None, *DAYS])
RULES = st.builds(
    Rule,
    uid=st.sampled_from([A, B]),
    effect=st.sampled_from([Effect.PERMIT, Effect.ASK, Effect.ASK, Effect.DENY]),
    actions=ACTION_SETS,
    constraints=st.lists(CONSTRAINTS, max_size=2).map(tuple),
    duties=st.sampled_from([frozenset(), frozenset({Duty.INFORM_PROVIDER})]),
    valid_to=VALID_DAYS,
)
ORDINARY = [kind for kind in LayerKind if kind not in {LayerKind.MANDATE, LayerKind.FREEZE}]
FREEZES = st.builds(freeze, uid=st.sampled_from([A, B]), party=st.just(A))
LAYERS = FREEZES | st.builds(
    Layer,
    kind=st.sampled_from(ORDINARY),
    uid=st.sampled_from([A, B]),
    version=st.integers(1, 2),
    party=st.just(A),
    rules=st.lists(RULES, max_size=2, unique_by=lambda _: _.uid).map(tuple),
    valid_from=st.sampled_from([None, None, DAYS[2]]),
    valid_to=VALID_DAYS,
    conditions_survive=st.sampled_from([frozenset(), frozenset({Action.USE_AS_LEAD})]),
)


def _broad(kind: LayerKind, effect: Effect) -> Layer:
    rule = Rule(uid=A, effect=effect, actions=EVERY_ACT)
    return Layer(kind=kind, uid=A, version=0, party=A, rules=(rule,))


AGREES, AGREES_IF_ASKED = (
    _broad(LayerKind.AGREEMENT, effect) for effect in (Effect.PERMIT, Effect.ASK)
)
STANDS, CONSENTS, CONSENTS_IF_ASKED = (
    _broad(LayerKind.STANDING_TERMS, Effect.PERMIT),
    _broad(LayerKind.CONSENT, Effect.PERMIT),
    _broad(LayerKind.CONSENT, Effect.ASK),
)
GROUNDS = st.sampled_from(
    [
        (AGREES, CONSENTS),
        (AGREES_IF_ASKED, CONSENTS),
        (AGREES_IF_ASKED, CONSENTS_IF_ASKED),
        (STANDS, CONSENTS_IF_ASKED),
        (AGREES,),
        (),
    ],
)
TERMS = st.builds(
    lambda grounds, further, reason: Terms(
        layers=(*grounds, *further),
        consent_exempt_reason=reason,
    ),
    GROUNDS,
    st.lists(LAYERS, max_size=2, unique_by=lambda _: (_.kind, _.uid, _.version)),
    st.sampled_from([None, *ConsentExemptReason]),
)
USUAL_KIND = RecipientKind.NATIONAL_PROSECUTOR
FACTS = st.builds(
    Facts,
    action=st.sampled_from([*[Action.USE_AS_LEAD, Action.USE_AS_EVIDENCE] * 7, *Action]),
    item=st.sampled_from([A, A, A, B, None]),
    recipient=st.sampled_from([A, A, A, B, None]),
    recipient_kind=st.sampled_from([*[USUAL_KIND] * 9, *RecipientKind, None]),
    country=st.sampled_from([*[Country("DE")] * 3, Country("SY"), None]),
    purpose=st.sampled_from(
        [*[Purpose.CASE_BUILDING] * 6, Purpose.MISSING_PERSONS, Purpose.IMMIGRATION, None],
    ),
    stage=st.sampled_from([*Stage, None]),
    date=st.sampled_from([*DAYS, None]),
    death_penalty=st.sampled_from([*[YesNo.NO] * 6, YesNo.YES, None]),
    fair_trial=st.sampled_from([*[FairTrial.MET] * 6, FairTrial.NOT_MET, None]),
    in_absentia=st.sampled_from([*[YesNo.NO] * 3, YesNo.YES, None]),
    undertakings=st.none() | st.frozensets(st.sampled_from(Undertaking)),
    handling_class=st.sampled_from([*HandlingClass, None]),
    source_anonymised=st.sampled_from([*YesNo, None]),
)
PUBLIC = RecipientKind.PUBLIC
QUESTIONS = [
    (LayerKind.MANDATE, MANDATE.uid, Uid("in-absentia"), Answerer.HEAD),
    *product([LayerKind.AGREEMENT] * 2, [A], [A], [Answerer.PARTY] * 2),
    *product([LayerKind.CONSENT], [A], [A], [Answerer.PARTY] * 2),
    *product([LayerKind.MANDATE, LayerKind.BATCH], [A], [B], Answerer),
]
APPROVALS = st.builds(
    lambda question, reply, actions, scope, who, days: Approval(
        uid=scope[0],
        layer_kind=question[0],
        layer_uid=question[1],
        layer_version=scope[4],
        rule_uid=question[2],
        answered_by=question[3],
        party=HEAD if question[3] is Answerer.HEAD else scope[5],
        reply=reply,
        actions=actions,
        recipient=scope[1],
        recipient_kind=who[0],
        country=who[1],
        purpose=scope[2],
        items=scope[3],
        answered_on=days[0],
        until=days[1],
    ),
    st.sampled_from(QUESTIONS),
    st.sampled_from([*[Reply.YES] * 5, *Reply]),
    ACTION_SETS,
    st.tuples(
        st.sampled_from([A, B]),
        st.sampled_from([A, A, A, B]),
        st.sampled_from([*[Purpose.CASE_BUILDING] * 4, Purpose.IMMIGRATION]),
        st.sampled_from([frozenset({A, B}), frozenset({A})]),
        st.sampled_from([0, 0, 0, 1]),
        st.sampled_from([A, A, A, B]),
    ),
    st.sampled_from(
        [*[(USUAL_KIND, Country("DE"))] * 4, (USUAL_KIND, Country("SY")), (PUBLIC, None)],
    ),
    st.sampled_from([(DAYS[0], DAYS[-1]), (DAYS[1], DAYS[3])]),
)
APPROVAL_LISTS = st.lists(APPROVALS, max_size=4)
