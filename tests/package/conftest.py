"""Packages that are made once for all tests of a run; who changes one copies it first."""

from pathlib import Path

import pytest

from amana.wire.package import SealedPackage
from tests.package.world import KEYS, QUARANTINE, World, a_world
from worker.package import Maker, write_package
from worker.package_plan import PackagePlan, plan_packages


@pytest.fixture(scope="session")
def world() -> World:
    return a_world()


@pytest.fixture(scope="session")
def plan(world: World) -> PackagePlan:
    (only,) = plan_packages(world.dossier, world.items)
    return only


@pytest.fixture(scope="session")
def maker() -> Maker:
    return Maker(recipient=KEYS.identity.recipient, signer=QUARANTINE)


@pytest.fixture(scope="session")
def made(
    tmp_path_factory: pytest.TempPathFactory, plan: PackagePlan, world: World, maker: Maker
) -> tuple[Path, SealedPackage]:
    folder = tmp_path_factory.mktemp("made") / "package"
    return folder, write_package(plan, world.contents, maker, folder)
