"""What lies in the folders a person named."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from amana.wire.manifest import ItemKind
from client.errors import TreeError
from client.tree import walk


def test_names_are_kept_as_the_bytes_they_are(tmp_path: Path) -> None:
    names = [b"\xff\xfe not UTF-8", "شهادة ٢٠١٣".encode(), b"a\nb", b"e\xcc\x81", "é".encode()]
    for name in names:
        with open(os.fsencode(tmp_path) + b"/" + name, "wb"):  # noqa: PTH123 - Path decodes
            pass
    assert {entry.name for entry in walk([tmp_path]).entries} == set(names)


def test_empty_folders_and_links_are_items_and_full_folders_are_not(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_bytes(b"123")
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "dangling").symlink_to("nowhere")
    found = {entry.name: entry for entry in walk([tmp_path]).entries}
    assert {name: entry.kind for name, entry in found.items()} == {
        b"empty": ItemKind.FOLDER,
        b"file": ItemKind.FILE,
        b"link": ItemKind.LINK,
        b"dangling": ItemKind.LINK,
    }
    assert found[b"link"].link_target == b"/etc/passwd"
    assert found[b"file"].folder == os.fsencode(tmp_path.name) + b"/full"


def test_a_link_to_a_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(b"not given")
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "way out").symlink_to(tmp_path / "outside")
    (entry,) = walk([tmp_path / "given"]).entries
    assert entry.kind is ItemKind.LINK


def test_a_step_back_over_a_link_is_refused(tmp_path: Path) -> None:
    """The kernel goes to the folder above where the link leads; the words name another file."""
    (tmp_path / "a").mkdir()
    (tmp_path / "other" / "inner").mkdir(parents=True)
    (tmp_path / "a" / "link").symlink_to(tmp_path / "other" / "inner")
    (tmp_path / "other" / "file").write_bytes(b"meant")
    for _ in ("only one is there", "both are there"):
        with pytest.raises(TreeError) as refusal:
            walk([tmp_path / "a" / "link" / ".." / "file"])
        assert refusal.value.sentence.key == "client.way-over-a-link"
        (tmp_path / "a" / "file").write_bytes(b"another")


def test_a_step_back_that_is_only_a_step_back_is_taken(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "file").write_bytes(b"1")
    (entry,) = walk([tmp_path / "a" / "b" / ".." / "file"]).entries
    assert (entry.full_name, entry.path) == (b"file", os.fsencode(tmp_path / "a" / "file"))
    assert {each.folder for each in walk([tmp_path / "a" / "b" / ".."]).entries} == {b"a"}


def test_sockets_and_pipes_are_named_and_not_taken(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        tree = walk([tmp_path])
    assert tree.entries == ()
    assert [name.rsplit(b"/")[-1] for name in tree.special] == [b"pipe", b"socket"]


def test_a_single_file_stands_at_the_top(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"1")
    (entry,) = walk([tmp_path / "one"]).entries
    assert (entry.folder, entry.name, entry.full_name, entry.size) == (b"", b"one", b"one", 1)


def test_two_places_with_one_name_are_refused(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder / "same").mkdir(parents=True)
    with pytest.raises(TreeError) as refusal:
        walk([tmp_path / "a" / "same", tmp_path / "b" / "same"])
    assert refusal.value.sentence.key == "client.two-places-with-one-name"


def test_a_missing_place_is_refused_and_named(tmp_path: Path) -> None:
    with pytest.raises(TreeError) as refusal:
        walk([tmp_path / "missing"])
    assert str(refusal.value.sentence.values["name"]).endswith("missing")


def test_a_thousand_folders_deep_is_only_deep(tmp_path: Path) -> None:
    """A tree as deep as a path can be must not exhaust the stack."""
    depth = 1_000
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    (entry,) = walk([tmp_path / "d"]).entries
    # pytest's own tidying up recurses.
    subprocess.run(["rm", "-r", tmp_path / "d"], check=True)
    assert entry.full_name.count(b"/") == depth - 1
    # pytest's own cleaning up would exhaust the stack in some later run.
    subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True)
