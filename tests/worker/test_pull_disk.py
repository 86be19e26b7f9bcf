"""A bundle carried by hand is taken like one that was fetched, or not at all."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from amana.durable import durable
from amana.wire.bundle import DISK, NOTE, OBJECTS, Disk, object_path
from amana.wire.note import PackageNote
from amana.wire.vocabulary import Deployment
from tests.portal.pulled import COSIGNER, PULLER, TODAY, Pulled, make, note_of
from worker.pull import PullClient, PullError, PullFault, import_bundle
from worker.sealed_files import EVENT


def write(
    folder: Path, note: PackageNote, bodies: dict[str, bytes], disk: Disk | None = None
) -> Path:
    (folder / OBJECTS).mkdir(parents=True)
    for object_id, body in bodies.items():
        (folder / OBJECTS / f"{object_id}.age").write_bytes(body)
    if disk is not None:
        (folder / DISK).write_bytes(disk.to_bytes())
    (folder / NOTE).write_bytes(PULLER.sign(note.to_bytes().decode()).to_bytes())
    return folder


@pytest.fixture
def carried(tmp_path: Path) -> tuple[PackageNote, Path]:
    note, bodies = note_of((b"one", b"two"), TODAY)
    return note, write(tmp_path / "disk", note, {str(key): body for key, body in bodies.items()})


@pytest.fixture
def here(tmp_path: Path) -> Path:
    folder = tmp_path / "submissions"
    folder.mkdir()
    return folder


def take(folder: Path, here: Path, *others: Path) -> str:
    return import_bundle(folder, here, *others, spare_bytes=0)


def test_a_disk_is_taken_once_under_its_id(carried: tuple[PackageNote, Path], here: Path) -> None:
    note, disk = carried
    for _ in range(2):
        assert take(disk, here) == note.submission_id
    [folder] = here.iterdir()
    assert folder.name == note.submission_id
    for each in note.everything():
        path = object_path(each.object_id)
        assert (folder / path).read_bytes() == (disk / path).read_bytes()
    assert (folder / NOTE).read_bytes() == (disk / NOTE).read_bytes()


def disks_of(tmp_path: Path, count: int) -> tuple[PackageNote, list[Path]]:
    note, bodies = note_of((b"one", b"two", b"three"), TODAY)
    named = [(str(key), body) for key, body in bodies.items()]
    raw = PULLER.sign(note.to_bytes().decode()).to_bytes()
    folders = []
    for number in range(1, count + 1):
        disk = Disk(submission_id=note.submission_id, number=number, disks=count)
        some = dict(named[number - 1 :: count])
        folders.append(write(tmp_path / f"disk-{number}", note, some, disk))
        (folders[-1] / NOTE).write_bytes(raw)
    return note, folders


def test_a_set_of_disks_is_taken_in_any_order(tmp_path: Path, here: Path) -> None:
    note, (first, second, third) = disks_of(tmp_path, 3)
    assert take(third, here, first, second) == note.submission_id
    assert len(list((here / note.submission_id / OBJECTS).iterdir())) == 4


def test_a_set_without_one_of_its_disks_waits_for_it(tmp_path: Path, here: Path) -> None:
    _note, (first, second, third) = disks_of(tmp_path, 3)
    for some in ((first, second), (second,), (third, first)):
        with pytest.raises(PullError) as failure:
            take(some[0], here, *some[1:])
        assert failure.value.fault in {PullFault.DISK_MISSING, PullFault.NO_BUNDLE}
    assert not any(here.iterdir())


def test_disks_of_different_sets_are_refused(tmp_path: Path, here: Path) -> None:
    _one, (first, _) = disks_of(tmp_path / "a", 2)
    _two, (_, second) = disks_of(tmp_path / "b", 2)
    for others in ((second,), (first,)):
        with pytest.raises(PullError) as failure:
            take(first, here, *others)
        assert failure.value.fault is PullFault.NO_BUNDLE


def _link_the_note(disk: Path, _note: PackageNote) -> None:
    (disk / NOTE).rename(disk.parent / "note")
    (disk / NOTE).symlink_to(disk.parent / "note")


def _pipe(disk: Path, note: PackageNote) -> None:
    path = disk / object_path(note.objects[0].object_id)
    path.unlink()
    os.mkfifo(path)


def _link(disk: Path, note: PackageNote) -> None:
    path = disk / object_path(note.objects[0].object_id)
    path.rename(disk.parent / "elsewhere")
    path.symlink_to(disk.parent / "elsewhere")


def _link_objects(disk: Path, _note: PackageNote) -> None:
    (disk / OBJECTS).rename(disk.parent / "others")
    (disk / OBJECTS).symlink_to(disk.parent / "others")


@pytest.mark.threat("T-17")
@pytest.mark.parametrize(
    "spoil",
    [
        lambda disk, _note: (disk / NOTE).unlink(),
        lambda disk, _note: (disk / NOTE).write_bytes(b""),
        lambda disk, _note: (disk / "autorun.inf").write_bytes(b"x"),
        lambda disk, _note: (disk / OBJECTS / "more.age").write_bytes(b"x"),
        lambda disk, _note: (disk / DISK).write_bytes(b"{}"),
        lambda disk, _note: shutil.rmtree(disk / OBJECTS),
        lambda disk, note: (disk / object_path(note.objects[0].object_id)).unlink(),
        _link_the_note,
        _link_objects,
        _link,
        _pipe,
    ],
    ids=[
        *("no-note", "empty-note", "more", "more-objects", "no-disk", "no-objects", "no-object"),
        *("note-linked", "objects-linked", "object-linked", "pipe"),
    ],
)
def test_a_folder_that_is_no_bundle_is_refused(
    carried: tuple[PackageNote, Path], here: Path, spoil: Callable[[Path, PackageNote], object]
) -> None:
    note, disk = carried
    spoil(disk, note)
    with pytest.raises(PullError) as failure:
        take(disk, here)
    assert failure.value.fault in {PullFault.NO_BUNDLE, PullFault.MALFORMED}
    assert not (here / note.submission_id).exists()


@pytest.mark.threat("T-01")
@pytest.mark.parametrize(
    "spoil", [lambda body: body[:-1], lambda body: body + b"x", lambda body: b"x" + body[1:]]
)
def test_a_disk_with_wrong_bytes_is_refused_until_they_are_right(
    carried: tuple[PackageNote, Path], here: Path, spoil: Callable[[bytes], bytes]
) -> None:
    note, disk = carried
    path = disk / object_path(note.objects[1].object_id)
    right = path.read_bytes()
    path.write_bytes(spoil(right))
    with pytest.raises(PullError) as failure:
        take(disk, here)
    assert failure.value.fault is PullFault.WRONG_BYTES
    path.write_bytes(right)
    assert take(disk, here) == note.submission_id


def test_the_same_submission_by_disk_and_by_tor_is_one(tmp_path: Path, here: Path) -> None:
    (tmp_path / "portal").mkdir()
    portal: Pulled = make(tmp_path / "portal")
    note = portal.give(b"material")
    disk = tmp_path / "disk"
    shutil.copytree(portal.places.bundle(note.submission_id), disk)
    take(disk, here)
    folder = here / note.submission_id
    assert not (folder / EVENT).exists()
    with portal.serve() as link:
        client = PullClient(
            link,
            PULLER,
            cosigner=COSIGNER,
            log=portal.keys.log_key(portal.origin),
            deployment=Deployment.TRAINING,
            memory=tmp_path / "memory",
            clock=portal.clock,
        )
        client.acknowledge(folder)
        assert (folder / EVENT).exists()  # the portal has it, and no disk did
        client.fetch(note.submission_id, folder)
        assert list(client.waiting()) == []
    take(disk, here)
    assert [each.name for each in here.iterdir()] == [note.submission_id]


def test_a_disk_with_another_note_for_what_is_here_is_refused(
    carried: tuple[PackageNote, Path], here: Path, tmp_path: Path
) -> None:
    note, disk = carried
    take(disk, here)
    other, bodies = note_of((b"other",), TODAY)
    (here / note.submission_id).rename(here / other.submission_id)
    again = write(tmp_path / "again", other, {str(key): body for key, body in bodies.items()})
    with pytest.raises(PullError) as failure:
        take(again, here)
    assert failure.value.fault is PullFault.ANOTHER_NOTE


def test_what_is_no_bundle_and_lies_in_its_place_is_left_alone(
    carried: tuple[PackageNote, Path], here: Path
) -> None:
    note, disk = carried
    (here / note.submission_id).mkdir()
    with pytest.raises(PullError) as failure:
        take(disk, here)
    assert failure.value.fault is PullFault.NO_BUNDLE
    assert not any((here / note.submission_id).iterdir())


def test_what_a_kill_left_of_a_copy_is_taken_up(
    carried: tuple[PackageNote, Path], here: Path
) -> None:
    """Parts of both kinds: the start of an object, and damage where its start was."""
    note, disk = carried
    on_its_way = here / f".{note.submission_id}.part"
    (on_its_way / OBJECTS).mkdir(parents=True)
    one, two = (object_path(each.object_id) for each in note.objects)
    (on_its_way / one).with_suffix(".age.part").write_bytes((disk / one).read_bytes()[:1_000])
    (on_its_way / two).with_suffix(".age.part").write_bytes(bytes(1_000))
    with durable(on_its_way / OBJECTS / "stale.age") as stale:
        stale.write(b"of another note")
    take(disk, here)
    names = {path.name for path in (here / note.submission_id / OBJECTS).iterdir()}
    assert names == {object_path(each.object_id).name for each in note.everything()}
    assert not on_its_way.exists()
