"""A key store that was written once opens for ever, and every changed file of it is refused."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from crypto.errors import CryptoError, DestroyedError, NotHeldError
from crypto.identities import HybridIdentity
from crypto.private.keystore import KeyStore
from tests.vectors.make_keystore import FOLDER
from tests.vectors.tables import stated

EXPECTED = json.loads((FOLDER / "expected.json").read_text("utf-8"))
OPENS = [
    (officer, name, outcome)
    for officer, names in EXPECTED["opens"].items()
    for name, outcome in names.items()
]
CHANGED = {
    "keys/identities/intake-1.json": [
        ('"group":"triage"', '"group":"sgbv"'),
        ('"name":"intake-1"', '"name":"intake-2"'),
        ('"recipient":"age1pq1', '"recipient":"age1pq2'),
        ('"format":"amana/kept-identity/v1"', '"format":"amana/kept-identity/v2"'),
        ('"mark":"', '"mark":"0'),
        ("}\n", ',"x":"y"}\n'),
        ("}\n", "}"),
        ('{"format"', '{ "format"'),
    ],
    "keys/aliases/card-1.json": [
        ('"name":"intake-1"', '"name":"class-1"'),
        ('"alias":"card-1"', '"alias":"card-2"'),
        ('"format":"amana/kept-alias/v1"', '"format":"amana/kept-alias/v2"'),
    ],
    "keys/officers/first.key": [
        ('"memory_bytes":8192', '"memory_bytes":16384'),
        ('"operations":1', '"operations":2'),
        ('"format":"amana/key-file/v1"', '"format":"amana/key-file/v2"'),
    ],
}
REFUSED = [(name, old, new) for name, pairs in CHANGED.items() for old, new in pairs]


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    """The vectors, with the rights that a key store has; Git keeps no such rights."""
    for part in ("keys", "tombstones"):
        shutil.copytree(FOLDER / part, tmp_path / part)
    for path in tmp_path.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return KeyStore.open(tmp_path / "keys", tmp_path / "tombstones")


def outcome_of(store: KeyStore, officer: str, name: str) -> str:
    ring = store.unlock(officer, EXPECTED["phrases"][officer])
    try:
        return store.identity(ring, name).to_text()
    except DestroyedError:
        return "destroyed"
    except NotHeldError:
        return "not-held"


@pytest.mark.parametrize(("officer", "name", "outcome"), OPENS)
def test_each_officer_finds_what_was_kept(
    officer: str, name: str, outcome: str, store: KeyStore
) -> None:
    assert outcome_of(store, officer, name) == outcome


@pytest.mark.parametrize("name", ["intake-1", "class-1"])
def test_a_recipient_in_clear_is_that_of_its_identity(name: str, store: KeyStore) -> None:
    ring = store.unlock("second", EXPECTED["phrases"]["second"])
    identity = HybridIdentity.from_text(EXPECTED["opens"]["first"][name])
    assert store.recipient(ring, name) == identity.recipient


@pytest.mark.parametrize(("file", "old", "new"), REFUSED)
def test_a_changed_file_opens_nothing(file: str, old: str, new: str, store: KeyStore) -> None:
    path = store.folder.parent / file
    text = path.read_text("ascii")
    assert old in text
    path.write_text(text.replace(old, new), "ascii")
    with pytest.raises(CryptoError):
        outcome_of(store, "first", "card-1")


def test_the_chapter_counts_these_vectors() -> None:
    opens = Counter("opens" if each[2].startswith("AGE") else "refused" for each in OPENS)
    assert stated("25-key-store.md") == {
        "a kept identity, for each officer": dict(opens),
        "a changed file": {"refused": len(REFUSED)},
    }
