"""A package in order is kept once and acknowledged; any other leaves nothing but a reason."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from amana.wire import package_paths as paths
from amana.wire.acknowledgement import ItemFate, RefusalReason
from amana.wire.spool import ANSWER, COMMIT
from amana.wire.vocabulary import Deployment
from crypto.identities import HybridIdentity
from repository.receive import Received, Receiver, Refused
from repository.store import ACKNOWLEDGEMENT, BAG, Store, open_store
from terms.consent import ConsentState
from terms.layer import LayerKind
from terms.vocabulary import Action, Effect
from tests.package.world import END, KEYS, QUARANTINE, RECORD, REPOSITORY, World, a_world
from tests.repository.conftest import Way, a_receiver
from tests.terms.world import layer, rule
from tests.wire.givens import TODAY, a_signer, seed
from worker.forward import Acknowledged, Outbox
from worker.forward import Refused as RefusedAnswer
from worker.package_plan import PackagePlan, plan_packages


def kept(way: Way) -> list[str]:
    return sorted(path.name for path in (way.store / "packages").iterdir())


def test_a_package_in_order_is_kept_sealed_and_acknowledged_item_by_item(
    way: Way, plan: PackagePlan
) -> None:
    (result,) = way.receive()
    assert isinstance(result, Received)
    assert result.is_new
    assert kept(way) == [way.sealed.package_id]
    place = way.store / "packages" / way.sealed.package_id
    for path in way.package.rglob("*"):
        if path.is_file():
            relative = path.relative_to(way.package)
            assert (place / BAG / relative).read_bytes() == path.read_bytes()
    answer = way.outbox.answer(way.sealed.package_id)
    assert isinstance(answer, Acknowledged)
    fates = {each.registration: each.fate for each in answer.word.items}
    assert fates == dict.fromkeys((item.registration for item in plan.items), ItemFate.ACCEPTED)


def test_the_same_package_twice_is_kept_once_under_one_accession(
    way: Way, plan: PackagePlan, world: World
) -> None:
    (first,) = way.receive()
    way.outbox.clear(answer_of(way))
    again = way.outbox.put(plan, world.contents)
    assert again.package_id == way.sealed.package_id
    assert again.sealed_sha256 != way.sealed.sealed_sha256
    (second,) = way.receive()
    assert isinstance(first, Received)
    assert isinstance(second, Received)
    assert not second.is_new
    assert second.word.accession_id == first.word.accession_id
    assert second.word.sealed_sha256 == again.sealed_sha256
    assert kept(way) == [way.sealed.package_id]
    assert isinstance(way.outbox.answer(again.package_id), Acknowledged)


def answer_of(way: Way) -> Acknowledged:
    answer = way.outbox.answer(way.sealed.package_id)
    assert isinstance(answer, Acknowledged)
    return answer


def test_what_was_answered_is_not_read_again(way: Way) -> None:
    assert len(way.receive()) == 1
    assert way.receive() == []


def test_an_answer_that_was_lost_is_given_again(way: Way) -> None:
    (first,) = way.receive()
    (way.answers / f"{way.sealed.package_id}{ANSWER}").unlink()
    (second,) = way.receive()
    assert isinstance(first, Received)
    assert isinstance(second, Received)
    assert second.word.accession_id == first.word.accession_id


def test_a_package_without_its_mark_is_not_looked_at(way: Way) -> None:
    (way.spool / f"{way.sealed.package_id}{COMMIT}").unlink()
    assert way.receive() == []
    assert kept(way) == []


def flip(path: Path, at: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def to_link(path: Path) -> None:
    path.rename(path.with_name("real"))
    path.symlink_to("real")


Tampering = Callable[[Path], object]
TAMPERINGS: dict[str, tuple[Tampering, RefusalReason]] = {
    "sealed bytes flipped": (
        lambda p: flip(p / paths.SEALED, 5_000),
        RefusalReason.FILE_CHANGED,
    ),
    "sealed bytes cut": (lambda p: cut(p / paths.SEALED), RefusalReason.FILE_CHANGED),
    "bagit flipped": (lambda p: flip(p / "bagit.txt", 3), RefusalReason.FILE_CHANGED),
    "bag-info flipped": (lambda p: flip(p / "bag-info.txt", 20), RefusalReason.FILE_CHANGED),
    "manifest flipped": (lambda p: flip(p / "manifest-sha256.txt", 3), RefusalReason.FILE_CHANGED),
    "manifest line gone": (
        lambda p: (p / "manifest-sha256.txt").write_bytes(b""),
        RefusalReason.FILE_CHANGED,
    ),
    "tag manifest flipped": (
        lambda p: flip(p / "tagmanifest-sha256.txt", 3),
        RefusalReason.FILE_CHANGED,
    ),
    "note flipped": (lambda p: flip(p / paths.SEAL_NOTE, 60), RefusalReason.NOTE_NOT_BELIEVED),
    "note cut": (lambda p: cut(p / paths.SEAL_NOTE), RefusalReason.BAG_MALFORMED),
    "stray tag file": (
        lambda p: (p / "readme.txt").write_text("hello"),
        RefusalReason.FILE_NOT_LISTED,
    ),
    "stray payload": (lambda p: (p / "data/x").write_text("x"), RefusalReason.FILE_NOT_LISTED),
    "stray folder": (lambda p: (p / "more").mkdir(), RefusalReason.FILE_NOT_LISTED),
    "fetch.txt": (
        lambda p: (p / "fetch.txt").write_text("file:///etc/passwd - data/x\n"),
        RefusalReason.FETCH_FORBIDDEN,
    ),
    "renamed payload": (
        lambda p: (p / paths.SEALED).rename(p / "data/other.age"),
        RefusalReason.FILE_NOT_LISTED,
    ),
    "payload gone": (lambda p: (p / paths.SEALED).unlink(), RefusalReason.FILE_MISSING),
    "note gone": (lambda p: (p / paths.SEAL_NOTE).unlink(), RefusalReason.FILE_MISSING),
    "all gone": (shutil.rmtree, RefusalReason.BAG_MALFORMED),
    "payload is a link": (lambda p: to_link(p / paths.SEALED), RefusalReason.FILE_NOT_LISTED),
}


@pytest.mark.threat("T-01")
@pytest.mark.parametrize("what", TAMPERINGS)
def test_a_package_changed_from_outside_is_refused_by_name(way: Way, what: str) -> None:
    tamper, reason = TAMPERINGS[what]
    tamper(way.package)
    (result,) = way.receive()
    assert isinstance(result, Refused)
    assert result.word.reason is reason
    assert kept(way) == []
    assert list((way.store / "incoming").iterdir()) == []


def refused_by(receiver: Receiver, way: Way) -> RefusalReason:
    (result,) = receiver.receive_all(way.spool, TODAY)
    assert isinstance(result, Refused)
    assert kept(way) == []
    return result.word.reason


@pytest.mark.threat("T-08")
def test_a_package_of_another_signer_or_an_old_key_is_refused(way: Way) -> None:
    end = replace(END, signers=(a_signer("quarantine-packages-0").key,))
    receiver = Receiver(Store(way.store), way.answers, keys=KEYS, end=end)
    assert refused_by(receiver, way) is RefusalReason.NOTE_NOT_BELIEVED


@pytest.mark.threat("T-02")
def test_a_package_that_is_sealed_to_another_repository_is_refused(way: Way) -> None:
    keys = replace(KEYS, identity=HybridIdentity(seed=seed("another repository")))
    receiver = Receiver(Store(way.store), way.answers, keys=keys, end=END)
    assert refused_by(receiver, way) is RefusalReason.ANOTHER_RECIPIENT


def test_training_is_refused_by_production_and_the_other_way_round(
    way: Way, tmp_path: Path
) -> None:
    production = replace(END, deployment=Deployment.PRODUCTION)
    receiver = Receiver(Store(way.store), way.answers, keys=KEYS, end=production)
    assert refused_by(receiver, way) is RefusalReason.OTHER_DEPLOYMENT
    real = a_world(deployment=Deployment.PRODUCTION)
    (plan,) = plan_packages(real.dossier, real.items)
    spool = tmp_path / "real"
    spool.mkdir()
    pinned = replace(REPOSITORY, deployment=Deployment.PRODUCTION)
    outbox = Outbox(spool, way.answers, repository=pinned, signer=QUARANTINE)
    outbox.put(plan, real.contents)
    (result,) = way.receiver.receive_all(spool, TODAY)
    assert isinstance(result, Refused)
    assert result.word.reason is RefusalReason.OTHER_DEPLOYMENT


def test_a_package_under_anothers_name_is_refused(way: Way) -> None:
    other = "0" * 64
    way.package.rename(way.spool / other)
    (way.spool / f"{way.sealed.package_id}{COMMIT}").rename(way.spool / f"{other}{COMMIT}")
    assert refused_by(way.receiver, way) is RefusalReason.PACKAGE_ID_DISAGREES


def test_a_refusal_reaches_the_quarantine_which_keeps_the_package(way: Way) -> None:
    (way.package / "readme.txt").write_text("hello")
    way.receive()
    answer = way.outbox.answer(way.sealed.package_id)
    assert isinstance(answer, RefusedAnswer)
    assert answer.word.reason is RefusalReason.FILE_NOT_LISTED
    assert way.package.exists()


def test_an_item_that_may_not_be_kept_is_refused_and_the_others_are_not(tmp_path: Path) -> None:
    no = layer(LayerKind.ITEM, rule("no", Effect.DENY, [Action.ARCHIVE]))
    withdrawn = replace(RECORD, state=ConsentState.WITHDRAWN)
    for name, strict in (("no", a_world(layers=(no,))), ("gone", a_world(consent=withdrawn))):
        (plan,) = plan_packages(strict.dossier, strict.items)
        spool = tmp_path / name
        spool.mkdir()
        outbox = Outbox(spool, spool, repository=REPOSITORY, signer=QUARANTINE)
        outbox.put(plan, strict.contents)
        with open_store(tmp_path / f"{name}-store") as store:
            (result,) = a_receiver(store, spool).receive_all(spool, TODAY)
        assert isinstance(result, Received)
        fates = [each.fate for each in result.word.items]
        assert fates[0] is ItemFate.REFUSED
        # The bare folder is under nobody's recorded consent; only the item layer speaks to it.
        assert fates[-1] is (ItemFate.REFUSED if name == "no" else ItemFate.ACCEPTED)


def test_what_a_killed_receiver_left_is_swept_away(way: Way, tmp_path: Path) -> None:
    left = tmp_path / "other" / "incoming" / "0123"
    left.mkdir(parents=True)
    (left / "x").write_bytes(b"x")
    with open_store(tmp_path / "other"):
        assert not left.exists()
    with pytest.raises(BlockingIOError), open_store(way.store):
        pass


def test_a_store_holds_nothing_that_others_can_read(way: Way) -> None:
    way.receive()
    place = way.store / "packages" / way.sealed.package_id
    assert (place / ACKNOWLEDGEMENT).exists()
    modes = {path.stat().st_mode & 0o077 for path in way.store.rglob("*")}
    assert modes == {0}
    assert os.access(place, os.R_OK)
