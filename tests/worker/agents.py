"""A key store at the least cost, and a real key agent over it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from crypto.private.keyfile import LEAST_MEMORY_BYTES, Cost
from crypto.private.keystore import KeyStore
from worker.agent_client import AgentClient
from worker.agent_messages import OfficerName
from worker.agent_places import GROUPS, KeyPlaces

QUICK = Cost(memory_bytes=LEAST_MEMORY_BYTES, operations=1)
OFFICER = OfficerName("registrar")
PHRASE = "olive basket morning river"
READY_SECONDS = 30.0


def make_store(data: Path) -> KeyStore:
    places = KeyPlaces(data_directory=data)
    places.home.mkdir(mode=0o700, parents=True)
    return KeyStore.create(
        places.keys,
        places.tombstones,
        groups=GROUPS,
        officer=OFFICER,
        passphrase=PHRASE,
        cost=QUICK,
    )


class Running:
    """An agent that runs, and whoever asks it."""

    def __init__(self, process: "subprocess.Popen[str]", places: KeyPlaces) -> None:
        self.process = process
        self.places = places
        self.client = AgentClient(places.socket)

    def unlock(self) -> None:
        self.client.unlock(OFFICER, PHRASE)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def status_of(self, name: str) -> str:
        """One line of /proc/PID/status."""
        text = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        return next(line for line in text.splitlines() if line.startswith(f"{name}:"))


@contextmanager
def running(data: Path, words: Sequence[str] = ()) -> Iterator[Running]:
    """Start `amana key agent` over a data directory, and stop it at the end."""
    environment = {**os.environ, "AMANA_DATA_DIRECTORY": str(data)}
    process = subprocess.Popen(
        [sys.executable, "-m", "amana.cli", "key", "agent", *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        if process.stdout is None or not process.stdout.readline():
            process.wait()
            raise AssertionError(process.stderr.read() if process.stderr else "")
        yield Running(process, KeyPlaces(data_directory=data))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(READY_SECONDS)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def wait_until_locked(agent: Running) -> None:
    until = time.monotonic() + READY_SECONDS
    while not agent.client.status().is_locked:
        assert time.monotonic() < until
        time.sleep(0.01)
