"""The closed words in which terms are written.

There is no word here for affiliation, ethnicity, religion or party, and there must never be one
(A/74/699 paras. 5, 11, 17: the same methods whatever the affiliation of anybody). A fact that is
not known is `None` everywhere; no list has a word for "unknown". Meanings: docs/format/13-terms.md
sections 2 and 3.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType


class Effect(StrEnum):
    """What a rule, a layer or all layers say to an act, from the loosest to the strictest."""

    PERMIT = "PERMIT"
    ASK = "ASK"
    DENY = "DENY"


_STRICTNESS = MappingProxyType({effect: rank for rank, effect in enumerate(Effect)})


def strictest(effects: Iterable[Effect]) -> Effect:
    """Give the strictest of at least one effect: DENY before ASK before PERMIT."""
    return max(effects, key=_STRICTNESS.__getitem__)


class Action(StrEnum):
    """An act that may be asked about."""

    ARCHIVE = "archive"
    REVIEW = "review"
    INDEX = "index"
    FORWARD = "forward"
    RETURN = "return"
    DELETE = "delete"
    ANALYSE = "analyse"
    TRANSLATE = "translate"
    DERIVE = "derive"
    ANONYMISE = "anonymise"
    CONTACT_SOURCE = "contact_source"
    SEARCH_FOR_MISSING = "search_for_missing"
    USE_AS_LEAD = "use_as_lead"
    USE_AS_EVIDENCE = "use_as_evidence"
    DISCLOSE_TO_DEFENCE = "disclose_to_defence"
    SHARE_DERIVED = "share_derived"
    SHARE_ONWARD = "share_onward"
    USE_IN_PUBLIC_HEARING = "use_in_public_hearing"
    PUBLISH = "publish"


PRESERVATION = frozenset({Action.ARCHIVE})
"""What goes on when everything else stops: keeping what is there, sealed."""

STOPPABLE_ACTS = frozenset(Action) - PRESERVATION
"""Everything else."""

CUSTODY_ACTS = PRESERVATION | {
    Action.REVIEW,
    Action.INDEX,
    Action.FORWARD,
    Action.RETURN,
    Action.DELETE,
}
"""Acts of looking after the material, which have no purpose beyond that."""

INSIDE_ACTS = frozenset(
    {Action.ANALYSE, Action.TRANSLATE, Action.DERIVE, Action.ANONYMISE, Action.CONTACT_SOURCE},
)
"""Acts of working on the material, by which it leaves nobody's hands."""

JUSTICE_ACTS = frozenset(
    {
        Action.USE_AS_LEAD,
        Action.USE_AS_EVIDENCE,
        Action.DISCLOSE_TO_DEFENCE,
        Action.SHARE_DERIVED,
        Action.SHARE_ONWARD,
        Action.USE_IN_PUBLIC_HEARING,
    },
)
"""Acts by which material, or what was made of it, serves somebody's proceedings."""

GIVING_ACTS = JUSTICE_ACTS | {Action.SEARCH_FOR_MISSING}
"""Acts by which somebody in particular comes to know something."""

SHARING_ACTS = GIVING_ACTS | {Action.PUBLISH}
"""Every act by which something becomes known outside."""

ENTAILED: Mapping[Action, frozenset[Action]] = MappingProxyType(
    {
        # What may not be given at all may not be disclosed. A court may not hear what the defence
        # may not see: no disclosure, no evidence.
        Action.DISCLOSE_TO_DEFENCE: frozenset({Action.USE_AS_LEAD}),
        Action.USE_AS_EVIDENCE: frozenset({Action.DISCLOSE_TO_DEFENCE, Action.USE_AS_LEAD}),
        Action.USE_IN_PUBLIC_HEARING: frozenset(
            {Action.USE_AS_EVIDENCE, Action.DISCLOSE_TO_DEFENCE, Action.USE_AS_LEAD},
        ),
        Action.SHARE_DERIVED: frozenset({Action.DERIVE}),
    },
)
"""Acts that an act cannot be done without; each must be allowed as well."""


class Purpose(StrEnum):
    """Why an act is done."""

    STRUCTURAL_INVESTIGATION = "STRUCTURAL_INVESTIGATION"
    CASE_BUILDING = "CASE_BUILDING"
    CRIMINAL_INVESTIGATION = "CRIMINAL_INVESTIGATION"
    CRIMINAL_PROSECUTION = "CRIMINAL_PROSECUTION"
    HUMAN_RIGHTS_INQUIRY = "HUMAN_RIGHTS_INQUIRY"
    MISSING_PERSONS = "MISSING_PERSONS"
    REPARATION = "REPARATION"
    PUBLIC_REPORT = "PUBLIC_REPORT"
    SOURCE_SUPPORT = "SOURCE_SUPPORT"
    TERRORISM_ONLY = "TERRORISM_ONLY"
    IMMIGRATION = "IMMIGRATION"
    INTELLIGENCE = "INTELLIGENCE"
    OTHER = "OTHER"


class RecipientKind(StrEnum):
    """Who would receive the material, or what is made of it, or would do the act.

    MECHANISM: its own staff and its own repository. PROVIDER: the organisation or person that gave
    the material. Nothing leaves by an act for the first, and nothing that was not theirs by one for
    the second.
    """

    MECHANISM = "MECHANISM"
    PROVIDER = "PROVIDER"
    NATIONAL_PROSECUTOR = "NATIONAL_PROSECUTOR"
    INTERNATIONAL_COURT = "INTERNATIONAL_COURT"
    UN_BODY = "UN_BODY"
    SYRIAN_AUTHORITIES = "SYRIAN_AUTHORITIES"
    CIVIL_SOCIETY = "CIVIL_SOCIETY"
    PUBLIC = "PUBLIC"
    OTHER = "OTHER"


class Stage(StrEnum):
    """How far the proceedings are that the act serves."""

    PRELIMINARY = "PRELIMINARY"
    INVESTIGATION = "INVESTIGATION"
    PRE_TRIAL = "PRE_TRIAL"
    TRIAL = "TRIAL"
    APPEAL = "APPEAL"


class YesNo(StrEnum):
    """The answer to a question of fact."""

    YES = "YES"
    NO = "NO"


class FairTrial(StrEnum):
    """Whether international fair-trial standards are met in the proceedings (A/74/699 para. 35)."""

    MET = "MET"
    NOT_MET = "NOT_MET"


class Undertaking(StrEnum):
    """A limit on its use that the recipient has promised in writing."""

    LEAD_ONLY = "LEAD_ONLY"
    NO_ONWARD_SHARING = "NO_ONWARD_SHARING"
    NO_PUBLICATION = "NO_PUBLICATION"
    CLOSED_HEARING = "CLOSED_HEARING"
    SOURCE_PROTECTION = "SOURCE_PROTECTION"
    RETURN_AFTER_USE = "RETURN_AFTER_USE"


class HandlingClass(StrEnum):
    """How carefully an item must be handled, and by whom."""

    STANDARD = "STANDARD"
    SENSITIVE = "SENSITIVE"
    SGBV = "SGBV"
    CHILD = "CHILD"


class Duty(StrEnum):
    """What must be done for an allowed act to be rightful.

    ODRL's `obtainConsent` is not among them: permission that waits for a yes is ASK.
    """

    ANONYMISE_SOURCE = "ANONYMISE_SOURCE"
    NAME_ORGANISATION_ONLY = "NAME_ORGANISATION_ONLY"
    INFORM_PROVIDER = "INFORM_PROVIDER"
    REVIEW_FIRST = "REVIEW_FIRST"
    DELETE_AFTER_USE = "DELETE_AFTER_USE"


class Operand(StrEnum):
    """A fact that a rule may ask about; each is a field of `terms.facts.Facts`."""

    ITEM = "item"
    RECIPIENT = "recipient"
    RECIPIENT_KIND = "recipient_kind"
    COUNTRY = "country"
    PURPOSE = "purpose"
    STAGE = "stage"
    DATE = "date"
    DEATH_PENALTY = "death_penalty"
    FAIR_TRIAL = "fair_trial"
    IN_ABSENTIA = "in_absentia"
    UNDERTAKINGS = "undertakings"
    HANDLING_CLASS = "handling_class"
    SOURCE_ANONYMISED = "source_anonymised"


class Operator(StrEnum):
    """How a fact is compared; the names are those of ODRL 2.2."""

    EQ = "eq"
    NEQ = "neq"
    LT = "lt"
    LTEQ = "lteq"
    GT = "gt"
    GTEQ = "gteq"
    IS_A = "isA"
    IS_ANY_OF = "isAnyOf"
    IS_NONE_OF = "isNoneOf"


WORDS: Mapping[Operand, frozenset[str]] = MappingProxyType(
    {
        Operand.RECIPIENT_KIND: frozenset(RecipientKind),
        Operand.PURPOSE: frozenset(Purpose),
        Operand.STAGE: frozenset(Stage),
        Operand.DEATH_PENALTY: frozenset(YesNo),
        Operand.FAIR_TRIAL: frozenset(FairTrial),
        Operand.IN_ABSENTIA: frozenset(YesNo),
        Operand.UNDERTAKINGS: frozenset(Undertaking),
        Operand.HANDLING_CLASS: frozenset(HandlingClass),
        Operand.SOURCE_ANONYMISED: frozenset(YesNo),
    },
)
"""The words that a fact may have; the facts left out hold names, a country or a date."""

CLASSES: Mapping[tuple[Operand, str], frozenset[str]] = MappingProxyType(
    {
        (Operand.RECIPIENT_KIND, "COMPETENT_JURISDICTION"): frozenset(
            {RecipientKind.NATIONAL_PROSECUTOR, RecipientKind.INTERNATIONAL_COURT},
        ),
        (Operand.PURPOSE, "ACCOUNTABILITY"): frozenset(
            {
                Purpose.STRUCTURAL_INVESTIGATION,
                Purpose.CASE_BUILDING,
                Purpose.CRIMINAL_INVESTIGATION,
                Purpose.CRIMINAL_PROSECUTION,
            },
        ),
    },
)
"""What `isA` means. Syrian authorities are named on purpose or not at all: they are in no class."""

BANNED_ATTRIBUTES = frozenset({"affiliation", "ethnicity", "religion", "party"})
"""What no operand may ever ask about (A/74/699 paras. 5, 11, 17); a static test compares them."""
