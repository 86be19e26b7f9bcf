"""The bytes that must never change, and two other readers that find the same in them."""

import json
import subprocess
from pathlib import Path

import pytest

from amana.wire.documents import Statement
from amana.wire.manifest_lines import read_manifests
from amana.wire.receipt import ReceiptFile, ReceiptR1
from amana.wire.signers import read_signed
from tests.crypto import stock
from tests.vectors import make_wire, tables
from tests.vectors.make_wire import SIGNERS, WIRE, still_good
from tests.wire import examples
from tests.wire.givens import PORTAL
from tests.wire.proven import LOG_POLICY

INDEX = json.loads((WIRE / "index.json").read_text())
REFUSED = json.loads((WIRE / "refused.json").read_text())


def file_of(name: str) -> Path:
    is_statement = isinstance(examples.DOCUMENTS[name], Statement)
    return WIRE / f"{name}.{'txt' if is_statement else 'json'}"


@pytest.mark.parametrize("name", examples.DOCUMENTS)
def test_the_bytes_of_a_document_have_not_changed(name: str) -> None:
    """If this fails, what was sealed under this version would no longer be read: make a v2."""
    document = examples.DOCUMENTS[name]
    pinned = file_of(name).read_bytes()
    assert document.to_bytes() == pinned
    assert type(document).from_bytes(pinned) == document


@pytest.mark.threat("T-13")
def test_every_pinned_refusal_is_still_refused() -> None:
    taken = [
        row
        for row in REFUSED
        for document in [examples.DOCUMENTS[row["document"]]]
        if make_wire.reads(type(document), make_wire.edited(document.to_bytes(), row))
    ]
    assert len(REFUSED) > 500
    assert taken == []


def test_the_chapter_counts_the_vectors() -> None:
    counted = tables.counted(("document", "read") for _ in examples.DOCUMENTS)
    counted |= tables.counted((row["class"], "refused") for row in REFUSED)
    assert tables.stated("06-ids-and-fields.md") == counted


@pytest.mark.parametrize("name", SIGNERS)
def test_a_note_that_was_signed_once_is_still_believed(name: str) -> None:
    statement = examples.DOCUMENTS[name]
    assert isinstance(statement, Statement)
    assert still_good(statement, (WIRE / f"{name}.note").read_bytes(), SIGNERS[name])


def test_a_receipt_that_was_proven_once_is_still_proven() -> None:
    kept = ReceiptFile.from_bytes((WIRE / "receipt-file.json").read_bytes())
    receipt = read_signed(ReceiptR1, kept.note.encode(), PORTAL.key)
    assert kept.prove(receipt, LOG_POLICY) is not None


def test_padded_manifests_are_still_read() -> None:
    items = tuple(read_manifests([(WIRE / "items.manifests").read_bytes()]))
    assert items == (examples.BARE_ITEM, examples.FOLDER_ITEM)


def test_sha256sum_gives_the_digests_by_which_documents_name_one_another() -> None:
    files = [file_of(name) for name in ("package-note", "key-card", "terms-snapshot")]
    printed = subprocess.run(["sha256sum", *files], check=True, capture_output=True, text=True)
    note, card, snapshot = (line.split()[0] for line in printed.stdout.splitlines())
    assert examples.R1.note_sha256 == note
    assert examples.NOTE.card == card
    assert examples.DECISION.items[0].terms == snapshot


def test_ecmascript_reads_the_same_in_every_document() -> None:
    script = str(Path(__file__).parent / "second_reader.mjs")
    call = [stock.NODE, script, str(WIRE)]
    found = json.loads(subprocess.run(call, check=True, capture_output=True).stdout)
    assert found["card_signed"] is True
    assert set(found["respelled"].values()) == {True}
    assert found["sha256"] == {name: file["sha256"] for name, file in INDEX["files"].items()}
    shared = ["items_root", "submission_id", "event_id", "event_leaf", "decision", "card_id"]
    assert {name: found[name] for name in shared} == {name: INDEX[name] for name in shared}
    assert INDEX["items_root"] == examples.ITEMS_ROOT
    assert INDEX["event_leaf"] == examples.EVENT.leaf.hex()
    assert examples.R2.event.digest_after == found["decision"]
