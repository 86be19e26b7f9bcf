"""The chapters say what the code does: every field, every word, no more and no fewer."""

import pytest

from tests.wire import chapters

TEXTS = {path.name: path.read_text("utf-8") for path in chapters.chapters()}


@pytest.mark.parametrize("name", TEXTS)
def test_the_tables_of_a_chapter_are_those_of_the_code(name: str) -> None:
    """If this fails: python -m tests.vectors.make_wire, and say in the chapter what is new."""
    assert chapters.with_tables(TEXTS[name]) == TEXTS[name]


def test_every_record_and_every_word_list_stands_in_one_chapter() -> None:
    marks = [
        (match["what"], match["name"])
        for text in TEXTS.values()
        for match in chapters.MARKED.finditer(text)
    ]
    assert len(set(marks)) == len(marks)
    assert {name for what, name in marks if what == "fields"} == set(chapters.records())
    assert {name for what, name in marks if what == "words"} == set(chapters.word_lists())


@pytest.mark.parametrize("name", TEXTS)
def test_a_chapter_names_its_modules_and_they_are_there(name: str) -> None:
    assert "amana/wire/" in TEXTS[name]


def test_a_table_would_show_a_new_field() -> None:
    *_, kind, thing = chapters.table("fields", "Thing").splitlines()
    assert kind == "| `kind` | word of *ThingKind* | What it is. |"
    assert thing.startswith("| `id` | id of any kind")
