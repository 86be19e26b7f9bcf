"""Our own vectors: what an opener of this format must find, and what it must refuse."""

import hashlib
import io
import json
from collections import Counter
from pathlib import Path
from typing import TypedDict

import pytest

from crypto.errors import (
    CryptoError,
    HeaderError,
    HeaderMacError,
    NoMatchError,
    PayloadError,
    TrailerError,
)
from crypto.opening import HybridIdentity, SeekableObject
from tests.vectors import make_sealed

FOLDER = Path(__file__).parents[1] / "vectors" / "sealed"
CHAPTER = Path(__file__).parents[2] / "docs" / "format" / "01-sealed-object.md"
CLASSES: dict[type[CryptoError], str] = {
    HeaderError: "header failure",
    HeaderMacError: "HMAC failure",
    NoMatchError: "no match",
    PayloadError: "payload failure",
    TrailerError: "trailer failure",
}


class Entry(TypedDict, total=False):
    expect: str
    file_sha256: str
    kind: str
    content_size: int
    content_sha256: str


class Index(TypedDict):
    identity: str
    vectors: dict[str, Entry]


INDEX: Index = json.loads((FOLDER / "vectors.json").read_bytes())
IDENTITY = HybridIdentity.from_text(INDEX["identity"])


def judge(name: str) -> Entry:
    """Open one vector; return the entry that describes what happened."""
    file = (FOLDER / f"{name}.age").read_bytes()
    found = Entry(file_sha256=hashlib.sha256(file).hexdigest())
    try:
        opened = SeekableObject(io.BytesIO(file), IDENTITY)
        content = b"".join(opened.contents())
    except CryptoError as error:
        return {**found, "expect": CLASSES[type(error)]}
    return {
        **found,
        "expect": "success",
        "kind": opened.trailer.kind.name.lower(),
        "content_size": len(content),
        "content_sha256": hashlib.sha256(content).hexdigest(),
    }


@pytest.mark.threat("T-05")
@pytest.mark.parametrize("name", sorted(INDEX["vectors"]))
def test_a_vector_is_judged_as_the_index_says(name: str) -> None:
    assert judge(name) == INDEX["vectors"][name]


def test_the_maker_still_makes_these_vectors() -> None:
    built = make_sealed.build()
    assert built == {name: (FOLDER / name).read_bytes() for name in built}
    assert {path.name for path in FOLDER.iterdir()} == {*built, "headers"}


def test_the_chapter_states_how_many_of_our_vectors_there_are() -> None:
    passed = Counter(
        entry["expect"] for name, entry in INDEX["vectors"].items() if judge(name) == entry
    )
    total = Counter(entry["expect"] for entry in INDEX["vectors"].values())
    text = CHAPTER.read_text(encoding="utf-8")
    for name, count in total.items():
        assert f"| our {name} | {passed[name]} / {count} |" in text
    assert f"| all of ours | {passed.total()} / {total.total()} |" in text
