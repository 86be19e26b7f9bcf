"""What one person allowed, purpose by purpose, and how that changed since.

Consent that is unknown keeps the material and lets it be worked on, unless the person said no to
that, and never lets it be shared. A word that is not signed can only tighten, and a later signed
one takes it back. Format: docs/format/13-terms.md section 11.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from operator import itemgetter
from types import MappingProxyType
from typing import ClassVar

from terms.errors import ContradictionError
from terms.layer import Layer, LayerKind
from terms.names import Country, Language, Uid
from terms.rule import Constraint, Rule
from terms.vocabulary import (
    CUSTODY_ACTS,
    SHARING_ACTS,
    Action,
    Duty,
    Effect,
    Operand,
    Operator,
    RecipientKind,
    strictest,
)


class ConsentPurpose(StrEnum):
    """What a person decides one by one, with no box ticked beforehand."""

    PRESERVE = "PRESERVE"
    ANALYSE_INTERNAL = "ANALYSE_INTERNAL"
    CONTACT_ME = "CONTACT_ME"
    SHARE_NATIONAL_PROSECUTOR = "SHARE_NATIONAL_PROSECUTOR"
    SHARE_INTERNATIONAL_COURT = "SHARE_INTERNATIONAL_COURT"
    SHARE_OTHER_UN = "SHARE_OTHER_UN"
    SHARE_SYRIAN_AUTHORITIES = "SHARE_SYRIAN_AUTHORITIES"
    SEARCH_FOR_MISSING = "SEARCH_FOR_MISSING"
    PUBLIC_REPORT_REDACTED = "PUBLIC_REPORT_REDACTED"
    IDENTITY_TO_DEFENCE = "IDENTITY_TO_DEFENCE"


class Answer(StrEnum):
    """What a person answered; NOT_NOW counts as NO, and so does no answer."""

    YES = "YES"
    ASK_ME_FIRST = "ASK_ME_FIRST"
    NO = "NO"
    NOT_NOW = "NOT_NOW"


class ConsentState(StrEnum):
    """The state of a consent, by its name in DPV 2.3."""

    GIVEN = "ConsentGiven"
    RENEWED = "RenewedConsentGiven"
    UNKNOWN = "ConsentUnknown"
    REQUESTED = "ConsentRequested"
    DEFERRED = "ConsentRequestDeferred"
    REFUSED = "ConsentRefused"
    WITHDRAWN = "ConsentWithdrawn"
    EXPIRED = "ConsentExpired"
    REVOKED = "ConsentRevoked"
    INVALIDATED = "ConsentInvalidated"


class AgeBand(StrEnum):
    """Whether the person is a child; None elsewhere means not known, which counts as a child."""

    UNDER_18 = "UNDER_18"
    ADULT = "18_PLUS"


class IndicatedBy(StrEnum):
    """Who spoke."""

    SELF = "SELF"
    GUARDIAN = "GUARDIAN"
    REPRESENTATIVE = "REPRESENTATIVE"


class ConsentMethod(StrEnum):
    """How it was said."""

    WRITTEN = "WRITTEN"
    ORAL_WITNESSED = "ORAL_WITNESSED"
    ONLINE = "ONLINE"


class Risk(StrEnum):
    """A risk that was explained."""

    DISCLOSURE_TO_DEFENCE = "DISCLOSURE_TO_DEFENCE"
    CANNOT_RECALL_ONCE_SHARED = "CANNOT_RECALL_ONCE_SHARED"
    NO_PROTECTION_PROMISED = "NO_PROTECTION_PROMISED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """Who interpreted, by a code, and whether the person chose them."""

    code: Uid
    chosen_by_person: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Informed:
    """The elements of informed consent, and for a child the guardian's and its own word.

    Disclosure, voluntariness, comprehension, competence: the four of WITNESS's guidance on informed
    consent. None: not recorded.
    """

    disclosure: bool | None
    voluntariness: bool | None
    comprehension: bool | None
    competence: bool | None
    interpreter: Interpreter | None
    guardian_consents: bool | None
    guardian_conflict: bool | None
    child_assents: bool | None
    risks_explained: frozenset[Risk]
    referral_offered: bool | None

    def suffices(self, age: AgeBand | None) -> bool:
        """Tell whether consent so given counts; what was not recorded is not there."""
        elements = (self.disclosure, self.voluntariness, self.comprehension, self.competence)
        if not all(elements):
            return False
        # A guardian may be the danger: no known conflict is needed, not merely none recorded.
        guarded = self.guardian_consents and self.guardian_conflict is False and self.child_assents
        return age is AgeBand.ADULT or bool(guarded)


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposeAnswer:
    """One purpose and the answer to it."""

    purpose: ConsentPurpose
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentEvent:
    """A later word: a new state, and new answers to some purposes.

    counter: the person's own, growing, under the person's signature, which was verified; no two
    words have the same. None: nobody knows that the person said it, so it uses up no counter.
    """

    counter: int | None
    state: ConsentState
    answers: tuple[PurposeAnswer, ...]
    on: dt.date
    indicated_by: IndicatedBy
    method: ConsentMethod
    notice: Uid
    language: Language
    interpreter: Interpreter | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRecord:
    """One person's consent as first given, and every event since, in the order of their arrival.

    excluded_countries: where nothing may become known. valid_to: the last day it counts; for a
    child at most the day before the eighteenth birthday, when the person is asked again. Raises
    ContradictionError for two answers to one purpose at once, for two events with one counter, and
    where a guardian's consent to a child's would count without end.
    """

    FORMAT: ClassVar[str] = "amana/consent/v1"

    uid: Uid
    person: Uid
    age_band: AgeBand | None
    notice: Uid
    language: Language
    collected_by: Uid
    collected_on: dt.date | None
    indicated_by: IndicatedBy
    method: ConsentMethod
    informed: Informed
    state: ConsentState
    answers: tuple[PurposeAnswer, ...]
    excluded_countries: frozenset[Country]
    valid_to: dt.date | None
    events: tuple[ConsentEvent, ...]

    def __post_init__(self) -> None:
        for answers in (self.answers, *(event.answers for event in self.events)):
            if len({answer.purpose for answer in answers}) < len(answers):
                raise ContradictionError("one purpose is answered twice at once")
        counters = [event.counter for event in self.events if event.counter is not None]
        if len(set(counters)) < len(counters):
            raise ContradictionError("two consent events have one counter")
        ends = self.valid_to is not None or self.age_band is AgeBand.ADULT
        if not ends and self.informed.suffices(self.age_band):
            raise ContradictionError("what a guardian consents to for a child has no end")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a consent has come to: its state and its effect on each purpose that was answered."""

    state: ConsentState
    effects: Mapping[ConsentPurpose, Effect]


_EFFECTS = MappingProxyType(
    {
        Answer.YES: Effect.PERMIT,
        Answer.ASK_ME_FIRST: Effect.ASK,
        Answer.NO: Effect.DENY,
        Answer.NOT_NOW: Effect.DENY,
    },
)
_VALID = frozenset({ConsentState.GIVEN, ConsentState.RENEWED})
_OPEN = frozenset({ConsentState.UNKNOWN, ConsentState.REQUESTED, ConsentState.DEFERRED})


def standing(record: ConsentRecord) -> Standing:
    """Give what a consent has come to.

    Signed words count in the order of their counters, whenever they came; one that is not signed
    counts after those that came before it, and a signed one that came later counts after it.
    """
    state = record.state
    effects = {_.purpose: _EFFECTS[_.answer] for _ in record.answers}
    for event in _in_order(record.events):
        is_signed = event.counter is not None
        if is_signed or _distance(event.state) > _distance(state):
            state = event.state
        for given in event.answers:
            effect = _EFFECTS[given.answer]
            if is_signed:
                effects[given.purpose] = effect
            elif effect is not Effect.PERMIT:
                # What was never answered is no, and an unsigned word cannot make it more.
                before = effects.get(given.purpose, Effect.DENY)
                effects[given.purpose] = strictest((before, effect))
    # Consent to nothing in particular, or not informed, is not consent that anybody knows of.
    if state in _VALID and not (effects and record.informed.suffices(record.age_band)):
        state = ConsentState.UNKNOWN
    return Standing(state=state, effects=MappingProxyType(effects))


def _in_order(events: Iterable[ConsentEvent]) -> list[ConsentEvent]:
    last = -1  # before the first counter there can be
    placed: list[tuple[int, bool, ConsentEvent]] = []
    for event in events:
        counter = last if event.counter is None else event.counter
        placed.append((counter, event.counter is None, event))
        last = max(last, counter)
    # Sorting keeps the order of arrival among unsigned words after one signed one.
    return [event for *_, event in sorted(placed, key=itemgetter(0, 1))]


_NO_CONSENT = 2


def _distance(state: ConsentState) -> int:
    """Give how far a state is from consent: 0 consent, 1 not known, 2 none."""
    return 0 if state in _VALID else 1 if state in _OPEN else _NO_CONSENT


_WORK = frozenset({Action.ANALYSE, Action.TRANSLATE, Action.DERIVE, Action.ANONYMISE})
_HANDING_BACK = frozenset({Action.RETURN, Action.DELETE})
_KEEPING = CUSTODY_ACTS - _HANDING_BACK
_SHARE = frozenset({Action.USE_AS_LEAD, Action.USE_AS_EVIDENCE, Action.SHARE_DERIVED})
_SEARCHERS = frozenset({RecipientKind.UN_BODY, RecipientKind.CIVIL_SOCIETY})
_SHARE_FURTHER = frozenset({Action.SHARE_ONWARD, Action.USE_IN_PUBLIC_HEARING})

_COUNTING_WHEN_NOT_KNOWN = frozenset({ConsentPurpose.PRESERVE, ConsentPurpose.ANALYSE_INTERNAL})

_ACTS: Mapping[ConsentPurpose, frozenset[Action]] = MappingProxyType(
    {
        ConsentPurpose.PRESERVE: _KEEPING,
        ConsentPurpose.ANALYSE_INTERNAL: _WORK,
        ConsentPurpose.CONTACT_ME: frozenset({Action.CONTACT_SOURCE}),
        ConsentPurpose.SEARCH_FOR_MISSING: frozenset({Action.SEARCH_FOR_MISSING}),
        ConsentPurpose.PUBLIC_REPORT_REDACTED: frozenset({Action.PUBLISH}),
        ConsentPurpose.IDENTITY_TO_DEFENCE: frozenset({Action.DISCLOSE_TO_DEFENCE}),
    },
)
_RECIPIENTS: Mapping[ConsentPurpose, RecipientKind] = MappingProxyType(
    {
        ConsentPurpose.SHARE_NATIONAL_PROSECUTOR: RecipientKind.NATIONAL_PROSECUTOR,
        ConsentPurpose.SHARE_INTERNATIONAL_COURT: RecipientKind.INTERNATIONAL_COURT,
        ConsentPurpose.SHARE_OTHER_UN: RecipientKind.UN_BODY,
        ConsentPurpose.SHARE_SYRIAN_AUTHORITIES: RecipientKind.SYRIAN_AUTHORITIES,
    },
)


def consent_layer(record: ConsentRecord) -> Layer:
    """Give a consent as the layer that `terms.evaluate` reads.

    A yes to sharing covers use as a lead, as evidence and in derived products; onward sharing and a
    public hearing are asked about again. A no to a kind of recipient is a no to every sharing act,
    whatever it is called. No state keeps the material from going back or being deleted: whether it
    does is for the other layers.
    """
    now = standing(record)
    return Layer(
        kind=LayerKind.CONSENT,
        uid=record.uid,
        version=len(record.events),
        party=record.person,
        rules=(
            Rule(uid=Uid("handing-back"), effect=Effect.PERMIT, actions=_HANDING_BACK),
            *_rules(now),
            *_exclusion(record.excluded_countries),
        ),
        valid_to=record.valid_to,
        conditions_survive=_HANDING_BACK,
    )


def _rules(now: Standing) -> Iterator[Rule]:
    if _distance(now.state) == _NO_CONSENT:
        return
    if not now.effects:
        yield Rule(uid=Uid("not-known"), effect=Effect.PERMIT, actions=_KEEPING | _WORK)
    for purpose in ConsentPurpose:
        # A no to being kept or worked on counts however it was given; a yes to more does not.
        if now.state in _OPEN and purpose not in _COUNTING_WHEN_NOT_KNOWN & now.effects.keys():
            continue
        if purpose in _ACTS:
            yield _on_acts(purpose, now)
        elif purpose in now.effects:
            yield from _on_recipients(purpose, now.effects[purpose])


def _on_acts(purpose: ConsentPurpose, now: Standing) -> Rule:
    """Give the rule on a purpose's acts; no answer is a no, which no answer on recipients lifts."""
    effect = now.effects.get(purpose, Effect.DENY)
    is_report = purpose is ConsentPurpose.PUBLIC_REPORT_REDACTED
    searches = purpose is ConsentPurpose.SEARCH_FOR_MISSING and effect is not Effect.DENY
    return Rule(
        uid=_uid(purpose),
        effect=effect,
        actions=_ACTS[purpose],
        constraints=(_to(*_SEARCHERS, *_chosen(now)),) if searches else (),
        duties=frozenset({Duty.ANONYMISE_SOURCE}) if is_report else frozenset(),
    )


def _on_recipients(purpose: ConsentPurpose, effect: Effect) -> Iterator[Rule]:
    to = (_to(_RECIPIENTS[purpose]),)
    is_yes = effect is Effect.PERMIT
    actions = _SHARE if is_yes else SHARING_ACTS
    yield Rule(uid=_uid(purpose), effect=effect, actions=actions, constraints=to)
    if is_yes:
        again = Uid(f"{_uid(purpose)}-further")
        yield Rule(uid=again, effect=Effect.ASK, actions=_SHARE_FURTHER, constraints=to)


def _chosen(now: Standing) -> Iterator[RecipientKind]:
    """Give the kinds of recipient to which the person did not say no."""
    for purpose, kind in _RECIPIENTS.items():
        if now.effects.get(purpose, Effect.DENY) is not Effect.DENY:
            yield kind


def _to(*kinds: RecipientKind) -> Constraint:
    return Constraint(
        left=Operand.RECIPIENT_KIND,
        operator=Operator.IS_ANY_OF,
        right=frozenset(kinds),
    )


def _uid(purpose: ConsentPurpose) -> Uid:
    return Uid(purpose.lower().replace("_", "-"))


def _exclusion(countries: frozenset[Country]) -> Iterator[Rule]:
    if countries:
        yield Rule(
            uid=Uid("excluded-countries"),
            effect=Effect.DENY,
            actions=SHARING_ACTS,
            constraints=(
                Constraint(
                    left=Operand.COUNTRY,
                    operator=Operator.IS_ANY_OF,
                    right=frozenset(countries),
                ),
            ),
        )
