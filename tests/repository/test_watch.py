"""A receiver that goes on: everything that comes is taken in, whatever one package does."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from amana.exitcodes import ExitCode
from amana.wire.package import PackageId
from amana.wire.spool import ANSWER, COMMIT
from repository.commands.package import main
from repository.receive import Received, Refused
from repository.watch import Failed, Watch
from tests.package.world import END, KEYS
from tests.repository.conftest import Way
from tests.wire.givens import TODAY
from worker.forward import Acknowledged

RUN = "import sys; from repository.commands.package import main; sys.exit(main(sys.argv[1:]))"
BAD = "0" * 64


def watch(way: Way) -> Watch:
    return Watch(way.receiver, way.spool, lambda: TODAY)


def put_bad(spool: Path, package: Path, name: str = BAD) -> None:
    """A package under a name that is not its own; it comes first in the spool."""
    shutil.copytree(package, spool / name)
    (spool / f"{name}{COMMIT}").touch()


def test_what_came_is_taken_in_once_and_what_comes_later_too(way: Way) -> None:
    watched = watch(way)
    (seen,) = watched.look()
    assert isinstance(seen, Received)
    assert isinstance(way.outbox.answer(way.sealed.package_id), Acknowledged)
    assert list(watched.look()) == []
    put_bad(way.spool, way.package)
    assert [type(each) for each in watched.look()] == [Refused]


def test_one_bad_package_does_not_keep_the_others_out_and_is_read_once(way: Way) -> None:
    put_bad(way.spool, way.package)
    watched = watch(way)
    assert [type(each) for each in watched.look()] == [Refused, Received]
    assert list(watched.look()) == []


def test_a_refused_package_is_read_again_when_it_is_marked_anew(way: Way) -> None:
    put_bad(way.spool, way.package)
    watched = watch(way)
    list(watched.look())
    mark = way.spool / f"{BAD}{COMMIT}"
    mark.unlink()
    assert list(watched.look()) == []
    mark.write_bytes(b"")
    assert [type(each) for each in watched.look()] == [Refused]


def test_a_machine_that_fails_at_one_package_tries_it_again_and_takes_the_others(
    way: Way,
) -> None:
    put_bad(way.spool, way.package)
    obstacle = way.answers / f"{BAD}{ANSWER}"
    obstacle.mkdir()
    watched = watch(way)
    failed, received = watched.look()
    assert failed == Failed(package_id=PackageId(BAD), code="os.EISDIR", is_tried_again=True)
    assert isinstance(received, Received)
    obstacle.rmdir()
    assert [type(each) for each in watched.look()] == [Refused]


def test_a_spool_that_is_not_there_is_said_and_waited_for(way: Way) -> None:
    watched = watch(way)
    way.spool.rename(way.spool.with_name("elsewhere"))
    (seen,) = watched.look()
    assert seen == Failed(package_id=None, code="os.ENOENT", is_tried_again=True)
    way.spool.with_name("elsewhere").rename(way.spool)
    assert [type(each) for each in watched.look()] == [Received]


def test_a_folder_without_its_mark_is_not_looked_at(way: Way) -> None:
    shutil.copytree(way.package, way.spool / BAD)
    assert [type(each) for each in watch(way).look()] == [Received]


def test_it_goes_on_until_it_is_told_to_stop(way: Way) -> None:
    stop = Event()
    seen = []
    for each in watch(way).until(stop, every_seconds=0.01):
        seen.append(type(each))
        if len(seen) == 1:
            put_bad(way.spool, way.package)
        else:
            stop.set()
    assert seen == [Received, Refused]


@pytest.fixture
def receiver(way: Way, tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """`amana package receive --watch` as a process, beside a store of its own."""
    KEYS.save(tmp_path / "keys")
    (tmp_path / "quarantine").write_bytes(END.to_bytes())
    words = ["receive", str(way.spool), "--answers", str(way.answers), "--watch", "0.05", "--json"]
    words += ["--store", str(tmp_path / "other"), "--keys", str(tmp_path / "keys")]
    words += ["--quarantine", str(tmp_path / "quarantine")]
    with subprocess.Popen(
        [sys.executable, "-c", RUN, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_the_program_says_one_line_for_each_package_and_ends_in_order(
    way: Way, receiver: "subprocess.Popen[str]", how: signal.Signals
) -> None:
    assert receiver.stdout is not None
    assert receiver.stdout.readline().endswith(" watching\n")
    taken = json.loads(receiver.stdout.readline())
    assert (taken["package"], taken["is_new"]) == (way.sealed.package_id, True)
    assert isinstance(way.outbox.answer(way.sealed.package_id), Acknowledged)
    put_bad(way.spool, way.package)
    assert json.loads(receiver.stdout.readline())["refused"] == "package-id-disagrees"
    receiver.send_signal(how)
    assert receiver.stdout.readline().endswith(" stopped\n")
    assert receiver.wait() == ExitCode.OK


@pytest.mark.parametrize("said", ["0", "-1", "nan", "inf", "x", "86401"])
def test_no_other_number_of_seconds_is_taken(said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["receive", "/spool", "--watch", said])
    assert "a number of seconds" in capsys.readouterr().err
