"""One person's consent as somebody writes it down: TOML, read onto the record of `terms`.

What travels is the record (its canonical JSON), not this text. A text holds what a person first
said; later words come by other ways, each with its own proof of who spoke. What was not recorded is
said to be so, and counts as not there. Format: docs/format/27-terms-toml.md section 4.
"""

from typing import Final

from amana.wire.errors import FieldError, TermsTextError
from amana.wire.ids import CONSENT_ID, ConsentId, random_id
from amana.wire.terms_toml import require_format
from amana.wire.toml_table import Table, parse
from terms.consent import (
    AgeBand,
    Answer,
    ConsentMethod,
    ConsentPurpose,
    ConsentRecord,
    ConsentState,
    IndicatedBy,
    Informed,
    Interpreter,
    PurposeAnswer,
    Risk,
)
from terms.errors import ContradictionError, VocabularyError
from terms.names import Country, Language, Uid, country, language

CONSENT_FORMAT: Final = "amana/consent-toml/v1"

NOT_KNOWN: Final = "NOT_KNOWN"
NOT_RECORDED: Final = "NOT_RECORDED"
NONE: Final = "NONE"
NO_LAST_DAY: Final = "NO_LAST_DAY"

_FOR_A_CHILD: Final = ("guardian_consents", "guardian_conflict", "child_assents")
_ELEMENTS: Final = ("disclosure", "voluntariness", "comprehension", "competence")


def read_consent(untrusted: bytes) -> ConsentRecord:
    """Give the record that a text is. TermsTextError, with a sentence: it is no consent."""
    text = parse(untrusted)
    require_format(text, CONSENT_FORMAT)
    text.require("format", "consent", "collection", "informed", "answers", "limits")
    head, collection, limits = (text.table(_) for _ in ("consent", "collection", "limits"))
    head.require("id", "person", "age", "state")
    collection.require("notice", "language", "by", "on", "said_by", "how")
    limits.require("excluded_countries", "valid_to")
    age = head.word_or("age", AgeBand, NOT_KNOWN)
    try:
        return ConsentRecord(
            uid=_consent_id(head),
            person=head.name("person"),
            age_band=age,
            notice=collection.name("notice"),
            language=_language(collection),
            collected_by=collection.name("by"),
            collected_on=collection.day_or("on", NOT_RECORDED),
            indicated_by=collection.word("said_by", IndicatedBy),
            method=collection.word("how", ConsentMethod),
            informed=_informed(text.table("informed"), age),
            state=head.word("state", ConsentState),
            answers=_answers(text.table("answers")),
            excluded_countries=_countries(limits),
            valid_to=limits.day_or("valid_to", NO_LAST_DAY),
            events=(),
        )
    except ContradictionError:
        # The only one there can be: purposes are keys, so none is answered twice.
        raise TermsTextError("child-without-end", place=limits.at("valid_to")) from None


def _informed(table: Table, age: AgeBand | None) -> Informed:
    # Of an adult nobody asks for a guardian; of anyone else it is said, or said not to be recorded.
    is_adult = age is AgeBand.ADULT
    table.require(
        *(*_ELEMENTS, "interpreter", "risks_explained", "referral_offered"),
        *(() if is_adult else _FOR_A_CHILD),
        may_have=_FOR_A_CHILD if is_adult else (),
    )
    said = {
        key: table.flag_or(key, NOT_RECORDED) if table.has(key) else None
        for key in (*_ELEMENTS, *_FOR_A_CHILD, "referral_offered")
    }
    return Informed(
        disclosure=said["disclosure"],
        voluntariness=said["voluntariness"],
        comprehension=said["comprehension"],
        competence=said["competence"],
        interpreter=_interpreter(table),
        guardian_consents=said["guardian_consents"],
        guardian_conflict=said["guardian_conflict"],
        child_assents=said["child_assents"],
        risks_explained=table.words("risks_explained", Risk),
        referral_offered=said["referral_offered"],
    )


def _interpreter(table: Table) -> Interpreter | None:
    if table.raw("interpreter") == NONE:
        return None
    who = table.table("interpreter")
    who.require("code", "chosen_by_person")
    return Interpreter(
        code=who.name("code"), chosen_by_person=who.flag_or("chosen_by_person", NOT_RECORDED)
    )


def _answers(table: Table) -> tuple[PurposeAnswer, ...]:
    table.require(may_have=tuple(ConsentPurpose))
    return tuple(
        PurposeAnswer(purpose=purpose, answer=table.word(purpose, Answer))
        for purpose in ConsentPurpose
        if table.has(purpose)
    )


def _consent_id(head: Table) -> Uid:
    try:
        return Uid(CONSENT_ID.read(head.text("id")))
    except FieldError:
        fresh = random_id(ConsentId)
    raise TermsTextError("not-a-consent-id", place=head.at("id"), fresh=fresh)


def _language(collection: Table) -> Language:
    try:
        return language(collection.text("language"))
    except VocabularyError:
        raise TermsTextError("not-a-language", place=collection.at("language")) from None


def _countries(limits: Table) -> frozenset[Country]:
    found = []
    for each in limits.texts("excluded_countries"):
        try:
            found.append(country(each))
        except VocabularyError:
            raise TermsTextError(
                "not-a-country", place=limits.at("excluded_countries"), word=each
            ) from None
    return frozenset(found)
