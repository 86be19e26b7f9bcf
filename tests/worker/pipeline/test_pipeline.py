"""From the fetched bundle to the erased original, step by step, with everything real."""

import hashlib
import io

import pytest

from amana.wire.event import EventType
from amana.wire.receipt import Fate, ReceiptR2
from amana.wire.signers import read_signed
from crypto.opening import HybridIdentity, open_object
from crypto.padding import Kind
from repository.receive import Received
from terms.vocabulary import HandlingClass
from tests.worker.pipeline.ground import SIGNERS, Quarantine
from worker.agent_client import ClassHolder
from worker.canary import EICAR
from worker.clamd_wire import ClamdClient
from worker.engine import Progress
from worker.errors import KeysLockedError
from worker.pipeline.receipts import waiting_receipts
from worker.pipeline.states import ItemState, SubmissionState
from worker.verdict import Verdict

PHOTOGRAPH = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 64


def member_identity(quarantine: Quarantine) -> HybridIdentity:
    return quarantine.world.member.feedback


def receipts_of(quarantine: Quarantine) -> list[ReceiptR2]:
    """Every receipt that waits for the portal, opened as its provider opens it."""
    found = []
    for each in quarantine.shop.books.read(waiting_receipts):
        sealed = quarantine.shop.places.receipt(each.receipt_id).read_bytes()
        pieces = open_object(io.BytesIO(sealed), member_identity(quarantine), kind=Kind.RECORD)
        note = b"".join(pieces)
        found.append(read_signed(ReceiptR2, note, SIGNERS.note.key))
    return found


def test_a_clean_photograph_goes_all_the_way_and_only_then_is_its_original_erased(
    quarantine: Quarantine,
) -> None:
    submission = quarantine.fetch({"صورة.jpg": PHOTOGRAPH})
    assert quarantine.examine(submission) is Progress.DONE
    (item,) = quarantine.items(submission)
    assert (item.state, item.verdict) == (ItemState.WAITING, Verdict.CLEAN)
    quarantine.accept(submission)
    assert quarantine.release(submission) is Progress.DONE
    assert quarantine.settle(submission) is Progress.AGAIN, "nobody has answered yet"
    assert quarantine.shop.places.bundle(submission).exists()
    (received,) = quarantine.receive()
    assert isinstance(received, Received)
    assert quarantine.settle(submission) is Progress.DONE
    assert quarantine.row(submission).state is SubmissionState.ERASED
    assert not quarantine.shop.places.bundle(submission).exists()
    assert not list((quarantine.home / "outbox").iterdir())
    holder = ClassHolder(submission=submission, handling_class=HandlingClass.STANDARD)
    assert holder in quarantine.world.keys.destroyed
    (receipt,) = receipts_of(quarantine)
    (told,) = receipt.decision.items
    assert (told.fate, told.sha256) == (Fate.KEPT, hashlib.sha256(PHOTOGRAPH).hexdigest())


def test_every_step_taken_twice_is_taken_once(quarantine: Quarantine) -> None:
    submission = quarantine.fetch({"a.txt": b"a", "b.txt": b"b"})
    for _ in range(2):
        assert quarantine.examine(submission) is Progress.DONE
    quarantine.accept(submission)
    for _ in range(2):
        assert quarantine.release(submission) is Progress.DONE
    (package,) = quarantine.packages(submission)
    quarantine.receive()
    for _ in range(2):
        assert quarantine.settle(submission) is Progress.DONE
    assert [each.package_id for each in quarantine.packages(submission)] == [package.package_id]
    assert len(receipts_of(quarantine)) == 1
    events = quarantine.events(submission)
    assert len({each.event_id for each in events}) == len(events)


def test_an_infected_item_is_flagged_stays_sealed_and_is_never_deleted_by_the_scan(
    quarantine: Quarantine,
) -> None:
    submission = quarantine.fetch({"a.txt": b"harmless", "b.com": EICAR})
    folder = quarantine.shop.places.bundle(submission)
    before = {path: path.read_bytes() for path in folder.rglob("*.age")}
    assert quarantine.examine(submission) is Progress.DONE
    verdicts = [each.verdict for each in quarantine.items(submission)]
    assert sorted(verdicts, key=str) == [Verdict.CLEAN, Verdict.INFECTED]
    assert {each.state for each in quarantine.items(submission)} == {ItemState.WAITING}
    assert {path: path.read_bytes() for path in folder.rglob("*.age")} == before
    assert not any(each.type is EventType.DELETION for each in quarantine.events(submission))


def test_an_infected_item_that_an_officer_accepts_reaches_the_repository_with_its_report(
    quarantine: Quarantine,
) -> None:
    submission = quarantine.fetch({"b.com": EICAR})
    quarantine.examine(submission)
    quarantine.accept(submission)
    assert quarantine.release(submission) is Progress.DONE
    (received,) = quarantine.receive()
    assert isinstance(received, Received)


def test_what_does_not_agree_is_held_and_gets_no_receipt(quarantine: Quarantine) -> None:
    submission = quarantine.fetch({"a.txt": b"a"})
    folder = quarantine.shop.places.bundle(submission)
    objects = sorted((folder / "objects").iterdir())
    spoiled = bytearray(objects[0].read_bytes())
    spoiled[-1] ^= 1
    objects[0].write_bytes(spoiled)
    assert quarantine.examine(submission) is Progress.HELD
    row = quarantine.row(submission)
    assert row.state is SubmissionState.HELD
    assert row.reason is not None
    for step in (quarantine.release, quarantine.settle):
        step(submission)
    assert quarantine.row(submission).state is SubmissionState.HELD
    assert receipts_of(quarantine) == []
    assert objects[0].exists()


def test_without_a_scanner_nothing_passes_and_nothing_is_lost(quarantine: Quarantine) -> None:
    submission = quarantine.fetch({"a.txt": b"a"})
    nobody = ClamdClient(quarantine.home / "nobody.sock")
    alone = quarantine.with_scanner(nobody)
    for _ in range(7):
        assert alone.examine(submission) is Progress.AGAIN
    (item,) = alone.items(submission)
    assert (item.state, item.verdict, item.tries) == (ItemState.FOUND, None, 0)
    assert quarantine.examine(submission) is Progress.DONE, "it goes on when the scanner is back"


def test_locked_keys_put_everything_off(quarantine: Quarantine) -> None:
    submission = quarantine.fetch({"a.txt": b"a"})
    quarantine.world.keys.locked = True
    with pytest.raises(KeysLockedError):
        quarantine.examine(submission)
    assert quarantine.row(submission).state is SubmissionState.FETCHED
    quarantine.world.keys.locked = False
    assert quarantine.examine(submission) is Progress.DONE


def test_what_is_not_kept_lies_nowhere_else_and_stays(quarantine: Quarantine) -> None:
    submission = quarantine.fetch({"a.txt": b"a", "b.txt": b"b"})
    quarantine.examine(submission)
    quarantine.refuse(submission, quarantine.items(submission)[:1])
    quarantine.accept_waiting(submission)
    quarantine.release(submission)
    quarantine.receive()
    assert quarantine.settle(submission) is Progress.DONE
    assert quarantine.row(submission).state is SubmissionState.CLOSED
    assert quarantine.shop.places.bundle(submission).exists()
    (receipt,) = receipts_of(quarantine)
    assert {each.fate for each in receipt.decision.items} == {Fate.KEPT, Fate.NOT_KEPT}


def test_items_of_two_classes_leave_in_two_packages(quarantine: Quarantine) -> None:
    big = b"x" * (5 << 20)
    submission = quarantine.fetch({"a.bin": big, "b.bin": big + b"y"})
    quarantine.examine(submission)
    first, second = quarantine.items(submission)
    quarantine.accept_some(submission, (first,), HandlingClass.STANDARD)
    quarantine.accept_some(submission, (second,), HandlingClass.CHILD)
    assert quarantine.release(submission) is Progress.DONE
    assert len(quarantine.packages(submission)) == 2
    assert all(isinstance(each, Received) for each in quarantine.receive())
    assert quarantine.settle(submission) is Progress.DONE
    assert quarantine.row(submission).state is SubmissionState.ERASED


def test_no_one_elses_word_erases_anything(quarantine: Quarantine) -> None:
    submission = quarantine.fetch({"a.txt": b"a"})
    quarantine.examine(submission)
    quarantine.accept(submission)
    quarantine.release(submission)
    quarantine.receive()
    (answer,) = (quarantine.home / "answers").iterdir()
    answer.write_bytes(answer.read_bytes().replace(b"accepted", b"acceptee"))
    assert quarantine.settle(submission) is Progress.AGAIN
    assert quarantine.row(submission).state is SubmissionState.FORWARDED
    assert quarantine.shop.places.bundle(submission).exists()


def test_a_refused_package_is_held_and_can_be_examined_and_sent_again(
    quarantine: Quarantine,
) -> None:
    submission = quarantine.fetch({"a.txt": b"a"})
    quarantine.examine(submission)
    quarantine.accept(submission)
    quarantine.release(submission)
    (package,) = quarantine.packages(submission)
    note = quarantine.home / "outbox" / package.package_id / "bag-info.txt"
    note.write_bytes(note.read_bytes() + b"X: y\n")
    quarantine.receive()
    assert quarantine.settle(submission) is Progress.HELD
    assert quarantine.row(submission).state is SubmissionState.HELD
    assert receipts_of(quarantine) == []
    quarantine.again(submission)
    assert quarantine.examine(submission) is Progress.DONE
    quarantine.accept(submission)
    assert quarantine.release(submission) is Progress.DONE
    quarantine.receive()
    assert quarantine.settle(submission) is Progress.DONE
    assert quarantine.row(submission).state is SubmissionState.ERASED
    (receipt,) = receipts_of(quarantine)
    assert receipt.decision.sequence == 1
