"""What every test stands on: no network but this machine's own, no settings from outside."""

import os
import pathlib
import socket

import hypothesis
import pytest

from deploy.catalogues import compile_catalogues

ROOT = pathlib.Path(__file__).resolve().parent.parent

# No deadline: a slow machine is not a defect. Nightly looks at far more examples.
hypothesis.settings.register_profile("default", deadline=None)
hypothesis.settings.register_profile("nightly", deadline=None, max_examples=2000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session", autouse=True)
def _the_catalogues_as_they_are_written() -> None:
    compile_catalogues(ROOT)


@pytest.fixture
def root() -> pathlib.Path:
    """The top of the source tree."""
    return ROOT


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AMANA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


@pytest.fixture(autouse=True)
def _no_foreign_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only unix sockets and loopback: a test that reaches further is wrong wherever it passes."""

    connect = socket.socket.connect

    def near(self: socket.socket, address: tuple[str, int] | str | bytes) -> None:
        host = address[0] if isinstance(address, tuple) else "unix"
        if host not in {"unix", "127.0.0.1", "::1", "localhost"}:
            raise AssertionError("a test may reach this machine only")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", near)
