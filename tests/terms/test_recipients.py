"""No act has a name by which it dodges the floor or a person's no: every act, every recipient.

What an act gives, and to whom, is written here once more by hand; the rest is enumeration.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import product

import pytest

from terms.consent import Answer, ConsentPurpose, ConsentRecord, PurposeAnswer, consent_layer
from terms.evaluate import evaluate
from terms.facts import Facts
from terms.layer import ConsentExemptReason, Layer, LayerKind, Terms
from terms.mandate import MANDATE, STANDING_TERMS
from terms.vocabulary import (
    ENTAILED,
    Action,
    Effect,
    FairTrial,
    Purpose,
    RecipientKind,
    YesNo,
    strictest,
)
from tests.terms.world import CONSENT, TO_WHOM, USUAL, answers, layer, rule

pytestmark = pytest.mark.threat("T-14")

KINDS = (*RecipientKind, None)
FOR_NOBODY = {Action.ARCHIVE, Action.DELETE}
NEVER = {None, Purpose.IMMIGRATION, Purpose.INTELLIGENCE, Purpose.TERRORISM_ONLY}
JUSTICE = {
    Purpose.STRUCTURAL_INVESTIGATION,
    Purpose.CASE_BUILDING,
    Purpose.CRIMINAL_INVESTIGATION,
    Purpose.CRIMINAL_PROSECUTION,
    Purpose.HUMAN_RIGHTS_INQUIRY,
    Purpose.MISSING_PERSONS,
    Purpose.REPARATION,
}
PERMISSIVE = tuple(
    layer(kind, rule("all", Effect.PERMIT, Action))
    for kind in (LayerKind.AGREEMENT, LayerKind.ORIGINATOR, LayerKind.CONSENT, LayerKind.ITEM)
)
BY_PURPOSE = {
    ConsentPurpose.SHARE_NATIONAL_PROSECUTOR: RecipientKind.NATIONAL_PROSECUTOR,
    ConsentPurpose.SHARE_INTERNATIONAL_COURT: RecipientKind.INTERNATIONAL_COURT,
    ConsentPurpose.SHARE_OTHER_UN: RecipientKind.UN_BODY,
    ConsentPurpose.SHARE_SYRIAN_AUTHORITIES: RecipientKind.SYRIAN_AUTHORITIES,
}
SOUGHT = (
    ConsentPurpose.SHARE_NATIONAL_PROSECUTOR,
    ConsentPurpose.SHARE_OTHER_UN,
    ConsentPurpose.SEARCH_FOR_MISSING,
    ConsentPurpose.IDENTITY_TO_DEFENCE,
)


GOOD = (YesNo.NO, FairTrial.MET)
FLOORS = (GOOD, (YesNo.YES, FairTrial.MET), (YesNo.NO, FairTrial.NOT_MET))


def acts(floors: Iterable[tuple[YesNo, FairTrial]] = FLOORS) -> Iterator[Facts]:
    """7,980 acts: each word, to each kind of recipient, for each purpose, by each floor fact."""
    for action, kind, purpose, (death, trial) in product(Action, KINDS, (*Purpose, None), floors):
        yield replace(
            USUAL,
            action=action,
            recipient_kind=kind,
            purpose=purpose,
            death_penalty=death,
            fair_trial=trial,
        )


def decided(facts: Facts, *layers: Layer) -> Effect:
    return evaluate(terms=Terms(layers=layers), facts=facts).decision


def expected(facts: Facts) -> bool:
    """What the mandate leaves to those who permit everything."""
    if facts.action in FOR_NOBODY:
        return True
    if facts.purpose in NEVER:
        return False
    if facts.action in TO_WHOM:
        return facts.recipient_kind is TO_WHOM[facts.action]
    searches = facts.action is Action.SEARCH_FOR_MISSING
    serves = {Purpose.MISSING_PERSONS} if searches else JUSTICE
    return (facts.death_penalty, facts.fair_trial) == GOOD and facts.purpose in serves


def test_no_word_for_an_act_dodges_the_floor() -> None:
    """Everybody permits everything: what stays is permitted, what is given is under the floor."""
    compared = 0
    for facts in acts():
        decision = decided(facts, *PERMISSIVE)
        assert (decision is Effect.PERMIT) is expected(facts)
        is_bad = (facts.death_penalty, facts.fair_trial) != GOOD
        leaves = facts.recipient_kind not in {RecipientKind.MECHANISM, RecipientKind.PROVIDER}
        is_report = facts.action is Action.PUBLISH and facts.recipient_kind is RecipientKind.PUBLIC
        if is_bad and leaves and facts.action not in FOR_NOBODY and not is_report:
            assert decision is Effect.DENY
        compared += 1
    assert compared == 19 * 10 * 14 * 3


@pytest.mark.parametrize(
    "change",
    [
        {"death_penalty": YesNo.YES},
        {"death_penalty": None},
        {"fair_trial": FairTrial.NOT_MET},
        {"fair_trial": None},
        {"in_absentia": YesNo.YES},
        {"in_absentia": None},
    ],
)
def test_each_fact_of_the_floor_by_itself_stops_every_act_that_leaves(
    change: dict[str, str | None],
) -> None:
    inside = {RecipientKind.MECHANISM, RecipientKind.PROVIDER}
    for facts in acts([GOOD]):
        is_report = facts.action is Action.PUBLISH and facts.recipient_kind is RecipientKind.PUBLIC
        if facts.action not in FOR_NOBODY and facts.recipient_kind not in inside and not is_report:
            bad = replace(facts, **change)  # type: ignore[arg-type]
            assert decided(bad, *PERMISSIVE) is not Effect.PERMIT


def test_the_mandate_says_to_an_act_all_that_it_says_to_those_it_entails() -> None:
    """So that looking at the act itself is enough; only a deriving inside is not for its reader."""
    for action, entailed in ENTAILED.items():
        for denying in MANDATE.rules:
            if denying.actions & entailed and action not in denying.actions:
                assert (action, denying.uid) == (Action.SHARE_DERIVED, "stays-inside")


@pytest.mark.parametrize(("purpose", "kind"), BY_PURPOSE.items())
@pytest.mark.parametrize("answer", [Answer.NO, Answer.NOT_NOW, Answer.ASK_ME_FIRST])
def test_a_no_to_a_recipient_is_a_no_whatever_the_act_is_called(
    purpose: ConsentPurpose,
    kind: RecipientKind,
    answer: Answer,
) -> None:
    """All else has a yes; who asked to be asked first is asked, where the mandate lets them."""
    record = replace(CONSENT, answers=answers(Answer.YES, **{purpose.lower(): answer}))
    layers = (STANDING_TERMS, consent_layer(record))
    for facts in acts([GOOD]):
        if facts.recipient_kind is kind and facts.action not in FOR_NOBODY:
            may = {Effect.DENY, Effect.ASK} if answer is Answer.ASK_ME_FIRST else {Effect.DENY}
            assert decided(facts, *layers) in may


def record_of(given: tuple[Answer | None, ...]) -> ConsentRecord:
    said = {ConsentPurpose.ANALYSE_INTERNAL: Answer.YES} | {
        purpose: answer for purpose, answer in zip(SOUGHT, given, strict=True) if answer is not None
    }
    return replace(
        CONSENT,
        answers=tuple(PurposeAnswer(purpose=_, answer=answer) for _, answer in said.items()),
    )


def test_a_stricter_answer_never_loosens_anything() -> None:
    """Yes, ask, no; and nothing said, no. 256 consents, by six acts and three recipients."""
    stricter = {Answer.YES: Answer.ASK_ME_FIRST, Answer.ASK_ME_FIRST: Answer.NO, None: Answer.NO}
    questions = [
        replace(USUAL, action=action, recipient_kind=kind, purpose=Purpose.MISSING_PERSONS)
        for action in (
            Action.SEARCH_FOR_MISSING,
            Action.USE_AS_LEAD,
            Action.DISCLOSE_TO_DEFENCE,
            Action.USE_AS_EVIDENCE,
            Action.SHARE_ONWARD,
            Action.PUBLISH,
        )
        for kind in (
            RecipientKind.NATIONAL_PROSECUTOR,
            RecipientKind.UN_BODY,
            RecipientKind.SYRIAN_AUTHORITIES,
        )
    ]
    given = list(product((*stricter, Answer.NO), repeat=len(SOUGHT)))
    found = {
        each: [decided(_, STANDING_TERMS, consent_layer(record_of(each))) for _ in questions]
        for each in given
    }
    for each, place in product(given, range(len(SOUGHT))):
        if each[place] in stricter:
            tighter = (*each[:place], stricter[each[place]], *each[place + 1 :])
            for after, before in zip(found[tighter], found[each], strict=True):
                assert strictest((after, before)) is after


def test_an_exempt_item_is_under_the_same_floor() -> None:
    exempt = Terms(
        layers=PERMISSIVE[:1],
        consent_exempt_reason=ConsentExemptReason.PERPETRATOR_DOCUMENT,
    )
    for facts in acts(FLOORS[1:2]):
        is_permitted = evaluate(terms=exempt, facts=facts).decision is Effect.PERMIT
        assert is_permitted is expected(facts)
