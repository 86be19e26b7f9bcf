"""A quarantine's outbox, and a repository that takes from it."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from amana.wire.package import SealedPackage
from repository.receive import Received, Receiver, Refused
from repository.store import Store, open_store
from tests.package.world import END, KEYS, QUARANTINE, REPOSITORY, World, a_world
from tests.wire.givens import TODAY
from worker.forward import Outbox
from worker.package_plan import PackagePlan, plan_packages


@pytest.fixture(scope="session")
def world() -> World:
    return a_world()


@pytest.fixture(scope="session")
def plan(world: World) -> PackagePlan:
    (only,) = plan_packages(world.dossier, world.items)
    return only


@pytest.fixture(scope="session")
def forwarded(
    tmp_path_factory: pytest.TempPathFactory, plan: PackagePlan, world: World
) -> tuple[Path, SealedPackage]:
    """A spool with one package, made once; tests copy it."""
    spool = tmp_path_factory.mktemp("forwarded")
    outbox = Outbox(spool, spool, repository=REPOSITORY, signer=QUARANTINE)
    return spool, outbox.put(plan, world.contents)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A spool, a folder of answers and a store, and both sides at work on them."""

    spool: Path
    answers: Path
    store: Path
    sealed: SealedPackage
    outbox: Outbox
    receiver: Receiver

    @property
    def package(self) -> Path:
        return self.spool / self.sealed.package_id

    def receive(self) -> list[Received | Refused]:
        return list(self.receiver.receive_all(self.spool, TODAY))


@pytest.fixture
def way(tmp_path: Path, forwarded: tuple[Path, SealedPackage]) -> Iterator[Way]:
    spool, answers, place = tmp_path / "spool", tmp_path / "answers", tmp_path / "store"
    shutil.copytree(forwarded[0], spool)
    answers.mkdir()
    outbox = Outbox(spool, answers, repository=REPOSITORY, signer=QUARANTINE)
    with open_store(place) as store:
        yield Way(
            spool=spool,
            answers=answers,
            store=place,
            sealed=forwarded[1],
            outbox=outbox,
            receiver=a_receiver(store, answers),
        )


def a_receiver(store: Store, answers: Path) -> Receiver:
    return Receiver(store, answers, keys=KEYS, end=END)
