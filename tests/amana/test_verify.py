"""`amana verify` says what was shown, and nothing more: by exit codes that never change."""

import dataclasses
import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from amana.exitcodes import ExitCode
from amana.verify.command import main as verify
from amana.wire.card import CardStatus
from amana.wire.event import Agent, CustodyEvent, EventType, Outcome, Role, Thing, ThingKind
from amana.wire.fields import RawBytes
from amana.wire.ids import (
    CardId,
    Digest,
    LogOrigin,
    ReceiptId,
    SubmissionId,
    ThingId,
    random_id,
    random_salt,
)
from amana.wire.receipt import ReceiptFile, ReceiptR1
from amana.wire.signer_card import SignerCard, SignerPurpose
from amana.wire.signers import key_id
from amana.wire.vocabulary import Deployment
from crypto.note import SignedNote
from crypto.sign import NoteSigner
from examples.rehearsal import Rehearsal, prepare
from tests.wire.examples import R1
from tests.wire.givens import LOG, PORTAL
from tests.wire.proven import a_receipt_file

DAY = dt.date(2026, 10, 2)
SUBMISSION = SubmissionId("ab" * 32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A receipt in somebody's hand, and what to judge it by."""

    rehearsal: Rehearsal
    signer: NoteSigner
    folder: Path

    def card(self, *, key: NoteSigner | None = None, first: dt.date = DAY) -> Path:
        card = SignerCard(
            purpose=SignerPurpose.PORTAL_RECEIPTS,
            key=(key or self.signer).key,
            deployment=Deployment.TRAINING,
            valid_from=first,
            valid_to=first + dt.timedelta(days=30),
            status=CardStatus.ACTIVE,
            sequence=1,
            previous=None,
        )
        one, two, _ = self.rehearsal.directory
        path = self.folder / "signer.note"
        path.write_bytes(two.cosign(one.sign(card.to_bytes().decode())).to_bytes())
        return path

    @property
    def receipt(self) -> bytes:
        digest = Digest("cd" * 32)
        event = CustodyEvent.of(
            salt=random_salt(),
            type=EventType.TRANSFER,
            thing=Thing(kind=ThingKind.SUBMISSION, id=ThingId(SUBMISSION)),
            deployment=Deployment.TRAINING,
            on=DAY,
            agent=Agent(role=Role.PORTAL, key_id=key_id(self.signer.key)),
            digest_after=digest,
            outcome=Outcome.SUCCESS,
        )
        receipt = ReceiptR1(
            receipt_id=random_id(ReceiptId),
            submission_id=SUBMISSION,
            note_sha256=digest,
            event=event,
            log=LogOrigin("training.invalid/portal"),
            merged_by=DAY,
            status_vocabulary=1,
        )
        return self.signer.sign(receipt.to_bytes().decode()).to_bytes()

    def judge(self, content: bytes, *words: str) -> int:
        path = self.folder / "receipt"
        path.write_bytes(content)
        return verify([str(path), "--kit", str(self.rehearsal.kit), *words])


@pytest.fixture
def held(tmp_path: Path) -> Held:
    return Held(
        rehearsal=prepare(tmp_path / "rehearsal", DAY),
        signer=NoteSigner.generate("training.invalid/portal/receipts"),
        folder=tmp_path,
    )


def test_a_receipt_by_a_certified_key_is_in_order(
    held: Held, capsys: pytest.CaptureFixture[str]
) -> None:
    assert held.judge(held.receipt, "--card", str(held.card()), "--json") == ExitCode.OK
    said = json.loads(capsys.readouterr().out)
    assert (said["submission"], said["in_log"]) == (SUBMISSION, False)
    file = ReceiptFile(note=held.receipt.decode(), proof=None, timestamps=()).to_bytes()
    assert held.judge(file, "--card", str(held.card())) == ExitCode.OK


@pytest.mark.threat("T-08")
def test_a_receipt_by_another_key_or_outside_its_days_is_not_known(held: Held) -> None:
    receipt = held.receipt
    assert held.judge(receipt) == ExitCode.KEY_UNKNOWN
    stranger = NoteSigner.generate("training.invalid/other")
    assert held.judge(receipt, "--card", str(held.card(key=stranger))) == ExitCode.KEY_UNKNOWN
    namesake = NoteSigner.generate(held.signer.key.name)
    assert held.judge(receipt, "--card", str(held.card(key=namesake))) == ExitCode.KEY_UNKNOWN
    later = held.card(first=DAY + dt.timedelta(days=1))
    assert held.judge(receipt, "--card", str(later)) == ExitCode.KEY_UNKNOWN
    forged = later.read_bytes().replace(b'"active"', b'"revoke"')
    later.write_bytes(forged)
    assert held.judge(receipt, "--card", str(later)) == ExitCode.KEY_UNKNOWN


def test_a_key_that_was_certified_again_is_judged_by_the_card_of_the_day(held: Held) -> None:
    first = held.card(first=DAY - dt.timedelta(days=60))
    before = SignerCard.from_bytes(
        SignedNote.parse(first.read_bytes(), limit_bytes=65_536).text.encode()
    )
    second = dataclasses.replace(
        before,
        valid_from=DAY,
        valid_to=DAY + dt.timedelta(days=30),
        sequence=2,
        previous=CardId(before.digest),
    )
    one, two, _ = held.rehearsal.directory
    renewed = held.folder / "renewed.note"
    renewed.write_bytes(two.cosign(one.sign(second.to_bytes().decode())).to_bytes())
    cards = ("--card", str(first), "--card", str(renewed))
    assert held.judge(held.receipt, *cards) == ExitCode.OK
    assert held.judge(held.receipt, *cards[:2]) == ExitCode.KEY_UNKNOWN


@pytest.mark.threat("T-08")
def test_a_receipt_that_was_changed_differs(held: Held, capsys: pytest.CaptureFixture[str]) -> None:
    card = ("--card", str(held.card()))
    receipt = held.receipt
    assert held.judge(receipt.replace(b"ab" * 32, b"ac" * 32), *card) == ExitCode.REFUSED
    assert (
        held.judge(receipt.replace(b'"merged_by":"2026-10-02"', b'"merged_by":"2026-11-02"'), *card)
        == ExitCode.REFUSED
    )
    assert held.judge(receipt[:-1], *card) == ExitCode.REFUSED
    assert held.judge(b"nothing", *card) == ExitCode.REFUSED
    assert held.judge(b"{}", *card) == ExitCode.REFUSED
    assert "[verify.differs]" in capsys.readouterr().err


@pytest.mark.threat("T-09")
def test_a_proof_is_followed_to_the_signed_root(
    held: Held, capsys: pytest.CaptureFixture[str]
) -> None:
    file = a_receipt_file()
    held = Held(rehearsal=held.rehearsal, signer=PORTAL, folder=held.folder)
    card = held.card(first=R1.event.on)
    content = card.read_bytes()
    log = SignerCard(
        purpose=SignerPurpose.PORTAL_LOG,
        key=LOG.key,
        deployment=R1.event.deployment,
        valid_from=R1.event.on,
        valid_to=R1.event.on + dt.timedelta(days=30),
        status=CardStatus.ACTIVE,
        sequence=1,
        previous=None,
    )
    one, two, _ = held.rehearsal.directory
    log_card = held.folder / "log.note"
    log_card.write_bytes(two.cosign(one.sign(log.to_bytes().decode())).to_bytes())
    card.write_bytes(content)
    cards = ("--card", str(card), "--log-card", str(log_card))
    assert held.judge(file.to_bytes(), *cards) == ExitCode.NO_TIMESTAMP_YET
    stamped = ReceiptFile(
        note=file.note, proof=file.proof, timestamps=(RawBytes(b"no stamp of anybody"),)
    )
    assert held.judge(stamped.to_bytes(), *cards) == ExitCode.NO_TIMESTAMP_YET
    bare = ReceiptFile(note=file.note, proof=None, timestamps=())
    assert held.judge(bare.to_bytes(), *cards) == ExitCode.OK
    other = a_receipt_file()
    assert other.proof is not None
    wrong = ReceiptFile(
        note=file.note, proof=other.proof.replace("\nindex 1\n", "\nindex 2\n"), timestamps=()
    )
    assert held.judge(wrong.to_bytes(), *cards) == ExitCode.PROOF_INVALID
    assert "[verify.not-proven]" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(held: Held, capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = held.folder / "nowhere.note"
    assert held.judge(held.receipt, "--card", str(nowhere)) == ExitCode.REFUSED
    said = capsys.readouterr().err
    assert str(nowhere) in said
    assert "[verify.no-such-file]" in said
