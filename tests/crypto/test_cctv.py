"""Every official age vector (C2SP/CCTV, npm cctv-age) is judged as its authors say."""

import base64
import hashlib
import io
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from crypto import armor, bech32
from crypto.errors import (
    ArmorError,
    CryptoError,
    HeaderError,
    HeaderMacError,
    KeyFormatError,
    NoMatchError,
    PayloadError,
)
from crypto.filekey import FileKey
from crypto.header import Header, Stanza
from crypto.opening import (
    HybridIdentity,
    Identity,
    ScryptIdentity,
    X25519Identity,
    open_age,
)
from tests.crypto import stock

CHAPTER = Path(__file__).parents[2] / "docs" / "format" / "01-sealed-object.md"
CLASSES: dict[type[CryptoError], str] = {
    ArmorError: "armor failure",
    HeaderError: "header failure",
    HeaderMacError: "HMAC failure",
    NoMatchError: "no match",
    PayloadError: "payload failure",
}
TOTALS = {
    "success": 26,
    "header failure": 62,
    "armor failure": 22,
    "payload failure": 19,
    "no match": 13,
    "HMAC failure": 1,
}


@dataclass(frozen=True, slots=True)
class Vector:
    name: str
    fields: tuple[tuple[str, str], ...]
    file: bytes

    def all(self, key: str) -> list[str]:
        return [value for found, value in self.fields if found == key]

    def one(self, key: str) -> str:
        return "".join(self.all(key))

    @property
    def identity(self) -> Identity:
        return AnyOf(
            [
                *(read_identity(text) for text in self.all("identity")),
                *(ScryptIdentity(passphrase=text) for text in self.all("passphrase")),
            ]
        )

    @property
    def binary(self) -> bytes:
        return armor.decode(self.file) if self.one("armored") else self.file


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Several identities at once, as `age -i FILE` takes them."""

    identities: Sequence[Identity]

    def unwrap(self, stanzas: Sequence[Stanza]) -> FileKey | None:
        return next(
            (key for one in self.identities if (key := one.unwrap(stanzas)) is not None), None
        )


def read_identity(text: str) -> Identity:
    try:
        return HybridIdentity.from_text(text)
    except KeyFormatError:
        return X25519Identity.from_text(text)


def read_vector(name: str, raw: bytes) -> Vector:
    head, _, file = raw.partition(b"\n\n")
    fields = [line.partition(": ") for line in head.decode().splitlines()]
    vector = Vector(name, tuple((key, value) for key, _, value in fields), file)
    if vector.one("compressed") == "zlib":
        return Vector(name, vector.fields, zlib.decompress(file))
    return vector


VECTORS = [
    read_vector(name, base64.b64decode(text))
    for name, text in json.loads(stock.run("cctv.mjs")).items()
]
SUCCESSES = [vector for vector in VECTORS if vector.one("expect") == "success"]


def judge(vector: Vector) -> tuple[str, str]:
    """Open a vector; return its class and the SHA-256 of all plaintext that was released."""
    released = hashlib.sha256()
    try:
        for chunk in open_age(io.BytesIO(vector.binary), vector.identity):
            released.update(chunk)
    except CryptoError as error:
        return CLASSES[type(error)], released.hexdigest()
    return "success", released.hexdigest()


def chunks_of(pieces: Iterator[bytes]) -> bytes:
    return b"".join(pieces)


@pytest.mark.threat("T-01")
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_a_vector_is_judged_as_its_authors_say(vector: Vector) -> None:
    outcome, released = judge(vector)
    assert outcome == vector.one("expect")
    if outcome in {"success", "payload failure"}:
        assert released == vector.one("payload")


@pytest.mark.parametrize("vector", SUCCESSES, ids=lambda vector: vector.name)
def test_a_good_vector_is_written_again_byte_for_byte(vector: Vector) -> None:
    header = Header.parse(vector.binary)
    start = len(header.to_bytes())
    assert vector.binary[:start] == header.to_bytes()
    file_key = FileKey(secret=bytes.fromhex(vector.one("file key")))
    plaintext = chunks_of(open_age(io.BytesIO(vector.binary), file_key))
    nonce = vector.binary[start : start + 16]
    assert vector.binary[start:] == stock.payload(file_key, nonce, plaintext)
    text = armor.encode(vector.binary)
    assert armor.decode(text, limit_bytes=len(text)) == vector.binary


def test_a_header_that_parses_is_written_again_byte_for_byte() -> None:
    judged = [vector for vector in VECTORS if vector.one("expect") != "armor failure"]
    parsed = 0
    for vector in judged:
        try:
            header = Header.parse(vector.binary)
        except HeaderError:
            continue
        parsed += 1
        assert vector.binary.startswith(header.to_bytes())
    assert parsed > TOTALS["success"] + TOTALS["payload failure"] + TOTALS["no match"]


def test_identities_in_the_vectors_are_written_again_letter_for_letter() -> None:
    texts = {text for vector in VECTORS for text in vector.all("identity")}
    for text in texts:
        prefix = text.rpartition("1")[0].lower()
        assert bech32.encode(prefix, bech32.decode(text, prefix=prefix)).upper() == text
    assert texts


def test_the_chapter_states_how_many_vectors_pass() -> None:
    """The table in the chapter is counted again here, class by class."""
    passed = Counter(vector.one("expect") for vector in VECTORS if passes(vector))
    assert passed == TOTALS
    text = CHAPTER.read_text(encoding="utf-8")
    for name, total in TOTALS.items():
        assert f"| {name} | {passed[name]} / {total} |" in text
    assert f"| all | {passed.total()} / {len(VECTORS)} |" in text


def passes(vector: Vector) -> bool:
    outcome, released = judge(vector)
    releases = outcome in {"success", "payload failure"}
    return outcome == vector.one("expect") and (not releases or released == vector.one("payload"))
