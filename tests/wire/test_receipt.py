"""Receipts: checked off line, by whoever holds them, with public keys only."""

import dataclasses
from datetime import timedelta

import pytest

from amana.wire.errors import FieldError, UnprovenError, UnsignedError
from amana.wire.event import EventType, Role
from amana.wire.ids import SubmissionId
from amana.wire.receipt import Fate, ReceiptFile, ReceiptR1, ReceiptR2
from amana.wire.signers import read_signed
from crypto.tlogproof import LogPolicy
from terms.feedback import NotKeptReason
from tests.wire import examples, givens, proven
from tests.wire.examples import R1, R2
from tests.wire.givens import PORTAL
from tests.wire.proven import LOG_POLICY

FILE = proven.a_receipt_file()


def test_a_receipt_file_is_verified_from_its_bytes_alone() -> None:
    kept = ReceiptFile.from_bytes(FILE.to_bytes())
    receipt = read_signed(ReceiptR1, kept.note.encode(), PORTAL.key)
    proven = kept.prove(receipt, LOG_POLICY)
    assert receipt == R1
    assert receipt.note_sha256 == examples.NOTE.digest
    assert proven is not None
    assert proven.leaf == receipt.event.leaf
    assert (proven.index, proven.believed.checkpoint.size) == (1, 3)


def test_a_receipt_before_the_merge_is_a_promise_without_proof() -> None:
    early = dataclasses.replace(FILE, proof=None)
    assert early.prove(R1, LOG_POLICY) is None


@pytest.mark.threat("T-08")
def test_a_receipt_with_one_signature_is_refused() -> None:
    one_line = "".join(FILE.note.splitlines(keepends=True)[:-1])
    with pytest.raises(UnsignedError):
        read_signed(ReceiptR1, one_line.encode(), PORTAL.key)
    with pytest.raises(UnsignedError):
        read_signed(ReceiptR1, FILE.note.encode(), givens.QUARANTINE.key)


@pytest.mark.threat("T-09")
@pytest.mark.parametrize(
    "change",
    [
        ("index 1", "index 0"),
        ("c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v2"),
        ("\n3\n", "\n4\n"),
    ],
    ids=["index", "version", "size"],
)
def test_a_proof_that_was_changed_proves_nothing(change: tuple[str, str]) -> None:
    assert FILE.proof is not None
    wrong = dataclasses.replace(FILE, proof=FILE.proof.replace(*change))
    assert wrong.proof != FILE.proof
    with pytest.raises(UnprovenError):
        wrong.prove(R1, LOG_POLICY)


@pytest.mark.threat("T-09")
def test_a_proof_of_another_log_or_event_proves_nothing() -> None:
    other = givens.a_log_signer("example.org/other-log")
    with pytest.raises(UnprovenError):
        FILE.prove(R1, LogPolicy(log=other.key))
    with pytest.raises(UnprovenError):
        FILE.prove(R2, LOG_POLICY)


@pytest.mark.threat("T-16")
def test_the_portals_receipt_can_show_no_digest_of_plaintext() -> None:
    revealing = dataclasses.replace(R1.event, digest_before=givens.a_digest("plaintext"))
    with pytest.raises(FieldError):
        dataclasses.replace(R1, event=revealing)
    elsewhere = dataclasses.replace(R1.event, digest_after=givens.a_digest("plaintext"))
    with pytest.raises(FieldError):
        dataclasses.replace(R1, event=elsewhere)


def test_the_event_in_a_receipt_is_of_its_submission() -> None:
    with pytest.raises(FieldError):
        dataclasses.replace(R1, submission_id=SubmissionId("0" * 64))
    with pytest.raises(FieldError):
        dataclasses.replace(R2, submission_id=SubmissionId("0" * 64))
    with pytest.raises(FieldError):
        dataclasses.replace(R1, merged_by=givens.TODAY - timedelta(days=1))
    opened = examples.an_event(EventType.DECRYPTION, Role.QUARANTINE, PORTAL, R1.note_sha256)
    with pytest.raises(FieldError):
        dataclasses.replace(R1, event=opened)


def test_each_item_has_one_fate_and_a_reason_where_it_was_not_kept() -> None:
    kept, waiting = R2.items
    with pytest.raises(FieldError):
        dataclasses.replace(kept, reason=NotKeptReason.YOU_ASKED)
    with pytest.raises(FieldError):
        dataclasses.replace(kept, fate=Fate.NOT_KEPT)
    with pytest.raises(FieldError):
        dataclasses.replace(kept, terms=None)
    with pytest.raises(FieldError):
        dataclasses.replace(kept, sha512=None)
    with pytest.raises(FieldError):
        dataclasses.replace(R2, items=(kept, kept))
    refused = dataclasses.replace(waiting, fate=Fate.NOT_KEPT, reason=NotKeptReason.OUTSIDE_MANDATE)
    later = dataclasses.replace(R2, sequence=2, items=(kept, refused))
    assert ReceiptR2.from_bytes(later.to_bytes()) == later
