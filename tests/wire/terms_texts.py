"""A writer of the texts that amana.wire.terms_toml and consent_toml read, and any terms to write.

Nobody's product: it shows that whatever the reader can give, somebody can write.
"""

import datetime as dt
from collections.abc import Iterable, Iterator

from hypothesis import strategies as st

from amana.wire.consent_toml import CONSENT_FORMAT
from amana.wire.terms_toml import AGREEMENT_FORMAT, RELATIONS
from terms.agreement import (
    Agreement,
    Attribution,
    DerivedProducts,
    LawfulBasis,
    Material,
    OnExpiry,
    TransferBasis,
    TransmissionMode,
)
from terms.consent import (
    AgeBand,
    Answer,
    ConsentMethod,
    ConsentPurpose,
    ConsentRecord,
    ConsentState,
    IndicatedBy,
    Informed,
    Interpreter,
    PurposeAnswer,
    Risk,
)
from terms.names import Country, Digest, Language, Uid
from terms.rule import Constraint, Rule
from terms.vocabulary import (
    CUSTODY_ACTS,
    INSIDE_ACTS,
    SHARING_ACTS,
    Action,
    Duty,
    Effect,
    Operand,
    Operator,
)
from tests.terms.strategies import CONSTRAINTS

WORDS = {operator: word for word, operator in RELATIONS.items()}
DAYS = st.dates(dt.date(2000, 1, 1), dt.date(2099, 12, 31))
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:@/-]{0,20}", fullmatch=True).map(Uid)
FLAGS = st.sampled_from([True, False, None])


def write_agreement(agreement: Agreement) -> bytes:
    """An agreement as a text; its signatures and its digest are no part of it."""
    return "\n".join(_agreement(agreement)).encode()


def write_consent(record: ConsentRecord) -> bytes:
    """A consent as first given, as a text."""
    return "\n".join(_consent(record)).encode()


def _agreement(given: Agreement) -> Iterator[str]:
    yield f'format = "{AGREEMENT_FORMAT}"'
    yield "[agreement]"
    yield f'uid = "{given.uid}"\nversion = {given.version}\nprovider = "{given.provider}"'
    yield f"[nature]\nkinds = {_list(given.nature)}"
    yield f"[transmission]\nmodes = {_list(given.transmission_modes)}"
    yield "[use]"
    yield from _rules("use", given.use_rules)
    yield "[sharing]"
    yield f'attribution = "{given.attribution}"\nderived_products = "{given.derived_products}"'
    yield from _rules("sharing", given.sharing_rules)
    yield f"[duration]\nvalid_from = {given.valid_from}"
    yield f"valid_to = {_or(given.valid_to, 'NO_LAST_DAY')}"
    yield f"intake_until = {_or(given.intake_until, 'NO_LAST_DAY')}"
    yield f"conditions_survive = {_list(given.conditions_survive)}"
    yield f'on_expiry = "{given.on_expiry}"'
    yield f"if_dissolved = {_or(given.if_dissolved, 'NOBODY')}"
    yield f"[data_protection]\nlawful_basis = {_or(given.lawful_basis, 'NOT_ASKED')}"
    yield f"transfer_basis = {_or(given.transfer_basis, 'NOT_ASKED')}"


def _rules(part: str, rules: tuple[Rule, ...]) -> Iterator[str]:
    if not rules:
        yield "rule = []"
    for rule in rules:
        yield f'[[{part}.rule]]\nname = "{rule.uid}"\neffect = "{rule.effect}"'
        yield f"acts = {_list(rule.actions)}"
        yield f"where = [{', '.join(map(_condition, rule.constraints))}]"
        yield f"duties = {_list(rule.duties)}"
        if rule.valid_to is not None:
            yield f"last_day = {rule.valid_to}"


def _condition(given: Constraint) -> str:
    values = sorted(given.right)
    if given.left is not Operand.DATE:
        values = [f'"{value}"' for value in values]
    is_list = given.operator in {Operator.IS_ANY_OF, Operator.IS_NONE_OF}
    right = f"[{', '.join(values)}]" if is_list else values[0]
    return f'{{ fact = "{given.left}", {WORDS[given.operator]} = {right} }}'


def _consent(given: ConsentRecord) -> Iterator[str]:
    yield f'format = "{CONSENT_FORMAT}"\n[consent]\nid = "{given.uid}"'
    yield f'person = "{given.person}"\nage = {_or(given.age_band, "NOT_KNOWN")}'
    yield f'state = "{given.state}"\n[collection]\nnotice = "{given.notice}"'
    yield f'language = "{given.language}"\nby = "{given.collected_by}"'
    yield f"on = {_or(given.collected_on, 'NOT_RECORDED')}"
    yield f'said_by = "{given.indicated_by}"\nhow = "{given.method}"'
    yield from _informed(given.informed)
    yield "[answers]"
    yield from (f'{each.purpose} = "{each.answer}"' for each in given.answers)
    yield f"[limits]\nexcluded_countries = {_list(given.excluded_countries)}"
    yield f"valid_to = {_or(given.valid_to, 'NO_LAST_DAY')}"


def _informed(given: Informed) -> Iterator[str]:
    yield "[informed]"
    for key in (
        *("disclosure", "voluntariness", "comprehension", "competence", "referral_offered"),
        *("guardian_consents", "guardian_conflict", "child_assents"),
    ):
        yield f"{key} = {_flag(getattr(given, key))}"
    who = given.interpreter
    if who is None:
        yield 'interpreter = "NONE"'
    else:
        chosen = _flag(who.chosen_by_person)
        yield f'interpreter = {{ code = "{who.code}", chosen_by_person = {chosen} }}'
    yield f"risks_explained = {_list(given.risks_explained)}"


def _list(values: Iterable[str]) -> str:
    quoted = [f'"{value}"' for value in sorted(values)]
    return f"[{', '.join(quoted)}]"


def _or(value: str | dt.date | None, nothing: str) -> str:
    return str(value) if isinstance(value, dt.date) else f'"{value or nothing}"'


def _flag(value: object) -> str:
    return '"NOT_RECORDED"' if value is None else str(value).lower()


def _subset(of: Iterable[Action]) -> st.SearchStrategy[frozenset[Action]]:
    return st.frozensets(st.sampled_from(sorted(of)), min_size=1)


def _rule(acts: frozenset[Action]) -> st.SearchStrategy[Rule]:
    return st.builds(
        Rule,
        uid=st.just(Uid("to-be-named")),
        effect=st.sampled_from(Effect),
        actions=_subset(acts),
        constraints=st.lists(CONSTRAINTS, max_size=3).map(tuple),
        duties=st.frozensets(st.sampled_from(Duty)),
        valid_to=st.none() | DAYS,
    )


@st.composite
def agreements(draw: st.DrawFn) -> Agreement:
    """Any agreement that is not signed yet."""
    first, intake, last = sorted(draw(st.tuples(DAYS, DAYS, DAYS)))
    use = draw(st.lists(_rule(CUSTODY_ACTS | INSIDE_ACTS), max_size=3))
    sharing = draw(st.lists(_rule(SHARING_ACTS), max_size=3))
    named = iter(Uid(f"rule-{number}") for number in range(9))
    return Agreement(
        uid=draw(NAMES),
        version=draw(st.integers(1, 1_000_000)),
        provider=draw(NAMES),
        nature=draw(st.frozensets(st.sampled_from(Material))),
        transmission_modes=draw(st.frozensets(st.sampled_from(TransmissionMode))),
        use_rules=tuple(_named(rule, next(named)) for rule in use),
        sharing_rules=tuple(_named(rule, next(named)) for rule in sharing),
        attribution=draw(st.sampled_from(Attribution)),
        derived_products=draw(st.sampled_from(DerivedProducts)),
        valid_from=first,
        valid_to=draw(st.sampled_from([None, last])),
        intake_until=draw(st.sampled_from([None, intake])),
        conditions_survive=draw(st.frozensets(st.sampled_from(Action))),
        on_expiry=draw(st.sampled_from(OnExpiry)),
        if_dissolved=draw(st.none() | NAMES.filter(lambda name: name != "NOBODY")),
        lawful_basis=draw(st.none() | st.sampled_from(LawfulBasis)),
        transfer_basis=draw(st.none() | st.sampled_from(TransferBasis)),
        source_sha256=Digest("00" * 32),
        signatures=(),
    )


def _named(rule: Rule, name: Uid) -> Rule:
    return Rule(
        uid=name,
        effect=rule.effect,
        actions=rule.actions,
        constraints=rule.constraints,
        duties=rule.duties,
        valid_to=rule.valid_to,
    )


@st.composite
def consents(draw: st.DrawFn) -> ConsentRecord:
    """Any consent as first given; where it needs a last day it has one."""
    age = draw(st.none() | st.sampled_from(AgeBand))
    informed = draw(_INFORMED)
    needs_end = age is not AgeBand.ADULT and informed.suffices(age)
    purposes = draw(st.sets(st.sampled_from(ConsentPurpose)))
    return ConsentRecord(
        uid=draw(st.binary(min_size=16, max_size=16).map(lambda raw: Uid(raw.hex()))),
        person=draw(NAMES),
        age_band=age,
        notice=draw(NAMES),
        language=draw(st.from_regex(r"[a-z]{2,3}", fullmatch=True).map(Language)),
        collected_by=draw(NAMES),
        collected_on=draw(st.none() | DAYS),
        indicated_by=draw(st.sampled_from(IndicatedBy)),
        method=draw(st.sampled_from(ConsentMethod)),
        informed=informed,
        state=draw(st.sampled_from(ConsentState)),
        answers=tuple(
            PurposeAnswer(purpose=purpose, answer=draw(st.sampled_from(Answer)))
            for purpose in ConsentPurpose
            if purpose in purposes
        ),
        excluded_countries=draw(st.frozensets(_COUNTRIES, max_size=3)),
        valid_to=draw(DAYS if needs_end else st.none() | DAYS),
        events=(),
    )


_FLAGS = (
    *("disclosure", "voluntariness", "comprehension", "competence", "referral_offered"),
    *("guardian_consents", "guardian_conflict", "child_assents"),
)
_WHO = st.none() | st.builds(Interpreter, code=NAMES, chosen_by_person=FLAGS)
_COUNTRIES = st.from_regex(r"[A-Z]{2}", fullmatch=True).map(Country)
_INFORMED = st.builds(
    Informed,
    **dict.fromkeys(_FLAGS, FLAGS),
    interpreter=_WHO,
    risks_explained=st.frozensets(st.sampled_from(Risk)),
)
