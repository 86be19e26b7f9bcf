"""What a doctor found is said worst first; production is refused where training is warned."""

import json
from enum import StrEnum

import pytest

from amana.exitcodes import ExitCode
from amana.findings import Finding, Severity, tell
from amana.i18n import Language, Speaker
from amana.machine import MachineFinding
from amana.settings import Deployment

NOTE = Finding(code=MachineFinding.FOLDER_GROUP, severity=Severity.NOTE)
WARNING = Finding(code=MachineFinding.DISK_LOW, severity=Severity.WARNING, values={"megabytes": 7})
DANGER = Finding(code=MachineFinding.SWAP_ON, severity=Severity.DANGER, values={"count": 2})


def told(
    *findings: Finding,
    deployment: Deployment = Deployment.PRODUCTION,
    language: Language = Language.EN,
    as_json: bool = False,
) -> tuple[ExitCode, list[str]]:
    lines: list[str] = []
    speaker = Speaker(language)
    code = tell(findings, deployment, write=lines.append, speaker=speaker, as_json=as_json)
    return code, lines


def test_danger_refuses_production_and_warns_a_rehearsal() -> None:
    code, lines = told(DANGER)
    assert code == ExitCode.REFUSED
    assert lines[0].startswith("DANGER: Swap is on (2 devices)")
    code, lines = told(DANGER, deployment=Deployment.TRAINING)
    assert code == ExitCode.OK
    assert lines[0].startswith("Warning: Swap is on (2 devices)")


def test_a_warning_refuses_nobody() -> None:
    assert told(WARNING, NOTE)[0] == ExitCode.OK


def test_the_worst_is_said_first() -> None:
    _, lines = told(NOTE, WARNING, DANGER)
    assert [line.rpartition("[")[2] for line in lines] == ["swap-on]", "disk-low]", "folder-group]"]


def test_nothing_found_is_said_to_a_person_and_is_nothing_to_a_program() -> None:
    assert told() == (ExitCode.OK, ["Nothing is wrong, as far as this machine can tell."])
    assert told(as_json=True) == (ExitCode.OK, [])


def test_a_program_gets_a_line_of_json_for_each() -> None:
    _, (line,) = told(WARNING, as_json=True)
    assert json.loads(line) == {
        "code": "disk-low",
        "severity": "warning",
        "values": {"megabytes": 7},
    }


@pytest.mark.parametrize("language", [Language.EN, Language.AR])
@pytest.mark.parametrize("code", MachineFinding)
def test_every_finding_has_its_sentence(language: Language, code: StrEnum) -> None:
    assert Speaker(language).knows(f"finding.{code}")
