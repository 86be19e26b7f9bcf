"""One of each record that has a form of its own."""

import datetime as dt
from dataclasses import replace

from terms.agreement import Amendment, Signature, SignatureKind
from terms.consent import (
    Answer,
    ConsentEvent,
    ConsentMethod,
    ConsentPurpose,
    ConsentState,
    IndicatedBy,
    Interpreter,
    PurposeAnswer,
)
from terms.evaluate import evaluate
from terms.facts import Assessment
from terms.layer import Terms
from terms.names import Country, Language, Uid
from terms.vocabulary import FairTrial, RecipientKind, Undertaking, YesNo
from tests.terms.world import (
    AGREEMENT,
    CONSENT,
    CSO,
    DIGEST,
    LAYERS,
    OTHER_DIGEST,
    USUAL,
    YES_EVIDENCE,
)

INK = Signature(
    kind=SignatureKind.WET_INK_ATTESTED,
    party=CSO,
    signed_on=dt.date(2027, 1, 1),
    signed_sha256=DIGEST,
    attested_by=frozenset({Uid("officer-1"), Uid("officer-2")}),
)
AMENDMENT = Amendment(
    uid=Uid("amendment-1"),
    agreement=AGREEMENT.uid,
    to_version=AGREEMENT.version,
    to_sha256=AGREEMENT.source_sha256,
    batches=frozenset({Uid("batch-1")}),
    source_sha256=OTHER_DIGEST,
    signatures=(replace(INK, signed_sha256=OTHER_DIGEST),),
)
ASSESSMENT = Assessment(
    recipient=Uid("de-gba"),
    recipient_kind=RecipientKind.NATIONAL_PROSECUTOR,
    country=Country("DE"),
    death_penalty=YesNo.NO,
    fair_trial=FairTrial.MET,
    in_absentia=YesNo.NO,
    undertakings=frozenset({Undertaking.SOURCE_PROTECTION}),
    assessed_by=Uid("officer-1"),
    assessed_on=dt.date(2027, 1, 1),
    valid_to=dt.date(2027, 12, 31),
)
WITHDRAWAL = ConsentEvent(
    counter=1,
    state=ConsentState.WITHDRAWN,
    answers=(PurposeAnswer(purpose=ConsentPurpose.CONTACT_ME, answer=Answer.NO),),
    on=dt.date(2027, 4, 1),
    indicated_by=IndicatedBy.SELF,
    method=ConsentMethod.ONLINE,
    notice=Uid("notice-4"),
    language=Language("ckb"),
    interpreter=Interpreter(code=Uid("INT-03"), chosen_by_person=True),
)
TERMS = Terms(layers=(LAYERS["agreement"], LAYERS["consent_yes"], LAYERS["batch_embargo"]))
RECORDS = (
    AGREEMENT,
    AMENDMENT,
    replace(CONSENT, events=(WITHDRAWAL,)),
    TERMS,
    YES_EVIDENCE,
    USUAL,
    ASSESSMENT,
    evaluate(terms=TERMS, facts=USUAL, approvals=(YES_EVIDENCE,)),
)
