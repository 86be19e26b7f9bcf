"""Make the vectors of sealed objects: run it, and `git diff` shows what changed.

Sealing is random, so the vectors pin opening. One header (sealed to a published identity) was made
once and is kept; every other byte follows from this script. Each NAME.age is a whole object, as any
age program reads it; vectors.json says what a reader of this format must find in it.
Format: docs/format/01-sealed-object.md section 10.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crypto.filekey import FileKey
from crypto.header import Header
from crypto.opening import HybridIdentity, X25519Identity, unwrap
from crypto.padding import HYBRID_HEADER_SIZE, Kind, Trailer, layout
from crypto.stream import NONCE_SIZE, ChunkSealer

if TYPE_CHECKING:
    from crypto.recipients import Recipient

FOLDER = Path(__file__).parent / "sealed"
IDENTITY = HybridIdentity(seed=hashlib.sha256(b"amana/vectors/sealed/v1").digest())
OTHER = HybridIdentity(seed=hashlib.sha256(b"amana/vectors/sealed/other/v1").digest())
CLASSIC = X25519Identity(secret=hashlib.sha256(b"amana/vectors/sealed/classic/v1").digest())
TEXT = "شهادة: what was seen at the crossing\n".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """One object and what opening it must give: a class, and for `success` the content."""

    name: str
    expect: str
    file: bytes
    kind: Kind = Kind.RECORD
    content: bytes = b""

    def entry(self) -> dict[str, object]:
        """Describe the vector for vectors.json."""
        entry: dict[str, object] = {
            "expect": self.expect,
            "file_sha256": hashlib.sha256(self.file).hexdigest(),
        }
        if self.expect == "success":
            entry["kind"] = self.kind.name.lower()
            entry["content_size"] = len(self.content)
            entry["content_sha256"] = hashlib.sha256(self.content).hexdigest()
        return entry


def kept_header(name: str) -> bytes:
    """Read one of the headers that were made once, at random."""
    return (FOLDER / "headers" / name).read_bytes()


def make_headers() -> None:
    """Make the kept headers anew; every vector changes then."""
    folder = FOLDER / "headers"
    folder.mkdir(parents=True, exist_ok=True)
    file_key = FileKey.generate()
    recipients: dict[str, tuple[Recipient, ...]] = {
        "one": (IDENTITY.recipient,),
        "other": (OTHER.recipient,),
        "two": (IDENTITY.recipient, OTHER.recipient),
        "classic": (CLASSIC.recipient,),
    }
    for name, chosen in recipients.items():
        stanzas = tuple(recipient.wrap(file_key) for recipient in chosen)
        (folder / name).write_bytes(Header.make(stanzas, file_key).to_bytes())


def sealed(name: str, payload: bytes, header: str = "one") -> bytes:
    """Seal any payload under a kept header, with a nonce that follows from the name."""
    file_key = unwrap(Header.parse(kept_header("one")), IDENTITY)
    nonce = hashlib.sha256(name.encode()).digest()[:NONCE_SIZE]
    chunks = ChunkSealer(file_key, nonce)
    return kept_header(header) + nonce + chunks.update(payload) + chunks.finish()


def padded(content: bytes, kind: Kind) -> bytes:
    """Return the one true payload of a content."""
    zeros = bytes(layout(len(content), kind).padding_size)
    return content + zeros + Trailer(content_size=len(content), kind=kind).to_bytes()


def pack() -> bytes:
    """Return a small POSIX pax tar."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in ("a/photo.jpg", "b/شهادة.txt"):
            member = tarfile.TarInfo(name)
            member.size = len(TEXT)
            tar.addfile(member, io.BytesIO(TEXT))
    return packed.getvalue()


def successes() -> Iterator[Vector]:
    """Objects that open."""
    fullest = (TEXT * 60)[: 4096 - HYBRID_HEADER_SIZE - 48]
    contents = {
        "record": (TEXT, Kind.RECORD),
        "record-empty": (b"", Kind.RECORD),
        "record-no-padding": (fullest, Kind.RECORD),
        "record-second-step": (fullest + b"\n", Kind.RECORD),
        "raw": (TEXT, Kind.RAW),
        "pack": (pack(), Kind.PACK),
    }
    for name, (content, kind) in contents.items():
        file = sealed(name, padded(content, kind))
        yield Vector(name=name, expect="success", file=file, kind=kind, content=content)


def refusals() -> Iterator[Vector]:
    """Objects that a reader of this format must refuse, by the class of the reason."""
    good = padded(TEXT, Kind.RECORD)
    body, trailer = good[:-16], good[-16:]
    payloads = {
        "padding-not-zero": body[:-1] + b"\1" + trailer,
        "padding-first-byte-not-zero": TEXT + b"\1" + body[len(TEXT) + 1 :] + trailer,
        "padding-too-long": body + bytes(4096) + trailer,
        "padding-too-short": body[:-1] + trailer,
        "padding-missing": TEXT + trailer,
        "trailer-missing": TEXT,
        "trailer-cut": good[:-1],
        "trailer-other-magic": good[:-1] + b"2",
        "trailer-unknown-kind": body + trailer[:8] + b"\x04" + trailer[9:],
        "trailer-other-kind": body + trailer[:8] + b"\x01" + trailer[9:],
        "trailer-size-smaller": body + Trailer(content_size=3, kind=Kind.RECORD).to_bytes(),
        "trailer-size-larger": body + Trailer(content_size=9999, kind=Kind.RECORD).to_bytes(),
        "trailer-size-over-limit": body + b"\x80" + trailer[1:],
        "trailer-in-two-chunks": bytes(65_525) + Trailer(content_size=9, kind=Kind.RAW).to_bytes(),
        "payload-empty": b"",
    }
    for name, payload in payloads.items():
        yield Vector(name=name, expect="trailer failure", file=sealed(name, payload))


def forgeries() -> Iterator[Vector]:
    """Objects that are not whole, or not sealed as objects are."""
    good = padded(TEXT, Kind.RECORD)
    whole = sealed("forgery", good)
    start = HYBRID_HEADER_SIZE + NONCE_SIZE
    files = {
        "cut-by-one": (whole[:-1], "payload failure"),
        "extended-by-one": (whole + b"\0", "payload failure"),
        "flipped-bit": (
            whole[:start] + bytes([whole[start] ^ 1]) + whole[start + 1 :],
            "payload failure",
        ),
        "other-nonce": (whole[: start - 1] + b"\0" + whole[start:], "payload failure"),
        "cut-in-header": (whole[:1000], "header failure"),
        "two-stanzas": (sealed("two-stanzas", good, "two"), "header failure"),
        "classic-stanza": (sealed("classic-stanza", good, "classic"), "header failure"),
        "other-recipient": (sealed("other-recipient", good, "other"), "no match"),
        "mac-changed": (
            whole[: HYBRID_HEADER_SIZE - 40] + b"AAAA" + whole[HYBRID_HEADER_SIZE - 36 :],
            "HMAC failure",
        ),
    }
    for name, (file, expect) in files.items():
        yield Vector(name=name, expect=expect, file=file)


def build() -> dict[str, bytes]:
    """Return every file of the folder but the kept headers: name and bytes."""
    vectors = [*successes(), *refusals(), *forgeries()]
    index = {
        "identity": IDENTITY.to_text(),
        "vectors": {vector.name: vector.entry() for vector in vectors},
    }
    files = {f"{vector.name}.age": vector.file for vector in vectors}
    text = json.dumps(index, indent=1, ensure_ascii=False) + "\n"
    return {"vectors.json": text.encode(), **files}


def main() -> None:
    """Write the folder."""
    if not (FOLDER / "headers").exists():
        make_headers()
    for name, data in build().items():
        (FOLDER / name).write_bytes(data)


if __name__ == "__main__":
    main()
