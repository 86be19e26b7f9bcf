"""The facts of one act that somebody asks about.

A fact that nobody has established is `None`; `terms.evaluate` then assumes the worst of it. Nothing
here looks a fact up or asks a clock. Meanings: docs/format/13-terms.md section 3.
"""

import datetime as dt
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import ClassVar

from terms.names import Country, Uid
from terms.vocabulary import (
    Action,
    FairTrial,
    HandlingClass,
    Operand,
    Purpose,
    RecipientKind,
    Stage,
    Undertaking,
    YesNo,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One act on one item: what, to whom, what for, when, and what awaits the accused there.

    death_penalty: can it be imposed for the offences, in any proceedings that the act serves?
    fair_trial: are fair-trial standards met in all of those proceedings?
    country: where the recipient sits. undertakings: everything the recipient has promised.
    """

    FORMAT: ClassVar[str] = "amana/terms-facts/v1"

    action: Action
    item: Uid | None = None
    recipient: Uid | None = None
    recipient_kind: RecipientKind | None = None
    country: Country | None = None
    purpose: Purpose | None = None
    stage: Stage | None = None
    date: dt.date | None = None
    death_penalty: YesNo | None = None
    fair_trial: FairTrial | None = None
    in_absentia: YesNo | None = None
    undertakings: frozenset[Undertaking] | None = None
    handling_class: HandlingClass | None = None
    source_anonymised: YesNo | None = None

    def known(self, operand: Operand) -> frozenset[str] | None:
        """Give what is known of a fact: its values as texts, dates as `2026-10-02`; None if not.

        Only `undertakings` can hold none or several values.
        """
        fact: object = getattr(self, operand.value)
        match fact:
            case None:
                return None
            case dt.date():
                return frozenset({fact.isoformat()})
            case AbstractSet():
                return frozenset(str(member) for member in fact)
            case _:
                return frozenset({str(fact)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What an officer found out about one recipient, and until when that may be relied on."""

    FORMAT: ClassVar[str] = "amana/terms-assessment/v1"

    recipient: Uid
    recipient_kind: RecipientKind
    country: Country | None
    death_penalty: YesNo | None
    fair_trial: FairTrial | None
    in_absentia: YesNo | None
    undertakings: frozenset[Undertaking] | None
    assessed_by: Uid
    assessed_on: dt.date
    valid_to: dt.date


def under_assessment(facts: Facts, assessment: Assessment) -> Facts:
    """Give the facts with all that depends on the recipient taken from its assessment.

    An assessment of somebody else, of another day than its own days, or for a day that is not
    known, says nothing: every fact it would have settled is then unknown.
    """
    applies = (
        facts.recipient == assessment.recipient
        and facts.date is not None
        and assessment.assessed_on <= facts.date <= assessment.valid_to
    )
    return replace(
        facts,
        recipient_kind=assessment.recipient_kind if applies else None,
        country=assessment.country if applies else None,
        death_penalty=assessment.death_penalty if applies else None,
        fair_trial=assessment.fair_trial if applies else None,
        in_absentia=assessment.in_absentia if applies else None,
        undertakings=assessment.undertakings if applies else None,
    )
