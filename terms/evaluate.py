"""May this be done with that item? All layers, all facts, one answer.

The whole policy:

1. An act needs the yes of every layer, and so does every act that it entails. The mandate always
   counts, and looks at the act itself: where and for whom that is done, not what it entails. An
   agreement (or standing terms) or a consent that is not there counts as silent.
2. A rule speaks to the facts, or not, or an unknown fact leaves that open. Every rule that speaks
   or might speak is a finding. A layer in which none certainly speaks is silent, and where its
   silence is no, that is a finding too.
3. A finding of ASK becomes PERMIT by its party's yes to this very act, and DENY by a no. An answer
   that might not cover the act is no yes; one that might cover it is a no. To DENY there is no
   answer.
4. The strictest finding is the decision. The duties of all findings add up.

So no layer can loosen another, no order matters, and not knowing is never better than knowing.
This never raises, asks no clock and holds no text. Format: docs/format/13-terms.md section 9.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from terms.approval import Approval, Reply
from terms.evaluation import Evaluation, LayerVersion, Reason
from terms.facts import Facts
from terms.layer import BY_SILENCE, SILENCE_IS_NO, Layer, LayerKind, Terms, absent
from terms.mandate import MANDATE
from terms.names import Uid
from terms.rule import Rule, Truth
from terms.vocabulary import ENTAILED, Action, Duty, Effect, Operand, strictest


def evaluate(*, terms: Terms, facts: Facts, approvals: Collection[Approval] = ()) -> Evaluation:
    """Tell whether an act is permitted, must be asked about, or is denied, and why.

    terms: every layer over the item but the mandate. approvals: answers whose signatures were
    checked; those to other questions do no harm. The result depends on no order of anything.
    """
    layers = (MANDATE, *terms.layers, *_layers_not_there(terms))
    findings = [
        finding
        for layer in layers
        for act in _acts(layer, facts.action)
        for finding in _findings(layer, act, facts, approvals)
    ]
    decision = strictest(finding.reason.effect for finding in findings)
    because = {finding.reason for finding in findings if finding.reason.effect is decision}
    versions = (LayerVersion(kind=_.kind, uid=_.uid, version=_.version) for _ in layers)
    return Evaluation(
        decision=decision,
        because=tuple(sorted(because, key=Reason.place)),
        duties=frozenset().union(*(finding.duties for finding in findings)),
        missing_facts=frozenset().union(*(finding.unknown for finding in findings)),
        versions=tuple(sorted(versions, key=LayerVersion.place)),
        evaluated_on=facts.date,
    )


def _layers_not_there(terms: Terms) -> Iterator[Layer]:
    kinds = {layer.kind for layer in terms.layers}
    if kinds.isdisjoint({LayerKind.AGREEMENT, LayerKind.STANDING_TERMS}):
        yield absent(LayerKind.AGREEMENT)
    if LayerKind.CONSENT not in kinds and terms.consent_exempt_reason is None:
        yield absent(LayerKind.CONSENT)


def _acts(layer: Layer, action: Action) -> frozenset[Action]:
    """Give the acts that a layer is asked about.

    What is shared is derived inside, so the mandate, which asks who an act is for, would take the
    deriving for an act inside that is done for the recipient.
    """
    entailed = ENTAILED.get(action, frozenset())
    return frozenset({action}) if layer.kind is LayerKind.MANDATE else entailed | {action}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    reason: Reason
    duties: frozenset[Duty] = frozenset()
    unknown: frozenset[Operand] = frozenset()


def _findings(
    layer: Layer,
    act: Action,
    facts: Facts,
    approvals: Collection[Approval],
) -> Iterator[_Finding]:
    """Give what one layer says to one act; nothing when it has nothing to add."""
    is_silent = True
    for rule in layer.rules_on(act):
        match = rule.match(facts)
        if match.truth is Truth.FALSE:
            continue
        is_certain = match.truth is Truth.TRUE
        is_silent = is_silent and not is_certain
        answer = _answer(layer, rule, act, facts, approvals)
        yield _Finding(
            reason=_reason(layer, act, rule.uid, answer, is_certain=is_certain),
            duties=rule.duties,
            unknown=match.unknown | answer.unknown,
        )
    if is_silent and layer.kind in SILENCE_IS_NO:
        no = _Answer(effect=Effect.DENY)
        yield _Finding(reason=_reason(layer, act, BY_SILENCE, no, is_certain=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    effect: Effect
    approval: Uid | None = None
    unknown: frozenset[Operand] = frozenset()


def _answer(
    layer: Layer,
    rule: Rule,
    act: Action,
    facts: Facts,
    approvals: Collection[Approval],
) -> _Answer:
    """Give a rule's effect once its party's answers are heard; only ASK hears any."""
    if rule.effect is not Effect.ASK:
        return _Answer(effect=rule.effect)
    heard = [(_, _.covers(facts)) for _ in approvals if _.answers(layer, rule, act)]
    unknown = frozenset[Operand]().union(*(match.unknown for _, match in heard))
    yes = [_.uid for _, match in heard if _.reply is Reply.YES and match.truth is Truth.TRUE]
    no = [_.uid for _, match in heard if _.reply.is_no and match.truth is not Truth.FALSE]
    if no:
        return _Answer(effect=Effect.DENY, approval=min(no), unknown=unknown)
    if yes:
        return _Answer(effect=Effect.PERMIT, approval=min(yes), unknown=unknown)
    return _Answer(effect=Effect.ASK, unknown=unknown)


def _reason(layer: Layer, act: Action, rule: Uid, answer: _Answer, *, is_certain: bool) -> Reason:
    return Reason(
        layer_kind=layer.kind,
        layer_uid=layer.uid,
        layer_version=layer.version,
        rule_uid=rule,
        action=act,
        effect=answer.effect,
        is_certain=is_certain,
        approval=answer.approval,
    )
