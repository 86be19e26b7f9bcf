"""Makes the locks anew: `make locks`. Versions move only with --upgrade.

Every lock is hashed, holds for all platforms and Python versions of the project, and names no
registry: whoever installs decides where from. A zone's lock is a part of dev.lock.
"""

import json
import os
import pathlib
import subprocess
import sys

from scripts import setup

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOLS = pathlib.Path(sys.executable).parent
PARTS = ("setup", "run", "portal", "client", "worker", "repository")
COMMON = (
    *("--universal", "--generate-hashes", "--quiet"),
    *("--no-emit-index-url", "--no-header", "--no-annotate"),
)


def python_locks(more: list[str]) -> None:
    """Write requirements/*.lock from pyproject.toml."""
    compile_lock = [str(TOOLS / "uv"), "pip", "compile", "pyproject.toml", *COMMON]
    everything = "requirements/dev.lock"
    environment = {"UV_SYSTEM_CERTS": "1", **os.environ}

    def write(*command: str) -> None:
        subprocess.run([*compile_lock, *command], cwd=ROOT, env=environment, check=True)

    write("--extra", "dev", "--output-file", everything, *more)
    for part in PARTS:
        target = f"requirements/{part}.lock"
        write("--extra", part, "--constraint", everything, "--output-file", target, *more)


def node_lock() -> None:
    """Write tests/js/package-lock.json, without the addresses that npm puts into it."""
    setup.npm("install", "--package-lock-only")
    path = ROOT / "tests" / "js" / "package-lock.json"
    lock = json.loads(path.read_text(encoding="utf-8"))
    for package in lock["packages"].values():
        package.pop("resolved", None)
        package.pop("funding", None)
    path.write_text(json.dumps(lock, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    python_locks(sys.argv[1:])
    node_lock()
