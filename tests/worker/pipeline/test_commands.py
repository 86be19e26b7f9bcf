"""`amana worker` and `amana review`, over books that somebody else works on."""

import json
import os

import pytest

from amana.exitcodes import ExitCode
from crypto.private.keystore import KeyStore
from tests.worker.agents import PHRASE, QUICK
from tests.worker.pipeline.ground import SIGNERS, Quarantine
from worker.agent_places import GROUPS, KeyPlaces
from worker.canary import EICAR
from worker.commands import review, worker
from worker.pipeline.states import ItemState, SubmissionState


@pytest.fixture
def installed(quarantine: Quarantine, monkeypatch: pytest.MonkeyPatch) -> Quarantine:
    for name in [each for each in os.environ if each.startswith("AMANA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AMANA_DATA_DIRECTORY", str(quarantine.home))
    places = KeyPlaces(data_directory=quarantine.home)
    KeyStore.create(
        places.keys,
        places.tombstones,
        groups=GROUPS,
        officer="registrar",
        passphrase=PHRASE,
        cost=QUICK,
    )
    SIGNERS.save(quarantine.shop.places.keys / "signers.json")
    assert worker.main(["init"]) == ExitCode.OK
    return quarantine


def answer(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert isinstance(found, dict)
    return found


def test_all_that_is_clean_is_accepted_at_once_and_nothing_else(
    installed: Quarantine, capsys: pytest.CaptureFixture[str]
) -> None:
    submission = installed.fetch({"a.txt": b"harmless", "b.com": EICAR})
    installed.examine(submission)
    words = ["accept", "--all-clean", "--class", "SENSITIVE", "--officer", "registrar", "--json"]
    assert review.main(words) == ExitCode.OK
    assert answer(capsys) == {"decided": 1}
    states = {each.verdict: each.state for each in installed.items(submission)}
    assert set(states.values()) == {ItemState.ACCEPTED, ItemState.WAITING}
    assert review.main(words) == ExitCode.REFUSED, "there is nothing left to decide"


def test_an_officers_name_stands_in_no_row(installed: Quarantine) -> None:
    submission = installed.fetch({"a.txt": b"harmless"})
    installed.examine(submission)
    name = "registrar"
    words = ["accept", submission[:12], "--class", "STANDARD", "--officer", name]
    assert review.main(words) == ExitCode.OK
    events = [each.to_bytes() for each in installed.events(submission)]
    books = b"".join(path.read_bytes() for path in installed.home.glob("worker.db*"))
    assert not any(name.encode() in each for each in [*events, books])


def test_what_is_held_can_only_be_examined_again(
    installed: Quarantine, capsys: pytest.CaptureFixture[str]
) -> None:
    submission = installed.fetch({"a.txt": b"harmless"})
    folder = installed.shop.places.bundle(submission) / "objects"
    (path, *_) = folder.iterdir()
    kept = path.read_bytes()
    path.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    installed.examine(submission)
    words = ["accept", submission, "--class", "STANDARD", "--officer", "registrar"]
    assert review.main(words) == ExitCode.REFUSED
    path.write_bytes(kept)
    assert review.main(["again", submission, "--officer", "registrar"]) == ExitCode.OK
    assert installed.row(submission).state is SubmissionState.FETCHED
    installed.examine(submission)
    assert installed.row(submission).state is SubmissionState.EXAMINED
    capsys.readouterr()
    assert review.main(["list", "--state", "EXAMINED", "--json"]) == ExitCode.OK
    assert submission in json.dumps(answer(capsys))


def test_status_counts_and_a_short_name_is_refused(
    installed: Quarantine, capsys: pytest.CaptureFixture[str]
) -> None:
    submission = installed.fetch({"a.txt": b"harmless"})
    assert worker.main(["status", "--json"]) == ExitCode.OK
    found = answer(capsys)["submissions"]
    assert isinstance(found, dict)
    assert found["FETCHED"] == 1
    assert review.main(["show", submission[:4], "--no-names"]) == ExitCode.REFUSED


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["accept", "{name}", "--class", "STANDARD", "--officer", "regstrar"], "no-such-officer"),
        (["accept", "--class", "STANDARD", "--officer", "registrar"], "nothing-named"),
        (["again", "{name}", "--officer", "registrar"], "nothing-decided"),
        (["accept", "{short}", "--class", "STANDARD", "--officer", "registrar"], "unknown"),
    ],
)
def test_what_is_not_decided_is_said_to_be_and_changes_nothing(
    installed: Quarantine, capsys: pytest.CaptureFixture[str], words: list[str], code: str
) -> None:
    submission = installed.fetch({"a.txt": b"harmless"})
    installed.examine(submission)
    named = [word.format(name=submission, short=submission[:4]) for word in words]
    assert review.main(named) == ExitCode.REFUSED
    said = capsys.readouterr()
    assert said.out == ""
    assert f"[review.{code}]" in said.err
    assert {each.state for each in installed.items(submission)} == {ItemState.WAITING}


def test_whoever_looks_is_told_that_something_waits_for_the_keys(
    installed: Quarantine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert review.main(["list"]) == ExitCode.OK
    assert capsys.readouterr().err == "", "nothing waits"
    submission = installed.fetch({"a.txt": b"harmless"})
    assert review.main(["list"]) == ExitCode.OK
    assert "amana key agent" in capsys.readouterr().err
    assert worker.main(["status"]) == ExitCode.OK
    assert "amana key agent" in capsys.readouterr().err
    assert review.main(["list", "--json"]) == ExitCode.OK
    assert capsys.readouterr().err == "", "a program reads what it asks for"
    installed.examine(submission)
    assert review.main(["list"]) == ExitCode.OK
    assert capsys.readouterr().err == "", "it waits for an officer, not for keys"
