"""The floor under all terms, and the terms of a person who has no agreement.

These are constants: no agreement, officer, setting or message edits them, and no approval overrides
a DENY here. Every rule names its source. Meaning: docs/format/13-terms.md section 6.
"""

from terms.layer import Layer, LayerKind
from terms.names import Uid
from terms.rule import Constraint, Rule
from terms.vocabulary import (
    CLASSES,
    CUSTODY_ACTS,
    GIVING_ACTS,
    INSIDE_ACTS,
    JUSTICE_ACTS,
    PRESERVATION,
    Action,
    Duty,
    Effect,
    FairTrial,
    Operand,
    Operator,
    Purpose,
    RecipientKind,
    YesNo,
)

HEAD = Uid("head")
"""The head of the Mechanism, who alone answers what the mandate asks."""

PERSON = Uid("person")
"""Whoever gave material without an agreement."""


_FOR_NOBODY = PRESERVATION | {Action.DELETE}
_TO_THE_PROVIDER = frozenset({Action.RETURN, Action.CONTACT_SOURCE})
_WITHIN = (CUSTODY_ACTS | INSIDE_ACTS) - _FOR_NOBODY - _TO_THE_PROVIDER

JUSTICE_PURPOSES = CLASSES[Operand.PURPOSE, "ACCOUNTABILITY"] | {
    Purpose.HUMAN_RIGHTS_INQUIRY,
    Purpose.MISSING_PERSONS,
    Purpose.REPARATION,
}
"""What material may serve in somebody's hands: the accountability that the Mechanism is there for,
and what the persons concerned are owed beside it. The project's own list; only these are named."""


def _unless(left: Operand, *values: str) -> tuple[Constraint, ...]:
    return (Constraint(left=left, operator=Operator.IS_NONE_OF, right=frozenset(values)),)


def _only_to(kind: RecipientKind, *, rule: str, actions: frozenset[Action]) -> Rule:
    return Rule(
        uid=Uid(rule),
        effect=Effect.DENY,
        actions=actions,
        constraints=_unless(Operand.RECIPIENT_KIND, kind),
    )


def _never_for(purpose: Purpose) -> Rule:
    return Rule(
        uid=Uid(f"no-{purpose.lower().replace('_', '-')}"),
        effect=Effect.DENY,
        actions=frozenset(Action) - _FOR_NOBODY,
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
            actions=GIVING_ACTS,
            constraints=_unless(Operand.DEATH_PENALTY, YesNo.NO),
        ),
        Rule(
            uid=Uid("fair-trial"),
            effect=Effect.DENY,
            actions=GIVING_ACTS,
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
            actions=GIVING_ACTS,
            constraints=_unless(Operand.IN_ABSENTIA, YesNo.NO),
        ),
        # What material is shared for is named, not merely what it is not shared for.
        Rule(
            uid=Uid("purpose-of-justice"),
            effect=Effect.DENY,
            actions=JUSTICE_ACTS,
            constraints=_unless(Operand.PURPOSE, *JUSTICE_PURPOSES),
        ),
        Rule(
            uid=Uid("purpose-of-the-search"),
            effect=Effect.DENY,
            actions=frozenset({Action.SEARCH_FOR_MISSING}),
            constraints=_unless(Operand.PURPOSE, Purpose.MISSING_PERSONS),
        ),
        # No sharing under another name: what would be given to others is asked about as sharing,
        # where the rules above speak, or it is refused here.
        _only_to(RecipientKind.MECHANISM, rule="stays-inside", actions=_WITHIN),
        _only_to(RecipientKind.PROVIDER, rule="back-to-its-provider", actions=_TO_THE_PROVIDER),
        _only_to(
            RecipientKind.PUBLIC,
            rule="to-the-public",
            actions=frozenset({Action.PUBLISH}),
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
            actions=GIVING_ACTS,
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
