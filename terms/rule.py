"""One rule, and whether it speaks to the facts: yes, no, or that cannot be told.

Matching is Kleene's three-valued "and": one FALSE settles it, one UNKNOWN leaves it open. What an
open match means is decided in `terms.evaluate` alone. Format: docs/format/13-terms.md section 4.
"""

import datetime as dt
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from terms.errors import ContradictionError, VocabularyError
from terms.facts import Facts
from terms.names import Uid, country, day, uid
from terms.vocabulary import CLASSES, WORDS, Action, Duty, Effect, Operand, Operator

# Calendar dates of four-digit years sort as texts the way they sort as days.
_ORDERINGS: Mapping[Operator, Callable[[str, str], bool]] = MappingProxyType(
    {
        Operator.LT: operator.lt,
        Operator.LTEQ: operator.le,
        Operator.GT: operator.gt,
        Operator.GTEQ: operator.ge,
    },
)
_NEGATIONS = frozenset({Operator.NEQ, Operator.IS_NONE_OF})
_FOR_MANY = frozenset({Operator.IS_ANY_OF, Operator.IS_NONE_OF})


class Truth(StrEnum):
    """Whether a claim about the facts holds."""

    TRUE = "TRUE"
    FALSE = "FALSE"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """A claim about one fact: left operand, operator, right operand.

    The right side is one value; for isAnyOf and isNoneOf one or more. A fact with several values
    (`undertakings`) equals a value when it holds it. Only dates can be before or after.
    Raises VocabularyError for a value that the fact can never have, ContradictionError for an
    operator that does not fit.
    """

    left: Operand
    operator: Operator
    right: frozenset[str]

    def __post_init__(self) -> None:
        if not self.right or (len(self.right) > 1 and self.operator not in _FOR_MANY):
            raise ContradictionError("a constraint has too few or too many values for its operator")
        if self.operator in _ORDERINGS and self.left is not Operand.DATE:
            raise ContradictionError("only dates are before or after one another")
        for value in self.right:
            if self.operator is Operator.IS_A:
                _require((self.left, value) in CLASSES)
            else:
                _require_value(self.left, value)

    def holds(self, facts: Facts) -> Truth:
        """Tell whether the claim is true of the facts; UNKNOWN exactly when its fact is."""
        values = facts.known(self.left)
        if values is None:
            return Truth.UNKNOWN
        return Truth.TRUE if self._compares(values) else Truth.FALSE

    def _compares(self, values: frozenset[str]) -> bool:
        if self.operator in _ORDERINGS:
            (date,), (bound,) = values, self.right
            return _ORDERINGS[self.operator](date, bound)
        wanted = self.right
        if self.operator is Operator.IS_A:
            (name,) = self.right
            wanted = CLASSES[self.left, name]
        return values.isdisjoint(wanted) is (self.operator in _NEGATIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Whether all of some constraints hold, and the unknown facts that left it open."""

    truth: Truth
    unknown: frozenset[Operand]


def match_all(constraints: Iterable[Constraint], facts: Facts) -> Match:
    """Tell whether all constraints hold; no constraints always do, in any order the same."""
    unknown: set[Operand] = set()
    for constraint in constraints:
        truth = constraint.holds(facts)
        if truth is Truth.FALSE:
            return Match(truth=Truth.FALSE, unknown=frozenset())
        if truth is Truth.UNKNOWN:
            unknown.add(constraint.left)
    return Match(truth=Truth.UNKNOWN if unknown else Truth.TRUE, unknown=frozenset(unknown))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """An effect on some acts, where all constraints hold, up to and including the day valid_to."""

    uid: Uid
    effect: Effect
    actions: frozenset[Action]
    constraints: tuple[Constraint, ...] = ()
    duties: frozenset[Duty] = frozenset()
    valid_to: dt.date | None = None

    def __post_init__(self) -> None:
        if not self.actions:
            raise ContradictionError("a rule speaks to no act")

    def match(self, facts: Facts) -> Match:
        """Tell whether the rule speaks to these facts, whatever their action."""
        if self.valid_to is None:
            return match_all(self.constraints, facts)
        return match_all((*self.constraints, by_date(Operator.LTEQ, self.valid_to)), facts)


def by_date(relation: Operator, date: dt.date) -> Constraint:
    """Give the claim that the act is done before, on or after a day."""
    return Constraint(left=Operand.DATE, operator=relation, right=frozenset({date.isoformat()}))


def _require_value(operand: Operand, value: str) -> None:
    match operand:
        case Operand.DATE:
            day(value)
        case Operand.COUNTRY:
            country(value)
        case Operand.RECIPIENT | Operand.ITEM:
            uid(value)
        case _:
            _require(value in WORDS[operand])


def _require(is_so: bool) -> None:  # noqa: FBT001 (a claim, read as a sentence where it is called)
    if not is_so:
        raise VocabularyError("a constraint names a value that its fact can never have")
