"""Pages that could rot are made from code, or are held against it."""

import ast
import pathlib
import re
from collections.abc import Iterator

import pytest

from scripts import docs
from tests.house import tree

ROW = re.compile(r"^\| *(T-\d+) *\|(.*)$", re.MULTILINE)


@pytest.mark.parametrize("name", docs.pages())
def test_a_made_page_is_what_the_code_says(root: pathlib.Path, name: str) -> None:
    """If this fails: `make docs`."""
    assert (root / name).read_text(encoding="utf-8") == docs.pages()[name]


def markers(text: str) -> Iterator[str]:
    """Every row that a `pytest.mark.threat(…)` in this source names."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.threat":
            yield from (ast.literal_eval(argument) for argument in node.args)


def shown_by_tests(root: pathlib.Path) -> set[str]:
    return {
        row
        for path, text in tree.texts(root).items()
        if path.parts[0] == "tests" and path.suffix == ".py"
        for row in markers(text)
    }


def test_every_row_marked_shown_has_a_test_and_every_marker_a_row(root: pathlib.Path) -> None:
    model = (root / "THREAT_MODEL.md").read_text(encoding="utf-8")
    rows = {match[1]: match[2] for match in ROW.finditer(model)}
    assert rows
    shown = {row for row, rest in rows.items() if re.search(r"\bshown\b", rest)}
    tested = shown_by_tests(root)
    assert shown - tested == set()
    assert tested - rows.keys() == set()


def test_a_marker_is_read_wherever_it_stands() -> None:
    source = "import pytest\npytestmark = [pytest.mark.threat('T-1')]\n"
    assert list(markers(source)) == ["T-1"]
