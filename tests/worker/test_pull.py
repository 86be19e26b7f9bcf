"""The quarantine fetches from a portal that works as it should."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from amana.wire.bundle import NOTE, OBJECTS, object_path
from amana.wire.ids import SubmissionId
from amana.wire.note import PackageNote
from amana.wire.vocabulary import Deployment
from crypto.padding import Kind
from portal.checkpoints import newest_cosigned
from portal.pull_records import receipts_of
from tests.portal.pulled import COSIGNER, PULLER, STRANGER, TODAY, Pulled, make, sealed
from worker.pull import PullClient, PullError, PullFault
from worker.sealed_files import EVENT


@pytest.fixture
def portal(tmp_path: Path) -> Pulled:
    folder = tmp_path / "portal"
    folder.mkdir()
    return make(folder)


@pytest.fixture
def link(portal: Pulled) -> Iterator[httpx.Client]:
    with portal.serve() as link:
        yield link


@pytest.fixture
def client(portal: Pulled, link: httpx.Client, tmp_path: Path) -> PullClient:
    return client_of(portal, link, tmp_path)


def client_of(portal: Pulled, link: httpx.Client, folder: Path) -> PullClient:
    return PullClient(
        link,
        PULLER,
        cosigner=COSIGNER,
        log=portal.keys.log_key(portal.origin),
        deployment=Deployment.TRAINING,
        memory=folder / "memory",
        clock=portal.clock,
        spare_bytes=0,
    )


def is_whole(folder: Path, note: PackageNote) -> bool:
    """Whether a folder holds exactly what the note names, and its custody event."""
    names = {path.name for path in folder.iterdir()}
    digests = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (folder / OBJECTS).iterdir()
    }
    named = {object_path(each.object_id).name: each.sealed_sha256 for each in note.everything()}
    return names == {NOTE, OBJECTS, EVENT} and digests == named


def test_what_waits_is_listed_fetched_and_acknowledged(
    portal: Pulled, client: PullClient, tmp_path: Path
) -> None:
    notes = {each.submission_id: each for each in (portal.give(b"one"), portal.give(b"two", b"3"))}
    listed = list(client.waiting())
    assert {each.submission_id for each in listed} == set(notes)
    for entry in listed:
        note = notes[entry.submission_id]
        assert entry.note_sha256 == note.digest
        assert entry.objects == len(list(note.everything()))
        assert entry.sealed_bytes == sum(each.sealed_size for each in note.everything())
        folder = tmp_path / entry.submission_id
        client.fetch(entry.submission_id, folder)
        assert is_whole(folder, note)
        assert (folder / EVENT).read_bytes() == portal.places.event(note.submission_id).read_bytes()
        answer = client.acknowledge(folder)
        assert (answer.acknowledged_on, (answer.kept_until - TODAY).days) == (TODAY, 14)
        assert client.acknowledge(folder) == answer
    assert not list(client.waiting())


def test_a_long_list_comes_in_pages_small_before_large_and_by_day(
    portal: Pulled, client: PullClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.pull_records.PAGE_ENTRIES", 2)
    monkeypatch.setattr("portal.pull_records.BULK_BYTES", 1 << 20)
    days = [TODAY.replace(day=day) for day in (2, 1)]
    large = [portal.give(bytes(2 << 20), on=day).submission_id for day in days]
    small = [portal.give(b"x", on=day).submission_id for day in (*days, *days)]
    found = [each.submission_id for each in client.waiting()]
    assert found[4:] == large[::-1]
    assert found[:2] == sorted((small[1], small[3]))
    assert found[2:4] == sorted((small[0], small[2]))


def test_what_is_here_is_not_fetched_again_nor_replaced(
    portal: Pulled, client: PullClient, tmp_path: Path
) -> None:
    note = portal.give(b"material")
    folder = tmp_path / "here"
    client.fetch(note.submission_id, folder)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    client.fetch(note.submission_id, folder)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_another_note_for_a_submission_that_is_here_is_an_error(
    portal: Pulled, client: PullClient, tmp_path: Path
) -> None:
    first, second = portal.give(b"first"), portal.give(b"second")
    folder = tmp_path / "here"
    client.fetch(first.submission_id, folder)
    with pytest.raises(PullError) as failure:
        client.fetch(second.submission_id, folder)
    assert failure.value.fault is PullFault.ANOTHER_NOTE
    assert is_whole(folder, first)


def test_the_log_is_cosigned_at_each_pull_and_the_portal_keeps_it(
    portal: Pulled, client: PullClient, tmp_path: Path
) -> None:
    assert client.cosign().size == 0
    size = 0
    for leaves in (1, 64, 0, 7):
        portal.grow(leaves)
        size += leaves
        found = client.cosign()
        with portal.database() as database:
            kept = portal.run(newest_cosigned(database))
        assert kept == (tmp_path / "memory" / "checkpoint.note").read_bytes()
        assert kept is not None
        assert found.to_text().encode() in kept
        assert found.size == size


def test_a_receipt_is_kept_once_however_often_it_is_posted(
    portal: Pulled, client: PullClient
) -> None:
    note = portal.give(b"material")
    stated, body = sealed(b"receipt", Kind.RECORD)
    for _ in range(2):
        client.post_receipt(note.submission_id, body)
    with portal.database() as database:
        found = portal.run(receipts_of(database, note.submission_id))
    assert found == (stated.sealed_sha256,)
    assert portal.places.receipt(stated.sealed_sha256).read_bytes() == body
    assert not any(portal.places.spool.iterdir())


@pytest.mark.parametrize("body", [b"", b"clear text", b"age-encryption.org/v1\n" * 300])
def test_what_is_not_sealed_is_no_receipt(portal: Pulled, client: PullClient, body: bytes) -> None:
    note = portal.give(b"material")
    with pytest.raises(PullError) as failure:
        client.post_receipt(note.submission_id, body)
    assert failure.value.fault is PullFault.REFUSED
    assert not any(portal.places.receipts.iterdir())


def test_an_unknown_submission_is_refused(client: PullClient, tmp_path: Path) -> None:
    unknown = SubmissionId("0" * 64)
    with pytest.raises(PullError) as failure:
        client.fetch(unknown, tmp_path / "never")
    assert failure.value.fault is PullFault.REFUSED
    with pytest.raises(PullError):
        client.post_receipt(unknown, sealed(b"receipt", Kind.RECORD)[1])
    assert not (tmp_path / "never").exists()


def test_a_stranger_with_the_same_name_is_refused(
    portal: Pulled, link: httpx.Client, tmp_path: Path
) -> None:
    portal.give(b"material")
    stranger = PullClient(
        link,
        STRANGER,
        cosigner=COSIGNER,
        log=portal.keys.log_key(portal.origin),
        deployment=Deployment.TRAINING,
        memory=tmp_path / "memory",
        clock=portal.clock,
    )
    with pytest.raises(PullError) as failure:
        list(stranger.waiting())
    assert failure.value.fault is PullFault.REFUSED


def test_a_new_client_with_the_same_memory_or_none_is_still_above_the_last_counter(
    portal: Pulled, link: httpx.Client, tmp_path: Path
) -> None:
    for _ in range(3):
        assert not list(client_of(portal, link, tmp_path / "kept").waiting())
    portal.clock.advance(1)
    assert not list(client_of(portal, link, tmp_path / "lost").waiting())


@pytest.mark.usefixtures("link")
def test_a_pull_that_is_killed_goes_on_where_it_was(portal: Pulled, tmp_path: Path) -> None:
    """Killed again and again in the midst of an object; what came before is not fetched again."""
    note = portal.give(bytes(24 << 20), b"small")
    large = max(note.objects, key=lambda each: each.sealed_size)
    folder = tmp_path / "quarantine" / note.submission_id
    part = folder.with_name(f".{folder.name}.part") / object_path(large.object_id)
    part = part.with_name(f"{part.name}.part")
    seeds = [PULLER.seeds.ed25519.hex(), PULLER.seeds.mldsa.hex()]
    log = "\n".join(portal.keys.log_key(portal.origin).to_texts())
    command = [sys.executable, "-c", PULL, str(portal.socket), *seeds, log, str(folder)]
    kills = []
    while not folder.exists():
        before = size_of(part)
        with subprocess.Popen(command) as process:
            while process.poll() is None and size_of(part) < before + (5 << 20):
                pass
            process.kill()
        if size_of(part):
            kills.append(size_of(part))
        assert not folder.exists() or is_whole(folder, note)
    assert len(kills) > 1
    assert kills == sorted(kills)
    assert is_whole(folder, note)
    assert {path.name for path in folder.parent.iterdir()} == {folder.name, "memory"}


def size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


PULL = """
import sys
from pathlib import Path
from amana.clock import SystemClock
from amana.link.client import open_link
from amana.wire.vocabulary import Deployment
from crypto.note import DualKey
from crypto.sign import Cosigner, NoteSigner, SigningSeeds
from worker.pull import PullClient
socket, ed25519, mldsa, log, folder = sys.argv[1:]
signer = NoteSigner.from_seeds(
    "training.invalid/quarantine/pull",
    ed25519_seed=bytes.fromhex(ed25519),
    mldsa_seed=bytes.fromhex(mldsa),
)
place = Path(folder)
with open_link("unix:" + socket) as link:
    PullClient(
        link,
        signer,
        cosigner=Cosigner.from_seeds("c", SigningSeeds.generate()),
        log=DualKey.from_texts(*log.split()),
        deployment=Deployment.TRAINING,
        memory=place.parent / "memory",
        clock=SystemClock(),
        spare_bytes=0,
    ).fetch(place.name, place)
"""
