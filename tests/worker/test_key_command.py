"""`amana key`, as an officer types it."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from amana import cli
from amana.exitcodes import ExitCode
from crypto.note import DualKey
from tests.worker.agents import OFFICER, PHRASE, make_store, running
from worker.agent_messages import OfficerName
from worker.agent_places import KeyPlaces
from worker.signers import Signers

NEW_PHRASE = "seven lanterns under snow"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AMANA_DATA_DIRECTORY", str(tmp_path / "data"))
    return tmp_path / "data"


def phrase_file(tmp_path: Path, name: str, phrase: str) -> str:
    path = tmp_path / name
    path.touch(mode=0o600)
    path.write_text(phrase + "\n", "utf-8")
    return str(path)


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    fields: dict[str, object] = json.loads(capsys.readouterr().out)
    return fields


def test_from_nothing_to_an_intake_key(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    phrase = ["--passphrase-file", phrase_file(tmp_path, "phrase", PHRASE)]
    officer = ["--officer", "registrar"]
    assert cli.main(["key", "init", *officer, *phrase]) == ExitCode.OK
    assert cli.main(["key", "init", *officer, *phrase]) == ExitCode.REFUSED
    assert "[worker.KeyPlaceError]" in capsys.readouterr().err
    with running(data):
        assert cli.main(["key", "new-intake"]) == ExitCode.REFUSED
        assert "[worker.KeysLockedError]" in capsys.readouterr().err
        assert cli.main(["key", "unlock", *officer, *phrase, "--json"]) == ExitCode.OK
        assert told(capsys)["officer"] == "registrar"
        assert cli.main(["key", "new-intake"]) == ExitCode.OK
        assert capsys.readouterr().out.startswith("age1pq1")
        assert cli.main(["key", "lock"]) == ExitCode.OK
        assert cli.main(["key", "status", "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["is_locked"] is True
    assert cli.main(["key", "status"]) == ExitCode.REFUSED
    assert "[worker.AgentUnreachableError]" in capsys.readouterr().err


def test_an_officer_comes_while_the_agent_runs(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_store(data)
    old, new = (
        phrase_file(tmp_path, name, phrase)
        for name, phrase in (("old", PHRASE), ("new", NEW_PHRASE))
    )
    words = ["key", "add-officer", "reader", "--by", OFFICER, "--class", "STANDARD"]
    words += ["--passphrase-file", old, "--new-passphrase-file", new, "--json"]
    with running(data) as agent:
        agent.unlock()
        assert cli.main(words) == ExitCode.OK
        assert told(capsys) == {"cleared": ["STANDARD"], "officer": "reader"}
        assert agent.client.unlock(OfficerName("reader"), NEW_PHRASE).cleared == ("STANDARD",)
    assert cli.main(words) == ExitCode.REFUSED
    assert "[worker.RequestRefusedError]" in capsys.readouterr().err


def test_an_officer_takes_another_passphrase_and_goes(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = make_store(data)
    old, new = (
        phrase_file(tmp_path, name, phrase)
        for name, phrase in (("old", PHRASE), ("new", NEW_PHRASE))
    )
    words = ["key", "add-officer", "reader", "--by", OFFICER]
    words += ["--passphrase-file", old, "--new-passphrase-file", old]
    assert cli.main(words) == ExitCode.OK
    words = ["key", "passphrase", "--officer", "reader"]
    words += ["--passphrase-file", old, "--new-passphrase-file", new]
    assert cli.main(words) == ExitCode.OK
    assert store.unlock("reader", NEW_PHRASE).held == ("triage",)
    assert cli.main(words) == ExitCode.REFUSED
    assert "[worker.WrongPassphraseError]" in capsys.readouterr().err
    words = ["key", "remove-officer", OFFICER, "--by", "reader", "--passphrase-file", new]
    assert cli.main(words) == ExitCode.REFUSED
    words = ["key", "remove-officer", "reader", "--by", OFFICER, "--passphrase-file", old]
    assert cli.main(words) == ExitCode.OK
    assert cli.main(words) == ExitCode.REFUSED
    assert store.officers() == (OFFICER,)


@pytest.mark.threat("T-02")
def test_an_officer_gives_no_class_that_they_do_not_have(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_store(data)
    old, new = (
        phrase_file(tmp_path, name, phrase)
        for name, phrase in (("old", PHRASE), ("new", NEW_PHRASE))
    )
    reader = ["key", "add-officer", "reader", "--by", OFFICER]
    reader += ["--passphrase-file", old, "--new-passphrase-file", new]
    assert cli.main(reader) == ExitCode.OK
    other = ["key", "add-officer", "other", "--by", "reader", "--class", "SGBV"]
    other += ["--passphrase-file", new, "--new-passphrase-file", old]
    assert cli.main(other) == ExitCode.REFUSED
    assert "[worker.NotClearedError]" in capsys.readouterr().err
    wrong = ["key", "add-officer", "other", "--by", OFFICER]
    wrong += ["--passphrase-file", new, "--new-passphrase-file", old]
    assert cli.main(wrong) == ExitCode.REFUSED
    assert "[worker.WrongPassphraseError]" in capsys.readouterr().err


def test_destroying_needs_the_word_forever(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_store(data)
    words = ["key", "destroy", "--class-key", "5a" * 32, "CHILD"]
    with running(data) as agent:
        with pytest.raises(SystemExit):
            cli.main(words)
        assert agent.client.status().destroyed == 0
        assert cli.main([*words, "--forever", "--json"]) == ExitCode.OK
        assert agent.client.status().destroyed == 1
        assert cli.main(["key", "destroy", "--card", "c4" * 32, "--forever"]) == ExitCode.REFUSED
        assert "[worker.KeyMissingError]" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["destroy", "--card", "../x", "--forever"],
        ["destroy", "--card", "c4" * 32, "--class-key", "5a" * 32, "CHILD", "--forever"],
        ["destroy", "--class-key", "5a" * 32, "OTHER", "--forever"],
        ["destroy", "--class-key", "5a", "CHILD", "--forever"],
        ["init", "--officer", "Registrar"],
        ["init", "--officer", "a/b"],
        ["agent", "--unwraps", "0"],
        ["agent", "--idle-minutes", "-1"],
        ["agent", "--uid", "4294967296"],
        ["agent", "--uid", "٣"],
        [],
    ],
)
def test_words_that_are_none_are_refused_before_anything_happens(
    words: list[str], data: Path
) -> None:
    with pytest.raises(SystemExit):
        cli.main(["key", *words])
    assert not data.exists()


@pytest.mark.threat("T-19")
@pytest.mark.parametrize(
    ("phrase", "fault"),
    [
        (b"short\n", "passphrase-too-short"),
        (b"olive \xff basket morning\n", "passphrase-not-text"),
        (None, "passphrase-unreadable"),
    ],
)
def test_a_passphrase_that_cannot_be_one_is_refused_and_never_told(
    phrase: bytes | None,
    fault: str,
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "phrase"
    if phrase is not None:
        path.touch(mode=0o600)
        path.write_bytes(phrase)
    words = ["key", "init", "--officer", "registrar", "--passphrase-file", str(path)]
    assert cli.main(words) == ExitCode.REFUSED
    captured = capsys.readouterr()
    assert f"[key.{fault}]" in captured.err
    assert "olive" not in captured.err
    assert not KeyPlaces(data_directory=data).keys.exists()


@pytest.mark.threat("T-19")
def test_a_passphrase_file_that_others_can_read_is_refused(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(phrase_file(tmp_path, "phrase", PHRASE))
    path.chmod(0o640)
    words = ["key", "init", "--officer", "registrar", "--passphrase-file", str(path)]
    assert cli.main(words) == ExitCode.REFUSED
    assert "[key.passphrase-unreadable]" in capsys.readouterr().err
    assert not KeyPlaces(data_directory=data).keys.exists()


def test_without_a_terminal_nothing_is_asked(data: Path) -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "amana.cli", "key", "init", "--officer", "registrar"],
        env=dict(os.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    assert refused.returncode == ExitCode.REFUSED
    assert "[key.no-terminal]" in refused.stderr
    assert not KeyPlaces(data_directory=data).keys.exists()


def test_the_quarantine_gets_a_signer_for_each_purpose(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["key", "public"]) == ExitCode.REFUSED
    assert "[worker.SignersError]" in capsys.readouterr().err
    assert cli.main(["key", "new-signer", "--json"]) == ExitCode.OK
    shown = told(capsys)
    places = KeyPlaces(data_directory=data)
    signers = Signers.load(places.signers)
    public = signers.public
    expected = {
        name: [*getattr(public, name).to_texts()] for name in ("cosigner", "log", "note", "pull")
    }
    assert shown == expected
    assert len({text for pair in expected.values() for text in pair}) == 8
    assert places.public_signers.read_bytes() == public.to_bytes()
    assert stat.S_IMODE(places.signers.stat().st_mode) == 0o600
    assert cli.main(["key", "public", "--only", "log"]) == ExitCode.OK
    ed25519, mldsa = capsys.readouterr().out.splitlines()
    assert DualKey.from_texts(ed25519, mldsa).name == "training.invalid/quarantine"
    assert cli.main(["key", "new-signer"]) == ExitCode.REFUSED
    assert Signers.load(places.signers).public == public
