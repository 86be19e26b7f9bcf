"""Programs are started in order, kept running, and ended together; none is ever left behind."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from amana.exitcodes import ExitCode
from tests.amana.up_world import (
    Up,
    eventually,
    is_alive,
    nothing_lives,
    pids,
    shell,
    stays,
    table,
)

Start = Callable[..., Up]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a supervisor over such entries; the test's end is its end."""
    started: list[Up] = []

    def go(*entries: dict[str, object], options: tuple[str, ...] = ()) -> Up:
        started.append(Up.start(tmp_path, table(tmp_path, *entries), *options))
        return started[-1]

    yield go
    for up in started:
        if up.process.poll() is None:
            up.tell(signal.SIGTERM)
        up.process.communicate()
    assert nothing_lives(tmp_path)


def test_each_program_is_started_when_the_one_before_is_ready(start: Start) -> None:
    lines = start(
        shell("first", "sleep 0.5; echo first is up; sleep 600"),
        shell("second", "echo second is up; sleep 600"),
    ).until("Ctrl-C")
    assert [line.split("|")[1].strip() for line in lines] == [
        "first: starting.",
        "first is up",
        "second: starting.",
        "second is up",
        "2 programs are ready.",
        "Ctrl-C ends everything.",
    ]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_told_to_stop_it_ends_the_last_first_and_leaves_nothing(
    start: Start, tmp_path: Path, how: signal.Signals
) -> None:
    up = start(stays("first", tmp_path), stays("second", tmp_path, "orphans"))
    up.until("Ctrl-C")
    assert len(pids(tmp_path)) == 4
    assert all(map(is_alive, pids(tmp_path)))
    up.tell(how)
    code, lines = up.rest()
    said = [line.split("|")[1].strip() for line in lines]
    assert said == [
        *("second: being ended.", "second ends", "first: being ended.", "first ends"),
        "Everything has ended.",
    ]
    assert code == ExitCode.OK
    assert not any(map(is_alive, pids(tmp_path)))


def test_a_supervisor_that_is_killed_leaves_no_program_and_no_child_of_one(
    start: Start, tmp_path: Path
) -> None:
    """kill -9 tells the supervisor nothing; the kernel tells the guards."""
    up = start(stays("first", tmp_path), stays("second", tmp_path, "orphans"))
    up.until("Ctrl-C")
    up.tell(signal.SIGKILL)
    _, lines = up.rest()
    assert {"first ends", "second ends"} & {line.strip() for line in lines} == set()
    assert nothing_lives(tmp_path)


def test_told_to_stop_while_starting_it_starts_nothing_more(start: Start, tmp_path: Path) -> None:
    up = start(shell("slow", "sleep 600"), stays("never", tmp_path))
    up.until("slow: starting.")
    up.tell(signal.SIGTERM)
    code, lines = up.rest()
    assert code == ExitCode.OK
    assert not any("never" in line for line in lines)


def test_a_deaf_program_is_ended_by_force_after_its_time(start: Start, tmp_path: Path) -> None:
    up = start({**stays("deaf", tmp_path, "deaf"), "stop_seconds": 0.3})
    up.until("Ctrl-C")
    up.tell(signal.SIGTERM)
    assert up.rest()[0] == ExitCode.OK
    assert not any(map(is_alive, pids(tmp_path)))


def test_told_twice_it_waits_for_nobody(start: Start, tmp_path: Path) -> None:
    up = start(stays("first", tmp_path), stays("deaf", tmp_path, "deaf"))
    up.until("Ctrl-C")
    up.tell(signal.SIGINT)
    up.until("deaf: being ended.")
    up.tell(signal.SIGINT)
    assert up.rest()[0] == ExitCode.OK
    assert not any(map(is_alive, pids(tmp_path)))


def test_a_deaf_program_does_not_outlive_a_killed_supervisor(start: Start, tmp_path: Path) -> None:
    up = start({**stays("deaf", tmp_path, "deaf"), "stop_seconds": 0.3})
    up.until("Ctrl-C")
    up.tell(signal.SIGKILL)
    assert nothing_lives(tmp_path)


def test_a_program_that_dies_is_started_again_and_what_it_left_is_gone(
    start: Start, tmp_path: Path
) -> None:
    up = start(stays("one", tmp_path))
    up.until("Ctrl-C")
    program, child = (int(each) for each in (tmp_path / "one.pids").read_text().split())
    os.kill(program, signal.SIGKILL)
    lines = up.until("one is up")
    assert "one: ended by itself (exit code 137). It is started again in 1 s." in lines[0]
    assert not is_alive(child)
    assert len(pids(tmp_path)) == 4


def test_a_guard_that_is_killed_leaves_nothing_either(start: Start, tmp_path: Path) -> None:
    """The kernel ends the program, and what that had started falls to the supervisor."""
    up = start(stays("one", tmp_path))
    up.until("Ctrl-C")
    program, child = (int(each) for each in (tmp_path / "one.pids").read_text().split())
    status = Path(f"/proc/{program}/stat").read_text()
    os.kill(int(status.rpartition(")")[2].split()[1]), signal.SIGKILL)
    up.until("one is up")
    assert not is_alive(program)
    assert not is_alive(child)


def test_each_restart_waits_longer(start: Start) -> None:
    up = start(shell("short", "echo short is up; sleep 0.2; exit 3"))
    up.until("Ctrl-C")
    assert "again in 1 s" in up.until("again in")[-1]
    assert "again in 2 s" in up.until("again in")[-1]


def test_who_is_late_after_a_restart_is_ended_and_tried_again(start: Start, tmp_path: Path) -> None:
    late = (
        f"test -e {tmp_path}/seen && exec sleep 600; touch {tmp_path}/seen; echo is up; sleep 0.5"
    )
    up = start(shell("late", late, ready_seconds=2.0))
    up.until("Ctrl-C")
    assert "(exit code 0)" in up.until("again in 1 s")[-1]
    assert "(exit code 143)" in up.until("again in 2 s")[-1]


def test_with_once_a_death_ends_everything_and_is_named(start: Start, tmp_path: Path) -> None:
    up = start(
        stays("stays", tmp_path),
        shell("short", "echo short is up; sleep 0.3; printf 'last words'; exit 3"),
        options=("--once",),
    )
    code, lines = up.rest()
    assert any(line.endswith("| last words") for line in lines)
    assert code == ExitCode.FAILED
    assert "short ended by itself (exit code 3), so everything was ended." in lines[-1]


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (shell("wrong", "exit 2"), "wrong ended by itself (exit code 2)"),
        (shell("slow", "sleep 600", ready_seconds=0.3), "slow was not ready in time"),
        ({**shell("none", ""), "command": ["/nonexistent/program"]}, "exit code 127"),
    ],
)
def test_who_does_not_become_ready_ends_everything_before_the_next_is_started(
    start: Start, tmp_path: Path, entry: dict[str, object], why: str
) -> None:
    code, lines = start(stays("first", tmp_path), entry, stays("never", tmp_path)).rest()
    assert code == ExitCode.FAILED
    assert why in lines[-1]
    assert not any("never" in line for line in lines)


LISTENS = "import socket, sys, time; s = socket.create_server(('127.0.0.1', {})); time.sleep(600)"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def test_a_program_that_listens_is_ready_when_it_answers_and_its_address_is_shown(
    start: Start,
) -> None:
    port = free_port()
    address = f"127.0.0.1:{port}"
    program: dict[str, object] = {
        "name": "door",
        "command": ["python3", "-c", f"import time; time.sleep(0.3); {LISTENS.format(port)}"],
        "ready_address": address,
        "serves": [address],
    }
    up = start(program)
    assert f"http://{address}/" in "\n".join(up.until("Ctrl-C"))
    with socket.create_connection(("127.0.0.1", port)):
        pass


def test_a_socket_deep_in_the_tree_is_found_too(start: Start, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    script = (
        f"import os, socket, time; os.chdir({str(deep)!r}); s = socket.socket(socket.AF_UNIX);"
        "s.bind('door.sock'); s.listen(); time.sleep(600)"
    )
    address = f"unix:{deep.name}/door.sock"
    start({"name": "door", "command": ["python3", "-c", script], "ready_address": address}).until(
        "Ctrl-C"
    )


def test_an_address_that_somebody_has_is_not_taken_for_readiness(
    start: Start, tmp_path: Path
) -> None:
    path = tmp_path / "taken.sock"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        entry = {
            "name": "door",
            "command": ["sleep", "600"],
            "ready_address": "unix:taken.sock",
        }
        code, lines = start(entry).rest()
    assert code == ExitCode.REFUSED
    assert "something answers at its address already" in lines[-1]


def test_a_program_cannot_move_the_cursor_nor_fill_the_memory(start: Start) -> None:
    script = "printf '\\033[2Jred\\n'; head -c 3000000 /dev/zero | tr '\\0' x; echo; echo is up"
    lines = start(shell("loud", f"{script}; sleep 600")).until("is up")
    assert "loud | \ufffd[2Jred" in lines
    assert max(map(len, lines)) < 5_000


def test_a_line_in_arabic_comes_through_as_it_was_said(start: Start) -> None:
    line = "البوابة \u2068portal\u2069 جاهزة"
    lines = start(shell("door", f"echo '{line}'; echo is up; sleep 600")).until("| is up")
    assert f"door | {line}" in lines


def test_a_reader_that_goes_away_ends_everything(start: Start, tmp_path: Path) -> None:
    up = start(stays("one", tmp_path), shell("talks", "while :; do echo is up; sleep 0.1; done"))
    up.until("Ctrl-C")
    assert up.process.stdout is not None
    up.process.stdout.close()
    assert eventually(lambda: up.process.poll() == ExitCode.OUTPUT_CLOSED)
    assert not any(map(is_alive, pids(tmp_path)))
    up.process.stdout = None
