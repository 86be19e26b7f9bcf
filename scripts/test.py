"""Everything that CI checks, fastest first: `make test`. It stops at the first thing that is wrong.

    python scripts/test.py [--nightly] [PATH …]

With paths, only their tests run, without the gates that need the whole suite.
"""

import pathlib
import subprocess
import sys
import time
from collections.abc import Sequence

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOLS = pathlib.Path(sys.executable).parent
REPORT = "build/coverage.json"
COVERAGE = ("--cov", "--cov-branch", "--cov-report=", f"--cov-report=json:{REPORT}")


def steps(arguments: Sequence[str]) -> dict[str, list[str]]:
    """Return the steps by name, in order: each is a command of this virtual environment."""
    python = str(TOOLS / "python")
    nightly = "--nightly" in arguments
    paths = [argument for argument in arguments if argument != "--nightly"]
    # A file stays on one core: what it starts once, such as a database or clamd, is started once.
    pytest = [python, "-m", "pytest", "-q", "--durations=12", "-n", "2", "--dist", "loadfile"]
    if not nightly:
        pytest += ["-m", "not slow"]
    if paths:
        return {"tests": [python, "-m", "pytest", "-q", *paths]}
    checks = {
        "style": [str(TOOLS / "ruff"), "check"],
        "format": [str(TOOLS / "ruff"), "format", "--check", "--quiet"],
        "types": [str(TOOLS / "mypy")],
        "contracts": [str(TOOLS / "lint-imports"), "--no-cache", "--no-logo"],
    }
    if not nightly:
        # Measuring makes the tests half as long again, which CI has no time for.
        return {**checks, "tests": pytest}
    gates = [python, "scripts/coverage_gates.py", REPORT]
    return {**checks, "tests": [*pytest, *COVERAGE], "coverage": gates}


def main() -> int:
    """Run the steps; return 0, or the exit code of the first that failed."""
    began = time.monotonic()
    for name, command in steps(sys.argv[1:]).items():
        start = time.monotonic()
        code = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=False).returncode
        print(
            f"-- {name}: {'failed' if code else 'ok'}, {time.monotonic() - start:.1f} s", flush=True
        )
        if code:
            return code
    print(f"-- all in {time.monotonic() - began:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
