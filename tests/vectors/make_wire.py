"""Write tests/vectors/wire: every document's bytes, signed notes, and what a reader refuses.

Documents and refusals are deterministic. Signatures are not, for ML-DSA signs with chance: a note
that is there already, verifies and has the right text is left as it is. Also writes the field
tables of the chapters in docs/format.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

from amana.wire.documents import Document, Statement
from amana.wire.errors import WireError
from amana.wire.manifest_lines import write_lines
from amana.wire.receipt import ReceiptFile
from amana.wire.signers import read_signed_by_some
from crypto import canonical
from crypto.canonical import JsonValue
from crypto.sign import NoteSigner
from tests.wire import cards, chapters, examples, proven
from tests.wire.givens import DIRECTORY, MEMBER, MINTER, PORTAL, QUARANTINE, signed

WIRE = Path(__file__).parent / "wire"

SIGNERS: dict[str, tuple[NoteSigner, ...]] = {
    "package-note": (MEMBER,),
    "key-card": DIRECTORY[:2],
    "signer-card": DIRECTORY[:2],
    "minted-batch": (MINTER,),
    "receipt-r1": (PORTAL,),
    "receipt-r2": (QUARANTINE,),
}

WRONG_VALUES: tuple[JsonValue, ...] = (None, True, -1, "", "x" * 300, [], {"no": "field"})


def body_of(document: Document) -> dict[str, JsonValue]:
    """The JSON of a document."""
    raw = document.to_bytes()
    value = json.loads(raw.split(b"\n")[1] if isinstance(document, Statement) else raw)
    assert isinstance(value, dict)
    return value


def framed(document: Document, body: bytes) -> bytes:
    """Bytes that look like such a document, with another JSON."""
    return document.to_bytes().replace(canonical.encode(body_of(document)), body)


def refused(document: Document) -> Iterator[tuple[str, bytes]]:
    """Class and bytes of what is nearly this document, and must be refused."""
    whole = body_of(document)
    body = canonical.encode(whole)
    yield "format", framed(document, canonical.encode(whole | {"format": "amana/other/v1"}))
    yield "format", framed(document, canonical.encode(whole | {"format": document.FORMAT + "1"}))
    yield "spelling", framed(document, body.replace(b":", b": ", 1))
    yield "spelling", framed(document, body[:-1] + b',"format":"twice"}')
    yield "spelling", framed(document, b"\xef\xbb\xbf" + body)
    yield "length", document.to_bytes()[:-1]
    yield "length", document.to_bytes() + b"\n"
    yield "unknown field", framed(document, canonical.encode(whole | {"more": None}))
    for field in sorted(whole.keys() - {"format"}):
        less = {name: value for name, value in whole.items() if name != field}
        yield "missing field", framed(document, canonical.encode(less))
        for wrong in WRONG_VALUES:
            changed = framed(document, canonical.encode(whole | {field: wrong}))
            if not reads(type(document), changed):
                yield "wrong value", changed


def reads(kind: type[Document], untrusted: bytes) -> bool:
    """Whether the reader takes it."""
    try:
        kind.from_bytes(untrusted)
    except WireError:
        return False
    return True


def write_documents() -> None:
    """Each document as a file of its bytes, and an index with digests."""
    index = {}
    for name, document in examples.DOCUMENTS.items():
        ending = "txt" if isinstance(document, Statement) else "json"
        (WIRE / f"{name}.{ending}").write_bytes(document.to_bytes())
        index[f"{name}.{ending}"] = {"format": document.FORMAT, "sha256": document.digest}
    (WIRE / "items.manifests").write_bytes(b"".join(write_lines(examples.ITEM_LINES)))
    facts = {
        "files": index,
        "items_root": examples.ITEMS_ROOT,
        "submission_id": examples.SUBMISSION_ID,
        "event_id": examples.EVENT.event_id,
        "event_leaf": examples.EVENT.leaf.hex(),
        "decision": examples.DECISION.digest,
        "card_id": cards.CARD.card_id,
        "minted_leaves": [leaf.hex() for leaf in cards.MINTED_LEAVES],
    }
    (WIRE / "index.json").write_text(json.dumps(facts, indent=1) + "\n")


def write_refusals() -> None:
    """Everything that must be refused, as class, document and the one edit that spoils it."""
    rows = [
        {"class": kind, "document": name, **edit(document.to_bytes(), raw)}
        for name, document in examples.DOCUMENTS.items()
        for kind, raw in refused(document)
    ]
    lines = ",\n".join(json.dumps(row) for row in rows)
    (WIRE / "refused.json").write_text(f"[\n{lines}\n]\n")


def edit(before: bytes, after: bytes) -> dict[str, int | str]:
    """The one edit between two byte strings: at an offset, cut some bytes and put others."""
    start = shared(before, after)
    rest = shared(before[start:][::-1], after[start:][::-1])
    put = base64.b64encode(after[start : len(after) - rest]).decode()
    return {"at": start, "cut": len(before) - rest - start, "put": put}


def shared(one: bytes, other: bytes) -> int:
    """How many first bytes two byte strings share."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def edited(before: bytes, row: dict[str, int | str]) -> bytes:
    """What an edit makes of a byte string."""
    at, cut = int(row["at"]), int(row["cut"])
    return before[:at] + base64.b64decode(str(row["put"])) + before[at + cut :]


def write_notes() -> None:
    """Each statement signed by whose word it is; a good note that is there already stays."""
    for name, signers in SIGNERS.items():
        statement = examples.DOCUMENTS[name]
        assert isinstance(statement, Statement)
        path = WIRE / f"{name}.note"
        if not (path.exists() and still_good(statement, path.read_bytes(), signers)):
            path.write_bytes(signed(statement, *signers))
    path = WIRE / "receipt-file.json"
    if not (path.exists() and is_proven(path.read_bytes())):
        path.write_bytes(proven.a_receipt_file().to_bytes())


def still_good(statement: Statement, note: bytes, signers: tuple[NoteSigner, ...]) -> bool:
    """Whether a note is this statement, signed by all of these."""
    keys = [signer.key for signer in signers]
    try:
        return read_signed_by_some(type(statement), note, keys, len(keys)) == statement
    except WireError:
        return False


def is_proven(untrusted: bytes) -> bool:
    """Whether a receipt file holds the receipt of the examples, and proves it."""
    try:
        return ReceiptFile.from_bytes(untrusted).prove(examples.R1, proven.LOG_POLICY) is not None
    except WireError:
        return False


def main() -> None:
    """Write everything."""
    WIRE.mkdir(exist_ok=True)
    write_documents()
    write_refusals()
    write_notes()
    chapters.write_tables()


if __name__ == "__main__":
    main()
