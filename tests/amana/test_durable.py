"""Files that are there whole or not at all."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from amana.durable import durable, make_folders

pytestmark = pytest.mark.threat("T-06")


def test_a_file_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "whole"
    with durable(path) as target:
        target.write(b"half")
        assert not path.exists()
        target.write(b" and half")
    assert path.read_bytes() == b"half and half"
    assert [each.name for each in tmp_path.iterdir()] == ["whole"]


@pytest.mark.parametrize("failure", [OSError, KeyboardInterrupt, ValueError])
def test_a_failure_leaves_nothing(failure: type[BaseException], tmp_path: Path) -> None:
    def fail_half_way() -> None:
        with durable(tmp_path / "half") as target:
            target.write(b"half")
            raise failure

    with pytest.raises(failure):
        fail_half_way()
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "taken"
    path.write_bytes(b"mine")
    with pytest.raises(FileExistsError), durable(path):
        pass
    assert path.read_bytes() == b"mine"


def test_nothing_that_came_meanwhile_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "taken"

    def write_while_another_writes() -> None:
        with durable(path) as target:
            target.write(b"ours")
            path.write_bytes(b"theirs")

    with pytest.raises(FileExistsError):
        write_while_another_writes()
    assert path.read_bytes() == b"theirs"
    assert [each.name for each in tmp_path.iterdir()] == ["taken"]


@pytest.mark.parametrize("disk", ["ext4", "FAT"])
def test_nothing_that_comes_at_the_last_moment_is_overwritten(
    disk: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program takes the name after the bytes are on the disk, before they are named."""
    path = tmp_path / "taken"
    sync = os.fsync

    def take_the_name(descriptor: int) -> None:
        sync(descriptor)
        path.write_bytes(b"theirs")

    monkeypatch.setattr(os, "fsync", take_the_name)
    if disk == "FAT":
        monkeypatch.setattr(os, "link", without_links)
    with pytest.raises(FileExistsError), durable(path) as target:
        target.write(b"ours")
    assert path.read_bytes() == b"theirs"
    assert [each.name for each in tmp_path.iterdir()] == ["taken"]


def test_a_disk_without_hard_links_does_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAT, as on most memory sticks."""
    monkeypatch.setattr(os, "link", without_links)
    with durable(tmp_path / "file") as target:
        target.write(b"whole")
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("file", b"whole")]


def without_links(*_arguments: object, **_options: object) -> None:
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def test_a_name_that_the_disk_refuses_leaves_no_part(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="name too long"), durable(tmp_path / ("n" * 256)) as target:
        target.write(b"x")
    assert list(tmp_path.iterdir()) == []


def test_folders_are_made_for_their_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir(mode=0o755)
    make_folders(tmp_path / "mine" / "a" / "b")
    make_folders(tmp_path / "mine" / "a" / "b")
    modes = [(tmp_path / each).stat().st_mode & 0o777 for each in ("mine", "mine/a", "mine/a/b")]
    assert modes == [0o755, 0o700, 0o700]
    (tmp_path / "file").touch()
    for in_the_way in ("file", "file/below"):
        with pytest.raises((FileExistsError, NotADirectoryError)):
            make_folders(tmp_path / in_the_way)


def test_a_dangling_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "name").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError), durable(tmp_path / "name"):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_only_the_owner_can_read_it_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with durable(tmp_path / "file") as target:
            target.write(b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


def test_a_name_may_be_as_long_as_the_disk_allows(tmp_path: Path) -> None:
    with durable(tmp_path / ("x" * 255)) as target:
        target.write(b"x")
    assert len(next(tmp_path.iterdir()).name) == 255


def test_a_kill_in_the_middle_leaves_no_name(tmp_path: Path) -> None:
    program = (
        "import sys, os, signal, pathlib\n"
        "from amana.durable import durable\n"
        "with durable(pathlib.Path(sys.argv[1])) as target:\n"
        "    target.write(b'half')\n"
        "    target.flush()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, tmp_path / "half"], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "half").exists()
    assert all(each.name.endswith(".part") for each in tmp_path.iterdir())
