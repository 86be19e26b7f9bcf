"""The floor under all terms, and the terms of a person who has no agreement.

These are constants: no agreement, officer, setting or message edits them, and no approval overrides
a DENY here. Every rule names its source. Meaning: docs/format/13-terms.md section 6.
"""

from terms.layer import Layer, LayerKind
from terms.names import Uid
from terms.rule import Constraint, Rule
from terms.vocabulary import (
    CUSTODY_ACTS,
    INSIDE_ACTS,
    JUSTICE_ACTS,
    SHARING_ACTS,
    Action,
    Duty,
    Effect,
    FairTrial,
    Operand,
    Operator,
    Purpose,
    YesNo,
)

HEAD = Uid("head")
"""The head of the Mechanism, who alone answers what the mandate asks."""

PERSON = Uid("person")
"""Whoever gave material without an agreement."""


def _unless(left: Operand, value: str) -> tuple[Constraint, ...]:
    return (Constraint(left=left, operator=Operator.NEQ, right=frozenset({value})),)


def _never_for(purpose: Purpose) -> Rule:
    return Rule(
        uid=Uid(f"no-{purpose.lower().replace('_', '-')}"),
        effect=Effect.DENY,
        actions=INSIDE_ACTS | SHARING_ACTS,
        constraints=(
            Constraint(left=Operand.PURPOSE, operator=Operator.EQ, right=frozenset({purpose})),
        ),
    )


MANDATE = Layer(
    kind=LayerKind.MANDATE,
    uid=Uid("mandate"),
    version=1,
    party=HEAD,
    rules=(
        # A/74/699 para. 35: only with jurisdictions where the death penalty does not apply to the
        # offences, and that respect human rights law, including the right to a fair trial.
        Rule(
            uid=Uid("death-penalty"),
            effect=Effect.DENY,
            actions=JUSTICE_ACTS,
            constraints=_unless(Operand.DEATH_PENALTY, YesNo.NO),
        ),
        Rule(
            uid=Uid("fair-trial"),
            effect=Effect.DENY,
            actions=JUSTICE_ACTS,
            constraints=_unless(Operand.FAIR_TRIAL, FairTrial.MET),
        ),
        # The Mechanism's published practice: no help to immigration or intelligence services nor
        # to cases of terrorism only; as a rule none to trials in absentia, which its head decides.
        _never_for(Purpose.IMMIGRATION),
        _never_for(Purpose.INTELLIGENCE),
        _never_for(Purpose.TERRORISM_ONLY),
        Rule(
            uid=Uid("in-absentia"),
            effect=Effect.ASK,
            actions=JUSTICE_ACTS,
            constraints=_unless(Operand.IN_ABSENTIA, YesNo.NO),
        ),
    ),
)
"""What no provider can allow and no officer can waive."""

STANDING_TERMS = Layer(
    kind=LayerKind.STANDING_TERMS,
    uid=Uid("standing-terms"),
    version=1,
    party=PERSON,
    rules=(
        Rule(uid=Uid("custody"), effect=Effect.PERMIT, actions=CUSTODY_ACTS),
        Rule(uid=Uid("work"), effect=Effect.PERMIT, actions=INSIDE_ACTS),
        Rule(
            uid=Uid("as-the-person-decides"),
            effect=Effect.PERMIT,
            actions=SHARING_ACTS - {Action.PUBLISH},
        ),
        Rule(
            uid=Uid("publication"),
            effect=Effect.PERMIT,
            actions=frozenset({Action.PUBLISH}),
            duties=frozenset({Duty.ANONYMISE_SOURCE}),
        ),
    ),
)
"""Terms for material without an agreement: they leave every choice to each person's consent."""
