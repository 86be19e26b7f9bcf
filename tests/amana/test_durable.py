"""Files that are there whole or not at all."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from amana.durable import durable

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
