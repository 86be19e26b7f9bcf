"""What the portal says of its log, and whose cosignature it keeps."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from amana.store.engine import Database
from amana.wire import pull as wire
from amana.wire.pull import CheckpointAnswer
from crypto import tlogproof
from crypto.merkle import TreeHash
from crypto.note import SignedNote
from crypto.sign import Cosigner, LogSigner, SigningSeeds
from crypto.tlogproof import LogPolicy, TlogProof, believe
from portal import checkpoints
from portal.ledger import merge_leaves
from portal.records.tables import WAITING_LEAF
from tests.portal.pulled import COSIGNER, NOON, TODAY, Pulled, make


@pytest.fixture
def portal(tmp_path: Path) -> Pulled:
    return make(tmp_path)


@pytest.fixture
def link(portal: Pulled) -> Iterator[httpx.Client]:
    with portal.serve() as link:
        yield link


def asked(portal: Pulled, link: httpx.Client, size: int, counter: int) -> CheckpointAnswer:
    path = wire.checkpoint_path(size)
    answer = link.get(path, headers=portal.header("GET", path, counter))
    return CheckpointAnswer.from_bytes(answer.content)


def note_of(answer: CheckpointAnswer) -> SignedNote:
    return SignedNote.parse(answer.checkpoint.encode(), limit_bytes=wire.CHECKPOINT_LIMIT_BYTES)


def post(portal: Pulled, link: httpx.Client, note: SignedNote, counter: int) -> int:
    body = note.to_bytes()
    headers = portal.header("POST", wire.COSIGN_PATH, counter, body)
    return link.post(wire.COSIGN_PATH, content=body, headers=headers).status_code


def kept(portal: Pulled) -> bytes | None:
    with portal.database() as database:
        return portal.run(checkpoints.newest_cosigned(database))


def test_a_checkpoint_has_the_pinned_key_and_no_time_but_the_day(
    portal: Pulled, link: httpx.Client
) -> None:
    portal.grow(5)
    believed = believe(
        note_of(asked(portal, link, 0, 1)), LogPolicy(log=portal.keys.log_key(portal.origin))
    )
    assert believed.checkpoint.size == 5
    assert believed.signed_at == int(NOON.replace(hour=0).timestamp())


def test_a_log_that_is_smaller_than_what_was_seen_says_so(
    portal: Pulled, link: httpx.Client
) -> None:
    portal.grow(5)
    answer = asked(portal, link, 9, 1)
    assert (answer.old_size, answer.proof) == (9, ())
    assert answer.checkpoint.split("\n")[1] == "5"


@pytest.mark.parametrize("query", ["", "?from=", "?from=-1", "?from=01", "?from=9007199254740992"])
def test_a_size_that_is_none_is_refused(portal: Pulled, link: httpx.Client, query: str) -> None:
    path = f"{wire.COSIGN_PATH}{query}"
    assert link.get(path, headers=portal.header("GET", path, 1)).status_code == 404


@pytest.mark.threat("T-08")
def test_only_our_own_checkpoint_with_the_pinned_cosigner_is_kept(
    portal: Pulled, link: httpx.Client
) -> None:
    portal.grow(5)
    ours = note_of(asked(portal, link, 0, 1))
    stranger = Cosigner.from_seeds(COSIGNER.key.name, SigningSeeds.generate())
    other_log = LogSigner.from_seeds(portal.origin, SigningSeeds.generate())
    right = COSIGNER.cosign(ours, at=0)
    text = ours.text.replace("\n5\n", "\n6\n")
    wrong = [
        ours,
        stranger.cosign(ours, at=0),
        stranger.cosign(right, at=0),
        dataclasses.replace(right, signatures=right.signatures[:3]),
        dataclasses.replace(right, signatures=right.signatures[2:]),
        dataclasses.replace(right, text=text),
        COSIGNER.cosign(
            other_log.sign(
                believe(ours, LogPolicy(log=portal.keys.log_key(portal.origin))).checkpoint
            ),
            at=0,
        ),
    ]
    for counter, note in enumerate(wrong, 2):
        assert post(portal, link, note, counter) == 404
    assert kept(portal) is None
    assert post(portal, link, right, 20) == 204
    assert kept(portal) == right.to_bytes()
    # The same size again, on another day: the later one is kept.
    again = COSIGNER.cosign(ours, at=86_400)
    assert post(portal, link, again, 21) == 204
    assert kept(portal) == again.to_bytes()


@pytest.mark.threat("T-09")
def test_a_submission_is_proven_to_be_in_what_was_cosigned(
    portal: Pulled, link: httpx.Client
) -> None:
    note = portal.give(b"material")
    with portal.database() as database:
        leaf = portal.run(_waiting(database))
        assert portal.run(checkpoints.prove(database, leaf)) is None
        portal.run(merge_leaves(database, TODAY.replace(day=3)))
    assert post(portal, link, COSIGNER.cosign(note_of(asked(portal, link, 0, 1)), at=0), 2) == 204
    with portal.database() as database:
        proof = portal.run(checkpoints.prove(database, leaf))
        assert portal.run(checkpoints.prove(database, TreeHash(bytes(32)))) is None
    assert proof is not None
    policy = LogPolicy(
        log=portal.keys.log_key(portal.origin), cosigners=(COSIGNER.key,), threshold=1
    )
    read = TlogProof.parse(proof.to_bytes())
    proven = tlogproof.verify(read, leaf=leaf, policy=policy)
    assert proven.believed.cosigners == (COSIGNER.key.name,)
    assert note.submission_id not in proof.to_bytes().decode()


async def _waiting(database: Database) -> TreeHash:

    async with database.read() as connection:
        return TreeHash((await connection.execute(WAITING_LEAF.select())).one().hash)
