"""The vectors of return phrases, and a second reader of them that shares no code with ours."""

import json

import pytest

from crypto.phrase import PhraseRefusedError, Refusal, ReturnPhrase
from crypto.wordlist import Language, word_list
from tests.crypto import stock
from tests.vectors import make_phrase, tables

VECTORS = json.loads(make_phrase.VECTORS.read_text("utf-8"))


def named(kind: str, verdict: str) -> list[object]:
    chosen = [v for v in VECTORS if (v["class"], v["verdict"]) == (kind, verdict)]
    return [pytest.param(v, id=v["name"]) for v in chosen]


def test_the_vectors_are_what_their_script_makes() -> None:
    assert make_phrase.vectors() == VECTORS


@pytest.mark.threat("T-11")
@pytest.mark.parametrize("vector", named("text", "accepted"))
def test_a_text_is_read_as_its_phrase(vector: dict[str, str]) -> None:
    assert ReturnPhrase.parse(vector["text"]).secret.hex() == vector["secret"]


@pytest.mark.threat("T-11")
@pytest.mark.parametrize("vector", named("text", "refused"))
def test_a_text_is_refused_for_its_reason(vector: dict[str, object]) -> None:
    with pytest.raises(PhraseRefusedError) as refused:
        ReturnPhrase.parse(str(vector["text"]))
    assert refused.value.reason.value == vector["reason"]
    assert refused.value.position == vector["position"]


def test_every_reason_has_a_vector() -> None:
    assert {v["reason"] for v in VECTORS if "reason" in v} == set(Refusal)


@pytest.mark.threat("T-11")
def test_a_second_reader_shows_and_opens_the_same() -> None:
    derived = [v for v in VECTORS if v["class"] == "derived"]
    shown = {v["secret"]: v for v in VECTORS if v["class"] == "shown"}
    lists = {language: word_list(language).words for language in Language}
    question = json.dumps({"lists": lists, "cases": derived}).encode()
    for ours, theirs in zip(
        derived, json.loads(stock.run("phrase.mjs", data=question)), strict=True
    ):
        assert theirs["opens"] == ours["opens"]
        for spelling in ("indices", "ar", "en", "groups"):
            assert theirs[spelling] == shown[ours["secret"]][spelling]


def test_the_chapter_counts_its_vectors() -> None:
    counted = tables.counted((v["class"], v["verdict"]) for v in VECTORS)
    assert tables.stated("05-return-phrase.md") == counted
