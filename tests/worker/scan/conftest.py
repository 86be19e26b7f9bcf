"""A real clamd for every scan test. Without one they fail and say how to install it."""

import pathlib
import secrets
import shutil
from collections.abc import Iterator

import pytest

from tests.worker.scan.ground import (
    TODAY,
    Desk,
    described,
    inspector_settings,
    service_settings,
    texts,
)
from worker.clamd_service import ClamdService, ClamdSettings


@pytest.fixture(scope="session")
def shared_ground() -> Iterator[pathlib.Path]:
    """A folder in memory that clamd's own user can reach, for all tests."""
    yield from _ground()


@pytest.fixture
def ground() -> Iterator[pathlib.Path]:
    """The same for one test."""
    yield from _ground()


def _ground() -> Iterator[pathlib.Path]:
    folder = pathlib.Path("/dev/shm") / f"amana-test-{secrets.token_hex(6)}"  # noqa: S108 - random
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def signatures(shared_ground: pathlib.Path) -> pathlib.Path:
    return described(shared_ground / "signatures", TODAY, texts())


@pytest.fixture(scope="session")
def settings(shared_ground: pathlib.Path, signatures: pathlib.Path) -> ClamdSettings:
    return service_settings(shared_ground, "clamd", signatures)


@pytest.fixture(scope="session")
def desk(settings: ClamdSettings, signatures: pathlib.Path) -> Iterator[Desk]:
    with ClamdService(settings) as client:
        yield Desk(client, inspector_settings(signatures))
