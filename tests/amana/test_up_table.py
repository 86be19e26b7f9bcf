"""The table of programs: what is installed and set up is started, anything malformed is refused."""

import contextlib
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amana.exitcodes import ExitCode
from amana.settings import PortalSettings, Settings
from amana.up.command import main
from amana.up.errors import TableError
from amana.up.program import Answers, Backoff, Says
from amana.up.table import BUILT_IN, Row, choose, read_rows

AMANA = (sys.executable, "-P", "-m", "amana.cli")
GOOD = """
[[program]]
name = "portal"
words = ["portal", "serve"]
ready_line = " serving"
stop_seconds = 3
needs = ["{data}/keys"]
serves = ["{portal.listen}"]
"""


def settings(folder: Path, listen: str = "127.0.0.1:8700") -> Settings:
    return Settings(data_directory=folder, portal=PortalSettings(listen=listen))


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "programs.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_row_is_filled_in_from_the_settings(tmp_path: Path) -> None:
    (tmp_path / "keys").touch()
    chosen = choose(read_rows(written(tmp_path, GOOD)), settings(tmp_path), frozenset({"portal"}))
    (program,) = chosen.programs
    assert program.command == (*AMANA, "portal", "serve")
    assert program.ready == Says(text=" serving")
    assert program.stop_seconds == 3
    assert program.urls == ("http://127.0.0.1:8700/",)


def test_a_socket_is_found_below_the_data_directory(tmp_path: Path) -> None:
    row = Row(
        name="x", words=("portal",), ready_address="{portal.listen}", serves=("{portal.listen}",)
    )
    told = settings(tmp_path, "unix:run/portal.sock")
    (program,) = choose((row,), told, frozenset({"portal"})).programs
    assert program.ready == Answers(address=f"unix:{tmp_path}/run/portal.sock")
    assert program.urls == (f"unix:{tmp_path}/run/portal.sock",)


def test_what_is_not_installed_or_not_set_up_is_left_out_and_named(tmp_path: Path) -> None:
    rows = read_rows(written(tmp_path, GOOD))
    assert choose(rows, settings(tmp_path), frozenset()).not_installed == ("portal",)
    chosen = choose(rows, settings(tmp_path), frozenset({"portal"}))
    assert chosen.not_set_up == (("portal", tmp_path / "keys"),)
    assert chosen.programs == ()


def test_each_zone_alone_starts_its_own_programs(tmp_path: Path) -> None:
    (tmp_path / "worker" / "outbox").mkdir(parents=True)
    for name in ("pull.keys", "repository.keys", "quarantine.end"):
        (tmp_path / name).touch()
    words = {row.words[0] for row in BUILT_IN}
    assert words == {"key", "portal", "worker", "package"}
    for word in words:
        chosen = choose(BUILT_IN, Settings(data_directory=tmp_path), frozenset({word}))
        assert {program.command[4] for program in chosen.programs} == {word}


def test_where_nothing_can_be_started_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = written(tmp_path, GOOD.replace("keys", "none"))
    path = tmp_path / "settings.toml"
    path.write_text('data_directory = "."\n')
    assert main(["--settings", str(path), "--programs", str(told)]) == ExitCode.REFUSED
    said = capsys.readouterr().out
    assert f"portal: not set up here, so not started. Missing: {tmp_path}/none" in said
    assert "There is nothing to start here." in said


@pytest.mark.parametrize(
    "text",
    [
        b"\xff",
        "",
        "x = 1",
        "[[program]]",
        "program = 1",
        "program = [1]",
        GOOD + "[other]\n",
        GOOD + GOOD,
        GOOD + "unknown = 1\n",
        GOOD + 'command = ["true"]\n',
        GOOD + 'ready_address = "127.0.0.1:1"\n',
        GOOD.replace('"portal"\n', '"The Portal"\n'),
        GOOD.replace('["portal", "serve"]', '"portal serve"'),
        GOOD.replace('["portal", "serve"]', "[]"),
        GOOD.replace("= 3", "= true"),
        GOOD.replace("= 3", "= 0"),
        GOOD.replace("= 3", "= nan"),
        GOOD.replace("= 3", "= inf"),
        GOOD.replace(" serving", "\\u0000"),
        GOOD + "# " + "x" * 65_536,
    ],
)
def test_a_malformed_table_is_refused(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises(TableError):
        read_rows(written(tmp_path, text))


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0:80",
        "example.org:80",
        "127.0.0.1",
        "127.0.0.1:0x1",
        "{portal.none}",
        "{data/}",
        "{data/data}",
    ],
)
def test_an_address_of_another_machine_or_of_no_setting_is_refused(
    tmp_path: Path, address: str
) -> None:
    row = Row(name="x", command=("true",), ready_address=address)
    with pytest.raises(TableError):
        choose((row,), settings(tmp_path), frozenset())


@given(
    st.one_of(
        st.binary(),
        st.tuples(st.text(), st.text(), st.integers(0, 250)).map(
            lambda cut: (GOOD[: cut[2]] + cut[0] + GOOD[cut[2] + len(cut[1]) :]).encode(
                errors="replace"
            )
        ),
    )
)
def test_no_bytes_break_the_reader_in_another_way(
    tmp_path_factory: pytest.TempPathFactory, untrusted: bytes
) -> None:
    with contextlib.suppress(TableError):
        read_rows(written(tmp_path_factory.getbasetemp(), untrusted))


def test_the_wait_doubles_up_to_a_limit_and_begins_again_after_calm() -> None:
    backoff = Backoff(first_seconds=1, longest_seconds=5, calm_seconds=60)
    waits = [backoff.after(waited, up_seconds=0) for waited in (0, 1, 2, 4, 5)]
    assert waits == [1, 2, 4, 5, 5]
    assert backoff.after(5, up_seconds=60) == 1
