"""Every import contract breaks when its rule is broken, and only then."""

import ast
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator

import pytest

PACKAGES = ("amana", "client", "crypto", "portal", "repository", "terms", "worker")
# One import planted per case: the module it stands in, what it imports, the contracts that break.
PLANTED = [
    ("portal/planted.py", "worker", {"zones"}),
    ("client/planted.py", "repository", {"zones"}),
    ("worker/planted.py", "client", {"zones"}),
    ("amana/wire/planted.py", "portal", {"ground"}),
    ("terms/planted.py", "crypto.errors", {"ground"}),
    ("crypto/planted.py", "terms", {"ground"}),
    ("crypto/planted.py", "amana.clock", {"ground"}),
    ("terms/planted.py", "amana.clock", {"ground"}),
    ("amana/web/planted.py", "amana.cli", {"amana"}),
    ("amana/store/planted.py", "amana.web", {"amana"}),
    ("amana/verify/planted.py", "amana.store", {"amana"}),
    ("amana/wire/planted.py", "amana.verify", {"amana"}),
    ("amana/planted.py", "amana.clock", {"amana"}),  # a module that no layer names
    ("terms/planted.py", "os", {"terms"}),
    ("terms/planted.py", "nacl.utils", {"terms"}),
    ("amana/wire/planted.py", "crypto.private", {"private"}),
    ("repository/planted.py", "crypto.private", {"private"}),
    ("portal/planted.py", "crypto.private", {"portal", "private"}),
    ("portal/planted.py", "crypto.opening", {"opening"}),
    ("amana/wire/planted.py", "crypto.opening", {"opening"}),
    ("portal/planted.py", "crypto.identities", {"opening"}),
    ("crypto/planted.py", "crypto.opening", {"opening"}),
    ("client/planted.py", "crypto.rewrap", {"rewrap"}),
    ("portal/planted.py", "crypto.sign", {"sign"}),
    ("amana/verify/planted.py", "crypto.sign", {"sign"}),
    ("portal/planted.py", "gnupg", {"portal"}),
    ("portal/planted.py", "clamd", {"portal"}),
    ("client/planted.py", "sqlalchemy", {"databases"}),
    ("repository/planted.py", "asyncpg", {"databases"}),
]
# What a protected module may be imported by, in the portal: these break nothing.
ALLOWED = [
    ("portal/mailbox.py", "crypto.identities"),
    ("portal/mailbox.py", "crypto.opening"),
    ("portal/mailbox.py", "crypto.sign"),
    ("portal/custody.py", "crypto.sign"),
    ("client/planted.py", "crypto.private"),
    ("worker/planted.py", "crypto.rewrap"),
]


@pytest.fixture
def tree(root: pathlib.Path, tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    shutil.copy(root / "pyproject.toml", tmp_path)
    for package in PACKAGES:
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(root / package, tmp_path / package, ignore=ignore)
    yield tmp_path
    shutil.rmtree(tmp_path)


def broken_contracts(tree: pathlib.Path) -> set[str]:
    contracts = tomllib.loads((tree / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
    names = {" ".join(contract["name"].split()): contract["id"] for contract in contracts}
    program = pathlib.Path(sys.executable).parent / "lint-imports"
    done = subprocess.run(
        [str(program), "--no-cache", "--no-logo"],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
        env={"COLUMNS": "400", "PYTHONPATH": str(tree)},
    )
    told = re.findall(r"^(.+?) (KEPT|BROKEN)", done.stdout, re.MULTILINE)
    assert len(told) == len(names), done.stdout + done.stderr
    broken = {names[name.strip()] for name, verdict in told if verdict == "BROKEN"}
    assert (done.returncode == 0) == (not broken)
    return broken


def plant(tree: pathlib.Path, where: str, what: str) -> None:
    path = tree / where
    before = path.read_text() if path.exists() else ""
    path.write_text(f"{before}\nimport {what}\n")


def test_the_tree_as_it_is_keeps_every_contract(tree: pathlib.Path) -> None:
    assert broken_contracts(tree) == set()


@pytest.mark.threat("T-15")
@pytest.mark.parametrize(("where", "what", "breaks"), PLANTED)
def test_a_forbidden_import_breaks_exactly_its_contract(
    tree: pathlib.Path, where: str, what: str, breaks: set[str]
) -> None:
    plant(tree, where, what)
    assert broken_contracts(tree) == breaks


@pytest.mark.parametrize(("where", "what"), ALLOWED)
def test_what_the_design_allows_breaks_nothing(tree: pathlib.Path, where: str, what: str) -> None:
    plant(tree, where, what)
    assert broken_contracts(tree) == set()


def test_every_contract_is_broken_by_some_planted_import(root: pathlib.Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())
    ids = {contract["id"] for contract in project["tool"]["importlinter"]["contracts"]}
    assert ids == set().union(*(breaks for _, _, breaks in PLANTED))


def imports_of(path: pathlib.Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add((node.module or "").partition(".")[0])
    return found


def test_terms_imports_the_standard_library_and_itself_only(root: pathlib.Path) -> None:
    allowed = sys.stdlib_module_names | {"terms"}
    for path in (root / "terms").rglob("*.py"):
        assert imports_of(path) <= allowed, path


PORTAL_LOADS = """
import importlib, pkgutil, sys
import portal
for found in pkgutil.walk_packages(portal.__path__, "portal."):
    if found.name != "portal.mailbox":
        importlib.import_module(found.name)
print("\\n".join(sys.modules))
"""


@pytest.mark.threat("T-15")
def test_importing_the_portal_loads_nothing_that_opens(root: pathlib.Path) -> None:
    """portal.mailbox is left out: it alone may open, with an identity from a typed phrase."""
    done = subprocess.run(
        [sys.executable, "-c", PORTAL_LOADS], cwd=root, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "portal" in loaded
    assert not loaded & {"crypto.identities", "crypto.opening", "crypto.rewrap", "gnupg", "clamd"}
    assert not [name for name in loaded if name.startswith("crypto.private")]
