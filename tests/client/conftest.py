"""One rehearsal for all tests of the client: keys, card and kit are real, and made once."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from amana.clock import SystemClock, today
from amana.wire.vocabulary import Deployment
from amana.wire.words import VersionText
from client.keys import MemberKeys
from client.plan import plan
from client.sealing import Commission, SealedTree, seal_tree
from client.tree import walk
from examples.rehearsal import Rehearsal, prepare
from examples.samples import make_samples


@pytest.fixture(scope="session")
def day() -> date:
    return today(SystemClock())


@pytest.fixture(scope="session")
def rehearsal(tmp_path_factory: pytest.TempPathFactory, day: date) -> Rehearsal:
    return prepare(tmp_path_factory.mktemp("rehearsal"), day)


@pytest.fixture(scope="session")
def member(rehearsal: Rehearsal) -> MemberKeys:
    return MemberKeys.generate(rehearsal.account)


@pytest.fixture(scope="session")
def commission(rehearsal: Rehearsal, member: MemberKeys) -> Commission:
    return Commission(
        account=rehearsal.account,
        card=rehearsal.make_card().card_id,
        recipient=rehearsal.intake.recipient,
        deployment=Deployment.TRAINING,
        reply=member.reply,
        signer=member.signer,
        client_version=VersionText("amana/test"),
    )


@pytest.fixture(scope="session")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_samples(tmp_path_factory.mktemp("given") / "Material")


SealTo = Callable[[Path, Path], SealedTree]


@pytest.fixture(scope="session")
def seal_to(commission: Commission) -> SealTo:
    """Seal a place into a new bundle."""

    def seal(given: Path, bundle: Path) -> SealedTree:
        return seal_tree(plan(walk([given]).entries), commission, bundle, lambda _count: None)

    return seal


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory, material: Path, seal_to: SealTo) -> Path:
    """A bundle of the sample material. Tests that change one copy it first."""
    folder = tmp_path_factory.mktemp("bundle")
    seal_to(material, folder)
    return folder
