"""The commands, as a person types them."""

import errno
import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from amana import cli
from amana.exitcodes import ExitCode
from examples.rehearsal import Rehearsal, prepare


@pytest.fixture
def sealed(
    rehearsal: Rehearsal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> dict[str, Path]:
    keys, bundle, given = tmp_path / "keys", tmp_path / "bundle", tmp_path / "given.txt"
    given.write_bytes(b"what was given")
    phrase = ["--passphrase-file", str(rehearsal.passphrase)]
    kit = ["--kit", str(rehearsal.kit)]
    assert cli.main(["keygen", *kit, "--out", str(keys), *phrase, "--json"]) == ExitCode.OK
    words = ["seal", str(given), *kit, "--card", str(rehearsal.card)]
    words += ["--keys", str(keys), *phrase, "--out", str(bundle), "--json"]
    assert cli.main(words) == ExitCode.OK
    public, told = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert told["items"] == 1
    return {"bundle": bundle, "public": Path(public["public"]), "given": given, "keys": keys}


def test_json_is_one_line_for_a_program(
    sealed: dict[str, Path],
    rehearsal: Rehearsal,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["open", str(sealed["bundle"]), "--identity", str(rehearsal.identity)]
    words += ["--signer", str(sealed["public"]), "--out", str(tmp_path / "out"), "--json"]
    assert cli.main(words) == ExitCode.OK
    (row,) = json.loads(capsys.readouterr().out)["items"]
    assert Path(row["path"]).read_bytes() == sealed["given"].read_bytes()


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_refusal_is_a_sentence_and_a_code_in_the_persons_language(
    language: str,
    sealed: dict[str, Path],
    rehearsal: Rehearsal,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AMANA_LANGUAGE", language)
    words = ["open", str(sealed["bundle"]), "--identity", str(rehearsal.identity)]
    words += ["--signer", str(sealed["public"]), "--out", str(sealed["bundle"])]
    assert cli.main(words) == ExitCode.REFUSED
    told = capsys.readouterr()
    assert told.out == ""
    assert "[client.folder-in-use]" in told.err
    assert ("Name a new folder" in told.err) == (language == "en")


def test_keys_that_exist_are_left_alone(
    sealed: dict[str, Path], rehearsal: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sealed["keys"].read_bytes()
    words = ["keygen", "--kit", str(rehearsal.kit), "--out", str(sealed["keys"])]
    words += ["--passphrase-file", str(rehearsal.passphrase)]
    assert cli.main(words) == ExitCode.REFUSED
    assert "[client.keys-exist]" in capsys.readouterr().err
    assert sealed["keys"].read_bytes() == before


def test_a_short_passphrase_is_refused(
    rehearsal: Rehearsal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_private(tmp_path / "phrase", b"short")
    words = ["keygen", "--kit", str(rehearsal.kit), "--out", str(tmp_path / "keys")]
    assert cli.main([*words, "--passphrase-file", str(tmp_path / "phrase")]) == ExitCode.REFUSED
    assert "[client.passphrase-too-short]" in capsys.readouterr().err
    assert not (tmp_path / "keys").exists()


def test_a_passphrase_is_the_same_from_every_keyboard(rehearsal: Rehearsal, tmp_path: Path) -> None:
    """One letter with a hamza may be one character or two, a line end too."""
    composed, decomposed = tmp_path / "composed", tmp_path / "decomposed"
    write_private(composed, "\u0623زرق وأخضر وأصفر".encode())
    write_private(decomposed, "\u0627\u0654زرق وأخضر وأصفر\r\n".encode())
    keys = ["--kit", str(rehearsal.kit), "--out", str(tmp_path / "keys")]
    keys += ["--passphrase-file", str(composed)]
    assert cli.main(["keygen", *keys]) == ExitCode.OK
    words = ["seal", str(composed), "--kit", str(rehearsal.kit), "--card", str(rehearsal.card)]
    words += ["--keys", str(tmp_path / "keys"), "--passphrase-file", str(decomposed)]
    assert cli.main([*words, "--out", str(tmp_path / "bundle")]) == ExitCode.OK


@pytest.mark.threat("T-19")
def test_a_passphrase_that_others_can_read_is_refused(
    rehearsal: Rehearsal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    phrase = tmp_path / "phrase"
    write_private(phrase, b"olive basket morning river\n")
    words = ["keygen", "--kit", str(rehearsal.kit), "--out", str(tmp_path / "keys")]
    for mode in (0o640, 0o604):
        phrase.chmod(mode)
        assert cli.main([*words, "--passphrase-file", str(phrase)]) == ExitCode.REFUSED
        assert "[client.others-can-read]" in capsys.readouterr().err
    assert not (tmp_path / "keys").exists()


@pytest.mark.threat("T-19")
def test_a_passphrase_that_is_no_text_is_refused_and_not_told(
    rehearsal: Rehearsal,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = ["keygen", "--kit", str(rehearsal.kit), "--out", str(tmp_path / "keys")]
    monkeypatch.setattr("getpass.getpass", lambda *_words, **_named: "olive basket morning \udcff")
    assert cli.main(words) == ExitCode.REFUSED
    told = capsys.readouterr()
    assert "[client.passphrase-not-text]" in told.err
    write_private(tmp_path / "phrase", b"olive basket morning \xff")
    assert cli.main([*words, "--passphrase-file", str(tmp_path / "phrase")]) == ExitCode.REFUSED
    also_told = capsys.readouterr()
    assert "[client.not-text]" in also_told.err
    assert "olive" not in told.err + also_told.err


def test_keys_of_another_account_are_refused_before_anything_is_sealed(
    sealed: dict[str, Path], day: date, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = prepare(tmp_path / "other", day)
    words = ["seal", str(sealed["given"]), "--kit", str(other.kit), "--card", str(other.card)]
    words += ["--keys", str(sealed["keys"]), "--passphrase-file", str(other.passphrase)]
    assert cli.main([*words, "--out", str(tmp_path / "out")]) == ExitCode.REFUSED
    assert "[client.keys-of-another-account]" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def write_private(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)


@pytest.mark.parametrize("word", ["keygen", "seal", "open"])
def test_help_has_an_example(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main([word, "--help"])
    assert stop.value.code == 0
    assert f"Example: amana {word}" in capsys.readouterr().out
    assert "client.console" in sys.modules


def test_a_bundle_inside_what_is_sealed_is_refused(
    rehearsal: Rehearsal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["seal", str(tmp_path), "--kit", str(rehearsal.kit), "--card", str(rehearsal.card)]
    words += ["--keys", str(rehearsal.keys), "--out", str(tmp_path / "below" / "bundle")]
    assert cli.main(words) == ExitCode.REFUSED
    assert "[client.out-inside]" in capsys.readouterr().err
    assert not (tmp_path / "below").exists()


def test_a_full_disk_is_named_with_what_to_do(
    rehearsal: Rehearsal,
    sealed: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("client.commands.seal.seal_tree", full)
    words = ["seal", str(sealed["given"]), "--kit", str(rehearsal.kit)]
    words += ["--card", str(rehearsal.card), "--keys", str(sealed["keys"])]
    words += ["--passphrase-file", str(rehearsal.passphrase), "--out", str(tmp_path / "full")]
    assert cli.main(words) == ExitCode.REFUSED
    assert "[client.no-room]" in capsys.readouterr().err


def test_without_a_terminal_a_passphrase_file_is_asked_for(
    rehearsal: Rehearsal, tmp_path: Path
) -> None:
    program = [str(Path(sys.executable).with_name("amana")), "keygen"]
    done = subprocess.run(
        [*program, "--kit", str(rehearsal.kit), "--out", str(tmp_path / "keys")],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,  # away from the terminal of whoever runs the tests
        check=False,
    )
    assert done.returncode == ExitCode.REFUSED
    assert b"[client.no-terminal]" in done.stderr


def test_all_that_a_finder_would_see_is_counted(
    sealed: dict[str, Path],
    rehearsal: Rehearsal,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["seal", str(sealed["given"]), "--kit", str(rehearsal.kit)]
    words += ["--card", str(rehearsal.card), "--keys", str(sealed["keys"])]
    words += ["--passphrase-file", str(rehearsal.passphrase), "--out", str(tmp_path / "again")]
    assert cli.main([*words, "--json"]) == ExitCode.OK
    told = json.loads(capsys.readouterr().out)["objects"]
    assert told == len(list((tmp_path / "again" / "objects").iterdir()))
