"""Files and functions stay small enough to be read in one go."""

import ast
import pathlib
from collections.abc import Iterator

from tests.house import tree

FILE_LINES = 400
FUNCTION_LINES = 60
TEMPLATE_LINES = 60
CODE = {".py", ".html", ".css", ".js", ".mjs", ".ts", ".sh"}


def long_functions(path: pathlib.Path, text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield f"{path}: {node.name} has {lines} lines"


def test_no_file_is_longer_than_400_lines(root: pathlib.Path) -> None:
    long = {
        str(path): len(text.splitlines())
        for path, text in tree.texts(root).items()
        if path.suffix in CODE and len(text.splitlines()) > FILE_LINES
    }
    assert long == {}


def test_no_function_is_longer_than_60_lines(root: pathlib.Path) -> None:
    python = {path: text for path, text in tree.texts(root).items() if path.suffix == ".py"}
    assert len(python) > 20
    assert [found for path, text in python.items() for found in long_functions(path, text)] == []


def test_no_template_is_longer_than_60_lines(root: pathlib.Path) -> None:
    """A page is one file; a longer one wants a macro."""
    templates = {
        path: len(text.splitlines())
        for path, text in tree.texts(root).items()
        if path.parts[0] == "templates"
    }
    assert templates
    assert {path for path, lines in templates.items() if lines > TEMPLATE_LINES} == set()


def test_a_function_of_61_lines_is_found() -> None:
    body = "\n".join(["def long():", *["    pass"] * 60])
    assert list(long_functions(pathlib.Path("x.py"), body)) == ["x.py: long has 61 lines"]
