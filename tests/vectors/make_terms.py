"""Make tests/vectors/terms/: `python tests/vectors/make_terms.py`. The same bytes every time.

layers.json and approvals.json hold the forms that evaluate.json names, records.json one form of
each record, refused.json forms that are almost records, each with its defect.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from terms.evaluate import evaluate
from terms.plain import JsonValue, to_json
from tests.terms.records import AMENDMENT, RECORDS
from tests.terms.situations import load_cases
from tests.terms.world import APPROVALS, CHILD, GUARDED, LAYERS, USUAL, YES_EVIDENCE

FOLDER = Path(__file__).with_name("terms")

Form = dict[str, JsonValue]


def evaluations() -> list[JsonValue]:
    """Give one vector per hand-made case, with the whole answer."""
    return [
        {
            "situation": case.situation,
            "layers": list(case.layer_names),
            "consent_exempt_reason": to_json(case.terms.consent_exempt_reason),
            "facts": to_json(case.facts),
            "approvals": list(case.approval_names),
            "evaluation": to_json(
                evaluate(terms=case.terms, facts=case.facts, approvals=case.approvals),
            ),
        }
        for case in load_cases()
    ]


def records() -> list[JsonValue]:
    """Give one form of each kind of record."""
    return [{"record": type(record).__name__, "form": to_json(record)} for record in RECORDS]


def refused() -> list[JsonValue]:
    """Give forms that no reader may take for a record."""
    return [{"record": name, "defect": defect, "form": form} for name, defect, form in _defects()]


def _form(record: object) -> Form:
    form = to_json(record)
    if not isinstance(form, dict):
        raise TypeError
    return form


def _defects() -> Iterator[tuple[str, str, JsonValue]]:
    changes: list[tuple[str, Callable[[Form], JsonValue]]] = [
        ("a field too many", lambda form: form | {"religion": None}),
        ("a field missing", lambda form: {k: v for k, v in form.items() if k != "country"}),
        ("another version", lambda form: form | {"format": "amana/terms-facts/v2"}),
        ("no version", lambda form: {k: v for k, v in form.items() if k != "format"}),
        ("an unknown word", lambda form: form | {"action": "sell"}),
        ("unknown written as a word", lambda form: form | {"death_penalty": "UNKNOWN"}),
        ("a word in small letters", lambda form: form | {"death_penalty": "no"}),
        ("a week date", lambda form: form | {"date": "2026-W01-1"}),
        ("a date without hyphens", lambda form: form | {"date": "20260101"}),
        ("a day that is none", lambda form: form | {"date": "2026-02-30"}),
        ("a time for a day", lambda form: form | {"date": "2026-01-01T00:00:00Z"}),
        ("a country in small letters", lambda form: form | {"country": "de"}),
        ("a name with a space", lambda form: form | {"item": "item 1"}),
        ("an empty name", lambda form: form | {"item": ""}),
        ("a name of 129 characters", lambda form: form | {"item": "a" * 129}),
        ("a text for a set", lambda form: form | {"undertakings": "LEAD_ONLY"}),
        ("a set twice", lambda form: form | {"undertakings": ["LEAD_ONLY", "LEAD_ONLY"]}),
        (
            "a set out of order",
            lambda form: form | {"undertakings": ["NO_PUBLICATION", "LEAD_ONLY"]},
        ),
        ("a list for a record", lambda form: [form]),
        ("nothing for a record", lambda _: None),
    ]
    for defect, change in changes:
        yield "Facts", defect, change(_form(USUAL))
    layer = LAYERS["batch_embargo"]
    yield from (
        ("Terms", defect, _form_of_terms(form))
        for defect, form in (
            ("the mandate carried", _form(layer) | {"kind": "mandate"}),
            ("a version below zero", _form(layer) | {"version": -1}),
            ("a version that is true", _form(layer) | {"version": True}),
            ("a version beyond I-JSON", _form(layer) | {"version": 2**53}),
            ("two rules of one name", _form(layer) | _twice(layer)),
        )
    )
    yield "Terms", "one version of a layer twice", _form_of_terms(_form(layer), _form(layer))
    freeze = _form(LAYERS["freeze"])
    yield "Terms", "a freeze that stops nothing", _form_of_terms(freeze | {"rules": []})
    yield "Terms", "a freeze that ends", _form_of_terms(freeze | {"valid_to": "2027-01-01"})
    guarded = _form(CHILD) | {"informed": to_json(GUARDED), "valid_to": None}
    yield "ConsentRecord", "a child's consent without end", guarded
    amended = _form(AMENDMENT)["to_sha256"]
    yield "Amendment", "a version for its amendment", _form(AMENDMENT) | {"source_sha256": amended}
    approval = _form(YES_EVIDENCE)
    yield "Approval", "a court that sits nowhere", approval | {"country": None}
    yield "Approval", "a public with a country", approval | {"recipient_kind": "PUBLIC"}
    yield "Approval", "an approval for no item", approval | {"items": []}
    yield "Approval", "an approval for no act", approval | {"actions": []}


def _form_of_terms(*layers: Form) -> Form:
    return {"format": "amana/terms/v1", "layers": [*layers], "consent_exempt_reason": None}


def _twice(layer: object) -> Form:
    rules = _form(layer)["rules"]
    return {"rules": [*rules, *rules]} if isinstance(rules, list) else {}


def files() -> dict[str, str]:
    """Give the text of every file by its name."""
    contents: dict[str, JsonValue] = {
        "layers.json": {name: to_json(layer) for name, layer in LAYERS.items()},
        "approvals.json": {name: to_json(approval) for name, approval in APPROVALS.items()},
        "evaluate.json": evaluations(),
        "records.json": records(),
        "refused.json": refused(),
    }
    return {
        name: json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        for name, content in contents.items()
    }


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
