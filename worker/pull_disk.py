"""A bundle that was carried by hand, on one disk or on several: taken like one that was fetched.

Whoever brought the disks chose what is on them: no link is followed, nothing but plain files is
read, and what a bundle does not have refuses the whole. The same submission by Tor and by disk is
one submission. Format: docs/format/17-bundle.md.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from io import BufferedReader
from itertools import chain
from pathlib import Path
from typing import Final

from amana.wire.bundle import DISK, NOTE, OBJECTS, Disk, object_path
from amana.wire.errors import WireError
from amana.wire.ids import SubmissionId
from amana.wire.note import PackageNote
from amana.wire.pull import NOTE_LIMIT_BYTES
from amana.wire.sealed import OBJECTS_LIMIT
from worker.pull_bundle import BundleFolder, read_note
from worker.pull_errors import PullError, PullFault
from worker.sealed_files import open_plain

SPARE_BYTES: Final = 256 << 20
"""Disk that stays free when objects are received: for the books of what is here already. Ours."""

_CHUNK_BYTES: Final = 1 << 20
_NAMES: Final = frozenset({NOTE, OBJECTS, DISK})


def import_bundle(
    folder: Path, submissions: Path, *others: Path, spare_bytes: int = SPARE_BYTES
) -> SubmissionId:
    """Take the bundle in a folder into `submissions`, under its submission's id; give the id.

    others: the further disks of a set, in any order. Done twice, it is done once. PullError:
    NO_BUNDLE, DISK_MISSING, WRONG_BYTES, ANOTHER_NOTE, NO_ROOM; what was copied stays and is taken
    up again. OSError: a disk cannot be read.
    """
    disks = (folder, *others)
    notes = {_read(each / NOTE, NOTE_LIMIT_BYTES) for each in disks}
    if len(notes) != 1:
        raise PullError(PullFault.NO_BUNDLE)
    raw = notes.pop()
    note = read_note(raw)
    _require_set(disks, note)
    where = _places(disks, note)
    target = BundleFolder(submissions / note.submission_id, spare_bytes)
    if target.has(note):
        return note.submission_id
    target.begin()
    for stated in note.everything():
        path = where[object_path(stated.object_id).name]
        target.receive(stated, partial(_bytes, path, stated.sealed_size))
    target.finish(note, raw)
    return note.submission_id


def _require_set(disks: Sequence[Path], note: PackageNote) -> None:
    """Return only if these are all disks of the bundle, each once."""
    for folder in disks:
        if not {each.name for each in _entries(folder)} <= _NAMES:
            raise PullError(PullFault.NO_BUNDLE)
    if len(disks) == 1 and not os.path.lexists(disks[0] / DISK):
        return
    numbered = [_disk(folder) for folder in disks]
    if {(each.submission_id, each.disks) for each in numbered} != {
        (note.submission_id, numbered[0].disks)
    }:
        raise PullError(PullFault.NO_BUNDLE)
    numbers = sorted(each.number for each in numbered)
    if len(set(numbers)) != len(numbers):
        raise PullError(PullFault.NO_BUNDLE)
    if len(numbers) != numbered[0].disks:
        raise PullError(PullFault.DISK_MISSING)


def _disk(folder: Path) -> Disk:
    try:
        return Disk.from_bytes(_read(folder / DISK, Disk.LIMIT_BYTES))
    except WireError as failure:
        raise PullError(PullFault.NO_BUNDLE) from failure


def _places(disks: Sequence[Path], note: PackageNote) -> Mapping[str, Path]:
    """Give where each object lies. PullError: one is missing, on two disks, or not the note's."""
    found: dict[str, Path] = {}
    for entry in chain.from_iterable(_entries(folder / OBJECTS) for folder in disks):
        if entry.name in found or len(found) > OBJECTS_LIMIT:
            raise PullError(PullFault.NO_BUNDLE)
        found[entry.name] = Path(entry.path)
    if found.keys() != {object_path(each.object_id).name for each in note.everything()}:
        raise PullError(PullFault.NO_BUNDLE)
    return found


def _entries(folder: Path) -> Iterator["os.DirEntry[str]"]:
    if folder.is_symlink() or not folder.is_dir():
        raise PullError(PullFault.NO_BUNDLE)
    with os.scandir(folder) as entries:
        yield from entries


def _bytes(path: Path, size: int, start: int) -> Iterator[bytes]:
    with _opened(path) as source:
        if os.fstat(source.fileno()).st_size != size:
            raise PullError(PullFault.WRONG_BYTES)
        source.seek(start)
        while chunk := source.read(_CHUNK_BYTES):
            yield chunk


def _read(path: Path, limit_bytes: int) -> bytes:
    with _opened(path) as source:
        untrusted = source.read(limit_bytes + 1)
    if len(untrusted) > limit_bytes:
        raise PullError(PullFault.NO_BUNDLE)
    return untrusted


def _opened(path: Path) -> BufferedReader:
    source = open_plain(path)
    if source is None:
        raise PullError(PullFault.NO_BUNDLE)
    return source
