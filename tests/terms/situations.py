"""The hand-made cases of cases.toml, read into terms, facts, approvals and what is expected."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from terms.approval import Approval
from terms.facts import Facts
from terms.layer import ConsentExemptReason, Terms
from terms.plain import JsonValue, from_json, to_json
from terms.vocabulary import Duty, Effect, Operand
from tests.terms.world import APPROVALS, LAYERS, USUAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    situation: str
    layer_names: tuple[str, ...]
    approval_names: tuple[str, ...]
    terms: Terms
    facts: Facts
    approvals: tuple[Approval, ...]
    decision: Effect
    because: frozenset[str]
    duties: frozenset[Duty] | None
    missing: frozenset[Operand]


def _facts(action: str, changes: dict[str, JsonValue]) -> Facts:
    form = to_json(USUAL)
    assert isinstance(form, dict)
    known = {name: None if value == "?" else value for name, value in changes.items()}
    return from_json(Facts, form | {"action": action} | known)


def load_cases() -> list[Case]:
    text = Path(__file__).with_name("cases.toml").read_text(encoding="utf-8")
    return [
        Case(
            situation=case["situation"],
            layer_names=tuple(case["terms"]),
            approval_names=tuple(case.get("approvals", [])),
            terms=Terms(
                layers=tuple(LAYERS[name] for name in case["terms"]),
                consent_exempt_reason=ConsentExemptReason(case["exempt"])
                if "exempt" in case
                else None,
            ),
            facts=_facts(case["action"], case.get("facts", {})),
            approvals=tuple(APPROVALS[name] for name in case.get("approvals", [])),
            decision=Effect(case["decision"]),
            because=frozenset(case["because"]),
            duties=frozenset(map(Duty, case["duties"])) if "duties" in case else None,
            missing=frozenset(map(Operand, case.get("missing", []))),
        )
        for case in tomllib.loads(text)["case"]
    ]
