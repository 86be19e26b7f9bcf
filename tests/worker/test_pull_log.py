"""The portal's log only grows, or the pull stops; and what was seen of it is never forgotten."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from amana.wire import pull as wire
from amana.wire.pull import CheckpointAnswer, HashText
from crypto import merkle
from crypto.checkpoint import Checkpoint
from crypto.merkle import TreeHash
from crypto.sign import LogSigner, SigningSeeds
from tests.worker.hostile_portal import LOG, ORIGIN, Hostile, pulling, taken_over
from worker.pull import PullClient, PullError, PullFault

LEAVES = [TreeHash(secrets.token_bytes(32)) for _ in range(9)]


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Hostile]:
    with taken_over(tmp_path) as hostile:
        yield hostile


@pytest.fixture
def client(portal: Hostile, tmp_path: Path) -> Iterator[PullClient]:
    assert not portal.asked
    with pulling(tmp_path) as client:
        yield client


def fault(failure: pytest.ExceptionInfo[PullError]) -> PullFault:
    return failure.value.fault


def checkpoint(
    leaves: list[TreeHash], old_size: int, signer: LogSigner = LOG, *, has_proof: bool = True
) -> CheckpointAnswer:
    text = Checkpoint(origin=signer.key.name, size=len(leaves), root=merkle.root(leaves))
    hashes = (
        merkle.consistency_proof(leaves, old_size) if old_size <= len(leaves) and has_proof else ()
    )
    return CheckpointAnswer(
        old_size=old_size,
        checkpoint=signer.sign(text).to_bytes().decode(),
        proof=tuple(HashText(each.hex()) for each in hashes),
    )


def say_log(portal: Hostile, answer: CheckpointAnswer, asked: int) -> None:
    portal.say(wire.checkpoint_path(asked), answer)
    portal.say(wire.COSIGN_PATH, b"", 204)


@pytest.mark.threat("T-09")
@pytest.mark.parametrize(
    ("leaves", "expected"),
    [
        (LEAVES[:4], PullFault.LOG_SHRUNK),
        ([], PullFault.LOG_SHRUNK),
        ([*LEAVES[:4], LEAVES[8]], PullFault.LOG_FORKED),
        ([LEAVES[1], LEAVES[0], *LEAVES[2:8]], PullFault.LOG_FORKED),
        ([*LEAVES[:2], *LEAVES[3:9]], PullFault.LOG_FORKED),
    ],
    ids=["cut", "emptied", "changed", "reordered", "dropped"],
)
def test_a_log_that_lost_its_past_stops_the_pull_and_is_kept_as_evidence(
    portal: Hostile,
    client: PullClient,
    tmp_path: Path,
    leaves: list[TreeHash],
    expected: PullFault,
) -> None:
    say_log(portal, checkpoint(LEAVES[:5], 0), 0)
    assert client.cosign().size == 5
    remembered = (tmp_path / "memory" / "checkpoint.note").read_bytes()
    wrong = checkpoint(leaves, 5)
    say_log(portal, wrong, 5)
    for _ in range(2):
        with pytest.raises(PullError) as failure:
            client.cosign()
        assert fault(failure) is expected
        assert failure.value.stops_pulling
        assert not failure.value.is_for_later
    assert (tmp_path / "memory" / "checkpoint.note").read_bytes() == remembered
    [evidence] = (tmp_path / "memory").glob("contradiction-*.note")
    assert evidence.read_bytes() == wrong.checkpoint.encode()
    assert portal.asked.count(wire.COSIGN_PATH) == 1
    say_log(portal, checkpoint(LEAVES, 5), 5)
    with pytest.raises(PullError) as failure:
        client.cosign()
    assert failure.value.stops_pulling, "it shows its old face again, and nobody has looked"
    evidence.rename(tmp_path / "looked-at.note")
    assert client.cosign().size == 9


@pytest.mark.threat("T-09")
def test_a_log_without_a_proof_is_not_believed(portal: Hostile, client: PullClient) -> None:
    say_log(portal, checkpoint(LEAVES[:5], 0), 0)
    client.cosign()
    say_log(portal, checkpoint(LEAVES, 5, has_proof=False), 5)
    with pytest.raises(PullError) as failure:
        client.cosign()
    assert fault(failure) is PullFault.LOG_FORKED


def test_an_answer_to_another_question_is_malformed(portal: Hostile, client: PullClient) -> None:
    say_log(portal, checkpoint(LEAVES, 5), 0)
    with pytest.raises(PullError) as failure:
        client.cosign()
    assert fault(failure) is PullFault.MALFORMED


@pytest.mark.threat("T-08")
@pytest.mark.parametrize(
    "signer",
    [
        LogSigner.from_seeds(ORIGIN, SigningSeeds.generate()),
        LogSigner.from_seeds("training.invalid/other", LOG.seeds),
    ],
    ids=["another-key", "another-log"],
)
def test_a_checkpoint_of_another_log_is_refused(
    portal: Hostile, client: PullClient, tmp_path: Path, signer: LogSigner
) -> None:
    say_log(portal, checkpoint(LEAVES, 0, signer), 0)
    with pytest.raises(PullError) as failure:
        client.cosign()
    assert fault(failure) is PullFault.LOG_UNSIGNED
    assert not (tmp_path / "memory" / "checkpoint.note").exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("counter", b"x"),
        ("counter", b"9" * 40),
        ("counter", b"-5\n"),
        ("counter", "٣".encode()),
        ("checkpoint.note", b""),
        ("checkpoint.note", b"cut"),
    ],
)
def test_a_damaged_memory_stops_the_pull_and_is_not_begun_anew(
    portal: Hostile, client: PullClient, tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / "memory" / name
    path.write_bytes(content)
    with pytest.raises(PullError) as failure:
        client.cosign()
    assert fault(failure) is PullFault.MEMORY_DAMAGED
    assert path.read_bytes() == content
    assert portal.asked == []
