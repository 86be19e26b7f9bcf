"""Packages that were made once are judged for ever as they were, and the chapters say what is."""

from pathlib import Path

import pytest

from tests.package import chapter_tables
from tests.vectors import tables
from tests.vectors.make_package import expected, folder_of, verdict


@pytest.mark.parametrize("name", expected())
def test_a_pinned_package_is_judged_as_it_was(name: str) -> None:
    """If this fails, what was handed over under this version would be judged anew: make a v2."""
    assert verdict(folder_of(name)) == expected()[name]


def test_the_chapter_counts_the_vectors() -> None:
    pairs = [(name, "read" if said == "read" else "refused") for name, said in expected().items()]
    assert tables.stated("20-package.md") == tables.counted(pairs)


@pytest.mark.parametrize("path", chapter_tables.PATHS, ids=lambda path: path.name)
def test_the_tables_of_a_chapter_are_those_of_the_code(path: Path) -> None:
    """If this fails: python -m tests.vectors.make_package, and say in the chapter what is new."""
    text = path.read_text("utf-8")
    assert chapter_tables.with_tables(text) == text
