"""One world and one scanner for all tests of the pipeline; a quarantine for each."""

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from amana.clock import SystemClock, today
from tests.worker.opening.world import World, make_world
from tests.worker.pipeline.ground import Quarantine, Scanner, a_quarantine
from tests.worker.scan.ground import described, service_settings, texts
from worker.clamd_service import ClamdService


@pytest.fixture(scope="session")
def memory() -> Iterator[Path]:
    """A folder in memory that clamd's own user can reach."""
    folder = Path("/dev/shm") / f"amana-test-{secrets.token_hex(6)}"  # noqa: S108 - random
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def scanner(memory: Path) -> Iterator[Scanner]:
    signatures = described(memory / "signatures", today(SystemClock()), texts())
    with ClamdService(service_settings(memory, "clamd", signatures)) as client:
        yield Scanner(client=client, signatures=signatures)


@pytest.fixture(scope="session")
def world_of_all(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("rehearsal"), today(SystemClock()))


@pytest.fixture
def world(world_of_all: World) -> World:
    world_of_all.keys.locked = False
    return world_of_all


@pytest.fixture
def quarantine(tmp_path: Path, world: World, scanner: Scanner) -> Iterator[Quarantine]:
    with a_quarantine(tmp_path, world, scanner) as made:
        yield made
