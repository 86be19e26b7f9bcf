"""Whoever controls the portal, gives material or can write into a folder gets no evidence lost."""

import hashlib
import shutil
from dataclasses import replace

import pytest

from amana.durable import make_folders
from amana.wire.event import EventType, Thing, ThingKind
from amana.wire.ids import ConsentId, Digest, ObjectId, SubmissionId, ThingId, random_id
from amana.wire.reasons import ReasonCode
from amana.wire.references import ConsentReference
from amana.wire.sealed import SealedObject
from amana.wire.vocabulary import ConsentBasis
from crypto.sign import NoteSigner
from repository.receive import Received
from terms.vocabulary import HandlingClass
from tests.worker.opening.forge import Forger, honest, signed_by, story_of
from tests.worker.pipeline.ground import CONDITIONS, OFFICER, Quarantine
from tests.worker.pipeline.hostile import (
    bundle_of,
    erasable_by_its_word,
    put_in_place_of,
    spoil,
    told_again,
)
from worker.agent_client import CardHolder
from worker.canary import EICAR
from worker.custody import Deed, about, witness
from worker.engine import Progress
from worker.errors import MoveError, PipelineError
from worker.pipeline.arrive import arrive, arrive_all
from worker.pipeline.decide import Choice, Ruling, Scope
from worker.pipeline.instead import take_instead
from worker.pipeline.packing import pack
from worker.pipeline.release import prepare
from worker.pipeline.states import ItemState, SubmissionState
from worker.pull_bundle import BundleFolder
from worker.pull_disk import import_bundle
from worker.rewrapped import read_rewrapped
from worker.verdict import Verdict

NOBODY_HAS = ConsentReference(
    state=ConsentBasis.RECORDED, consent_id=ConsentId("0" * 32), exempt_reason=None
)


def test_a_strangers_word_that_a_card_is_its_own_destroys_no_key(quarantine: Quarantine) -> None:
    note, bundle = erasable_by_its_word(quarantine)
    submission = quarantine.bring(note, bundle)
    quarantine.examine(submission)
    quarantine.accept(submission)
    quarantine.release(submission)
    quarantine.receive()
    assert quarantine.settle(submission) is Progress.DONE
    assert quarantine.row(submission).state is SubmissionState.ERASED
    month = CardHolder(card=quarantine.world.month_card.card_id)
    assert month not in quarantine.world.keys.destroyed


@pytest.mark.parametrize("with_items", [False, True], ids=["objects", "items-too"])
def test_a_sealed_object_belongs_to_one_submission_only(
    quarantine: Quarantine, *, with_items: bool
) -> None:
    note, bundle = bundle_of(quarantine, "one", {"a.txt": b"a"})
    target = quarantine.home / "two.bundle"
    other = told_again(quarantine, bundle, target, with_items=with_items)
    first = quarantine.bring(note, bundle)
    second = quarantine.bring(other, target)
    assert quarantine.examine(first) is Progress.DONE
    assert quarantine.examine(second) is Progress.HELD
    row = quarantine.row(second)
    assert (row.state, row.reason) == (
        SubmissionState.HELD,
        ReasonCode.OBJECT_OF_ANOTHER_SUBMISSION,
    )
    assert quarantine.items(second) == ()
    quarantine.again(second)
    assert quarantine.examine(second) is Progress.HELD
    quarantine.accept(first)
    assert quarantine.release(first) is Progress.DONE


def test_whoever_only_names_a_sealed_object_keeps_nobody_out(quarantine: Quarantine) -> None:
    """A digest is seen by whoever carries it. What is claimed was opened and proven."""
    note, bundle = bundle_of(quarantine, "one", {"a.txt": b"a"})
    target = quarantine.home / "two.bundle"
    other = told_again(quarantine, bundle, target, with_items=False)
    spoil(target)
    second = quarantine.bring(other, target)
    assert quarantine.examine(second) is Progress.HELD
    first = quarantine.bring(note, bundle)
    assert quarantine.examine(first) is Progress.DONE


def test_another_submission_in_a_submissions_folder_is_held(quarantine: Quarantine) -> None:
    submission = quarantine.fetch({"evidence.txt": b"evidence"})
    _, bundle = bundle_of(quarantine, "two", {"harmless.txt": b"harmless"})
    put_in_place_of(quarantine, submission, bundle)
    assert quarantine.examine(submission) is Progress.HELD
    assert quarantine.row(submission).reason is ReasonCode.NOTE_DISAGREES
    assert quarantine.items(submission) == ()


def test_what_came_under_another_note_does_not_spoil_what_comes_by_disk(
    quarantine: Quarantine,
) -> None:
    note, bundle = bundle_of(quarantine, "one", {"a.txt": b"a"})
    places = quarantine.shop.places
    junk = b"junk" * 100
    squatting = BundleFolder(places.bundle(note.submission_id), 0)
    squatting.begin()
    stated = SealedObject(
        object_id=note.objects[0].object_id,
        sealed_size=len(junk),
        sealed_sha256=Digest(hashlib.sha256(junk).hexdigest()),
    )
    squatting.receive(stated, lambda start: iter([junk[start:]]))
    submission = import_bundle(bundle, places.submissions, spare_bytes=0)
    arrive(quarantine.shop.books, places, quarantine.shop.custodian, submission)
    assert quarantine.examine(submission) is Progress.DONE


def test_a_note_that_nobody_signed_gives_way_to_the_disk_when_an_officer_says_so(
    quarantine: Quarantine,
) -> None:
    note, bundle = bundle_of(quarantine, "one", {"a.txt": b"a"})
    shop, places = quarantine.shop, quarantine.shop.places
    squatter = quarantine.home / "squatter"
    shutil.copytree(bundle, squatter)
    submission = quarantine.bring(note, signed_by(squatter, NoteSigner.generate("nobody/x")))
    assert quarantine.examine(submission) is Progress.HELD
    assert quarantine.row(submission).reason is ReasonCode.NOTE_UNSIGNED
    import_bundle(bundle, places.instead, spare_bytes=0)
    take_instead(
        shop.books,
        places,
        shop.custodian,
        bundle=places.instead / submission,
        submission=submission,
        officer=OFFICER,
    )
    assert quarantine.examine(submission) is Progress.DONE
    assert len(list(places.submissions.glob(f".{submission}.*.aside"))) == 1
    transfers = [_ for _ in quarantine.events(submission) if _.type is EventType.TRANSFER]
    assert [each.agent.key_id for each in transfers].count(OFFICER) == 1


def test_nothing_takes_the_place_of_what_was_opened(quarantine: Quarantine) -> None:
    note, bundle = bundle_of(quarantine, "one", {"a.txt": b"a"})
    shop, places = quarantine.shop, quarantine.shop.places
    kept = quarantine.home / "kept"
    shutil.copytree(bundle, kept)
    submission = quarantine.bring(note, bundle)
    for opened in (False, True):
        with pytest.raises(MoveError):
            take_instead(
                shop.books,
                places,
                shop.custodian,
                bundle=kept,
                submission=submission,
                officer=OFFICER,
            )
        if not opened:
            quarantine.examine(submission)
    assert kept.exists()


def test_what_a_kill_left_unknown_is_known_after_the_next_start(quarantine: Quarantine) -> None:
    note, bundle = bundle_of(quarantine, "one", {"a.txt": b"a"})
    shop, places = quarantine.shop, quarantine.shop.places
    bundle.rename(places.bundle(note.submission_id))
    (places.submissions / ("f" * 64)).mkdir()
    assert arrive_all(shop.books, places, shop.custodian) == 1
    assert quarantine.row(note.submission_id).state is SubmissionState.FETCHED
    assert arrive_all(shop.books, places, shop.custodian) == 0


def test_a_package_that_was_refused_is_not_received_later(quarantine: Quarantine) -> None:
    submission = quarantine.fetch({"a.txt": b"a"})
    quarantine.examine(submission)
    quarantine.accept(submission)
    quarantine.release(submission)
    (package,) = quarantine.packages(submission)
    info = quarantine.home / "outbox" / package.package_id / "bag-info.txt"
    info.write_bytes(info.read_bytes() + b"X: y\n")
    quarantine.receive()
    assert quarantine.settle(submission) is Progress.HELD
    assert list((quarantine.home / "outbox").iterdir()) == []
    assert quarantine.shop.places.bundle(submission).exists()


def test_every_hold_has_its_event(quarantine: Quarantine) -> None:
    submission = quarantine.fetch({"a.txt": b"a"})
    quarantine.examine(submission)
    quarantine.accept(submission)
    quarantine.release(submission)
    (package,) = quarantine.packages(submission)
    info = quarantine.home / "outbox" / package.package_id / "bag-info.txt"
    info.write_bytes(info.read_bytes() + b"X: y\n")
    quarantine.receive()
    quarantine.settle(submission)
    quarantine.again(submission)
    spoil(quarantine.shop.places.bundle(submission))
    assert quarantine.examine(submission) is Progress.HELD
    reasons = [
        each.reason
        for each in quarantine.events(submission)
        if each.type is EventType.QUARANTINE and each.thing == about(submission)
    ]
    assert sorted(reasons, key=str) == [
        ReasonCode.OBJECT_DISAGREES,
        ReasonCode.REPOSITORY_REFUSED,
    ]


def test_an_event_of_one_thing_never_stands_for_another(quarantine: Quarantine) -> None:
    first, second = (quarantine.fetch({"a.txt": bytes([each])}) for each in range(2))
    thing = Thing(kind=ThingKind.OBJECT, id=ThingId(random_id(ObjectId)))
    deed = Deed(type=EventType.ENCRYPTION, thing=thing, digest_after=Digest("0" * 64))
    changed = replace(deed, digest_after=Digest("1" * 64))
    write, custodian = quarantine.shop.books.write, quarantine.shop.custodian

    def told(submission: SubmissionId, each: Deed) -> int:
        return len(write(lambda _: witness(_, custodian, submission, [each])))

    assert told(first, deed) == told(first, deed) == 1
    for submission, each in ((second, deed), (first, changed)):
        with pytest.raises(MoveError):
            told(submission, each)


def test_what_is_not_decided_keeps_its_class_beside_what_is(quarantine: Quarantine) -> None:
    """Both lie in one pack: it goes to the stricter class, whoever is cleared for the milder."""
    note, bundle = bundle_of(quarantine, "one", {"a.txt": b"a", "b.txt": b"b"})
    story = story_of(quarantine.world.opened(bundle, quarantine.shop.register()))
    first, second = story.items
    items = (first, replace(second, handling_class=HandlingClass.SGBV))
    Forger(quarantine.world, bundle).tell(replace(story, items=items), honest)
    submission = quarantine.bring(note, bundle)
    quarantine.examine(submission)
    row, _ = quarantine.items(submission)
    quarantine.accept_some(submission, (row,), HandlingClass.STANDARD)
    ruling = Ruling(choice=Choice.ASK, officer=OFFICER, scope=Scope.ITEM)
    quarantine.rule(submission, quarantine.items(submission)[1:], ruling)
    assert quarantine.release(submission) is Progress.DONE
    folder = quarantine.shop.places.bundle(submission)
    (change,) = read_rewrapped(folder, submission, note.objects).values()
    assert change.handling_class is HandlingClass.SGBV
    (package,) = quarantine.receive()
    assert isinstance(package, Received)


def test_an_item_that_changed_since_an_officer_looked_is_not_decided(
    quarantine: Quarantine,
) -> None:
    submission = quarantine.fetch({"a.txt": b"a"})
    quarantine.examine(submission)
    (seen,) = quarantine.items(submission)
    with pytest.raises(MoveError):
        quarantine.accept_some(submission, (replace(seen, visit=1),), HandlingClass.STANDARD)
    assert quarantine.items(submission)[0].state is ItemState.WAITING


def test_a_report_that_somebody_put_in_the_place_of_ours_makes_no_package(
    quarantine: Quarantine,
) -> None:
    """Whoever can write into the folder can seal to a card, which is public."""
    submission = quarantine.fetch({"a.com": EICAR, "b.txt": b"harmless"})
    quarantine.examine(submission)
    bad, good = sorted(quarantine.items(submission), key=lambda each: each.verdict or "")[::-1]
    assert (bad.verdict, good.verdict) == (Verdict.INFECTED, Verdict.CLEAN)
    quarantine.accept(submission)
    assert prepare(quarantine.shop, submission) is Progress.DONE
    places = quarantine.shop.places
    clean = places.report(submission, good.item_id).read_bytes()
    places.report(submission, bad.item_id).write_bytes(clean)
    with pytest.raises(PipelineError):
        pack(quarantine.shop, submission)
    assert list((quarantine.home / "outbox").iterdir()) == []
    assert quarantine.row(submission).state is SubmissionState.RELEASED


def test_a_folder_whose_consent_nobody_has_is_held_and_holds_up_nothing_else(
    quarantine: Quarantine,
) -> None:
    """It has no bytes to scan, but conditions it has like everything else."""
    source = quarantine.home / "given"
    make_folders(source / "empty")
    (source / "a.txt").write_bytes(b"a")
    bundle = quarantine.home / "bundle"
    commission = replace(quarantine.world.commission, conditions=CONDITIONS)
    note = quarantine.world.seal(source, bundle, commission)
    story = story_of(quarantine.world.opened(bundle, quarantine.shop.register()))
    items = tuple(
        item if item.content is not None else replace(item, consents=(NOBODY_HAS,))
        for item in story.items
    )
    Forger(quarantine.world, bundle).tell(replace(story, items=items), honest)
    submission = quarantine.bring(note, bundle)
    assert quarantine.examine(submission) is Progress.DONE
    held = [_ for _ in quarantine.items(submission) if _.state is ItemState.HELD]
    assert {each.reason for each in held} == {ReasonCode.CONSENT_UNKNOWN.value}
    quarantine.accept_waiting(submission)
    assert quarantine.release(submission) is Progress.DONE
    assert len(quarantine.packages(submission)) == 1
