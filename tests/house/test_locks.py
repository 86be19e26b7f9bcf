"""What is installed is named, hashed, and asked of no particular host."""

import json
import pathlib
import re
import tomllib
from collections.abc import Iterator

import pytest

from deploy import wheels

LOCKED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)( ; [^\\]+)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")
LOCKS = ("setup", "run", "dev", *wheels.ZONES)
pytestmark = pytest.mark.threat("T-18")


def locked(root: pathlib.Path, name: str) -> dict[str, str]:
    text = (root / "requirements" / f"{name}.lock").read_text()
    return {m[1]: m[2] for line in text.splitlines() if (m := LOCKED.match(line))}


def extras(root: pathlib.Path) -> dict[str, list[str]]:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    lines: dict[str, list[str]] = project["optional-dependencies"]
    return lines


def names(requirements: list[str]) -> Iterator[str]:
    for requirement in requirements:
        yield re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower()


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_pinned_names_and_hashes_and_nothing_else(
    root: pathlib.Path, name: str
) -> None:
    lines = (root / "requirements" / f"{name}.lock").read_text().splitlines()
    assert lines
    for line in lines:
        assert LOCKED.match(line) or HASH.match(line), line


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_every_direct_dependency(root: pathlib.Path, name: str) -> None:
    wanted = set(names(wheels.dependencies(extras(root), name)))
    assert wanted
    assert wanted <= locked(root, name).keys()


@pytest.mark.parametrize("name", LOCKS)
def test_every_lock_agrees_with_the_one_that_is_tested(root: pathlib.Path, name: str) -> None:
    everything = locked(root, "dev")
    for package, version in locked(root, name).items():
        assert everything[package] == version


def test_the_build_tools_are_locked_too(root: pathlib.Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())
    assert set(names(project["build-system"]["requires"])) <= locked(root, "run").keys()


def test_the_node_lock_has_a_digest_for_everything_and_no_address(root: pathlib.Path) -> None:
    text = (root / "tests" / "js" / "package-lock.json").read_text()
    packages = json.loads(text)["packages"]
    assert len(packages) > 1
    assert all(about["integrity"] for path, about in packages.items() if path)
    assert "://" not in text


def test_every_direct_dependency_is_justified(root: pathlib.Path) -> None:
    """docs/dependencies.md has a row for each: `| package | why | …`; a row may name several."""
    page = (root / "docs" / "dependencies.md").read_text()
    cells = re.findall(r"^\| ([^|]+) \|", page, re.MULTILINE)
    justified = {name for cell in cells for name in re.split(r"[ ,]+", cell.lower())}
    direct = {name for lines in extras(root).values() for name in names(lines)} - {"amana"}
    node = json.loads((root / "tests" / "js" / "package.json").read_text())["dependencies"]
    assert direct | node.keys() <= justified
