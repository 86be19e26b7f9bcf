"""Layers of terms over one item: whose conditions they are, and from when to when.

A layer that says nothing to an act still answers: the agreement, the originators and the persons
must say yes, so their silence is no; the others can only take away. Format:
docs/format/13-terms.md section 5.
"""

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from terms.errors import ContradictionError
from terms.names import Uid
from terms.rule import Rule, by_date
from terms.vocabulary import STOPPABLE_ACTS, Action, Effect, Operator


class LayerKind(StrEnum):
    """Whose conditions a layer holds, in the order in which reasons are listed."""

    MANDATE = "mandate"
    AGREEMENT = "agreement"
    STANDING_TERMS = "standing_terms"
    ORIGINATOR = "originator"
    CONSENT = "consent"
    BATCH = "batch"
    ITEM = "item"
    FREEZE = "freeze"


SILENCE_IS_NO = frozenset(
    {
        LayerKind.AGREEMENT,
        LayerKind.STANDING_TERMS,
        LayerKind.ORIGINATOR,
        LayerKind.CONSENT,
    },
)
"""Layers that must say yes; where the others say nothing, they have nothing to add."""

BY_SILENCE = Uid("silence")
BY_EXPIRY = Uid("expired")
BEFORE_START = Uid("not-yet-valid")
_RESERVED = frozenset({BY_SILENCE, BY_EXPIRY, BEFORE_START})

_STOP = Rule(uid=Uid("stop"), effect=Effect.DENY, actions=STOPPABLE_ACTS)


def require_own_names(rules: Collection[Rule], made: frozenset[Uid] = frozenset()) -> None:
    """Raise ContradictionError unless each rule has a name of its own.

    made: the names of rules that are added to these, besides those that every layer makes.
    """
    uids = {rule.uid for rule in rules}
    if len(uids) < len(rules) or uids & (_RESERVED | made):
        raise ContradictionError("two rules of one layer have one name, or a reserved name")


class ConsentExemptReason(StrEnum):
    """Why nobody's consent is needed for an item."""

    PERPETRATOR_DOCUMENT = "PERPETRATOR_DOCUMENT"
    PUBLIC_SOURCE = "PUBLIC_SOURCE"
    NO_IDENTIFIABLE_PERSON = "NO_IDENTIFIABLE_PERSON"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """The conditions of one party, in one version.

    party: who answers for it when a rule says ASK. valid_from and valid_to are the first and last
    day. After the last day nothing but preservation and the acts in conditions_survive is left to
    the rules; every other act is denied. Raises ContradictionError if a rule's uid is not its own,
    and for a freeze that is not exactly what `freeze` gives.
    """

    kind: LayerKind
    uid: Uid
    version: int
    party: Uid
    rules: tuple[Rule, ...]
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    conditions_survive: frozenset[Action] = frozenset()

    def __post_init__(self) -> None:
        require_own_names(self.rules)
        days = (self.valid_from, self.valid_to)
        if self.kind is LayerKind.FREEZE and (
            self.rules != (_STOP,) or any(days) or self.conditions_survive
        ):
            raise ContradictionError("a freeze stops everything at once and for ever, or is none")

    def rules_on(self, action: Action) -> Iterator[Rule]:
        """Give the rules that speak to an action, with those that the layer's days make."""
        for rule in (*self.rules, *self._bounds()):
            if action in rule.actions:
                yield rule

    def _bounds(self) -> Iterator[Rule]:
        if self.valid_from is not None:
            yield Rule(
                uid=BEFORE_START,
                effect=Effect.DENY,
                actions=STOPPABLE_ACTS,
                constraints=(by_date(Operator.LT, self.valid_from),),
            )
        stopped = STOPPABLE_ACTS - self.conditions_survive
        if self.valid_to is not None and stopped:
            yield Rule(
                uid=BY_EXPIRY,
                effect=Effect.DENY,
                actions=stopped,
                constraints=(by_date(Operator.GT, self.valid_to),),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Every layer over one item but the mandate, which is code and is never carried.

    The same uid may come in several versions: all of them count. Raises ContradictionError for a
    mandate among the layers, or two layers with one kind, uid and version.
    """

    FORMAT: ClassVar[str] = "amana/terms/v1"

    layers: tuple[Layer, ...]
    consent_exempt_reason: ConsentExemptReason | None = None

    def __post_init__(self) -> None:
        names = {(layer.kind, layer.uid, layer.version) for layer in self.layers}
        if len(names) < len(self.layers):
            raise ContradictionError("one version of a layer is there twice")
        if any(layer.kind is LayerKind.MANDATE for layer in self.layers):
            raise ContradictionError("the mandate is not a matter of terms")


def freeze(*, uid: Uid, party: Uid) -> Layer:
    """Give the layer that stops review, forwarding, sharing and all else but preservation."""
    return Layer(kind=LayerKind.FREEZE, uid=uid, version=1, party=party, rules=(_STOP,))


def absent(kind: LayerKind) -> Layer:
    """Give the layer that stands for one that should be there: it says nothing, which is no."""
    return Layer(kind=kind, uid=Uid("absent"), version=0, party=Uid("absent"), rules=())
