"""The files for an installation agree with the program and with each other, and none is lax."""

import pathlib
import re
import shlex
import tomllib
from collections.abc import Mapping

import pytest

from amana.exitcodes import ExitCode
from amana.up.table import BUILT_IN

FOLDER = pathlib.Path(__file__).resolve().parent.parent.parent / "deploy"
UNITS = sorted((FOLDER / "systemd").glob("*.service"))
TORRCS = sorted((FOLDER / "tor").glob("*.torrc"))

# What every unit says, systemd.exec(5).
EVERYWHERE: Mapping[str, str] = {
    "UMask": "0077",
    "LimitCORE": "0",
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "AmbientCapabilities": "",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "ProtectProc": "invisible",
    "ProtectKernelTunables": "yes",
    "ProtectKernelModules": "yes",
    "ProtectControlGroups": "yes",
    "LockPersonality": "yes",
    "RestrictSUIDSGID": "yes",
    "SystemCallArchitectures": "native",
    "StateDirectoryMode": "0700",
    "RestartPreventExitStatus": str(ExitCode.REFUSED.value),
    "IPAddressDeny": "any",
}
# So that what is freed is overwritten at once: mallopt(3), M_PERTURB.
WIPING = "MALLOC_PERTURB_=165 PYTHONMALLOC=malloc PYTHONDONTWRITEBYTECODE=1"
# What everyone says but the quarantine, which starts a scanner and a sandbox of its own.
CONFINED: Mapping[str, str] = {
    "PrivateNetwork": "yes",
    "PrivateUsers": "yes",
    "MemoryDenyWriteExecute": "yes",
    "RestrictNamespaces": "yes",
    "RestrictAddressFamilies": "AF_UNIX",
}
LAX = {"amana-worker"}


def settings(unit: pathlib.Path) -> dict[str, list[str]]:
    """Every setting of a unit, as often as it is said."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text().replace("\\\n", " ").splitlines():
        if line and line[0] not in "#[":
            name, equals, value = line.partition("=")
            assert equals, line
            found.setdefault(name, []).append(value)
    return found


def options(torrc: pathlib.Path) -> list[tuple[str, str]]:
    lines = [line for line in torrc.read_text().splitlines() if line and not line.startswith("#")]
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in lines]


def test_there_is_a_unit_for_each_program_that_stays(root: pathlib.Path) -> None:
    """The built-in table of `amana up` and these files start the same programs."""
    started = {
        tuple(shlex.split(line)[1:3]) for unit in UNITS for line in settings(unit)["ExecStart"]
    }
    assert started == {row.words[:2] for row in BUILT_IN}
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert {word for word, _ in started} <= project["entry-points"]["amana.commands"].keys()


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_no_unit_leaves_out_what_holds_it(unit: pathlib.Path) -> None:
    said = settings(unit)
    wanted = {**EVERYWHERE, **({} if unit.stem in LAX else CONFINED)}
    assert {name: said[name][-1] for name in wanted} == wanted
    assert WIPING in said["Environment"]
    assert said["User"] != ["root"]
    assert said["SystemCallFilter"][0].startswith("@system-service")
    assert any(value.startswith("~") for value in said["SystemCallFilter"])


def test_only_the_quarantine_has_a_network_and_of_it_only_this_machine() -> None:
    (unit,) = (each for each in UNITS if each.stem in LAX)
    said = settings(unit)
    assert said["IPAddressAllow"] == ["localhost"]
    assert said["RestrictAddressFamilies"] == ["AF_UNIX AF_INET AF_NETLINK"]


def test_the_key_agent_may_lock_its_memory() -> None:
    (unit,) = (each for each in UNITS if each.stem == "amana-keys")
    assert settings(unit)["LimitMEMLOCK"] == ["infinity"]


def test_tor_reaches_a_socket_that_a_unit_has_a_folder_for() -> None:
    folders = {
        f"/run/{name}" for unit in UNITS for name in settings(unit).get("RuntimeDirectory", [])
    }
    ports = [
        value for torrc in TORRCS for name, value in options(torrc) if name == "HiddenServicePort"
    ]
    assert len(ports) == 3
    for port in ports:
        found = re.fullmatch(r"80 unix:(/run/[a-z-]+)/[a-z]+\.sock", port)
        assert found is not None, port
        assert found[1] in folders


@pytest.mark.parametrize("torrc", TORRCS, ids=lambda path: path.stem)
def test_no_tor_is_a_relay_or_an_open_proxy_or_keeps_a_log(torrc: pathlib.Path) -> None:
    said = dict(options(torrc))
    assert said.get("ORPort") is None
    assert said["SafeLogging"] == "1"
    assert said["Log"] == "warn syslog"
    assert said.get("SocksPort", "0").split()[0] in {"0", "127.0.0.1:9050"}
    # The portal's server answers 400 to what this option puts before a request.
    assert "HiddenServiceExportCircuitID" not in said


def test_visitors_pay_for_circuits_under_load() -> None:
    (torrc,) = (each for each in TORRCS if each.stem == "portal")
    said = options(torrc)
    services = [value for name, value in said if name == "HiddenServiceDir"]
    paying = [value for name, value in said if name == "HiddenServicePoWDefensesEnabled"]
    assert paying == ["1"] * len(services)
