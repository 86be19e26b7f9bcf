"""The published vectors: what the chapter promises to every other reader."""

import json
from typing import cast

import pytest

from terms.approval import Approval
from terms.errors import TermsError
from terms.evaluate import evaluate
from terms.facts import Facts
from terms.layer import Terms
from terms.plain import JsonValue, from_json, to_json
from tests.terms.oracle import ApprovalForm, Fact, LayerForm, decide
from tests.terms.records import RECORDS
from tests.vectors.make_terms import FOLDER, files
from tests.vectors.tables import counted, stated

KINDS = {type(record).__name__: type(record) for record in RECORDS}
Form = dict[str, JsonValue]


def load(name: str) -> JsonValue:
    return cast("JsonValue", json.loads((FOLDER / name).read_text(encoding="utf-8")))


def vectors(name: str) -> list[Form]:
    return cast("list[Form]", load(f"{name}.json"))


def named(table: str, names: JsonValue) -> list[JsonValue]:
    forms = cast("Form", load(table))
    return [forms[name] for name in cast("list[str]", names)]


def test_the_maker_makes_the_committed_vectors() -> None:
    assert files() == {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}


def test_every_evaluation_vector_is_answered_in_full() -> None:
    for vector in vectors("evaluate"):
        form: JsonValue = {
            "format": Terms.FORMAT,
            "layers": named("layers.json", vector["layers"]),
            "consent_exempt_reason": vector["consent_exempt_reason"],
        }
        answers = named("approvals.json", vector["approvals"])
        evaluation = evaluate(
            terms=from_json(Terms, form),
            facts=from_json(Facts, vector["facts"]),
            approvals=[from_json(Approval, answer) for answer in answers],
        )
        assert to_json(evaluation) == vector["evaluation"]


def test_the_second_reader_decides_every_evaluation_vector_alike() -> None:
    for vector in vectors("evaluate"):
        decision = decide(
            {
                "layers": cast("list[LayerForm]", named("layers.json", vector["layers"])),
                "consent_exempt_reason": cast("str | None", vector["consent_exempt_reason"]),
            },
            cast("dict[str, Fact]", vector["facts"]),
            cast("list[ApprovalForm]", named("approvals.json", vector["approvals"])),
        )
        assert decision == cast("Form", vector["evaluation"])["decision"]


def test_every_record_vector_is_read_and_written_back() -> None:
    for vector in vectors("records"):
        kind: type[object] = KINDS[cast("str", vector["record"])]
        assert to_json(from_json(kind, vector["form"])) == vector["form"]


@pytest.mark.threat("T-13")
def test_every_refused_vector_is_refused() -> None:
    for vector in vectors("refused"):
        kind: type[object] = KINDS[cast("str", vector["record"])]
        with pytest.raises(TermsError):
            from_json(kind, vector["form"])


def test_the_chapter_counts_its_vectors_rightly() -> None:
    decisions = (cast("Form", vector["evaluation"])["decision"] for vector in vectors("evaluate"))
    pairs = [("evaluation", cast("str", decision)) for decision in decisions]
    pairs += [("record", "accepted") for _ in vectors("records")]
    pairs += [("record", "refused") for _ in vectors("refused")]
    assert stated("13-terms.md") == counted(pairs)
