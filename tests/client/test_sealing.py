"""A tree becomes a bundle."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from amana.wire.ids import AccountId, random_id
from amana.wire.note import PackageNote
from client.errors import BundleError, ChangedError, KeysError
from client.keys import MemberKeys
from client.opening import BundleOpener
from client.plan import plan
from client.reading import Hasher, read_unchanged
from client.sealing import Commission, seal_tree
from client.tree import walk
from crypto.header import Inspected, inspect
from crypto.padding import Kind
from examples.rehearsal import Rehearsal
from tests.client.conftest import SealTo


def nothing(_count: int) -> None:
    pass


@pytest.mark.threat("T-04")
def test_every_object_passes_the_check_that_needs_no_key(material: Path, bundle: Path) -> None:
    for path in (bundle / "objects").iterdir():
        size = path.stat().st_size
        verdicts = [
            inspect(path.read_bytes()[:16_384], sealed_size=size, kind=kind)
            for kind in (Kind.RAW, Kind.RECORD)
        ]
        assert any(isinstance(verdict, Inspected) for verdict in verdicts)
    assert len(list(material.rglob("*"))) > len(list((bundle / "objects").iterdir()))


@pytest.mark.threat("T-16")
def test_nothing_in_a_bundle_tells_a_name_or_a_digest(material: Path, bundle: Path) -> None:
    clear = b"".join(path.read_bytes() for path in sorted(bundle.rglob("*")) if path.is_file())
    for path in material.rglob("*"):
        assert os.fsencode(path.name) not in clear
        if path.is_file():
            digest = hashlib.sha256(path.read_bytes())
            assert digest.hexdigest().encode() not in clear
            assert digest.digest() not in clear


@pytest.mark.threat("T-03")
def test_sizes_differ_by_nothing_smaller_than_a_step(seal_to: SealTo, tmp_path: Path) -> None:
    sizes = set()
    for number, size in enumerate((0, 1, 1_000, 50_000)):
        (tmp_path / str(number)).write_bytes(bytes(size))
        sealed = seal_to(tmp_path / str(number), tmp_path / f"bundle-{number}")
        sizes.add(tuple(each.sealed_size for each in sealed.note.everything()))
    assert len(sizes) == 1


def test_a_folder_in_use_is_refused_and_left_alone(seal_to: SealTo, tmp_path: Path) -> None:
    (tmp_path / "given").write_bytes(b"1")
    out = tmp_path / "out"
    out.mkdir()
    (out / "something").write_bytes(b"mine")
    with pytest.raises(BundleError):
        seal_to(tmp_path / "given", out)
    assert [path.name for path in out.iterdir()] == ["something"]


@pytest.mark.threat("T-20")
@pytest.mark.parametrize("change", ["longer", "shorter", "touched", "gone", "link", "folder"])
def test_a_file_that_changes_is_refused_and_no_note_is_written(
    change: str, commission: Commission, tmp_path: Path
) -> None:
    given = tmp_path / "given"
    given.write_bytes(b"0123456789")
    planned = plan(walk([given]).entries)
    if change == "longer":
        given.write_bytes(b"0123456789a")
    elif change == "shorter":
        given.write_bytes(b"012345678")
    elif change == "touched":
        given.write_bytes(b"0123456780")
        os.utime(given, ns=(1, 1))
    else:
        given.unlink()
    if change == "link":
        given.symlink_to("/etc/hostname")
    elif change == "folder":
        given.mkdir()
    with pytest.raises(ChangedError):
        seal_tree(planned, commission, tmp_path / "out", nothing)
    assert not (tmp_path / "out" / "package.note").exists()


@pytest.mark.threat("T-20")
def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.write_bytes(bytes(3 << 20))
    (entry,) = walk([given]).entries
    chunks = read_unchanged(entry)
    next(chunks)
    with given.open("ab") as target:
        target.write(b"one more")
    with pytest.raises(ChangedError):
        list(chunks)


def test_a_failure_in_the_middle_leaves_no_half_object(
    commission: Commission, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(bytes(5 << 20))
    planned = plan(walk([tmp_path / "a", tmp_path / "b"]).entries)
    (tmp_path / "b").unlink()
    with pytest.raises(ChangedError):
        seal_tree(planned, commission, tmp_path / "out", nothing)
    left = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(left) == 1
    assert left[0].suffix == ".age"


def test_hashing_beside_and_hashing_in_place_agree() -> None:
    content = os.urandom(2 << 20)
    with ThreadPoolExecutor(max_workers=1) as executor:
        beside, in_place = Hasher(executor), Hasher(executor)
        future = beside.update(content)
        assert future is not None
        future.result()
        for at in range(0, len(content), 1_000):
            assert in_place.update(content[at : at + 1_000]) is None
    assert beside.digests() == in_place.digests()
    assert beside.digests().sha512 == hashlib.sha512(content).hexdigest()


def test_the_note_counts_what_was_sealed(material: Path, seal_to: SealTo, tmp_path: Path) -> None:
    sealed = seal_to(material, tmp_path / "out")
    on_disk = sum(path.stat().st_size for path in (tmp_path / "out" / "objects").iterdir())
    assert sealed.sealed_bytes == on_disk
    assert isinstance(sealed.note, PackageNote)
    assert sealed.items == len(walk([material]).entries)


@pytest.mark.threat("T-10")
def test_every_item_has_a_salt_of_its_own(
    bundle: Path, rehearsal: Rehearsal, member: MemberKeys, seal_to: SealTo, tmp_path: Path
) -> None:
    """Two equal files in two bundles have nothing in common that a guess could be compared with."""
    (tmp_path / "given").write_bytes(b"the same")
    bundles = [bundle, tmp_path / "one", tmp_path / "two"]
    for again in bundles[1:]:
        seal_to(tmp_path / "given", again)
    items = [
        item
        for each in bundles
        for item in BundleOpener(each, rehearsal.intake, member.signer.key).items
    ]
    assert len({item.salt for item in items}) == len(items)
    assert len({item.leaf for item in items}) == len(items)


def test_nobody_seals_with_the_keys_of_another_account(commission: Commission) -> None:
    stranger = MemberKeys.generate(random_id(AccountId))
    with pytest.raises(KeysError):
        replace(commission, signer=stranger.signer)


def test_a_file_where_the_bundle_should_go_is_refused(seal_to: SealTo, tmp_path: Path) -> None:
    (tmp_path / "given").write_bytes(b"1")
    for out in (tmp_path / "given", tmp_path / "given" / "below"):
        with pytest.raises(BundleError):
            seal_to(tmp_path / "given", out)
