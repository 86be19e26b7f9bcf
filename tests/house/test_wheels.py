"""Each zone's wheel holds that zone and runs alone, in an environment of its own."""

import json
import os
import pathlib
import subprocess
import sys
import tomllib
import venv
import zipfile
from collections.abc import Mapping

import pytest

from deploy import wheels
from scripts import setup

# Beyond its own: what must be neither in a zone's wheel nor anywhere in its environment.
FORBIDDEN: Mapping[str, set[str]] = {
    "portal": {
        "amana.link",
        "crypto.private",
        "crypto.rewrap",
        "gnupg",
        "httpx",
        "clamd",
        "client",
        "worker",
        "repository",
    },
    "client": {"amana.store", "crypto.rewrap", "sqlalchemy", "portal", "worker", "repository"},
    "worker": {"portal", "client", "repository"},
    "repository": {
        *("crypto.private", "crypto.rewrap", "amana.link", "amana.store", "httpx", "sqlalchemy"),
        *("portal", "client", "worker"),
    },
}
LOADS = """
import importlib, importlib.util, json, pkgutil, sys
zone, templates, forbidden = json.loads(sys.argv[1])
for package in (zone, "amana", "crypto", "terms"):
    path = importlib.import_module(package).__path__
    for found in pkgutil.walk_packages(path, package + "."):
        # Alembic runs these itself, inside a migration.
        if not {"migrations", "versions"} & set(found.name.split(".")):
            importlib.import_module(found.name)
from amana import i18n, resources
if templates:
    assert b"<html" in resources.read(resources.Kind.TEMPLATES, "shared/base.html")
assert i18n.Speaker(i18n.Language.AR).language == "ar"

def findable(name):
    parent = name.rpartition(".")[0]
    if parent and not findable(parent):
        return False
    return importlib.util.find_spec(name) is not None

print(json.dumps([sorted(sys.modules), [name for name in forbidden if findable(name)]]))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, pathlib.Path]:
    root = pathlib.Path(__file__).resolve().parent.parent.parent
    target = tmp_path_factory.mktemp("wheels")
    return {zone: wheels.build(root, zone, target) for zone in wheels.ZONES}


def install(wheel: pathlib.Path, lock: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """Make an environment from the zone's lock and wheel; return its folder of programs."""
    venv.create(folder, with_pip=False, symlinks=True)
    programs = folder / "bin"
    uv = str(pathlib.Path(sys.executable).parent / "uv")
    begin = [uv, "pip", "install", "--quiet", "--python", str(programs / "python")]
    locked = [*begin, "--require-hashes", "--no-deps", "-r", str(lock)]
    environment = setup.uv_environment([sys.executable, "-m", "pip"])
    # What `make setup` installed lies in the cache; a machine without that cache asks its index.
    if subprocess.run([*locked, "--offline"], capture_output=True, check=False).returncode:
        subprocess.run(locked, env=environment, check=True)
    subprocess.run([*begin, "--offline", "--no-deps", str(wheel)], check=True)
    return programs


@pytest.mark.threat("T-15")
@pytest.mark.parametrize("zone", wheels.ZONES)
def test_a_zone_runs_from_its_wheel_and_lock_alone(
    zone: str, built: Mapping[str, pathlib.Path], root: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    programs = install(built[zone], root / "requirements" / f"{zone}.lock", tmp_path / "venv")
    templates = bool(wheels.ZONES[zone].templates)
    arguments = json.dumps([zone, templates, sorted(FORBIDDEN[zone])])
    python = str(programs / "python")
    done = subprocess.run(
        [python, "-I", "-c", LOADS, arguments],
        cwd=tmp_path,
        env={"PATH": os.defpath},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    loaded, findable = json.loads(done.stdout)
    assert zone in loaded
    assert findable == []
    assert not FORBIDDEN[zone] & set(loaded)
    uv = str(pathlib.Path(sys.executable).parent / "uv")
    subprocess.run([uv, "pip", "check", "--quiet", "--python", python], check=True)


@pytest.mark.parametrize("zone", wheels.ZONES)
def test_a_wheel_holds_its_zone_and_the_shared_packages(
    zone: str, built: Mapping[str, pathlib.Path]
) -> None:
    names = zipfile.ZipFile(built[zone]).namelist()
    tops = {name.partition("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == {zone, "amana", "crypto", "terms"}
    for path in wheels.ZONES[zone].without:
        assert not [name for name in names if name.startswith(path)]
    assert "amana/locale/ar/LC_MESSAGES/amana.mo" in names
    assert [name for name in names if name.endswith("licenses/LICENSE")]


@pytest.mark.threat("T-18")
def test_the_portal_wheel_names_no_reader_of_clear_files(
    built: Mapping[str, pathlib.Path], root: pathlib.Path
) -> None:
    with zipfile.ZipFile(built["portal"]) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        told = archive.read(metadata).decode("utf-8").lower()
    assert "requires-dist: cryptography" in told
    locked = (root / "requirements" / "portal.lock").read_text()
    for name in ("gnupg", "clamd", "libarchive", "yara"):
        assert f"requires-dist: {name}" not in told
        assert name not in locked


def test_every_command_is_in_exactly_one_zone_or_in_all(
    built: Mapping[str, pathlib.Path], root: pathlib.Path
) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())
    words = set(project["project"]["entry-points"]["amana.commands"])
    places: dict[str, list[str]] = {word: [] for word in words}
    for zone, wheel in built.items():
        with zipfile.ZipFile(wheel) as archive:
            (name,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
            points = archive.read(name).decode("utf-8")
        assert "amana = amana.cli:main" in points
        for line in points.partition("[amana.commands]")[2].splitlines():
            if line:
                places[line.partition(" ")[0]].append(zone)
    assert {len(zones) for zones in places.values()} <= {1, len(wheels.ZONES)}


def test_a_wheel_built_twice_is_the_same_bytes(
    built: Mapping[str, pathlib.Path], root: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    again = wheels.build(root, "portal", tmp_path)
    assert again.read_bytes() == built["portal"].read_bytes()
