"""The layers, answers and usual facts that the cases, properties and vectors speak of."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace

from terms.agreement import (
    Agreement,
    Attribution,
    DerivedProducts,
    LawfulBasis,
    Material,
    OnExpiry,
    Signature,
    SignatureKind,
    TransferBasis,
    TransmissionMode,
    agreement_layer,
)
from terms.approval import Answerer, Approval, Reply
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
    consent_layer,
)
from terms.facts import Facts
from terms.layer import Layer, LayerKind, freeze
from terms.mandate import HEAD, MANDATE, STANDING_TERMS
from terms.names import Country, Digest, Language, Uid
from terms.rule import Constraint, Rule
from terms.vocabulary import (
    CUSTODY_ACTS,
    INSIDE_ACTS,
    SHARING_ACTS,
    Action,
    Effect,
    FairTrial,
    Operand,
    Operator,
    Purpose,
    RecipientKind,
    Stage,
    YesNo,
)

USUAL = Facts(
    action=Action.USE_AS_LEAD,
    item=Uid("item-1"),
    recipient=Uid("de-gba"),
    recipient_kind=RecipientKind.NATIONAL_PROSECUTOR,
    country=Country("DE"),
    purpose=Purpose.CRIMINAL_PROSECUTION,
    stage=Stage.INVESTIGATION,
    date=dt.date(2027, 3, 1),
    death_penalty=YesNo.NO,
    fair_trial=FairTrial.MET,
    in_absentia=YesNo.NO,
)
TO_WHOM = dict.fromkeys((*CUSTODY_ACTS, *INSIDE_ACTS), RecipientKind.MECHANISM) | {
    Action.RETURN: RecipientKind.PROVIDER,
    Action.CONTACT_SOURCE: RecipientKind.PROVIDER,
    Action.PUBLISH: RecipientKind.PUBLIC,
}


def usual(action: Action) -> Facts:
    """An act as it is usually done: inside by the Mechanism, all sharing with the prosecutor."""
    kind = TO_WHOM.get(action, RecipientKind.NATIONAL_PROSECUTOR)
    return replace(USUAL, action=action, recipient_kind=kind)


CSO = Uid("urn:party:provider:CSO-0042")
DIGEST = Digest("00" * 32)
OTHER_DIGEST = Digest("11" * 32)


def where(left: Operand, relation: Operator, *right: str) -> Constraint:
    return Constraint(left=left, operator=relation, right=frozenset(right))


def rule(
    uid: str,
    effect: Effect,
    actions: Iterable[Action],
    *constraints: Constraint,
    valid_to: dt.date | None = None,
) -> Rule:
    return Rule(
        uid=Uid(uid),
        effect=effect,
        actions=frozenset(actions),
        constraints=constraints,
        valid_to=valid_to,
    )


TO_COURTS = where(Operand.RECIPIENT_KIND, Operator.IS_A, "COMPETENT_JURISDICTION")
FOR_JUSTICE = where(Operand.PURPOSE, Operator.IS_A, "ACCOUNTABILITY")
FOR_TRIALS = where(
    Operand.PURPOSE,
    Operator.IS_ANY_OF,
    Purpose.CRIMINAL_INVESTIGATION,
    Purpose.CRIMINAL_PROSECUTION,
)
LEAD = rule("lead", Effect.PERMIT, [Action.USE_AS_LEAD], TO_COURTS)
EVIDENCE = rule(
    "evidence",
    Effect.ASK,
    [Action.USE_AS_EVIDENCE, Action.DISCLOSE_TO_DEFENCE],
    TO_COURTS,
    FOR_TRIALS,
    valid_to=dt.date(2031, 12, 31),
)
AGREEMENT = Agreement(
    uid=Uid("mou-0042"),
    version=3,
    provider=CSO,
    nature=frozenset({Material.DOCUMENT, Material.PHOTOGRAPH, Material.VIDEO}),
    transmission_modes=frozenset({TransmissionMode.CLIENT, TransmissionMode.COURIER}),
    use_rules=(
        rule("custody", Effect.PERMIT, CUSTODY_ACTS - {Action.DELETE}),
        rule("work", Effect.PERMIT, INSIDE_ACTS - {Action.CONTACT_SOURCE}, FOR_JUSTICE),
        rule("contact", Effect.ASK, [Action.CONTACT_SOURCE]),
    ),
    sharing_rules=(
        LEAD,
        EVIDENCE,
        rule(
            "onward",
            Effect.PERMIT,
            [Action.SHARE_ONWARD],
            where(Operand.UNDERTAKINGS, Operator.EQ, "SOURCE_PROTECTION"),
        ),
        rule(
            "hearing",
            Effect.PERMIT,
            [Action.USE_IN_PUBLIC_HEARING],
            where(Operand.STAGE, Operator.EQ, Stage.TRIAL),
        ),
        rule(
            "missing",
            Effect.PERMIT,
            [Action.SEARCH_FOR_MISSING],
            where(Operand.RECIPIENT_KIND, Operator.EQ, RecipientKind.UN_BODY),
        ),
        rule(
            "publish",
            Effect.PERMIT,
            [Action.PUBLISH],
            where(Operand.SOURCE_ANONYMISED, Operator.EQ, YesNo.YES),
        ),
        rule("not-syria", Effect.DENY, SHARING_ACTS, where(Operand.COUNTRY, Operator.EQ, "SY")),
    ),
    attribution=Attribution.ANONYMISED,
    derived_products=DerivedProducts.ASK,
    valid_from=dt.date(2026, 1, 1),
    valid_to=dt.date(2035, 12, 31),
    intake_until=dt.date(2030, 12, 31),
    conditions_survive=CUSTODY_ACTS | {Action.ANALYSE},
    on_expiry=OnExpiry.HOLD,
    if_dissolved=Uid("urn:party:provider:CSO-0007"),
    lawful_basis=LawfulBasis.LEGAL_CLAIMS,
    transfer_basis=TransferBasis.LEGAL_CLAIMS,
    source_sha256=DIGEST,
    signatures=(
        Signature(
            kind=SignatureKind.KEY,
            party=CSO,
            signed_on=dt.date(2026, 1, 1),
            signed_sha256=DIGEST,
        ),
    ),
)
NO_DEFENCE = replace(
    AGREEMENT,
    sharing_rules=(
        LEAD,
        rule("evidence", Effect.PERMIT, [Action.USE_AS_EVIDENCE], TO_COURTS),
        rule("no-defence", Effect.DENY, [Action.DISCLOSE_TO_DEFENCE]),
    ),
)
OLDER = replace(
    AGREEMENT,
    version=2,
    sharing_rules=(rule("no-leads", Effect.DENY, [Action.USE_AS_LEAD]),),
)

INFORMED = Informed(
    disclosure=True,
    voluntariness=True,
    comprehension=True,
    competence=True,
    interpreter=None,
    guardian_consents=None,
    guardian_conflict=None,
    child_assents=None,
    risks_explained=frozenset(Risk),
    referral_offered=True,
)


def answers(default: Answer, **others: Answer) -> tuple[PurposeAnswer, ...]:
    return tuple(
        PurposeAnswer(purpose=purpose, answer=others.get(purpose.lower(), default))
        for purpose in ConsentPurpose
    )


CONSENT = ConsentRecord(
    uid=Uid("consent-1"),
    person=Uid("pseudonym-7Q2K"),
    age_band=AgeBand.ADULT,
    notice=Uid("notice-4"),
    language=Language("ar"),
    collected_by=CSO,
    collected_on=dt.date(2026, 2, 1),
    indicated_by=IndicatedBy.SELF,
    method=ConsentMethod.WRITTEN,
    informed=INFORMED,
    state=ConsentState.GIVEN,
    answers=answers(
        Answer.YES,
        share_syrian_authorities=Answer.NO,
        public_report_redacted=Answer.ASK_ME_FIRST,
    ),
    excluded_countries=frozenset(),
    valid_to=None,
    events=(),
)
CHILD = replace(CONSENT, age_band=AgeBand.UNDER_18, valid_to=dt.date(2030, 5, 4))
GUARDED = replace(INFORMED, guardian_consents=True, guardian_conflict=False, child_assents=True)


def only(purpose: ConsentPurpose) -> ConsentRecord:
    return replace(CONSENT, answers=(PurposeAnswer(purpose=purpose, answer=Answer.YES),))


CONSENTS = {
    "consent_yes": CONSENT,
    "consent_yes_to_all": replace(CONSENT, answers=answers(Answer.YES)),
    "consent_no": replace(CONSENT, uid=Uid("consent-2"), answers=answers(Answer.NO)),
    "consent_search": replace(
        CONSENT,
        answers=answers(Answer.NO, search_for_missing=Answer.YES),
    ),
    "consent_search_only": only(ConsentPurpose.SEARCH_FOR_MISSING),
    "consent_defence": replace(
        CONSENT,
        answers=answers(Answer.NO, identity_to_defence=Answer.YES),
    ),
    "consent_defence_only": only(ConsentPurpose.IDENTITY_TO_DEFENCE),
    "consent_ask_prosecutor": replace(
        CONSENT,
        answers=answers(Answer.YES, share_national_prosecutor=Answer.ASK_ME_FIRST),
    ),
    "consent_ask_no_defence": replace(
        CONSENT,
        answers=answers(
            Answer.YES,
            share_national_prosecutor=Answer.ASK_ME_FIRST,
            identity_to_defence=Answer.NO,
        ),
    ),
    "consent_unknown": replace(CONSENT, state=ConsentState.UNKNOWN, answers=()),
    "consent_withdrawn": replace(CONSENT, state=ConsentState.WITHDRAWN),
    "consent_not_tr": replace(CONSENT, excluded_countries=frozenset({Country("TR")})),
    "consent_child": CHILD,
    "consent_child_guarded": replace(CHILD, informed=GUARDED),
    "consent_hidden": replace(
        CONSENT,
        answers=tuple(
            replace(_, answer=Answer.NO) if _.purpose == "IDENTITY_TO_DEFENCE" else _
            for _ in CONSENT.answers
            if _.purpose != "CONTACT_ME"
        ),
    ),
}


def layer(kind: LayerKind, *rules: Rule) -> Layer:
    return Layer(kind=kind, uid=Uid(f"{kind}-1"), version=1, party=CSO, rules=rules)


EMBARGO = rule(
    "embargo",
    Effect.DENY,
    SHARING_ACTS,
    where(Operand.DATE, Operator.LT, "2028-01-01"),
)
LAYERS = {
    "agreement": agreement_layer(AGREEMENT),
    "agreement_no_defence": agreement_layer(NO_DEFENCE),
    "agreement_v2_no_leads": agreement_layer(OLDER),
    "agreement_v4": agreement_layer(replace(AGREEMENT, version=4)),
    "agreement_signed_elsewhere": agreement_layer(replace(AGREEMENT, source_sha256=OTHER_DIGEST)),
    "standing": STANDING_TERMS,
    "originator_silent": layer(LayerKind.ORIGINATOR),
    "batch_embargo": layer(LayerKind.BATCH, EMBARGO),
    "batch_permits_all": layer(LayerKind.BATCH, rule("all", Effect.PERMIT, Action)),
    "freeze": freeze(uid=Uid("freeze-1"), party=CSO),
} | {name: consent_layer(record) for name, record in CONSENTS.items()}

YES_EVIDENCE = Approval(
    uid=Uid("approval-1"),
    layer_kind=LayerKind.AGREEMENT,
    layer_uid=AGREEMENT.uid,
    layer_version=AGREEMENT.version,
    rule_uid=EVIDENCE.uid,
    answered_by=Answerer.PARTY,
    party=CSO,
    reply=Reply.YES,
    actions=EVIDENCE.actions,
    recipient=Uid("de-gba"),
    recipient_kind=RecipientKind.NATIONAL_PROSECUTOR,
    country=Country("DE"),
    purpose=Purpose.CRIMINAL_PROSECUTION,
    items=frozenset({Uid("item-1")}),
    answered_on=dt.date(2027, 2, 1),
    until=dt.date(2027, 12, 31),
)
HEAD_ABSENTIA = replace(
    YES_EVIDENCE,
    uid=Uid("approval-5"),
    layer_kind=LayerKind.MANDATE,
    layer_uid=MANDATE.uid,
    layer_version=MANDATE.version,
    rule_uid=Uid("in-absentia"),
    answered_by=Answerer.HEAD,
    party=HEAD,
    actions=frozenset({Action.USE_AS_LEAD}),
)
APPROVALS = {
    "yes_evidence": YES_EVIDENCE,
    "yes_evidence_alone": replace(
        YES_EVIDENCE,
        uid=Uid("approval-6"),
        actions=frozenset({Action.USE_AS_EVIDENCE}),
    ),
    "yes_evidence_of_another": replace(
        YES_EVIDENCE,
        uid=Uid("approval-7"),
        party=Uid("urn:party:provider:CSO-0007"),
    ),
    "yes_derived": replace(
        YES_EVIDENCE,
        uid=Uid("approval-8"),
        rule_uid=Uid("derived-products"),
        actions=frozenset({Action.SHARE_DERIVED, Action.DERIVE}),
    ),
    "yes_report": replace(
        YES_EVIDENCE,
        uid=Uid("approval-9"),
        layer_kind=LayerKind.CONSENT,
        layer_uid=CONSENT.uid,
        layer_version=0,
        rule_uid=Uid("public-report-redacted"),
        party=CONSENT.person,
        actions=frozenset({Action.PUBLISH}),
        recipient=Uid("everybody"),
        recipient_kind=RecipientKind.PUBLIC,
        country=None,
        purpose=Purpose.PUBLIC_REPORT,
    ),
    "no_evidence": replace(YES_EVIDENCE, uid=Uid("approval-2"), reply=Reply.NO),
    "silence_evidence": replace(YES_EVIDENCE, uid=Uid("approval-3"), reply=Reply.NO_REPLY),
    "question_evidence": replace(YES_EVIDENCE, uid=Uid("approval-4"), reply=Reply.QUESTION),
    "head_absentia": HEAD_ABSENTIA,
    "party_absentia": replace(HEAD_ABSENTIA, answered_by=Answerer.PARTY, party=CSO),
    "head_waives_death_penalty": replace(HEAD_ABSENTIA, rule_uid=Uid("death-penalty")),
}
