"""Holds each package to its least branch coverage: `[tool.amana.coverage]` in pyproject.toml.

python scripts/coverage_gates.py build/coverage.json
"""

import json
import pathlib
import sys
import tomllib
from collections.abc import Mapping

ROOT = pathlib.Path(__file__).resolve().parent.parent


def percentages(
    report: Mapping[str, Mapping[str, Mapping[str, Mapping[str, int]]]],
) -> dict[str, float]:
    """Return, for each package, how much of its lines and branches ran, in percent."""
    ran: dict[str, int] = {}
    there: dict[str, int] = {}
    for path, file in report["files"].items():
        package = pathlib.PurePosixPath(path).parts[0]
        summary = file["summary"]
        ran[package] = ran.get(package, 0) + summary["covered_lines"] + summary["covered_branches"]
        there[package] = there.get(package, 0) + summary["num_statements"] + summary["num_branches"]
    return {package: 100 * ran[package] / count for package, count in there.items() if count}


def main() -> int:
    """Print a line per package; return 1 if one is under its gate."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    gates: dict[str, float] = project["tool"]["amana"]["coverage"]
    found = percentages(json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")))
    under = 0
    for package, percent in sorted(found.items()):
        gate = gates.get(package, 0)
        is_under = percent < gate
        under += is_under
        print(f"{package:<12}{percent:6.1f} %   gate {gate} %{'   UNDER' if is_under else ''}")
    return 1 if under else 0


if __name__ == "__main__":
    sys.exit(main())
