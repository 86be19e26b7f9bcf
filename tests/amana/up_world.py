"""Small programs, and a supervisor over them that is a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

# Says that it is there, has a child in a session of its own, and stays until it is told to end.
STAYS = """
import os, signal, subprocess, sys
name, folder, *more = sys.argv[1:]
child = subprocess.Popen(["sleep", "600"], start_new_session=True, stdout=subprocess.DEVNULL)
with open(f"{folder}/{name}.pids", "a") as file:
    file.write(f"{os.getpid()}\\n{child.pid}\\n")
def end(number, frame):
    print(f"{name} ends", flush=True)
    if "orphans" not in more:
        child.kill()
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if "deaf" in more else end)
print(f"{name} is up", flush=True)
while True:
    signal.pause()
"""


def stays(name: str, folder: Path, *more: str) -> dict[str, object]:
    """A program that runs until it is ended. more: `deaf` to SIGTERM; `orphans` that it leaves."""
    script = folder / "stays.py"
    script.write_text(STAYS)
    command = [sys.executable, str(script), name, str(folder), *more]
    return {"name": name, "command": command, "ready_line": f"{name} is up"}


def shell(name: str, script: str, **more: object) -> dict[str, object]:
    """A program of a few words."""
    return {"name": name, "command": ["sh", "-c", script], "ready_line": "is up", **more}


def table(folder: Path, *entries: dict[str, object]) -> Path:
    """Write a table of programs. JSON's strings, numbers and lists are TOML's too."""
    path = folder / "programs.toml"
    lines = [
        line
        for entry in entries
        for line in ("[[program]]", *(f"{key} = {json.dumps(entry[key])}" for key in entry))
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def pids(folder: Path) -> set[int]:
    """Every process of the programs that stay, and their children."""
    return {int(each) for path in folder.glob("*.pids") for each in path.read_text().split()}


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def eventually(claim: Callable[[], bool], seconds: float = 20) -> bool:
    """Tell whether something becomes true in time."""
    deadline = time.monotonic() + seconds
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def nothing_lives(folder: Path) -> bool:
    return eventually(lambda: not any(map(is_alive, pids(folder))))


@dataclass(slots=True)
class Up:
    """`amana up`, running."""

    process: "subprocess.Popen[str]"

    @classmethod
    def start(cls, folder: Path, programs: Path, *options: str) -> Self:
        environment = {**os.environ, "AMANA_DATA_DIRECTORY": str(folder)}
        return cls(
            subprocess.Popen(
                [sys.executable, "-m", "amana.cli", "up", "--programs", str(programs), *options],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )

    def until(self, text: str) -> list[str]:
        """Read lines up to one that holds the text."""
        lines: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            lines.append(line.rstrip("\n"))
            if text in line:
                return lines
        raise AssertionError(lines)

    def tell(self, how: signal.Signals) -> None:
        self.process.send_signal(how)

    def rest(self) -> tuple[int, list[str]]:
        """Wait for the end; give the exit code and what was still written."""
        told, _ = self.process.communicate(timeout=60)
        return self.process.returncode, told.splitlines()
