"""What a person decided on the form, as the record that the terms evaluate.

An answer that was not given is not there: no box is ticked beforehand, and silence is no. What the
person did not say of themselves (age, that they understood) stays unknown, and unknown consent
keeps material and never shares it. Format: docs/format/13-terms.md section 11, 18 section 3.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from amana.i18n import Language
from amana.wire.ids import ConsentId
from amana.wire.snapshot import consent_document as document_of
from terms.consent import (
    AgeBand,
    Answer,
    ConsentMethod,
    ConsentPurpose,
    ConsentRecord,
    ConsentState,
    IndicatedBy,
    Informed,
    PurposeAnswer,
    Risk,
)
from terms.names import Language as TermsLanguage
from terms.names import Uid

NOTICE: Final = Uid("amana/witness-form/1")
"""The wording that the person saw: the pages `before` and `give`. A change of what they say of
risks or purposes is a new notice."""

_COLLECTED_BY: Final = Uid("portal")
_ASKED_AGAIN: Final = timedelta(days=365)
"""How long the word of somebody counts who is, or may be, a child and told no birthday. Ours."""


@dataclass(slots=True, kw_only=True)
class Answers:
    """What was answered so far, before the material. Nothing is answered to begin with."""

    purposes: dict[ConsentPurpose, Answer] = field(default_factory=dict)
    age: AgeBand | None = None
    has_understood: bool = False


def consent_document(
    answers: Answers, *, consent_id: ConsentId, language: Language, on: date
) -> bytes | None:
    """Give the person's consent record as canonical JSON; None if nothing was decided.

    The record's name for the person is its own id: nothing ties two submissions together.
    """
    if not answers.purposes:
        return None
    told = True if answers.has_understood else None
    record = ConsentRecord(
        uid=Uid(consent_id),
        person=Uid(f"person-{consent_id}"),
        age_band=answers.age,
        notice=NOTICE,
        language=TermsLanguage(language.value),
        collected_by=_COLLECTED_BY,
        collected_on=on,
        indicated_by=IndicatedBy.SELF,
        method=ConsentMethod.ONLINE,
        informed=Informed(
            disclosure=True,  # nobody reaches the form's end without the notice above it
            voluntariness=told,
            comprehension=told,
            competence=told,
            interpreter=None,
            guardian_consents=None,
            guardian_conflict=None,
            child_assents=None,
            risks_explained=frozenset(Risk),
            referral_offered=None,
        ),
        state=_state(answers),
        answers=tuple(
            PurposeAnswer(purpose=purpose, answer=answers.purposes[purpose])
            for purpose in ConsentPurpose
            if purpose in answers.purposes
        ),
        excluded_countries=frozenset(),
        valid_to=None if answers.age is AgeBand.ADULT else on + _ASKED_AGAIN,
        events=(),
    )
    return document_of(record)


def _state(answers: Answers) -> ConsentState:
    given = set(answers.purposes.values())
    if given & {Answer.YES, Answer.ASK_ME_FIRST}:
        return ConsentState.GIVEN
    return ConsentState.REFUSED if Answer.NO in given else ConsentState.DEFERRED
