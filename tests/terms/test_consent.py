"""Consent: per person, per purpose, informed, and never widened by an unsigned word."""

import datetime as dt
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terms.consent import (
    AgeBand,
    Answer,
    ConsentEvent,
    ConsentPurpose,
    ConsentRecord,
    ConsentState,
    Informed,
    PurposeAnswer,
    consent_layer,
    standing,
)
from terms.errors import ContradictionError
from terms.evaluate import evaluate
from terms.layer import Terms
from terms.mandate import STANDING_TERMS
from terms.vocabulary import (
    SHARING_ACTS,
    Action,
    Effect,
    Purpose,
    RecipientKind,
    strictest,
)
from tests.terms.records import WITHDRAWAL
from tests.terms.world import CHILD, CONSENT, GUARDED, INFORMED, answers, only, usual

VALID = {ConsentState.GIVEN, ConsentState.RENEWED}
KEPT_ONLY = {ConsentState.UNKNOWN, ConsentState.REQUESTED, ConsentState.DEFERRED}


def may(record: ConsentRecord, action: Action, kind: RecipientKind | None = None) -> Effect:
    facts = usual(action) if kind is None else replace(usual(action), recipient_kind=kind)
    if action is Action.SEARCH_FOR_MISSING:
        facts = replace(facts, purpose=Purpose.MISSING_PERSONS)
    terms = Terms(layers=(STANDING_TERMS, consent_layer(record)))
    return evaluate(terms=terms, facts=facts).decision


@pytest.mark.parametrize("state", ConsentState)
def test_a_state_shares_keeps_or_stops(state: ConsentState) -> None:
    record = replace(CONSENT, state=state)
    is_kept = state in VALID | KEPT_ONLY
    assert may(record, Action.USE_AS_LEAD) is (Effect.PERMIT if state in VALID else Effect.DENY)
    assert may(record, Action.ANALYSE) is (Effect.PERMIT if is_kept else Effect.DENY)
    assert may(record, Action.ARCHIVE) is (Effect.PERMIT if is_kept else Effect.DENY)
    assert may(record, Action.DELETE) is Effect.PERMIT


@pytest.mark.parametrize(
    ("answer", "effect", "further"),
    [
        (Answer.YES, Effect.PERMIT, Effect.ASK),
        (Answer.ASK_ME_FIRST, Effect.ASK, Effect.ASK),
        (Answer.NO, Effect.DENY, Effect.DENY),
        (Answer.NOT_NOW, Effect.DENY, Effect.DENY),
    ],
)
@pytest.mark.parametrize(
    ("purpose", "kind"),
    [
        (ConsentPurpose.SHARE_NATIONAL_PROSECUTOR, RecipientKind.NATIONAL_PROSECUTOR),
        (ConsentPurpose.SHARE_INTERNATIONAL_COURT, RecipientKind.INTERNATIONAL_COURT),
        (ConsentPurpose.SHARE_OTHER_UN, RecipientKind.UN_BODY),
        (ConsentPurpose.SHARE_SYRIAN_AUTHORITIES, RecipientKind.SYRIAN_AUTHORITIES),
    ],
)
def test_an_answer_counts_for_its_recipients_and_for_no_others(
    purpose: ConsentPurpose,
    kind: RecipientKind,
    answer: Answer,
    effect: Effect,
    further: Effect,
) -> None:
    record = replace(CONSENT, answers=(PurposeAnswer(purpose=purpose, answer=answer),))
    assert may(record, Action.USE_AS_LEAD, kind) is effect
    assert may(record, Action.SHARE_ONWARD, kind) is further
    for other in set(RecipientKind) - {kind}:
        assert may(record, Action.USE_AS_LEAD, other) is Effect.DENY


def test_no_answer_is_no() -> None:
    record = only(ConsentPurpose.CONTACT_ME)
    permitted = {action for action in Action if may(record, action) is not Effect.DENY}
    assert permitted == {Action.CONTACT_SOURCE, Action.DELETE, Action.RETURN}


@pytest.mark.threat("T-14")
@pytest.mark.parametrize("kind", RecipientKind)
def test_a_yes_to_the_search_for_the_missing_reaches_those_who_search(kind: RecipientKind) -> None:
    """Others only if the person said yes to them as well."""
    record = only(ConsentPurpose.SEARCH_FOR_MISSING)
    searches = kind in {RecipientKind.UN_BODY, RecipientKind.CIVIL_SOCIETY}
    effect = Effect.PERMIT if searches else Effect.DENY
    assert may(record, Action.SEARCH_FOR_MISSING, kind) is effect


def test_consent_to_nothing_in_particular_is_not_known_consent() -> None:
    assert standing(replace(CONSENT, answers=())).state is ConsentState.UNKNOWN


@pytest.mark.threat("T-14")
@pytest.mark.parametrize("answer", [Answer.NO, Answer.NOT_NOW, Answer.ASK_ME_FIRST])
def test_a_no_counts_though_the_consent_is_not_known_or_not_informed(answer: Answer) -> None:
    given = (PurposeAnswer(purpose=ConsentPurpose.ANALYSE_INTERNAL, answer=answer),)
    not_informed = replace(CONSENT, answers=given, informed=replace(INFORMED, competence=None))
    not_known = replace(CONSENT, answers=given, state=ConsentState.REQUESTED)
    for record in (not_informed, not_known):
        assert may(record, Action.ANALYSE) is may(replace(CONSENT, answers=given), Action.ANALYSE)


@pytest.mark.parametrize("element", ["disclosure", "voluntariness", "comprehension", "competence"])
@pytest.mark.parametrize("recorded", [False, None])
def test_consent_that_is_not_known_to_be_informed_shares_nothing(
    element: str,
    recorded: bool | None,  # noqa: FBT001 (a case of the table)
) -> None:
    informed = replace(INFORMED, **{element: recorded})  # type: ignore[arg-type]
    assert standing(replace(CONSENT, informed=informed)).state is ConsentState.UNKNOWN


@pytest.mark.parametrize("age", [AgeBand.UNDER_18, None])
@pytest.mark.parametrize(
    ("informed", "counts"),
    [
        (GUARDED, True),
        (INFORMED, False),
        (replace(GUARDED, guardian_consents=False), False),
        (replace(GUARDED, guardian_conflict=True), False),
        (replace(GUARDED, guardian_conflict=None), False),
        (replace(GUARDED, child_assents=None), False),
    ],
)
def test_a_child_or_perhaps_a_child_needs_a_safe_guardian_and_its_own_yes(
    age: AgeBand | None,
    informed: Informed,
    *,
    counts: bool,
) -> None:
    record = replace(CHILD, age_band=age, informed=informed)
    assert (standing(record).state in VALID) is counts


def test_consent_ends_on_its_last_day_and_the_material_is_kept() -> None:
    record = replace(CHILD, informed=GUARDED, valid_to=dt.date(2027, 2, 28))
    assert may(record, Action.USE_AS_LEAD) is Effect.DENY
    assert may(record, Action.ANALYSE) is Effect.DENY
    assert may(record, Action.ARCHIVE) is Effect.PERMIT
    assert may(record, Action.RETURN) is Effect.PERMIT


EITHER = [ConsentPurpose.ANALYSE_INTERNAL, ConsentPurpose.SHARE_NATIONAL_PROSECUTOR]
EVENTS = st.builds(
    lambda counter, state, given: replace(
        WITHDRAWAL,
        counter=counter,
        state=state,
        answers=tuple(PurposeAnswer(purpose=_, answer=given[_]) for _ in sorted(given)),
    ),
    st.none() | st.integers(1, 9),
    st.sampled_from(ConsentState),
    st.dictionaries(st.sampled_from(EITHER), st.sampled_from(Answer), max_size=2),
)
UNSIGNED = EVENTS.map(lambda event: replace(event, counter=None))
FIRST = st.sampled_from(
    [
        CONSENT,
        replace(CONSENT, answers=()),
        replace(CONSENT, state=ConsentState.UNKNOWN, answers=()),
        replace(CONSENT, informed=replace(INFORMED, disclosure=None)),
    ],
)
HISTORIES = st.lists(EVENTS, max_size=3, unique_by=lambda _: _.counter or object())


def permits(record: ConsentRecord) -> dict[Action, Effect]:
    return {action: may(record, action) for action in (Action.USE_AS_LEAD, Action.ANALYSE)}


@pytest.mark.threat("T-14")
@given(FIRST, HISTORIES, UNSIGNED)
def test_an_unsigned_word_never_widens(
    first: ConsentRecord,
    history: list[ConsentEvent],
    last: ConsentEvent,
) -> None:
    before = permits(replace(first, events=tuple(history)))
    after = permits(replace(first, events=(*history, last)))
    assert all(strictest((after[action], before[action])) is after[action] for action in before)


@given(HISTORIES, st.data())
def test_signed_words_count_in_the_order_of_their_counters_whenever_they_come(
    history: list[ConsentEvent],
    data: st.DataObject,
) -> None:
    signed = [event for event in history if event.counter is not None]
    mixed = data.draw(st.permutations(signed))
    record, other = (replace(CONSENT, events=tuple(events)) for events in (signed, mixed))
    assert standing(record) == standing(other)


@pytest.mark.threat("T-14")
@given(FIRST, HISTORIES, EVENTS.filter(lambda _: _.counter is not None))
def test_the_persons_last_word_counts_whatever_came_before_it(
    first: ConsentRecord,
    history: list[ConsentEvent],
    last: ConsentEvent,
) -> None:
    """No word that is not theirs withdraws for ever, or takes away their next counter."""
    word = replace(last, counter=2**53 - 1, answers=answers(Answer.YES))
    said = standing(replace(first, events=(word,)))
    assert standing(replace(first, events=(*history, word))) == said


def test_an_unsigned_word_holds_until_the_next_signed_one_and_an_old_one_does_not_lift_it() -> None:
    unsigned = replace(WITHDRAWAL, counter=None)
    first, second = (
        replace(WITHDRAWAL, counter=counter, state=ConsentState.RENEWED, answers=())
        for counter in (1, 2)
    )
    states = {
        (second, unsigned): ConsentState.WITHDRAWN,
        (second, unsigned, first): ConsentState.WITHDRAWN,
        (first, unsigned, second): ConsentState.RENEWED,
        (unsigned, replace(first, counter=0)): ConsentState.RENEWED,
    }
    for events, state in states.items():
        assert standing(replace(CONSENT, events=events)).state is state


def test_an_unsigned_yes_says_nothing_and_an_unsigned_no_is_a_no() -> None:
    record = only(ConsentPurpose.SEARCH_FOR_MISSING)
    for answer, effect in (
        (Answer.YES, Effect.PERMIT),
        (Answer.ASK_ME_FIRST, Effect.DENY),
        (Answer.NO, Effect.DENY),
    ):
        given = PurposeAnswer(purpose=ConsentPurpose.SHARE_OTHER_UN, answer=answer)
        word = replace(WITHDRAWAL, counter=None, state=ConsentState.GIVEN, answers=(given,))
        told = replace(record, events=(word,))
        assert may(told, Action.SEARCH_FOR_MISSING, RecipientKind.UN_BODY) is effect
        assert may(told, Action.USE_AS_LEAD, RecipientKind.UN_BODY) is Effect.DENY


def test_a_signed_word_withdraws_and_a_later_one_gives_again() -> None:
    again = replace(
        WITHDRAWAL,
        counter=2,
        state=ConsentState.RENEWED,
        answers=answers(Answer.YES),
    )
    withdrawn = replace(CONSENT, events=(WITHDRAWAL,))
    assert may(withdrawn, Action.USE_AS_LEAD) is Effect.DENY
    assert may(replace(CONSENT, events=(again, WITHDRAWAL)), Action.USE_AS_LEAD) is Effect.PERMIT
    assert consent_layer(replace(CONSENT, events=(again, WITHDRAWAL))).version == 2


def test_one_purpose_is_answered_once_at_a_time() -> None:
    twice = CONSENT.answers[:1] * 2
    with pytest.raises(ContradictionError):
        replace(CONSENT, answers=twice)
    with pytest.raises(ContradictionError):
        replace(CONSENT, events=(replace(WITHDRAWAL, answers=twice),))


def test_a_counter_is_used_once() -> None:
    with pytest.raises(ContradictionError):
        replace(CONSENT, events=(WITHDRAWAL, replace(WITHDRAWAL, answers=())))
    unsigned = replace(WITHDRAWAL, counter=None)
    assert replace(CONSENT, events=(WITHDRAWAL, unsigned, unsigned)).events[0] is WITHDRAWAL


@pytest.mark.parametrize("age", [AgeBand.UNDER_18, None])
def test_what_a_guardian_consents_to_ends_before_the_child_is_grown(age: AgeBand | None) -> None:
    """Else a child's consent would share in fifty years; what shares nothing needs no end."""
    guarded = replace(CHILD, informed=GUARDED, age_band=age)
    assert may(guarded, Action.USE_AS_LEAD) is Effect.PERMIT
    with pytest.raises(ContradictionError):
        replace(guarded, valid_to=None)
    endless = replace(CHILD, age_band=age, valid_to=None)
    assert {may(endless, act) for act in SHARING_ACTS} == {Effect.DENY}


def test_a_consent_record_has_no_place_for_a_name() -> None:
    assert {"name", "family", "birth"}.isdisjoint(field.name for field in fields(ConsentRecord))
