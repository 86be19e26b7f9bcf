"""The operator's guide names every finding of the doctors, and each unit."""

import pathlib
import re

from amana.machine import MachineFinding
from portal.doctor import PortalFinding
from worker.doctor import WorkerFinding

CODE = re.compile(r"`([a-z-]+)`")


def guide(root: pathlib.Path) -> str:
    return (root / "docs" / "guides" / "operator.md").read_text()


def rows(text: str, heading: str) -> list[str]:
    _, _, after = text.partition(heading)
    table = after.partition("|---")[2].partition("\n\n")[0]
    return table.splitlines()[1:]


def test_every_finding_stands_in_the_table_once(root: pathlib.Path) -> None:
    named = [code for row in rows(guide(root), "\n| code |") for code in CODE.findall(row)]
    known = {str(each) for kind in (MachineFinding, PortalFinding, WorkerFinding) for each in kind}
    assert sorted(named) == sorted(known)


def test_every_unit_stands_in_the_table(root: pathlib.Path) -> None:
    named = [CODE.findall(row)[0] for row in rows(guide(root), "\n| unit |")]
    units = [path.stem for path in (root / "deploy" / "systemd").glob("*.service")]
    assert sorted(named) == sorted(units)
