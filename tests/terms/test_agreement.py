"""Agreements: their four parts, their versions and their signatures."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace

import pytest

from terms.agreement import (
    Agreement,
    Amendment,
    Attribution,
    DerivedProducts,
    IntakeObjection,
    Material,
    OnExpiry,
    Signature,
    SignatureKind,
    TransmissionMode,
    agreement_layer,
    intake_objections,
    layers_in_force,
)
from terms.errors import ContradictionError
from terms.evaluate import evaluate
from terms.evaluation import Evaluation
from terms.facts import Assessment, Facts, under_assessment
from terms.layer import ConsentExemptReason, Layer, Terms
from terms.names import Digest, Uid
from terms.vocabulary import SHARING_ACTS, Action, Duty, Effect, YesNo
from tests.terms.records import AMENDMENT, ASSESSMENT, INK
from tests.terms.world import (
    AGREEMENT,
    DIGEST,
    LEAD,
    NO_DEFENCE,
    OLDER,
    OTHER_DIGEST,
    USUAL,
    rule,
    usual,
)

GOOD_DAY = dt.date(2027, 3, 1)
BATCH = Uid("batch-1")


def objections(
    agreement: Agreement = AGREEMENT,
    nature: Material | None = Material.VIDEO,
    mode: TransmissionMode = TransmissionMode.COURIER,
    on: dt.date = GOOD_DAY,
) -> set[IntakeObjection]:
    return set(intake_objections(agreement, nature=nature, mode=mode, on=on))


def weigh(layers: Iterable[Layer], facts: Facts = USUAL) -> Evaluation:
    terms = Terms(layers=tuple(layers), consent_exempt_reason=ConsentExemptReason.PUBLIC_SOURCE)
    return evaluate(terms=terms, facts=facts)


def may(agreement: Agreement, action: Action, on: dt.date = GOOD_DAY) -> Effect:
    return weigh([agreement_layer(agreement)], replace(usual(action), date=on)).decision


@pytest.mark.requirement("R27")
def test_material_that_was_agreed_on_comes_in_and_so_does_what_is_not_described() -> None:
    assert objections() == set()
    assert objections(nature=None) == set()


@pytest.mark.requirement("R27")
def test_another_nature_or_mode_than_agreed_is_held() -> None:
    assert objections(nature=Material.DEVICE_IMAGE) == {IntakeObjection.NATURE_NOT_AGREED}
    assert objections(mode=TransmissionMode.TOR_WEB) == {IntakeObjection.MODE_NOT_AGREED}


def test_intake_has_days_of_its_own() -> None:
    assert objections(on=dt.date(2025, 12, 31)) == {IntakeObjection.NOT_YET_VALID}
    assert objections(on=dt.date(2030, 12, 31)) == set()
    assert objections(on=dt.date(2031, 1, 1)) == {IntakeObjection.INTAKE_CLOSED}
    assert may(AGREEMENT, Action.USE_AS_LEAD, on=dt.date(2031, 1, 1)) is Effect.PERMIT


def test_an_agreement_without_end_takes_in_for_ever() -> None:
    endless = replace(AGREEMENT, intake_until=None, valid_to=None, on_expiry=OnExpiry.DELETE)
    assert objections(endless, on=dt.date(2099, 1, 1)) == set()
    assert may(endless, Action.USE_AS_LEAD, on=dt.date(2099, 1, 1)) is Effect.PERMIT
    assert may(endless, Action.DELETE, on=dt.date(2099, 1, 1)) is Effect.DENY


def test_a_draft_permits_nothing_and_takes_nothing_in() -> None:
    draft = replace(AGREEMENT, signatures=())
    assert objections(draft) == {IntakeObjection.NOT_SIGNED}
    assert all(may(draft, action) is Effect.DENY for action in Action)


@pytest.mark.threat("T-14")
def test_a_signature_over_another_text_signs_nothing() -> None:
    """Else a provider's signature of one text could be carried over to a wider one."""
    other = replace(AGREEMENT, source_sha256=OTHER_DIGEST)
    assert AGREEMENT.is_signed()
    assert not other.is_signed()
    assert objections(other) == {IntakeObjection.NOT_SIGNED}


@pytest.mark.parametrize("name", ["derived-products", "on-expiry", "expired", "lead"])
def test_no_rule_is_called_as_one_that_is_made_or_is_there_already(name: str) -> None:
    """Else an agreement could be signed whose layer nobody can make."""
    for part in ("use_rules", "sharing_rules"):
        action = Action.ANALYSE if part == "use_rules" else Action.PUBLISH
        rules = (*getattr(AGREEMENT, part), rule(name, Effect.PERMIT, [action]))
        with pytest.raises(ContradictionError):
            replace(AGREEMENT, **{part: rules})  # type: ignore[arg-type]


@pytest.mark.requirement("R27")
def test_a_rule_belongs_to_its_part() -> None:
    with pytest.raises(ContradictionError):
        replace(AGREEMENT, use_rules=(LEAD,))
    with pytest.raises(ContradictionError):
        replace(AGREEMENT, sharing_rules=(rule("r", Effect.PERMIT, [Action.ANALYSE]),))


@pytest.mark.parametrize(
    ("attribution", "duties"),
    [
        (Attribution.NAMED, frozenset()),
        (Attribution.ORGANISATION_ONLY, frozenset({Duty.NAME_ORGANISATION_ONLY})),
        (Attribution.ANONYMISED, frozenset({Duty.ANONYMISE_SOURCE})),
    ],
)
@pytest.mark.requirement("R46")
def test_attribution_is_a_duty_of_everything_shared(
    attribution: Attribution,
    duties: frozenset[Duty],
) -> None:
    shared = weigh([agreement_layer(replace(AGREEMENT, attribution=attribution))])
    assert shared.decision is Effect.PERMIT
    assert shared.duties == duties
    assert shared.is_rightful(duties)
    assert shared.is_rightful(frozenset()) is (not duties)


def test_what_is_not_permitted_is_not_rightful_whatever_is_fulfilled() -> None:
    assert not weigh([]).is_rightful(frozenset(Duty))


@pytest.mark.parametrize(
    ("products", "making", "sharing"),
    [
        (DerivedProducts.ALLOWED, Effect.PERMIT, Effect.DENY),  # sharing needs a rule of its own
        (DerivedProducts.ASK, Effect.ASK, Effect.ASK),
        (DerivedProducts.NO, Effect.DENY, Effect.DENY),
    ],
)
def test_derived_products_are_allowed_asked_about_or_not(
    products: DerivedProducts,
    making: Effect,
    sharing: Effect,
) -> None:
    agreement = replace(AGREEMENT, derived_products=products)
    assert may(agreement, Action.DERIVE) is making
    assert may(agreement, Action.SHARE_DERIVED) is sharing


@pytest.mark.parametrize(
    ("ending", "returned", "deleted"),
    [
        (OnExpiry.HOLD, Effect.DENY, Effect.DENY),
        (OnExpiry.RENEW, Effect.DENY, Effect.DENY),
        (OnExpiry.RETURN, Effect.PERMIT, Effect.DENY),
        (OnExpiry.DELETE, Effect.DENY, Effect.PERMIT),
    ],
)
def test_after_the_end_the_material_is_held_returned_or_deleted(
    ending: OnExpiry,
    returned: Effect,
    deleted: Effect,
) -> None:
    agreement = replace(
        AGREEMENT,
        use_rules=(rule("keep", Effect.PERMIT, [Action.ARCHIVE]),),
        conditions_survive=frozenset(),
        on_expiry=ending,
    )
    after = dt.date(2036, 1, 1)
    assert may(agreement, Action.ARCHIVE, on=after) is Effect.PERMIT
    assert may(agreement, Action.RETURN, on=after) is returned
    assert may(agreement, Action.DELETE, on=after) is deleted
    assert may(agreement, Action.DELETE) is Effect.DENY


def in_force(current: Agreement, *amendments: Amendment, batch: Uid = BATCH) -> Effect:
    layers = layers_in_force(
        snapshot=OLDER,
        current=current,
        batch=batch,
        amendments=amendments,
    )
    return weigh(layers).decision


@pytest.mark.threat("T-14")
@pytest.mark.requirement("R27")
def test_a_newer_version_widens_only_batches_that_the_provider_signed_for() -> None:
    unsigned = replace(AMENDMENT, signatures=())
    of_another_text = replace(AMENDMENT, to_sha256=Digest("22" * 32))
    signed_elsewhere = replace(AMENDMENT, source_sha256=Digest("22" * 32))
    by_another = replace(AMENDMENT, signatures=(replace(INK, party=Uid("CSO-0007")),))
    of_another = replace(AMENDMENT, agreement=Uid("mou-0001"))
    to_another = replace(AMENDMENT, to_version=4)
    assert in_force(AGREEMENT, AMENDMENT) is Effect.PERMIT
    assert in_force(AGREEMENT) is Effect.DENY
    assert in_force(AGREEMENT, unsigned, by_another, of_another, to_another) is Effect.DENY
    assert in_force(AGREEMENT, of_another_text, signed_elsewhere) is Effect.DENY
    assert in_force(AGREEMENT, AMENDMENT, batch=Uid("batch-2")) is Effect.DENY


@pytest.mark.threat("T-14")
def test_the_signature_of_a_new_version_is_not_the_word_that_it_governs_old_batches() -> None:
    with pytest.raises(ContradictionError):
        replace(AMENDMENT, source_sha256=DIGEST, signatures=AGREEMENT.signatures)


@pytest.mark.threat("T-14")
def test_one_version_that_says_two_things_is_refused() -> None:
    wider = replace(AGREEMENT, sharing_rules=(rule("all", Effect.PERMIT, SHARING_ACTS),))
    with pytest.raises(ContradictionError):
        layers_in_force(snapshot=AGREEMENT, current=wider, batch=BATCH, amendments=())


@pytest.mark.threat("T-14")
def test_an_older_version_does_not_come_into_force_again() -> None:
    with pytest.raises(ContradictionError):
        layers_in_force(snapshot=AGREEMENT, current=OLDER, batch=BATCH, amendments=(AMENDMENT,))


def test_a_newer_version_that_is_stricter_counts_at_once() -> None:
    layers = layers_in_force(
        snapshot=AGREEMENT,
        current=replace(NO_DEFENCE, version=4, sharing_rules=()),
        batch=BATCH,
        amendments=(),
    )
    assert weigh(layers).decision is Effect.DENY


def test_one_version_is_one_layer() -> None:
    layers = layers_in_force(snapshot=AGREEMENT, current=AGREEMENT, batch=BATCH, amendments=())
    assert layers == (agreement_layer(AGREEMENT),)


def test_two_agreements_are_not_two_versions() -> None:
    other = replace(AGREEMENT, uid=Uid("mou-0001"))
    with pytest.raises(ContradictionError):
        layers_in_force(snapshot=OLDER, current=other, batch=BATCH, amendments=())


@pytest.mark.parametrize(
    ("kind", "officers"),
    [
        (SignatureKind.WET_INK_ATTESTED, ["officer-1"]),
        (SignatureKind.WET_INK_ATTESTED, []),
        (SignatureKind.KEY, ["officer-1", "officer-2"]),
        (SignatureKind.OPENPGP, ["officer-1"]),
    ],
)
def test_ink_needs_two_officers_and_keys_none(kind: SignatureKind, officers: list[str]) -> None:
    with pytest.raises(ContradictionError):
        Signature(
            kind=kind,
            party=INK.party,
            signed_on=GOOD_DAY,
            signed_sha256=INK.signed_sha256,
            attested_by=frozenset(map(Uid, officers)),
        )


@pytest.mark.parametrize(
    ("assessment", "facts", "death_penalty"),
    [
        (ASSESSMENT, USUAL, YesNo.NO),
        (ASSESSMENT, replace(USUAL, recipient=Uid("fr-pnat")), None),
        (ASSESSMENT, replace(USUAL, recipient=None), None),
        (ASSESSMENT, replace(USUAL, date=None), None),
        (ASSESSMENT, replace(USUAL, date=dt.date(2028, 1, 1)), None),
        (ASSESSMENT, replace(USUAL, date=dt.date(2026, 12, 31)), None),
    ],
)
def test_an_assessment_speaks_for_its_recipient_and_its_days_only(
    assessment: Assessment,
    facts: Facts,
    death_penalty: YesNo | None,
) -> None:
    assert under_assessment(facts, assessment).death_penalty is death_penalty
