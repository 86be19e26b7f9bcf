"""A party's answer to one question that a rule asked.

It speaks for one version of a rule, one recipient as it then was, one purpose, named acts and items
and a span of days, and never for a rule that says DENY. Signatures are checked by who received the
answer, before it comes here. Format: docs/format/13-terms.md section 8.
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from terms.errors import ContradictionError
from terms.facts import Facts
from terms.layer import Layer, LayerKind
from terms.names import Country, Uid
from terms.rule import Constraint, Match, Rule, by_date, match_all
from terms.vocabulary import Action, Operand, Operator, Purpose, RecipientKind


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


WITHOUT_COUNTRY = frozenset(
    {RecipientKind.MECHANISM, RecipientKind.PROVIDER, RecipientKind.PUBLIC},
)
"""Recipients about whom no country is asked: the public sits nowhere, the Mechanism is itself
everywhere, and where a person sits who gave material need not be known to anybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One answer, and exactly what it covers.

    The rule is named by its layer's kind, uid and version and its own uid: in another version the
    same name may ask for more. party: who answered. recipient_kind and country: what the party was
    told of the recipient; country is None exactly for the kinds WITHOUT_COUNTRY. The answer counts
    from answered_on to until, both included. Raises ContradictionError for an empty scope, and for
    a country too few or too many.
    """

    FORMAT: ClassVar[str] = "amana/terms-approval/v1"

    uid: Uid
    layer_kind: LayerKind
    layer_uid: Uid
    layer_version: int
    rule_uid: Uid
    answered_by: Answerer
    party: Uid
    reply: Reply
    actions: frozenset[Action]
    recipient: Uid
    recipient_kind: RecipientKind
    country: Country | None
    purpose: Purpose
    items: frozenset[Uid]
    answered_on: dt.date
    until: dt.date

    def __post_init__(self) -> None:
        if not self.actions or not self.items:
            raise ContradictionError("an approval covers no act or no item")
        if (self.country is None) is not (self.recipient_kind in WITHOUT_COUNTRY):
            raise ContradictionError("a recipient has no country, or one that does not matter")

    def answers(self, layer: Layer, rule: Rule, action: Action) -> bool:
        """Tell whether this is an answer to that rule about that act, from who may give it."""
        head_is_asked = layer.kind is LayerKind.MANDATE
        asked = (layer.kind, layer.uid, layer.version, rule.uid, layer.party)
        return (
            self.answered_by is (Answerer.HEAD if head_is_asked else Answerer.PARTY)
            and self._question() == asked
            and action in self.actions
        )

    def _question(self) -> tuple[LayerKind, Uid, int, Uid, Uid]:
        return (self.layer_kind, self.layer_uid, self.layer_version, self.rule_uid, self.party)

    def covers(self, facts: Facts) -> Match:
        """Tell whether recipient, purpose, item and day are those that were answered about."""
        sits = () if self.country is None else (_equals(Operand.COUNTRY, self.country),)
        return match_all(
            (
                *sits,
                _equals(Operand.RECIPIENT, self.recipient),
                _equals(Operand.RECIPIENT_KIND, self.recipient_kind),
                _equals(Operand.PURPOSE, self.purpose),
                Constraint(left=Operand.ITEM, operator=Operator.IS_ANY_OF, right=self.items),
                by_date(Operator.GTEQ, self.answered_on),
                by_date(Operator.LTEQ, self.until),
            ),
            facts,
        )


def _equals(left: Operand, value: str) -> Constraint:
    return Constraint(left=left, operator=Operator.EQ, right=frozenset({value}))
