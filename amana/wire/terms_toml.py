"""Agreements as people write and sign them: TOML, read onto the types of `terms`.

The bytes of the text are what is signed; everything else is their reading. A word, key or value
that this version does not know is refused with its place, and nothing is ever left to a default
that could widen. Format: docs/format/27-terms-toml.md.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from amana.wire.errors import FieldError, TermsTextError
from amana.wire.ids import ACCOUNT_ID, SUBMISSION_ID, AccountId, Digest
from amana.wire.references import AgreementRef
from amana.wire.toml_table import Table, as_day, as_word, parse
from terms.agreement import (
    Agreement,
    Amendment,
    Attribution,
    DerivedProducts,
    LawfulBasis,
    Material,
    OnExpiry,
    Signature,
    TransferBasis,
    TransmissionMode,
)
from terms.errors import ContradictionError, TermsError, VocabularyError
from terms.layer import require_own_names
from terms.names import Digest as TermsDigest
from terms.names import Uid, digest, uid
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

AGREEMENT_FORMAT: Final = "amana/agreement-toml/v1"
AMENDMENT_FORMAT: Final = "amana/agreement-amendment-toml/v1"

NO_LAST_DAY: Final = "NO_LAST_DAY"
NOBODY: Final = "NOBODY"
NOT_ASKED: Final = "NOT_ASKED"

ANY_SHARING: Final = "ANY_SHARING"
SHORTHANDS: Final[Mapping[str, frozenset[Action]]] = MappingProxyType(
    {
        "KEEPING": frozenset({Action.ARCHIVE, Action.REVIEW, Action.INDEX, Action.FORWARD}),
        "WORKING": frozenset(
            {Action.ANALYSE, Action.TRANSLATE, Action.DERIVE, Action.ANONYMISE},
        ),
        ANY_SHARING: SHARING_ACTS,
    },
)
"""Words that stand for several acts. What they mean is part of the format and never changes in it.
Neither of the first two gives anything away or takes it back; the third cannot permit."""

RELATIONS: Final[Mapping[str, Operator]] = MappingProxyType(
    {
        "is": Operator.EQ,
        "is_not": Operator.NEQ,
        "is_a": Operator.IS_A,
        "is_any_of": Operator.IS_ANY_OF,
        "is_none_of": Operator.IS_NONE_OF,
        "before": Operator.LT,
        "not_after": Operator.LTEQ,
        "after": Operator.GT,
        "not_before": Operator.GTEQ,
    },
)
"""How a condition compares, in words; the operators are those of chapter 13 section 4."""

_MADE: Final = frozenset({Uid("derived-products"), Uid("on-expiry")})


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementText:
    """One version of an agreement as it is written, before anybody's signature is looked at.

    agreement: its reading, without signatures, so a draft that permits nothing. account: whose it
    is on the portal, where the text says so. source: the bytes that are signed.
    """

    agreement: Agreement
    account: AccountId | None
    source: bytes = field(repr=False)

    @property
    def ref(self) -> AgreementRef:
        """How items name this version."""
        return reference_to(self.agreement)

    def signed(self, signatures: Iterable[Signature]) -> Agreement:
        """Give the agreement with these signatures; whether one binds is for `terms` to say."""
        return replace(self.agreement, signatures=tuple(signatures))


def reference_to(agreement: Agreement) -> AgreementRef:
    """Give the name, version and digest of an agreement's text."""
    return AgreementRef(
        uid=agreement.uid,
        version=agreement.version,
        digest=Digest(agreement.source_sha256),
    )


def sha256_of(source: bytes) -> TermsDigest:
    """Give the digest of a text, by which signatures bind it: SHA-256 of its bytes."""
    return TermsDigest(hashlib.sha256(source).hexdigest())


def read_agreement(untrusted: bytes) -> AgreementText:
    """Give what an agreement's text says. TermsTextError, with a sentence: it is no agreement."""
    parts = _Parts.of(parse(untrusted))
    head, sharing, duration = parts.head, parts.sharing, parts.duration
    try:
        agreement = Agreement(
            uid=head.name("uid"),
            version=head.number("version"),
            provider=head.name("provider"),
            nature=parts.nature.words("kinds", Material),
            transmission_modes=parts.transmission.words("modes", TransmissionMode),
            use_rules=_rules(parts.use, CUSTODY_ACTS | INSIDE_ACTS),
            sharing_rules=_rules(sharing, SHARING_ACTS),
            attribution=sharing.word("attribution", Attribution),
            derived_products=sharing.word("derived_products", DerivedProducts),
            valid_from=duration.day("valid_from"),
            valid_to=duration.day_or("valid_to", NO_LAST_DAY),
            intake_until=duration.day_or("intake_until", NO_LAST_DAY),
            conditions_survive=_acts(duration, "conditions_survive"),
            on_expiry=duration.word("on_expiry", OnExpiry),
            if_dissolved=_heir(duration),
            lawful_basis=parts.data.word_or("lawful_basis", LawfulBasis, NOT_ASKED),
            transfer_basis=parts.data.word_or("transfer_basis", TransferBasis, NOT_ASKED),
            source_sha256=sha256_of(untrusted),
            signatures=(),
        )
    except ContradictionError:
        # Each part reads well by itself: what is left is one name for two rules.
        raise TermsTextError("rule-name-taken", place="[use], [sharing]") from None
    _require_order(agreement)
    return AgreementText(agreement=agreement, account=_account(head), source=untrusted)


def read_amendment(untrusted: bytes) -> Amendment:
    """Give what an amendment's text says, without signatures. TermsTextError: it is none."""
    text = parse(untrusted)
    require_format(text, AMENDMENT_FORMAT)
    text.require("format", "amendment")
    body = text.table("amendment")
    body.require("uid", "agreement", "to_version", "to_sha256", "submissions")
    return Amendment(
        uid=body.name("uid"),
        agreement=body.name("agreement"),
        to_version=body.number("to_version"),
        to_sha256=_digest(body, "to_sha256"),
        batches=frozenset(_submissions(body)),
        source_sha256=sha256_of(untrusted),
        signatures=(),
    )


def require_format(text: Table, wanted: str) -> None:
    """Refuse a text of another format or version before anything else of it is believed."""
    found = text.text("format") if text.has("format") else ""
    if found != wanted:
        raise TermsTextError("other-format", wanted=wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """The tables of an agreement, each with no key too few or too many."""

    head: Table
    nature: Table
    transmission: Table
    use: Table
    sharing: Table
    duration: Table
    data: Table

    @classmethod
    def of(cls, text: Table) -> "_Parts":
        require_format(text, AGREEMENT_FORMAT)
        names = ("agreement", "nature", "transmission", "use", "sharing", "duration")
        text.require("format", *names, "data_protection")
        head, nature, transmission, use, sharing, duration = map(text.table, names)
        data = text.table("data_protection")
        head.require("uid", "version", "provider", may_have=("account",))
        nature.require("kinds")
        transmission.require("modes")
        use.require("rule")
        sharing.require("attribution", "derived_products", "rule")
        duration.require(
            *("valid_from", "valid_to", "intake_until", "conditions_survive"),
            *("on_expiry", "if_dissolved"),
        )
        data.require("lawful_basis", "transfer_basis")
        return cls(
            head=head,
            nature=nature,
            transmission=transmission,
            use=use,
            sharing=sharing,
            duration=duration,
            data=data,
        )


def _rules(part: Table, allowed: frozenset[Action]) -> tuple[Rule, ...]:
    rules: list[Rule] = []
    for table in part.tables("rule"):
        rule = _rule(table)
        if not rule.actions <= allowed:
            strange = ", ".join(sorted(rule.actions - allowed))
            raise TermsTextError("act-of-the-other-part", place=table.at("acts"), acts=strange)
        rules.append(rule)
        try:
            require_own_names(rules, _MADE)
        except ContradictionError:
            raise TermsTextError("rule-name-taken", place=table.at("name")) from None
    return tuple(rules)


def _rule(table: Table) -> Rule:
    table.require("name", "effect", "acts", may_have=("where", "duties", "last_day"))
    effect = table.word("effect", Effect)
    actions = _acts(table, "acts")
    if not actions:
        raise TermsTextError("no-act", place=table.at("acts"))
    if effect is Effect.PERMIT and ANY_SHARING in table.texts("acts"):
        raise TermsTextError("permits-too-much", place=table.at("acts"), word=ANY_SHARING)
    where = table.tables("where") if table.has("where") else ()
    return Rule(
        uid=table.name("name"),
        effect=effect,
        actions=actions,
        constraints=tuple(map(_constraint, where)),
        duties=table.words("duties", Duty) if table.has("duties") else frozenset(),
        valid_to=table.day("last_day") if table.has("last_day") else None,
    )


def _acts(table: Table, key: str) -> frozenset[Action]:
    acts: set[Action] = set()
    for word in table.texts(key):
        acts |= SHORTHANDS.get(word) or {as_word(word, Action, table.at(key), SHORTHANDS)}
    return frozenset(acts)


def _constraint(table: Table) -> Constraint:
    table.require("fact", may_have=tuple(RELATIONS))
    fact = table.word("fact", Operand)
    relations = [key for key in table.keys() if key in RELATIONS]  # noqa: SIM118 - no mapping
    if len(relations) != 1:
        raise TermsTextError("one-relation", place=table.at("fact"), known=", ".join(RELATIONS))
    (relation,) = relations
    place = table.at(relation)
    values = table.raw(relation)
    many = values if isinstance(values, list) else [values]
    if isinstance(values, list) is not (relation in {"is_any_of", "is_none_of"}) or not many:
        raise TermsTextError("one-value-or-a-list", place=place)
    right = [_value(fact, each, place) for each in many]
    try:
        return Constraint(left=fact, operator=RELATIONS[relation], right=frozenset(right))
    except VocabularyError:
        raise TermsTextError("value-not-of-its-fact", place=place, fact=fact) from None
    except ContradictionError:
        raise TermsTextError("only-days-have-an-order", place=place) from None


def _value(fact: Operand, untrusted: object, place: str) -> str:
    if fact is Operand.DATE:
        return as_day(untrusted, place).isoformat()
    if not isinstance(untrusted, str):
        raise TermsTextError("must-be-text", place=place)
    return untrusted


def _require_order(agreement: Agreement) -> None:
    first, last = agreement.valid_from, agreement.valid_to
    intake = agreement.intake_until
    if last is not None and last < first:
        raise TermsTextError("days-out-of-order", place="[duration] valid_to")
    if intake is not None and not first <= intake <= (last or intake):
        raise TermsTextError("days-out-of-order", place="[duration] intake_until")


def _heir(duration: Table) -> Uid | None:
    heir = duration.name("if_dissolved")
    return None if heir == NOBODY else heir


def _account(head: Table) -> AccountId | None:
    if not head.has("account"):
        return None
    try:
        return ACCOUNT_ID.read(head.text("account"))
    except FieldError:
        raise TermsTextError("not-an-account", place=head.at("account")) from None


def _digest(table: Table, key: str) -> TermsDigest:
    try:
        return digest(table.text(key))
    except VocabularyError:
        raise TermsTextError("not-a-digest", place=table.at(key)) from None


def _submissions(body: Table) -> Iterator[Uid]:
    for each in body.texts("submissions"):
        try:
            yield uid(SUBMISSION_ID.read(each))
        except (FieldError, TermsError):
            raise TermsTextError("not-a-submission", place=body.at("submissions")) from None
