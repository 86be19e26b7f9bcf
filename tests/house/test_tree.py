"""Nothing in the project points at the machine or the workshop in which it was written."""

import pathlib
import re

import pytest

from tests.house import tree

# Each has one letter in brackets, so that this file does not find itself.
MACHINE_PATHS = re.compile(r"(?<![\w./-])/([w]ork|[r]oot|[h]ome)/")
UNFINISHED = re.compile(r"[T]ODO|[F]IXME|[X]XX:|[H]ACK:")
REGISTRIES = re.compile(r"[p]ypi\.org|[p]ythonhosted|[n]pmjs\.|[r]egistry\.(npm|yarn)")
# The text of a licence is not ours to word.
NOT_OURS = {"LICENSE"}


@pytest.fixture(scope="module")
def texts() -> dict[pathlib.Path, str]:
    everything = tree.texts(pathlib.Path(__file__).resolve().parent.parent.parent)
    return {path: text for path, text in everything.items() if str(path) not in NOT_OURS}


@pytest.mark.parametrize("pattern", [MACHINE_PATHS, UNFINISHED, REGISTRIES])
def test_no_file_holds_it(pattern: re.Pattern[str], texts: dict[pathlib.Path, str]) -> None:
    found = [
        f"{path}:{number}: {line.strip()[:80]}"
        for path, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("pattern", "word"),
    [
        (MACHINE_PATHS, "/{}ork/x"),
        (UNFINISHED, "# {}ODO later"),
        (REGISTRIES, "//{}ypi.org/simple"),
    ],
)
def test_the_patterns_find_what_they_are_for(pattern: re.Pattern[str], word: str) -> None:
    assert [letter for letter in "wTp" if pattern.search(word.format(letter))]
    assert not pattern.search("portal/network/home")


def test_every_python_file_of_the_product_says_what_it_is_for(
    texts: dict[pathlib.Path, str],
) -> None:
    silent = [path for path, text in texts.items() if path.suffix == ".py" and not text.strip()]
    assert silent == []


def test_the_ci_script_is_a_program(root: pathlib.Path) -> None:
    assert (root / ".ci" / "run").stat().st_mode & 0o111
