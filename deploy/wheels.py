"""Builds one wheel per zone, all cut from the one pyproject.toml: `make wheels`.

An extra chooses dependencies, not code; so what a zone must not have is not in its wheel at all.
A wheel `amana-ZONE` holds that zone, the shared packages less what ZONES takes out of them, and the
templates of that zone. It carries the dependencies of the extra of its name and those entry points
whose module it holds. Nothing is fetched: hatchling runs in this interpreter.
"""

import dataclasses
import pathlib
import sys
import tomllib
from collections.abc import Mapping, Sequence
from typing import Final

from hatchling.builders.wheel import WheelBuilder

_SHARED: Final = ("amana", "crypto", "terms")
_SELF: Final = "amana["


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """What one zone's wheel leaves out and takes along."""

    without: tuple[str, ...]  # paths from the root, of packages or modules
    templates: tuple[str, ...]  # folders below templates/
    static: bool  # whether it serves pages


# Only the quarantine hands objects from one key to another; only it and a provider's own machine
# keep private keys; only it and the portal have a database; only the portal has pages. Portal and
# repository connect to nobody: they are asked.
ZONES: Final[Mapping[str, Zone]] = {
    "portal": Zone(
        without=("amana/link", "crypto/private", "crypto/rewrap.py"),
        templates=("shared", "portal"),
        static=True,
    ),
    "client": Zone(
        without=("amana/store", "amana/web", "crypto/rewrap.py"),
        templates=(),
        static=False,
    ),
    "worker": Zone(without=("amana/web",), templates=(), static=False),
    "repository": Zone(
        without=(
            *("amana/link", "amana/store", "amana/web"),
            *("crypto/private", "crypto/rewrap.py"),
        ),
        templates=(),
        static=False,
    ),
}


class WheelError(Exception):
    """pyproject.toml does not say what a zone's wheel needs to know."""


def build(root: pathlib.Path, zone: str, target: pathlib.Path) -> pathlib.Path:
    """Build the wheel of one zone into the folder `target` and return its path."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    builder = WheelBuilder(str(root), config=configuration(project, root, zone))
    (wheel,) = builder.build(directory=str(target), versions=["standard"])
    return pathlib.Path(wheel)


def configuration(
    project: Mapping[str, object], root: pathlib.Path, zone: str
) -> dict[str, object]:
    """Return the pyproject that this zone would have if it were a project of its own."""
    about = _table(project, "project")
    extras = {
        name: _strings(lines) for name, lines in _table(about, "optional-dependencies").items()
    }
    cut = {key: about[key] for key in about.keys() - {"optional-dependencies", "entry-points"}}
    cut |= {
        "name": f"amana-{zone}",
        "dependencies": dependencies(extras, zone),
        "entry-points": {
            group: _entry_points(points, zone)
            for group, points in _table(about, "entry-points").items()
        },
    }
    hook = _table(project, "tool", "hatch", "build", "targets", "wheel", "hooks")
    wheel = {
        "hooks": hook,
        "only-include": [zone, *_SHARED],
        "exclude": [f"/{path}" for path in ZONES[zone].without],
        "force-include": _resources(root, ZONES[zone]),
    }
    return {"project": cut, "tool": {"hatch": {"build": {"targets": {"wheel": wheel}}}}}


def dependencies(extras: Mapping[str, Sequence[str]], extra: str) -> list[str]:
    """Return what an extra needs from outside, its references to other extras followed."""
    found: set[str] = set()
    for line in extras[extra]:
        if line.startswith(_SELF):
            for inner in line.removeprefix(_SELF).removesuffix("]").split(","):
                found |= set(dependencies(extras, inner.strip()))
        else:
            found.add(line)
    return sorted(found)


def _entry_points(points: object, zone: str) -> dict[str, str]:
    if not isinstance(points, dict):
        raise WheelError("an entry-point group is a table")
    held = {zone, *_SHARED}
    return {word: place for word, place in points.items() if place.partition(".")[0] in held}


def _resources(root: pathlib.Path, zone: Zone) -> dict[str, str]:
    wanted = [f"templates/{folder}" for folder in zone.templates]
    wanted += ["static"] if zone.static else []
    return {path: f"amana/{path}" for path in wanted if (root / path).is_dir()}


def _table(table: object, *keys: str) -> dict[str, object]:
    for key in keys:
        if not isinstance(table, dict) or key not in table:
            raise WheelError(f"pyproject.toml has no {key}")
        table = table[key]
    if not isinstance(table, dict):
        raise WheelError("pyproject.toml holds no table there")
    return table


def _strings(lines: object) -> list[str]:
    if not isinstance(lines, list):
        raise WheelError("an extra is a list of strings")
    return [str(line) for line in lines]


def main() -> int:
    """Build all the wheels into dist/, or into the folder named."""
    root = pathlib.Path(__file__).resolve().parent.parent
    target = pathlib.Path(sys.argv[1]) if sys.argv[1:] else root / "dist"
    for zone in ZONES:
        print(build(root, zone, target))
    return 0


if __name__ == "__main__":
    sys.exit(main())
