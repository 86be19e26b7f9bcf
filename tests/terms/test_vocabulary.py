"""The words of the package: what is banned, what is complete, what is never told."""

import ast
from pathlib import Path

import pytest

import terms
from terms.evaluation import sentence_keys
from terms.feedback import FREE_TEXT, PARAMETERS, FeedbackCode, Parameter, needs_two_officers
from terms.retention import RETENTION, Disposal, Kept, Trigger
from terms.vocabulary import (
    BANNED_ATTRIBUTES,
    CUSTODY_ACTS,
    ENTAILED,
    INSIDE_ACTS,
    PRESERVATION,
    SHARING_ACTS,
    STOPPABLE_ACTS,
    WORDS,
    Action,
    Operand,
)

MODULES = sorted(Path(terms.__file__).parent.glob("*.py"))
PURE = {
    "collections",
    "dataclasses",
    "datetime",
    "enum",
    "functools",
    "itertools",
    "operator",
    "re",
    "terms",
    "types",
    "typing",
}


@pytest.mark.requirement("R3")
def test_no_rule_can_ask_about_affiliation_ethnicity_religion_or_party() -> None:
    words = {*Operand, *(word for values in WORDS.values() for word in values)}
    parts = {part for word in words for part in word.lower().split("_")}
    assert parts.isdisjoint(BANNED_ATTRIBUTES)


@pytest.mark.requirement("R21")
def test_no_rule_and_no_feedback_knows_what_the_mechanism_thinks_of_the_material() -> None:
    secret = {"credibility", "duplicate", "priority", "suspect", "case", "jurisdiction", "views"}
    words = {*Operand, *(code.lower() for code in FeedbackCode), *Parameter}
    assert {part for word in words for part in word.split("_")}.isdisjoint(secret)


def test_every_act_is_of_one_kind() -> None:
    kinds = (CUSTODY_ACTS, INSIDE_ACTS, SHARING_ACTS)
    assert sorted(act for kind in kinds for act in kind) == sorted(Action)
    assert set(Action) == PRESERVATION | STOPPABLE_ACTS
    assert PRESERVATION.isdisjoint(STOPPABLE_ACTS)


def test_what_an_entailed_act_entails_is_entailed_already() -> None:
    """So that one step of looking up is enough."""
    for acts in ENTAILED.values():
        for act in acts:
            assert ENTAILED.get(act, frozenset()) <= acts


def test_the_package_imports_nothing_that_could_read_a_clock_a_file_or_chance() -> None:
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert {alias.name.split(".")[0] for alias in node.names} <= PURE
            elif isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] in PURE
            elif isinstance(node, ast.Attribute):
                assert node.attr not in {"now", "today", "utcnow"}


def test_sentence_keys_are_all_different_and_of_one_shape() -> None:
    assert all(key.startswith("terms.") and key == key.lower() for key in sentence_keys())


def test_every_feedback_code_says_what_it_carries() -> None:
    assert PARAMETERS.keys() == set(FeedbackCode)


def test_free_text_needs_two_officers_and_nothing_else_does() -> None:
    free = {code for code in FeedbackCode if needs_two_officers(code)}
    assert free == {
        FeedbackCode.QUESTION,
        FeedbackCode.DOCUMENTATION_ADVICE,
        FeedbackCode.CLEARED_UPDATE,
    }
    assert {Parameter.DATE, Parameter.REASON}.isdisjoint(FREE_TEXT)


def test_every_kept_thing_has_one_retention_rule() -> None:
    assert sorted(rule.kept for rule in RETENTION) == sorted(Kept)


def test_ciphertext_is_never_disposed_of_without_a_signed_acknowledgement() -> None:
    (rule,) = (rule for rule in RETENTION if rule.kept is Kept.PORTAL_CIPHERTEXT)
    assert (rule.trigger, rule.after.days) == (Trigger.SIGNED_ACKNOWLEDGEMENT, 14)
    assert rule.disposal is Disposal.DELETE
