"""A bundle is a folder that somebody brings: what lies in it is looked at before it is opened."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from amana.wire.bundle import object_path
from amana.wire.submission import SubmissionManifest
from client.errors import BundleError
from client.keys import MemberKeys
from client.opening import BundleOpener
from client.sealing import Commission
from crypto.padding import Kind
from crypto.seal import seal
from examples.rehearsal import Rehearsal
from tests.client.conftest import SealTo

Refusal = Callable[[Path], str]

pytestmark = pytest.mark.timeout(20)


@pytest.fixture
def refusal_of(rehearsal: Rehearsal, member: MemberKeys) -> Refusal:
    def refuse(bundle: Path) -> str:
        with pytest.raises(BundleError) as refusal:
            BundleOpener(bundle, rehearsal.intake, member.signer.key)
        return refusal.value.sentence.key

    return refuse


@pytest.fixture
def copy(bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle, tmp_path / "copy"))


def an_object(bundle: Path) -> Path:
    return min((bundle / "objects").iterdir())


@pytest.mark.parametrize("name", ["package.note", "object"])
def test_a_pipe_is_not_waited_for(name: str, copy: Path, refusal_of: Refusal) -> None:
    """Nobody ever writes to it, so that reading would never end."""
    path = copy / name if name == "package.note" else an_object(copy)
    path.unlink()
    os.mkfifo(path)
    assert refusal_of(copy) == "client.not-a-plain-file"


@pytest.mark.threat("T-17")
@pytest.mark.parametrize("name", ["package.note", "object"])
def test_a_link_is_not_followed(name: str, bundle: Path, copy: Path, refusal_of: Refusal) -> None:
    """Not even to the very file that should stand here."""
    path = copy / name if name == "package.note" else an_object(copy)
    path.unlink()
    path.symlink_to(bundle / path.relative_to(copy))
    assert refusal_of(copy) == "client.bundle-unreadable"


@pytest.mark.parametrize("name", ["package.note", "object"])
def test_a_folder_where_a_file_must_be_is_refused(
    name: str, copy: Path, refusal_of: Refusal
) -> None:
    path = copy / name if name == "package.note" else an_object(copy)
    path.unlink()
    path.mkdir()
    assert refusal_of(copy) == "client.not-a-plain-file"


def test_objects_that_are_missing_altogether_are_missing(
    copy: Path, bundle: Path, refusal_of: Refusal
) -> None:
    shutil.rmtree(copy / "objects")
    assert refusal_of(copy) == "client.objects-missing"
    (copy / "objects").symlink_to(bundle / "objects")
    assert refusal_of(copy) == "client.objects-missing"
    (copy / "objects").unlink()
    (copy / "objects").touch()
    assert refusal_of(copy) == "client.objects-missing"


@pytest.mark.parametrize("name", ["read me first.exe", ".hidden", "package.note.bak"])
def test_a_stranger_beside_the_note_is_refused(name: str, copy: Path, refusal_of: Refusal) -> None:
    (copy / name).write_bytes(b"click here")
    assert refusal_of(copy) == "client.objects-not-named"


def test_one_disk_of_several_is_not_taken_for_the_whole(copy: Path, refusal_of: Refusal) -> None:
    (copy / "disk.json").write_bytes(b"{}")
    assert refusal_of(copy) == "client.several-disks"


def test_what_is_no_folder_is_no_bundle(copy: Path, refusal_of: Refusal) -> None:
    assert refusal_of(copy / "package.note") == "client.not-a-bundle"
    assert refusal_of(copy / "missing") == "client.not-a-bundle"


@pytest.mark.threat("T-01")
def test_a_submission_manifest_that_is_swapped_after_its_digest_was_checked_is_not_read(
    copy: Path,
    rehearsal: Rehearsal,
    member: MemberKeys,
    commission: Commission,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Everyone can seal to the identity; only the digest in the note says whose record it is."""
    honest = BundleOpener(copy, rehearsal.intake, member.signer.key)
    content = honest.submission.to_bytes().replace(b'"erasable":true', b'"erasable":false')
    assert SubmissionManifest.from_bytes(content) != honest.submission
    path = copy / object_path(honest.note.submission_manifest.object_id)
    read = BundleOpener._read_submission  # noqa: SLF001 - the moment between steps 3 and 4

    def swap_and_read(opener: BundleOpener) -> SubmissionManifest:
        path.write_bytes(b"".join(seal([content], commission.recipient, Kind.RECORD)))
        return read(opener)

    monkeypatch.setattr(BundleOpener, "_read_submission", swap_and_read)
    with pytest.raises(BundleError) as refusal:
        BundleOpener(copy, rehearsal.intake, member.signer.key)
    assert refusal.value.sentence.key == "client.object-changed"


def test_a_bundle_is_for_its_owner_alone(seal_to: SealTo, tmp_path: Path) -> None:
    (tmp_path / "given").write_bytes(b"1")
    seal_to(tmp_path / "given", tmp_path / "new" / "folder" / "bundle")
    made = [tmp_path / "new", *(tmp_path / "new").rglob("*")]
    assert {path.stat().st_mode & 0o777 for path in made if path.is_dir()} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in made if path.is_file()} == {0o600}
