"""Packages are handed over whole or not at all, and only the pinned repository's word counts."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from amana.wire.acknowledgement import PackageAcknowledgement, PackageRefusal, RefusalReason
from amana.wire.documents import Statement
from amana.wire.package import PackageId
from amana.wire.spool import ANSWER, COMMIT
from amana.wire.vocabulary import Deployment
from crypto.sign import NoteSigner
from repository.receive import Received
from tests.package.world import KEYS, QUARANTINE, REPOSITORY, Held, World
from tests.repository.conftest import Way
from tests.wire.givens import TODAY, TRAINING, a_digest, a_signer, signed
from worker.errors import MismatchError
from worker.forward import Acknowledged, Outbox, Refused
from worker.package_errors import AnswerError, PlanError
from worker.package_plan import PackagePlan

STEPS = """
import os, signal, sys
from pathlib import Path
from tests.package.world import QUARANTINE, REPOSITORY, a_world
from worker.forward import Outbox
from worker.package_plan import plan_packages
left = int(sys.argv[1])
def trace(event, argument):
    global left
    if event in {"os.mkdir", "os.link", "os.rename"}:
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
given = a_world(kept=Path(sys.argv[3]))
(plan,) = plan_packages(given.dossier, given.items)
box = Outbox(Path(sys.argv[2]), Path(sys.argv[2]), repository=REPOSITORY, signer=QUARANTINE)
sys.addaudithook(trace)
print(box.put(plan, given.contents).package_id)
"""
# Three folders, then names: the sealed object, five tag files, the package, its mark.
MOMENTS = (1, 3, 8, 9, 10)
NEVER = 99


@pytest.fixture
def word(way: Way) -> PackageAcknowledgement:
    (result,) = way.receive()
    assert isinstance(result, Received)
    return result.word


def write(way: Way, statement: Statement, signer: NoteSigner = KEYS.signer) -> None:
    path = way.answers / f"{way.sealed.package_id}{ANSWER}"
    path.write_bytes(signed(statement, signer))


def test_without_an_answer_there_is_none(way: Way) -> None:
    assert way.outbox.answer(way.sealed.package_id) is None


def test_a_package_leaves_the_spool_on_its_acknowledgement_alone(way: Way) -> None:
    way.receive()
    answer = way.outbox.answer(way.sealed.package_id)
    assert isinstance(answer, Acknowledged)
    way.outbox.clear(answer)
    way.outbox.clear(answer)
    assert list(way.spool.iterdir()) == []


@pytest.mark.threat("T-08")
def test_an_answer_that_the_pinned_repository_did_not_sign_is_not_believed(
    way: Way, word: PackageAcknowledgement
) -> None:
    for signer in (a_signer("repository-0"), a_signer("repository-1 "[:-1] + "x"), QUARANTINE):
        write(way, word, signer)
        with pytest.raises(AnswerError):
            way.outbox.answer(way.sealed.package_id)
    assert way.package.exists()


@pytest.mark.threat("T-08")
def test_an_answer_on_another_package_or_on_other_bytes_is_not_believed(
    way: Way, word: PackageAcknowledgement
) -> None:
    for wrong in (
        replace(word, package_id=PackageId("0" * 64)),
        replace(word, sealed_sha256=a_digest("an earlier sealing")),
        replace(word, sealed_size=word.sealed_size + 1),
        replace(word, deployment=Deployment.PRODUCTION),
    ):
        write(way, wrong)
        with pytest.raises(AnswerError):
            way.outbox.answer(way.sealed.package_id)


def test_an_acknowledgement_of_an_earlier_sealing_is_not_replayed_on_a_later_one(
    way: Way, word: PackageAcknowledgement, plan: PackagePlan, world: World
) -> None:
    answer = way.outbox.answer(way.sealed.package_id)
    assert isinstance(answer, Acknowledged)
    way.outbox.clear(answer)
    again = way.outbox.put(plan, world.contents)
    assert again.sealed_sha256 != word.sealed_sha256
    with pytest.raises(AnswerError):
        way.outbox.answer(again.package_id)


@pytest.mark.threat("T-01")
def test_an_answer_that_is_cut_or_changed_is_not_believed(
    way: Way, word: PackageAcknowledgement
) -> None:
    path = way.answers / f"{way.sealed.package_id}{ANSWER}"
    whole = path.read_bytes()
    assert word.FORMAT.encode() in whole
    for raw in (b"", whole[:-1], whole[:100], whole.replace(b"accepted", b"refused_", 1)):
        path.write_bytes(raw)
        with pytest.raises(AnswerError):
            way.outbox.answer(way.sealed.package_id)


def test_a_refusal_without_sealed_bytes_is_believed_and_the_package_stays(way: Way) -> None:
    refusal = PackageRefusal(
        package_id=way.sealed.package_id,
        sealed_sha256=None,
        deployment=TRAINING,
        refused_on=TODAY,
        reason=RefusalReason.FILE_MISSING,
    )
    write(way, refusal)
    assert isinstance(way.outbox.answer(way.sealed.package_id), Refused)
    assert way.package.exists()


def test_a_package_made_again_is_not_handed_over_again(
    way: Way, plan: PackagePlan, world: World
) -> None:
    assert way.outbox.put(plan, world.contents) == way.sealed
    assert len(list(way.spool.iterdir())) == 2


def test_material_of_another_deployment_is_not_handed_over(
    way: Way, plan: PackagePlan, world: World
) -> None:
    real = replace(REPOSITORY, deployment=Deployment.PRODUCTION)
    outbox = Outbox(way.spool, way.answers, repository=real, signer=QUARANTINE)
    with pytest.raises(PlanError):
        outbox.put(plan, world.contents)


def test_a_package_that_cannot_be_made_leaves_nothing(tmp_path: Path, plan: PackagePlan) -> None:
    outbox = Outbox(tmp_path, tmp_path, repository=REPOSITORY, signer=QUARANTINE)
    with pytest.raises(MismatchError):
        outbox.put(plan, Held({item.manifest.item_id: b"" for item in plan.items}))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.threat("T-06")
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_kill_at_any_step_leaves_nothing_or_a_whole_package(
    tmp_path: Path, way: Way, moment: int, request: pytest.FixtureRequest
) -> None:
    """Killed before a folder, a name or the mark: what a receiver sees then, and after a rerun."""
    spool, kept = tmp_path / "killed", tmp_path / "kept"
    spool.mkdir()
    kept.mkdir()

    def run(stop: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", STEPS, str(stop), str(spool), str(kept)]
        root = request.config.rootpath
        return subprocess.run(command, check=False, capture_output=True, text=True, cwd=root)

    assert run(moment).returncode == -signal.SIGKILL
    marks = [path for path in spool.iterdir() if path.name.endswith(COMMIT)]
    results = list(way.receiver.receive_all(spool, TODAY))
    assert marks == []
    assert results == []
    package_id = run(NEVER).stdout.strip()
    (result,) = way.receiver.receive_all(spool, TODAY)
    assert isinstance(result, Received)
    assert result.word.package_id == package_id
    whole = [path.name for path in spool.iterdir() if not path.name.startswith(".")]
    assert sorted(whole) == [package_id, f"{package_id}{COMMIT}"]
