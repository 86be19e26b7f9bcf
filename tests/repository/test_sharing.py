"""What the repository answers about sharing is what the conditions in the package say."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from amana.wire.package import RegistrationNumber
from amana.wire.references import ConsentReference
from amana.wire.vocabulary import ConsentBasis
from repository.errors import UnknownItemError
from repository.opened import opened
from repository.sharing import ItemAnswer, may_share
from terms.facts import Facts
from terms.layer import ConsentExemptReason, Layer, LayerKind
from terms.names import Uid
from terms.plain import from_json, to_json
from terms.rule import Constraint
from terms.vocabulary import Action, Effect, Operand, Operator, Purpose
from tests.package.provider import UNKNOWN
from tests.package.world import END, KEYS, QUARANTINE, RECORDED, Given, a_world
from tests.terms.situations import Case, load_cases
from tests.terms.world import LAYERS, USUAL, layer, rule
from worker.package import Maker, write_package
from worker.package_plan import plan_packages

EXEMPT = ConsentReference(
    state=ConsentBasis.EXEMPT,
    consent_id=None,
    exempt_reason=ConsentExemptReason.PERPETRATOR_DOCUMENT,
)
PLAIN = Given(name=b"a", content=b"a")
OTHER = Given(name=b"b", content=b"b", consents=(UNKNOWN,))
FREE = Given(name=b"c", content=b"c", consents=(EXEMPT,))
BOTH = Given(name=b"d", content=b"d", consents=(RECORDED, UNKNOWN))
ADDED = ("batch_embargo", "batch_permits_all", "freeze", "originator_silent")


def answers(
    tmp_path: Path, question: Facts, given: tuple[Given, ...], *layers: Layer
) -> list[ItemAnswer]:
    """Package what was given under these extra layers, and ask the package."""
    world = a_world(given, layers=layers, with_bare=False)
    (plan,) = plan_packages(world.dossier, world.items)
    folder = tmp_path / "package"
    maker = Maker(recipient=KEYS.identity.recipient, signer=QUARANTINE)
    write_package(plan, world.contents, maker, folder)
    with opened(folder, KEYS, END) as reader:
        return list(may_share(reader.items(), question))


def without(question: Facts, gone: tuple[str, ...]) -> Facts:
    """The same question with these facts unknown."""
    form = to_json(question)
    assert isinstance(form, dict)
    return from_json(Facts, form | dict.fromkeys(gone))


def usable(case: Case) -> bool:
    """The package of this world is under the agreement and one full consent."""
    return {"agreement", "consent_yes"} <= set(case.layer_names) <= {
        "agreement",
        "consent_yes",
        *ADDED,
    } and not case.approval_names


CASES = [case for case in load_cases() if usable(case)]


@pytest.mark.threat("T-14")
@pytest.mark.parametrize("case", CASES, ids=[case.situation for case in CASES])
def test_a_situation_decided_by_a_person_comes_out_the_same_from_a_package(
    case: Case, tmp_path: Path
) -> None:
    layers = [LAYERS[name] for name in case.layer_names if name in ADDED]
    (answer,) = answers(tmp_path, case.facts, (PLAIN,), *layers)
    assert answer.evaluation.decision is case.decision
    assert case.missing <= answer.evaluation.missing_facts
    assert case.duties is None or answer.evaluation.duties == case.duties


def test_enough_of_the_situations_can_be_asked_of_a_package() -> None:
    assert len(CASES) >= 12


@pytest.mark.threat("T-14")
def test_what_is_not_given_is_not_known_and_never_looser(tmp_path: Path) -> None:
    """Every subset of the facts, against all of them."""
    facts = ("recipient_kind", "country", "purpose", "death_penalty", "fair_trial", "date")
    order = list(Effect)
    question = replace(USUAL, action=Action.USE_AS_LEAD)
    world = a_world((PLAIN,), with_bare=False)
    (plan,) = plan_packages(world.dossier, world.items)
    maker = Maker(recipient=KEYS.identity.recipient, signer=QUARANTINE)
    write_package(plan, world.contents, maker, tmp_path / "package")
    with opened(tmp_path / "package", KEYS, END) as reader:
        items = list(reader.items())
    (full,) = may_share(items, question)
    assert full.evaluation.decision is Effect.PERMIT
    for size in range(1, len(facts) + 1):
        for gone in itertools.combinations(facts, size):
            (less,) = may_share(items, without(question, gone))
            assert order.index(less.evaluation.decision) > 0
            assert less.evaluation.missing_facts & set(map(Operand, gone))


@pytest.mark.threat("T-14")
def test_one_persons_yes_says_nothing_for_another_item_or_person(tmp_path: Path) -> None:
    question = replace(USUAL, action=Action.USE_AS_LEAD)
    found = answers(tmp_path, question, (PLAIN, OTHER, FREE, BOTH))
    decisions = [answer.evaluation.decision for answer in found]
    assert decisions == [Effect.PERMIT, Effect.DENY, Effect.PERMIT, Effect.DENY]


def test_a_condition_for_one_item_says_so_and_binds_no_other(tmp_path: Path) -> None:
    world = a_world((PLAIN, PLAIN), with_bare=False)
    second = Uid(world.items[1].manifest.item_id)
    only = Constraint(left=Operand.ITEM, operator=Operator.EQ, right=frozenset({second}))
    bound = layer(LayerKind.ITEM, rule("not-this", Effect.DENY, [Action.USE_AS_LEAD], only))
    question = replace(USUAL, action=Action.USE_AS_LEAD)
    found = answers(tmp_path, question, (PLAIN, PLAIN), bound)
    assert [answer.evaluation.decision for answer in found] == [Effect.PERMIT, Effect.DENY]


def test_an_item_that_is_not_there_is_no_silent_yes(tmp_path: Path) -> None:
    world = a_world((PLAIN,), with_bare=False)
    (plan,) = plan_packages(world.dossier, world.items)
    maker = Maker(recipient=KEYS.identity.recipient, signer=QUARANTINE)
    write_package(plan, world.contents, maker, tmp_path / "package")
    numbers = [RegistrationNumber("0" * 32)]
    with (
        opened(tmp_path / "package", KEYS, END) as reader,
        pytest.raises(UnknownItemError),
    ):
        list(may_share(reader.items(), USUAL, only=numbers))


@pytest.mark.threat("T-14")
def test_the_mandate_holds_though_no_package_carries_it(tmp_path: Path) -> None:
    question = replace(USUAL, action=Action.USE_AS_LEAD, purpose=Purpose.IMMIGRATION)
    (answer,) = answers(tmp_path, question, (PLAIN,), LAYERS["batch_permits_all"])
    assert answer.evaluation.decision is Effect.DENY
    assert {reason.layer_kind for reason in answer.evaluation.because} >= {LayerKind.MANDATE}
