"""Receipts: checked off line, by whoever holds them, with public keys only."""

import dataclasses
from datetime import timedelta

import pytest

from amana.wire.errors import FieldError, UnprovenError, UnsignedError
from amana.wire.event import EventType, Role
from amana.wire.ids import LogOrigin, SubmissionId
from amana.wire.receipt import (
    DECISION_ITEMS,
    Decision,
    Fate,
    ReceiptFile,
    ReceiptItem,
    ReceiptR1,
    ReceiptR2,
)
from amana.wire.signers import read_signed
from amana.wire.vocabulary import Deployment
from crypto.tlogproof import LogPolicy
from terms.feedback import NotKeptReason
from tests.wire import examples, givens, proven
from tests.wire.examples import DECISION, R1, R2
from tests.wire.givens import PORTAL
from tests.wire.proven import LOG_POLICY

FILE = proven.a_receipt_file()


def decided_of(decision: Decision) -> ReceiptR2:
    """R2 of a decision, with an event that fits it."""
    event = dataclasses.replace(
        R2.event, digest_before=decision.previous, digest_after=decision.digest
    )
    return dataclasses.replace(R2, decision=decision, event=event)


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
        decided_of(dataclasses.replace(DECISION, submission_id=SubmissionId("0" * 64)))
    with pytest.raises(FieldError):
        dataclasses.replace(R1, merged_by=givens.TODAY - timedelta(days=1))
    opened = examples.an_event(EventType.DECRYPTION, Role.QUARANTINE, PORTAL, R1.note_sha256)
    with pytest.raises(FieldError):
        dataclasses.replace(R1, event=opened)


def test_each_item_has_one_fate_and_a_reason_where_it_was_not_kept() -> None:
    kept, waiting = DECISION.items
    with pytest.raises(FieldError):
        dataclasses.replace(kept, reason=NotKeptReason.YOU_ASKED)
    with pytest.raises(FieldError):
        dataclasses.replace(kept, fate=Fate.NOT_KEPT)
    with pytest.raises(FieldError):
        dataclasses.replace(kept, terms=None)
    with pytest.raises(FieldError):
        dataclasses.replace(kept, sha512=None)
    with pytest.raises(FieldError):
        dataclasses.replace(DECISION, items=(kept, kept))
    refused = dataclasses.replace(waiting, fate=Fate.NOT_KEPT, reason=NotKeptReason.OUTSIDE_MANDATE)
    decision = dataclasses.replace(
        DECISION, sequence=2, previous=DECISION.digest, items=(kept, refused)
    )
    later = decided_of(decision)
    assert ReceiptR2.from_bytes(later.to_bytes()) == later


@pytest.mark.threat("T-09")
def test_two_decisions_cannot_share_a_place_in_the_log() -> None:
    """The leaf binds what was decided of every item, and the decision before."""
    waits = dataclasses.replace(DECISION.items[0], fate=Fate.WAITING, terms=None)
    other = dataclasses.replace(DECISION, items=(waits, *DECISION.items[1:]))
    with pytest.raises(FieldError, match="another decision"):
        dataclasses.replace(R2, decision=other)
    assert decided_of(other).event.leaf != R2.event.leaf
    later = dataclasses.replace(DECISION, sequence=2, previous=DECISION.digest)
    event = dataclasses.replace(decided_of(later).event, digest_before=None)
    with pytest.raises(FieldError, match="follows another"):
        dataclasses.replace(decided_of(later), event=event)
    with pytest.raises(FieldError, match="previous"):
        dataclasses.replace(DECISION, sequence=2)


def test_the_event_of_a_decision_decides_in_its_deployment() -> None:
    with pytest.raises(FieldError, match="deployment"):
        dataclasses.replace(
            R2, event=dataclasses.replace(R2.event, deployment=Deployment.PRODUCTION)
        )
    deleted = examples.an_event(
        EventType.DELETION, Role.QUARANTINE, givens.QUARANTINE, DECISION.digest
    )
    with pytest.raises(FieldError, match="not a decision"):
        dataclasses.replace(R2, event=deleted)


def test_a_receipt_shows_a_day_and_no_hour() -> None:
    timed = dataclasses.replace(R1.event, at=givens.NOON)
    with pytest.raises(FieldError, match="time"):
        dataclasses.replace(R1, event=timed)


@pytest.mark.threat("T-09")
def test_a_receipt_is_proven_in_the_log_that_it_names() -> None:
    elsewhere = dataclasses.replace(R1, log=LogOrigin("example.org/shadow-log"))
    note = givens.signed(elsewhere, PORTAL).decode()
    with pytest.raises(UnprovenError, match="another log"):
        dataclasses.replace(FILE, note=note).prove(elsewhere, LOG_POLICY)


@pytest.mark.threat("T-09")
def test_a_file_proves_its_own_receipt_only() -> None:
    other = dataclasses.replace(R1, merged_by=R1.merged_by + timedelta(days=1))
    for file in (FILE, dataclasses.replace(FILE, note="no note")):
        with pytest.raises(UnprovenError):
            file.prove(other, LOG_POLICY)


def test_the_longest_decision_is_within_its_limit() -> None:
    """A control character takes six bytes in JSON; digests and ids are always as long."""
    longest = ReceiptItem(
        item_id=DECISION.items[0].item_id,
        provider_reference="\x01" * 256,
        fate=Fate.NOT_KEPT,
        reason=max(NotKeptReason, key=len),
        size=2**53 - 1,
        sha256=DECISION.items[0].sha256,
        sha512=DECISION.items[0].sha512,
        terms=DECISION.items[0].terms,
    )
    other = dataclasses.replace(longest, item_id=DECISION.items[1].item_id)
    one = len(dataclasses.replace(DECISION, items=(longest,)).to_bytes())
    each = len(dataclasses.replace(DECISION, items=(longest, other)).to_bytes()) - one
    assert each == 1_971
    assert one + each * (DECISION_ITEMS - 1) <= Decision.LIMIT_BYTES
