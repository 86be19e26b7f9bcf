"""What a doctor found: a code, how bad it is, and a sentence that says what to do.

Every zone's `doctor` gives these and shows them alike. A training deployment is warned where a
production one is refused. No finding holds a name, an address or anything of the material.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum, unique
from typing import TypeAlias

from amana.exitcodes import ExitCode
from amana.i18n import Sentence, Speaker
from amana.settings import Deployment

Values: TypeAlias = Mapping[str, str | int]


@unique
class Severity(IntEnum):
    """How bad it is, the worse the higher.

    NOTE: to be known. WARNING: it will go wrong, or weakens a promise. DANGER: a promise does not
    hold; production is refused.
    """

    NOTE = 1
    WARNING = 2
    DANGER = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a doctor saw. code: a word of the zone's list; its sentence is named by it."""

    code: StrEnum
    severity: Severity
    values: Values = field(default_factory=dict)

    @property
    def sentence(self) -> Sentence:
        """What to tell a person."""
        return Sentence(key=f"finding.{self.code}", values=self.values)

    def severity_in(self, deployment: Deployment) -> Severity:
        """Say how bad it is there: a rehearsal has nothing to lose."""
        if deployment is Deployment.TRAINING:
            return min(self.severity, Severity.WARNING)
        return self.severity


def tell(
    findings: Sequence[Finding],
    deployment: Deployment,
    *,
    write: Callable[[str], object],
    speaker: Speaker,
    as_json: bool = False,
) -> ExitCode:
    """Write one line for each finding, the worst first, and give the exit code of them all.

    write: takes a line without its newline. REFUSED: something dangerous, in production.
    """
    ordered = sorted(findings, key=lambda each: -each.severity_in(deployment))
    for each in ordered:
        write(_line(each, each.severity_in(deployment), None if as_json else speaker))
    if not ordered and not as_json:
        write(speaker.say(Sentence(key="finding.none")))
    is_refused = any(each.severity_in(deployment) is Severity.DANGER for each in ordered)
    return ExitCode.REFUSED if is_refused else ExitCode.OK


def _line(finding: Finding, severity: Severity, speaker: Speaker | None) -> str:
    if speaker is None:
        fields = {
            "code": str(finding.code),
            "severity": severity.name.lower(),
            "values": dict(finding.values),
        }
        return json.dumps(fields, ensure_ascii=True, sort_keys=True)
    word = speaker.say(Sentence(key=f"severity.{severity.name.lower()}"))
    return f"{word} {speaker.say(finding.sentence)} [{finding.code}]"
