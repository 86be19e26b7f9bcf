"""The answer of `terms.evaluate`: the decision, who made it, what it obliges to, what is not known.

It is recorded as it stands (a PREMIS `poa` event) and told in sentences, which are keys and values
for a catalogue; no text for people is in this package. Format: docs/format/13-terms.md section 9.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from terms.layer import LayerKind
from terms.names import Uid
from terms.vocabulary import Action, Duty, Effect, Operand

_LAYER_ORDER = {kind: place for place, kind in enumerate(LayerKind)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One rule that made the decision.

    action: the act it was about, which may be one that the act in question entails. effect: what it
    came to after any approval, whose uid is then in approval. is_certain: false where an unknown
    fact left open whether the rule speaks at all.
    """

    layer_kind: LayerKind
    layer_uid: Uid
    layer_version: int
    rule_uid: Uid
    action: Action
    effect: Effect
    is_certain: bool
    approval: Uid | None = None

    def place(self) -> tuple[int, str, int, str, str]:
        """Give the place of this reason in a list: by layer kind, layer, version, rule, act."""
        kind = _LAYER_ORDER[self.layer_kind]
        return (kind, self.layer_uid, self.layer_version, self.rule_uid, self.action)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerVersion:
    """A layer that was looked at."""

    kind: LayerKind
    uid: Uid
    version: int

    def place(self) -> tuple[int, str, int]:
        """Give the place of this layer in a list: by kind, uid, version."""
        return (_LAYER_ORDER[self.kind], self.uid, self.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One answer.

    because is never empty and in the order of `Reason.place`. missing_facts are all the facts that,
    were they known, could change the answer. evaluated_on is the day of the act, not a clock's.
    """

    FORMAT: ClassVar[str] = "amana/terms-evaluation/v1"

    decision: Effect
    because: tuple[Reason, ...]
    duties: frozenset[Duty]
    missing_facts: frozenset[Operand]
    versions: tuple[LayerVersion, ...]
    evaluated_on: dt.date | None

    def is_rightful(self, fulfilled: frozenset[Duty]) -> bool:
        """Tell whether the act may be done now, with these duties fulfilled."""
        return self.decision is Effect.PERMIT and self.duties <= fulfilled


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """Something to tell a person: a key of the catalogues, and its values by name."""

    key: str
    values: tuple[tuple[str, str], ...] = ()


def sentences(evaluation: Evaluation) -> tuple[Sentence, ...]:
    """Give an evaluation as sentences: the decision, its reasons, the duties, the missing facts."""
    return tuple(_sentences(evaluation))


def sentence_keys() -> frozenset[str]:
    """Give every key that `sentences` can use, for checking that a catalogue is complete."""
    return frozenset(
        {
            *(f"terms.decision.{effect.lower()}" for effect in Effect),
            *(f"terms.because.{kind}.{effect.lower()}" for kind in LayerKind for effect in Effect),
            *(f"terms.duty.{duty.lower()}" for duty in Duty),
            *(f"terms.missing.{operand}" for operand in Operand),
        },
    )


def _sentences(evaluation: Evaluation) -> Iterator[Sentence]:
    yield Sentence(key=f"terms.decision.{evaluation.decision.lower()}")
    for reason in evaluation.because:
        yield Sentence(
            key=f"terms.because.{reason.layer_kind}.{reason.effect.lower()}",
            values=(
                ("layer", reason.layer_uid),
                ("version", str(reason.layer_version)),
                ("rule", reason.rule_uid),
                ("action", reason.action),
            ),
        )
    for duty in sorted(evaluation.duties):
        yield Sentence(key=f"terms.duty.{duty.lower()}")
    for operand in sorted(evaluation.missing_facts):
        yield Sentence(key=f"terms.missing.{operand}")
