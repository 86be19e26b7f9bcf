"""One world for all tests of the opener: keys, cards and seals are real, and made once."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from amana.clock import SystemClock, today
from tests.worker.opening.world import World, make_material, make_world
from worker.enrolled import Register


@pytest.fixture(scope="session")
def day() -> date:
    return today(SystemClock())


@pytest.fixture(scope="session")
def world_of_all(tmp_path_factory: pytest.TempPathFactory, day: date) -> World:
    return make_world(tmp_path_factory.mktemp("rehearsal"), day)


@pytest.fixture
def world(world_of_all: World) -> World:
    """The world, with its keys as they were at first."""
    world_of_all.keys.locked = False
    world_of_all.keys.asked.clear()
    return world_of_all


@pytest.fixture(scope="session")
def register_of_all(world_of_all: World, tmp_path_factory: pytest.TempPathFactory) -> Register:
    """A register that no test changes."""
    return world_of_all.register(tmp_path_factory.mktemp("register"))


@pytest.fixture
def register(register_of_all: Register) -> Register:
    return register_of_all


@pytest.fixture(scope="session")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_material(tmp_path_factory.mktemp("given"))


@pytest.fixture(scope="session")
def sealed(world_of_all: World, given: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of the organisation. Tests that change one take a copy."""
    folder = tmp_path_factory.mktemp("sealed")
    world_of_all.seal(given, folder)
    return folder


@pytest.fixture
def bundle(sealed: Path, tmp_path: Path) -> Path:
    """A copy of the bundle."""
    return Path(shutil.copytree(sealed, tmp_path / "bundle"))
