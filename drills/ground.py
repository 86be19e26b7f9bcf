"""A place of its own for a drill: free ports, a scratch folder in memory, by environment."""

import os
import shutil
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Final

from worker.tmpfs import file_system_of

_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of our own in it, and a tmpfs
_NAME_BYTES: Final = 6


@contextmanager
def ground() -> Iterator[Mapping[str, str]]:
    """Give the environment for one deployment beside others; its scratch folder goes at the end."""
    scratch = _MEMORY / f"amana-drill-{token_hex(_NAME_BYTES)}"
    if file_system_of(_MEMORY) != "tmpfs":
        raise OSError(f"{_MEMORY} is not in memory")
    front, back = _free_ports(2)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AMANA_")}
    try:
        yield {
            **kept,
            "AMANA_PORTAL_LISTEN": f"127.0.0.1:{front}",
            "AMANA_PORTAL_PULL_LISTEN": f"127.0.0.1:{back}",
            "AMANA_WORKER_PORTAL_URL": f"http://127.0.0.1:{back}",
            "AMANA_WORKER_SCRATCH": str(scratch),
            # What Python keeps of its own sources is nobody's material.
            "PYTHONDONTWRITEBYTECODE": "1",
        }
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def end_in_order() -> None:
    """Have SIGTERM end the drill as an exception would, so that what it started ends with it."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
