"""What may become a package: nothing without conditions, and no two kinds together."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from amana.wire.ids import ConsentId, SubmissionId
from amana.wire.references import ConsentReference, TermsReference
from amana.wire.vocabulary import ConsentBasis, TermsState
from terms.vocabulary import HandlingClass
from tests.package.provider import UNKNOWN
from tests.package.world import SAMPLES, Given, World, a_world
from tests.wire.givens import a_digest, an_id
from worker.package_errors import PlanError
from worker.package_plan import AcceptedItem, PackagePlan, plan_packages

WITHOUT = """
from worker.package_plan import AcceptedItem, Dossier, PackagePlan
def a_plan(dossier: Dossier, items: tuple[AcceptedItem, ...]) -> PackagePlan:
    return PackagePlan(items=items)
def a_dossier(whole: Dossier) -> Dossier:
    return Dossier(note=whole.note, submission=whole.submission,
        leaves=whole.leaves, custody=whole.custody, checkpoint=whole.checkpoint)
def an_item(whole: AcceptedItem) -> AcceptedItem:
    return AcceptedItem(registration=whole.registration, place=whole.place,
        manifest=whole.manifest, handling_class=whole.handling_class, snapshot=whole.snapshot,
        terms=whole.terms, detected_type=None, verdict=whole.verdict, scan=None,
        custody=whole.custody)
"""


@pytest.mark.threat("T-14")
def test_the_type_checker_lets_no_package_be_made_without_snapshot_or_consent(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    source = tmp_path / "without.py"
    source.write_text(WITHOUT, encoding="utf-8")
    root = request.config.rootpath
    cache = tmp_path / "cache"
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(cache), "--no-incremental"]
    told = subprocess.run(
        [*command, "--follow-imports=silent", str(source)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    for missing, kind in (("dossier", "PackagePlan"), ("snapshot", "Dossier")):
        assert f'Missing named argument "{missing}" for "{kind}"' in told
    assert 'Missing named argument "consents" for "AcceptedItem"' in told


@pytest.mark.threat("T-14")
def test_an_item_without_a_consent_state_cannot_be_accepted(world: World) -> None:
    with pytest.raises(PlanError):
        replace(world.items[0], consents=())


@pytest.mark.threat("T-14")
def test_an_item_whose_conditions_the_snapshot_lacks_goes_into_no_package(world: World) -> None:
    first = world.items[0]
    another = ConsentReference(
        state=ConsentBasis.RECORDED, consent_id=an_id(ConsentId, "nobody"), exempt_reason=None
    )
    named = first.terms.named
    assert named is not None
    elsewhere = TermsReference(state=TermsState.AGREEMENT, named=replace(named, version=9))
    for wrong in (
        replace(first, consents=(another,)),
        replace(first, terms=elsewhere),
        replace(first, snapshot=a_digest("another snapshot")),
    ):
        with pytest.raises(PlanError):
            PackagePlan(dossier=world.dossier, items=(wrong,))


def test_a_dossier_whose_parts_disagree_cannot_be_made(world: World) -> None:
    dossier = world.dossier
    for wrong in (
        {"snapshot": replace(dossier.snapshot, submission_id=SubmissionId("0" * 64))},
        {"leaves": dossier.leaves[:-1]},
        {"note": b"no note"},
        {
            "submission": replace(
                dossier.submission, erasable=False, items_root=a_digest("another root")
            )
        },
    ):
        with pytest.raises(PlanError):
            replace(dossier, **wrong)


@pytest.mark.threat("T-08")
def test_a_proof_without_its_checkpoint_goes_into_no_package(world: World) -> None:
    dossier = replace(world.dossier, checkpoint=None)
    with pytest.raises(PlanError, match="checkpoint"):
        PackagePlan(dossier=dossier, items=world.items)


def test_packages_are_split_by_class_and_by_size_whatever_the_order_of_the_items() -> None:
    given = [
        Given(
            name=each.name,
            content=each.content,
            handling_class=HandlingClass.SGBV if number % 2 else HandlingClass.STANDARD,
            consents=(UNKNOWN,),
        )
        for number, each in enumerate(SAMPLES)
    ]
    split = a_world(given, with_bare=False)
    plans = plan_packages(split.dossier, split.items)
    assert [plan.record.handling_class for plan in plans] == ["SGBV", "STANDARD"]
    assert plan_packages(split.dossier, tuple(reversed(split.items))) == plans
    small = plan_packages(split.dossier, split.items, most_bytes=1)
    assert [len(plan.items) for plan in small] == [1] * len(given)
    numbers = {item.registration for plan in small for item in plan.items}
    assert numbers == {item.registration for item in split.items}


def test_one_number_or_one_item_never_stands_twice_in_a_package(world: World) -> None:
    first, second, *_ = world.items
    twice = replace(second, registration=first.registration)
    for items in ((first, twice), (first, first)):
        with pytest.raises(PlanError):
            PackagePlan(dossier=world.dossier, items=items)


def test_an_item_of_another_class_does_not_slip_in(world: World) -> None:
    def as_child(item: AcceptedItem) -> AcceptedItem:
        return replace(item, handling_class=HandlingClass.CHILD)

    first, second, *_ = world.items
    with pytest.raises(PlanError, match="classes"):
        PackagePlan(dossier=world.dossier, items=(first, as_child(second)))
