"""The portal under its supervisor: started from the built-in table, gone with it."""

import signal
import socket
from pathlib import Path

import pytest

from amana.clock import SystemClock, today
from tests.amana.up_world import Up, eventually, table
from tests.portal.conftest import House

ENTRY: dict[str, object] = {
    "name": "portal",
    "words": ["portal", "serve"],
    "ready_line": " serving",
    "serves": ["{portal.listen}"],
}


def is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
            connection.sendall(b"GET /en HTTP/1.1\r\nHost: portal\r\n\r\n")
            return connection.recv(100).startswith(b"HTTP/1.1 200")
        except ConnectionError:  # also one that is killed between our word and its answer
            return False


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_portal_is_served_as_long_as_its_supervisor_lives(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: signal.Signals
) -> None:
    monkeypatch.setenv("AMANA_PORTAL_LISTEN", "unix:portal.sock")
    house.write_card(house.card(today(SystemClock())))
    up = Up.start(tmp_path, table(tmp_path, ENTRY))
    lines = up.until("Ctrl-C ends everything")
    served = is_served(tmp_path / "portal.sock")
    up.tell(how)
    up.rest()
    assert served
    assert f"unix:{tmp_path}/portal.sock" in lines[-2]
    assert eventually(lambda: not is_served(tmp_path / "portal.sock"))
