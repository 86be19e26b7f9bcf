"""The dispatcher: what a person at a terminal is told, and what is never printed."""

import importlib.metadata
import os
import pathlib
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence

import pytest

from amana import cli
from amana.exitcodes import ExitCode
from amana.i18n import Language, Speaker
from crypto.errors import PayloadError

MATERIAL = "the plaintext of a witness"
Install = Callable[..., None]


def planted(fact: Callable[[], int]) -> Callable[[Sequence[str]], int]:
    """A command that takes any words and does one thing."""

    def command(_words: Sequence[str]) -> int:
        return fact()

    return command


def raising(failure: BaseException) -> Callable[[Sequence[str]], int]:
    def raise_it() -> int:
        raise failure

    return planted(raise_it)


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put entry points into the group, as installed wheels would."""

    def install_these(*points: tuple[str, str]) -> None:
        made = importlib.metadata.EntryPoints(
            importlib.metadata.EntryPoint(word, place, cli.GROUP) for word, place in points
        )

        def entry_points(group: str) -> importlib.metadata.EntryPoints:
            return made.select(group=group)

        monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)

    return install_these


@pytest.fixture
def run_command(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[Sequence[str]], int]], int]:
    """Run `amana seal a b` with the given function as its command."""

    def run_it(command: Callable[[Sequence[str]], int]) -> int:
        monkeypatch.setattr(cli, "planted", command, raising=False)
        install(("seal", "amana.cli:planted"))
        return cli.main(["seal", "a", "b"])

    return run_it


def test_help_lists_what_is_installed_by_zone_with_a_line_each(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install(("seal", "client.x:main"), ("open", "client.y:main"), ("review", "worker.z:main"))
    assert cli.main(["--help"]) == ExitCode.OK
    told = capsys.readouterr()
    assert "3 commands are installed" in told.out
    client, worker = told.out.index("On a provider's machine"), told.out.index("In the quarantine")
    assert client < told.out.index("  open ") < told.out.index("  seal ") < worker
    assert "seal files so that only their reader can open them" in told.out
    assert told.err == ""


def test_help_in_an_unreviewed_language_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AMANA_LANGUAGE", "ar")
    assert cli.main(["--help"]) == ExitCode.OK
    assert "لم تُراجَع هذه الترجمة بعد." in capsys.readouterr().out


def test_without_a_word_the_help_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == ExitCode.REFUSED
    told = capsys.readouterr()
    assert told.out == ""
    assert "Usage: amana COMMAND" in told.err


def test_an_unknown_word_is_one_sentence_and_exit_code_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["seel"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert "“seel”" in told.err


@pytest.mark.threat("T-17")
def test_a_hostile_word_cannot_move_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["\x1b[2Jx\u202e"])
    assert "“\ufffd[2Jx\ufffd”" in capsys.readouterr().err


def test_a_word_that_two_packages_claim_runs_neither(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install(("seal", "client.x:main"), ("seal", "elsewhere:main"))
    assert cli.main(["seal"]) == ExitCode.REFUSED
    assert "both claim" in capsys.readouterr().err


def test_the_version_is_that_of_the_installed_wheels(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == ExitCode.OK
    assert f"amana {importlib.metadata.version('amana')}" in capsys.readouterr().out


def test_a_command_gets_the_words_after_it_and_gives_the_exit_code(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def command(words: Sequence[str]) -> int:
        seen.extend(words)
        return ExitCode.KEY_UNKNOWN

    monkeypatch.setattr(cli, "planted", command, raising=False)
    install(("verify", "amana.cli:planted"))
    assert cli.main(["verify", "--json", "x"]) == 4
    assert seen == ["--json", "x"]


@pytest.mark.threat("T-16")
@pytest.mark.parametrize(
    ("failure", "code", "told"),
    [
        (
            PayloadError(MATERIAL),
            2,
            "was cut, extended, reordered or changed. [crypto.PayloadError]",
        ),
        (FileNotFoundError(2, MATERIAL, MATERIAL), 1, "No such file or directory. [os.ENOENT]"),
        (OSError(MATERIAL), 1, "did not foresee. Nothing is said about the material. [OSError"),
        (KeyError(MATERIAL), 1, "[KeyError amana.cli:"),
        (RecursionError(MATERIAL), 1, "[RecursionError"),
    ],
)
def test_a_failure_is_one_sentence_with_a_code_and_none_of_its_own_text(
    run_command: Callable[[Callable[[Sequence[str]], int]], int],
    capsys: pytest.CaptureFixture[str],
    failure: Exception,
    code: int,
    told: str,
) -> None:
    assert run_command(raising(failure)) == code
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1
    assert told in output.err
    assert MATERIAL not in output.err
    assert "Traceback" not in output.err


def test_ctrl_c_is_said_and_ends_with_130(
    run_command: Callable[[Callable[[Sequence[str]], int]], int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_command(raising(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == "amana: Stopped.\n"


def amana(*words: str) -> list[str]:
    return [str(pathlib.Path(sys.executable).parent / "amana"), *words]


def test_a_reader_that_goes_away_ends_the_program_without_a_word() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        amana("--help"), stdout=writer, stderr=subprocess.PIPE, check=False, text=True
    )
    os.close(writer)
    assert done.returncode == ExitCode.OUTPUT_CLOSED
    assert done.stderr == ""


LOADED = "import sys; from amana.cli import main; main(['--help']); print(*sys.modules)"


def test_help_imports_no_zone_and_no_heavy_library() -> None:
    """The time itself is in bench/; what costs time is what is imported."""
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, check=True)
    loaded = {name.partition(b".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert b"amana" in loaded
    heavy = {b"client", b"portal", b"worker", b"repository", b"crypto", b"terms"}
    heavy |= {b"cryptography", b"nacl", b"sqlalchemy", b"rich", b"asyncio", b"argparse"}
    assert not loaded & heavy


def test_every_command_has_a_summary_in_both_languages(root: pathlib.Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())
    for language in (Language.EN, Language.AR):
        speaker = Speaker(language)
        for word in project["project"]["entry-points"][cli.GROUP]:
            assert speaker.knows(f"summary.{word}"), word
