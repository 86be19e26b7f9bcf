"""The portal as a process: set up, served, killed, filled; memory stays where it was."""

import hashlib
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from amana.clock import SystemClock, today
from amana.exitcodes import ExitCode
from tests.portal.body import CONTENT_TYPE, body, field, file
from tests.portal.conftest import House
from tests.portal.opened import opened

MEGABYTE = 1 << 20
RUN = "import sys; from portal.commands.portal import main; sys.exit(main(sys.argv[1:]))"


class Program:
    """A portal in a process of its own, and a visitor in front of it."""

    def __init__(self, house: House, file_bytes: int | None) -> None:
        directory = house.settings.data_directory
        self.home = directory
        environment = {
            "PATH": os.defpath,
            "AMANA_DATA_DIRECTORY": str(directory),
            "AMANA_PORTAL_LISTEN": "unix:portal.sock",
        }

        def limit() -> None:
            if file_bytes is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))

        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, "serve"],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=limit,  # noqa: PLW1509 - nothing else runs in this process
        )
        path = str(directory / "portal.sock")
        transport = httpx.HTTPTransport(uds=path, retries=5)
        self.client = httpx.Client(transport=transport, base_url="http://portal", timeout=60)

    def wait(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith(" serving\n"):
                return
        raise AssertionError("the portal did not start")

    def token(self) -> bytes:
        page = self.client.get("/en/give").text
        return field("token", page.partition('name="token" value="')[2].partition('"')[0])

    def give(self, content: bytes) -> int:
        whole = body(self.token(), file("film.mp4", content))

        def pieces() -> Iterator[bytes]:
            for start in range(0, len(whole), 100_000):
                yield whole[start : start + 100_000]

        answer = self.client.post(
            "/en/give", content=pieces(), headers={"content-type": CONTENT_TYPE}
        )
        return answer.status_code

    def peak_bytes(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024

    def is_holding(self) -> bool:
        """Whether sealed bytes of an unfinished upload lie on the disk."""
        found = (self.home / "portal" / "receiving").rglob("*.age")
        return sum(path.stat().st_size for path in found) > 4 * MEGABYTE

    def end(self, how: signal.Signals = signal.SIGINT) -> int:
        self.client.close()
        self.process.send_signal(how)
        code = self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture
def program(house: House) -> Iterator[Callable[..., Program]]:
    running: list[Program] = []

    def start(file_bytes: int | None = None) -> Program:
        running.append(Program(house, file_bytes))
        running[-1].wait()
        return running[-1]

    house.write_card(house.card(today(SystemClock())))
    yield start
    for each in running:
        if each.process.poll() is None:
            each.end()


def test_memory_does_not_grow_with_what_is_sent(
    house: House, program: Callable[..., Program]
) -> None:
    running = program()
    for _ in range(3):
        assert running.give(os.urandom(MEGABYTE)) == 200
    before = running.peak_bytes()
    film = os.urandom(64 * MEGABYTE)
    assert running.give(film) == 200
    assert running.peak_bytes() - before <= 16 * MEGABYTE
    digests = {
        item.content.sha256
        for folder in house.places.received.iterdir()
        for item in opened(folder, house.identity, house.keys.public).items
        if item.content is not None
    }
    assert hashlib.sha256(film).hexdigest() in digests
    assert running.end() == 0


def send_half(running: Program) -> None:
    """Send most of a large form, so that a part of it lies sealed on the disk."""
    whole = body(running.token(), file("a", b"A"), file("film.mp4", os.urandom(8 * MEGABYTE)))
    path = running.home / "portal.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(str(path))
        head = f"POST /en/give HTTP/1.1\r\nHost: x\r\nContent-Type: {CONTENT_TYPE}\r\n"
        connection.sendall(f"{head}Content-Length: {len(whole)}\r\n\r\n".encode() + whole[:-9])
        while not running.is_holding():
            time.sleep(0.05)
        running.end(signal.SIGKILL)


@pytest.mark.threat("T-06")
def test_a_kill_in_the_middle_leaves_nothing_after_the_next_start(
    house: House, program: Callable[..., Program]
) -> None:
    running = program()
    assert running.give(b"kept") == 200
    send_half(running)
    kept = {path.name for path in house.places.received.iterdir()}
    again = program()
    assert list(house.places.receiving.iterdir()) == []
    assert {path.name for path in house.places.received.iterdir()} == kept
    assert again.give(b"more") == 200


def test_a_full_disk_is_a_page_and_leaves_nothing(
    house: House, program: Callable[..., Program]
) -> None:
    running = program(file_bytes=4 * MEGABYTE)
    assert running.give(os.urandom(6 * MEGABYTE)) == 507
    assert house.left == set()
    assert running.give(os.urandom(MEGABYTE)) == 200


def run(tmp_path: Path, word: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.defpath, "AMANA_DATA_DIRECTORY": str(tmp_path), "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        [sys.executable, "-c", RUN, word],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_init_sets_up_and_says_what_is_missing_and_changes_nothing_the_second_time(
    tmp_path: Path,
) -> None:
    first = run(tmp_path, "init")
    assert first.returncode == 0
    assert "+" in first.stdout
    assert "witness-card.note" in first.stdout
    kept = {path: path.read_bytes() for path in tmp_path.rglob("portal.keys")}
    assert run(tmp_path, "init").stdout == first.stdout
    assert {path: path.read_bytes() for path in kept} == kept
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.rglob("*"))


def test_serve_refuses_what_was_not_set_up(tmp_path: Path) -> None:
    done = run(tmp_path, "serve")
    assert done.returncode != 0
    assert "KeysError" in done.stderr


def test_a_second_portal_on_the_same_folders_is_refused(
    house: House, program: Callable[..., Program]
) -> None:
    running = program()
    done = run(house.settings.data_directory, "serve")
    assert done.returncode == ExitCode.REFUSED
    assert done.stdout.endswith(" already-served\n")
    assert running.give(b"still served") == 200
