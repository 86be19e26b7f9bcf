"""A party's answer to one question that a rule asked.

It speaks for one act, one recipient, one purpose, named items and a span of days, and never for a
rule that says DENY. Signatures are checked by who received the answer, before it comes here.
Format: docs/format/13-terms.md section 8.
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from terms.errors import ContradictionError
from terms.facts import Facts
from terms.layer import Layer, LayerKind
from terms.names import Uid
from terms.rule import Constraint, Match, Rule, by_date, match_all
from terms.vocabulary import Action, Operand, Operator, Purpose


class Reply(StrEnum):
    """What came back. Silence until the set day is NO_REPLY, which means no."""

    YES = "YES"
    NO = "NO"
    NO_REPLY = "NO_REPLY"
    QUESTION = "QUESTION"

    @property
    def is_no(self) -> bool:
        """Whether the act was refused."""
        return self in {Reply.NO, Reply.NO_REPLY}


class Answerer(StrEnum):
    """In which capacity it was answered: for a layer of terms, or for the mandate."""

    PARTY = "PARTY"
    HEAD = "HEAD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One answer, and exactly what it covers.

    The rule is named by its layer's kind and uid and its own uid, in whatever version. The answer
    counts from answered_on to until, both included. Raises ContradictionError for an empty scope.
    """

    FORMAT: ClassVar[str] = "amana/terms-approval/v1"

    uid: Uid
    layer_kind: LayerKind
    layer_uid: Uid
    rule_uid: Uid
    answered_by: Answerer
    reply: Reply
    actions: frozenset[Action]
    recipient: Uid
    purpose: Purpose
    items: frozenset[Uid]
    answered_on: dt.date
    until: dt.date

    def __post_init__(self) -> None:
        if not self.actions or not self.items:
            raise ContradictionError("an approval covers no act or no item")

    def answers(self, layer: Layer, rule: Rule, action: Action) -> bool:
        """Tell whether this is an answer to that rule about that act, from who may give it."""
        head_is_asked = layer.kind is LayerKind.MANDATE
        return (
            self.answered_by is (Answerer.HEAD if head_is_asked else Answerer.PARTY)
            and (self.layer_kind, self.layer_uid) == (layer.kind, layer.uid)
            and self.rule_uid == rule.uid
            and action in self.actions
        )

    def covers(self, facts: Facts) -> Match:
        """Tell whether recipient, purpose, item and day are those that were answered about."""
        return match_all(
            (
                _equals(Operand.RECIPIENT, self.recipient),
                _equals(Operand.PURPOSE, self.purpose),
                Constraint(left=Operand.ITEM, operator=Operator.IS_ANY_OF, right=self.items),
                by_date(Operator.GTEQ, self.answered_on),
                by_date(Operator.LTEQ, self.until),
            ),
            facts,
        )


def _equals(left: Operand, value: str) -> Constraint:
    return Constraint(left=left, operator=Operator.EQ, right=frozenset({value}))
