"""A bundle opens again, whole or not at all."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from amana.i18n import Language, Speaker
from amana.wire.manifest import ItemKind
from client.errors import BundleError, ClientError
from client.keys import MemberKeys
from client.opening import BundleOpener, OpenedItem
from client.plan import plan
from client.sealing import Commission, seal_tree
from client.tree import walk
from crypto.errors import CryptoError, NoMatchError
from crypto.opening import HybridIdentity
from examples.rehearsal import Rehearsal
from examples.samples import ARABIC_NAME, BIDI_NAME, LONGEST_NAME

Open = Callable[[Path, Path], list[OpenedItem]]


@pytest.fixture
def open_to(rehearsal: Rehearsal, member: MemberKeys) -> Open:
    def open_bundle(bundle: Path, out: Path) -> list[OpenedItem]:
        opener = BundleOpener(bundle, rehearsal.intake, member.signer.key)
        return list(opener.open(out, lambda _count: None))

    return open_bundle


@pytest.fixture
def copy(bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle, tmp_path / "copy"))


def largest(bundle: Path) -> Path:
    return max((bundle / "objects").iterdir(), key=lambda path: path.stat().st_size)


def test_what_comes_out_is_what_went_in(
    material: Path, bundle: Path, open_to: Open, tmp_path: Path
) -> None:
    """Bytes, names, folders, empty folders and times to the nanosecond."""
    opened = open_to(bundle, tmp_path)
    given = {e.full_name: e for e in walk([material]).entries if e.kind is not ItemKind.LINK}
    found = {entry.full_name: entry for entry in walk([tmp_path / material.name]).entries}
    assert found.keys() == given.keys()
    for name, entry in given.items():
        assert found[name].kind is entry.kind
        if entry.kind is ItemKind.FILE:
            assert (
                Path(os.fsdecode(found[name].path)).read_bytes()
                == Path(os.fsdecode(entry.path)).read_bytes()
            )
        assert found[name].modified_ns == entry.modified_ns
    assert len(opened) == len(given) + 1


def test_the_names_that_break_others_come_back(bundle: Path, open_to: Open, tmp_path: Path) -> None:
    open_to(bundle, tmp_path)
    for name in (ARABIC_NAME, BIDI_NAME, LONGEST_NAME):
        assert (tmp_path / "Material" / name).is_file()


@pytest.mark.threat("T-17")
def test_links_are_told_and_never_made(bundle: Path, open_to: Open, tmp_path: Path) -> None:
    links = [o for o in open_to(bundle, tmp_path) if o.manifest.kind is ItemKind.LINK]
    assert [link.path for link in links] == [None]
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))


@pytest.mark.threat("T-02")
def test_another_identity_opens_nothing(bundle: Path, member: MemberKeys) -> None:
    with pytest.raises(NoMatchError):
        BundleOpener(bundle, HybridIdentity.generate(), member.signer.key)


@pytest.mark.threat("T-08")
def test_another_signer_is_not_believed(bundle: Path, rehearsal: Rehearsal) -> None:
    with pytest.raises(BundleError) as refusal:
        BundleOpener(bundle, rehearsal.intake, MemberKeys.generate(rehearsal.account).signer.key)
    assert refusal.value.sentence.key == "client.note-not-believed"


@pytest.mark.threat("T-01")
@pytest.mark.parametrize("damage", ["flip", "cut", "append", "empty", "swap", "gone", "stranger"])
def test_a_changed_object_is_refused_before_anything_is_written(
    damage: str, copy: Path, open_to: Open, tmp_path: Path
) -> None:
    path = largest(copy)
    content = bytearray(path.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 1
    elif damage == "cut":
        del content[-65_552:]
    elif damage == "append":
        content += bytes(65_552)
    elif damage == "empty":
        content.clear()
    path.write_bytes(content)
    if damage == "swap":
        other = min((copy / "objects").iterdir(), key=lambda each: each.stat().st_size)
        spare = path.read_bytes()
        path.write_bytes(other.read_bytes())
        other.write_bytes(spare)
    elif damage == "gone":
        path.unlink()
    elif damage == "stranger":
        (copy / "objects" / "another").write_bytes(b"")
    with pytest.raises(BundleError):
        open_to(copy, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.threat("T-08")
def test_a_note_with_one_changed_byte_is_not_believed(copy: Path, open_to: Open) -> None:
    note = (copy / "package.note").read_bytes()
    for at in range(0, len(note), 97):
        (copy / "package.note").write_bytes(note[:at] + bytes([note[at] ^ 1]) + note[at + 1 :])
        with pytest.raises(BundleError):
            open_to(copy, copy / "out")


@pytest.mark.threat("T-08")
@pytest.mark.parametrize("line", [-1, -2])
def test_a_note_with_one_of_its_two_signatures_is_not_believed(
    line: int, copy: Path, open_to: Open
) -> None:
    lines = (copy / "package.note").read_bytes().splitlines(keepends=True)
    del lines[line]
    (copy / "package.note").write_bytes(b"".join(lines))
    with pytest.raises(BundleError):
        open_to(copy, copy / "out")


@pytest.mark.threat("T-06")
def test_a_bundle_without_its_note_is_no_bundle(copy: Path, open_to: Open) -> None:
    """The note is written last: sealing that broke off must not look finished."""
    (copy / "package.note").unlink()
    with pytest.raises(BundleError) as refusal:
        open_to(copy, copy / "out")
    assert refusal.value.sentence.key == "client.not-a-bundle"


def test_nothing_is_ever_overwritten(bundle: Path, open_to: Open, tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"mine")
    with pytest.raises(BundleError):
        open_to(bundle, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.threat("T-17")
def test_a_name_that_leaves_the_folder_is_not_used(
    commission: Commission, open_to: Open, tmp_path: Path
) -> None:
    """A hostile client writes any name and folder into its manifests."""
    hostile = [
        (b"", b"../../escape"),
        (b"", b"/etc/escape"),
        (b"", b".."),
        (b"", b""),
        (b"", b"nul\0nul"),
        (b"", b"x" * 256),
        (b"../..", b"escape"),
        (b"/etc", b"escape"),
        (b"a//b", b"escape"),
        (b"unnamed", b"taken"),
    ]
    (tmp_path / "given").write_bytes(b"harmless")
    (entry,) = walk([tmp_path / "given"]).entries
    entries = [replace(entry, folder=folder, name=name) for folder, name in hostile]
    seal_tree(plan(entries), commission, tmp_path / "bundle", lambda _count: None)
    opened = open_to(tmp_path / "bundle", tmp_path / "out")
    assert {o.path for o in opened} == {
        tmp_path / "out" / "unnamed" / o.manifest.item_id for o in opened
    }
    assert len(opened) == len(hostile)
    assert not list(tmp_path.rglob("*escape*"))


@pytest.mark.threat("T-17")
def test_a_path_that_the_disk_cannot_hold_is_not_used(
    commission: Commission, open_to: Open, tmp_path: Path
) -> None:
    """Longer than PATH_MAX, just so long that only the unfinished file is, and a thousand deep."""
    out = tmp_path / "out"
    (tmp_path / "given").write_bytes(b"harmless")
    (entry,) = walk([tmp_path / "given"]).entries
    longest = 4_095 - len(os.fsencode(out)) - len("//n")
    entries = [
        replace(entry, folder=b"/".join([b"d" * 200] * 25), name=b"deep"),
        replace(entry, folder=path_of(longest), name=b"n"),
        replace(entry, folder=b"/".join([b"e"] * 1_100), name=b"steps"),
    ]
    seal_tree(plan(entries), commission, tmp_path / "bundle", lambda _count: None)
    opened = open_to(tmp_path / "bundle", out)
    places = {o.manifest.name.raw: o.path for o in opened}
    assert all(path is not None and path.read_bytes() == b"harmless" for path in places.values())
    named = {name for name, path in places.items() if path and path.parent.name != "unnamed"}
    # pytest's own tidying up recurses.
    subprocess.run(["rm", "-r", out], check=True)
    assert named == {b"steps"}


def path_of(length: int) -> bytes:
    """Give folders whose path has this many bytes."""
    steps, rest = divmod(length, 201)
    return b"/".join([*[b"f" * 200] * steps, b"g" * rest]) if rest else b"/".join([b"f" * 200])


def test_every_folder_that_is_made_is_for_its_owner_alone(
    bundle: Path, open_to: Open, tmp_path: Path
) -> None:
    open_to(bundle, tmp_path / "new" / "out")
    folders = [tmp_path / "new", *(p for p in (tmp_path / "new").rglob("*") if p.is_dir())]
    assert len(folders) > 3
    assert {folder.stat().st_mode & 0o777 for folder in folders} == {0o700}


@pytest.mark.threat("T-17")
def test_two_items_with_one_name_are_both_kept(
    commission: Commission, open_to: Open, tmp_path: Path
) -> None:
    """Also where one is a file and the other needs a folder of that name."""
    (tmp_path / "given").write_bytes(b"harmless")
    (entry,) = walk([tmp_path / "given"]).entries
    entries = [
        replace(entry, name=b"same"),
        replace(entry, name=b"same"),
        replace(entry, folder=b"same", name=b"below"),
    ]
    seal_tree(plan(entries), commission, tmp_path / "bundle", lambda _count: None)
    opened = open_to(tmp_path / "bundle", tmp_path / "out")
    assert len({o.path for o in opened}) == 3
    assert all(o.path is not None and o.path.read_bytes() == b"harmless" for o in opened)


def test_every_refusal_has_a_sentence_in_english_and_arabic(
    bundle: Path, rehearsal: Rehearsal
) -> None:
    with pytest.raises(ClientError) as refusal:
        BundleOpener(bundle / "objects", rehearsal.intake, rehearsal.directory[0].key)
    for language in (Language.EN, Language.AR):
        speaker = Speaker(language)
        assert str(bundle) in speaker.say(refusal.value.sentence)


def test_no_error_of_the_formats_escapes_under_another_name(
    copy: Path, open_to: Open, tmp_path: Path
) -> None:
    for at in range(0, 2_000, 101):
        path = largest(copy)
        content = bytearray(path.read_bytes())
        content[at] ^= 0xFF
        path.write_bytes(content)
        with pytest.raises((ClientError, CryptoError)):
            open_to(copy, tmp_path / "out")
