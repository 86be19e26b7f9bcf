"""The hand-made situations come out as a person decided them."""

import pytest

from terms.evaluate import evaluate
from tests.terms.situations import Case, load_cases

CASES = load_cases()


@pytest.mark.parametrize("case", CASES, ids=[case.situation for case in CASES])
def test_a_situation_is_decided_as_a_person_decided_it(case: Case) -> None:
    evaluation = evaluate(terms=case.terms, facts=case.facts, approvals=case.approvals)

    reasons = frozenset(f"{_.layer_kind}/{_.rule_uid}" for _ in evaluation.because)
    assert (evaluation.decision, reasons) == (case.decision, case.because)
    assert case.missing <= evaluation.missing_facts
    assert case.duties is None or evaluation.duties == case.duties


def test_there_are_enough_situations_and_all_differ() -> None:
    assert len({case.situation for case in CASES}) == len(CASES) >= 40
