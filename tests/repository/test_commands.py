"""`amana package`, as an archivist uses it: keys, receipt, verification, contents, conditions."""

import json
import shutil
from pathlib import Path

import pytest

from amana.exitcodes import ExitCode
from amana.wire.ends import RepositoryEnd
from amana.wire.package import SealedPackage
from repository.commands.package import main
from tests.package.world import END, KEYS, SAMPLES
from worker.package_plan import PackagePlan


@pytest.fixture
def place(tmp_path: Path, forwarded: tuple[Path, SealedPackage]) -> Path:
    """A folder with keys, a pinned quarantine, a spool with one package, and room for the rest."""
    shutil.copytree(forwarded[0], tmp_path / "spool")
    (tmp_path / "answers").mkdir()
    KEYS.save(tmp_path / "keys")
    (tmp_path / "quarantine").write_bytes(END.to_bytes())
    return tmp_path


@pytest.fixture
def package(place: Path, forwarded: tuple[Path, SealedPackage]) -> str:
    return str(place / "spool" / forwarded[1].package_id)


def run(place: Path, verb: str, *words: str) -> int:
    ends = ["--keys", str(place / "keys"), "--quarantine", str(place / "quarantine"), "--json"]
    return main([verb, *words, *ends])


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_keys_are_made_once_and_their_public_half_is_what_the_quarantine_pins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = tmp_path / "repository.keys"
    words = ["init", "--name", "example.org/r", "--deployment", "TRAINING", "--keys", str(keys)]
    assert main([*words, "--json"]) == ExitCode.OK
    (said,) = told(capsys)
    end = RepositoryEnd.from_bytes((tmp_path / "repository.keys.public").read_bytes())
    assert end.digest == said["sha256"]
    assert keys.stat().st_mode & 0o077 == 0
    with pytest.raises(FileExistsError):
        main(words)


def test_what_lies_in_the_spool_is_taken_in_and_answered(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--answers", str(place / "answers"), "--store", str(place / "store"))
    assert run(place, "receive", str(place / "spool"), *words) == ExitCode.OK
    (said,) = told(capsys)
    assert (said["accepted_items"], said["is_new"]) == (len(SAMPLES) + 1, True)
    assert len(list((place / "answers").iterdir())) == 1


def test_a_kept_package_is_found_by_the_folder_that_bears_its_name(
    place: Path, forwarded: tuple[Path, SealedPackage], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--answers", str(place / "answers"), "--store", str(place / "store"))
    assert run(place, "receive", str(place / "spool"), *words) == ExitCode.OK
    kept = place / "store" / "packages" / forwarded[1].package_id
    for folder in (kept, kept / "bag"):
        capsys.readouterr()
        assert run(place, "list", str(folder)) == ExitCode.OK
        assert len(told(capsys)) == len(SAMPLES) + 1
    with pytest.raises(SystemExit):
        run(place, "list", str(place / "nowhere"))
    assert "there is no folder" in capsys.readouterr().err


def test_a_refused_package_is_named_with_its_reason(
    place: Path, package: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (Path(package) / "readme.txt").write_text("hello")
    words = ("--answers", str(place / "answers"), "--store", str(place / "store"))
    assert run(place, "receive", str(place / "spool"), *words) == ExitCode.REFUSED
    (said,) = told(capsys)
    assert said["refused"] == "file-not-listed"
    assert run(place, "verify", package) == ExitCode.REFUSED
    assert "file-not-listed" in capsys.readouterr().err


def test_a_package_is_verified_listed_opened_and_one_item_taken_out(
    place: Path, package: str, plan: PackagePlan, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(place, "verify", package) == ExitCode.OK
    assert run(place, "open", package, "--out", str(place / "bag")) == ExitCode.OK
    capsys.readouterr()
    assert run(place, "list", package) == ExitCode.OK
    listed = told(capsys)
    assert [bytes.fromhex(str(each["name_hex"])) for each in listed[:-1]] == [
        given.name for given in SAMPLES
    ]
    third = plan.items[2].registration
    out = place / "third"
    words = ("--item", third, "--out", str(out))
    assert run(place, "extract", package, *words) == ExitCode.OK
    assert out.read_bytes() == SAMPLES[2].content
    assert run(place, "extract", package, *words) == ExitCode.REFUSED
    nobody = ("--item", "0" * 32, "--out", str(place / "none"))
    assert run(place, "extract", package, *nobody) == ExitCode.REFUSED
    assert not (place / "none").exists()


ASKED = (
    *("--act", "use_as_lead", "--recipient", "de-gba", "--recipient-kind", "NATIONAL_PROSECUTOR"),
    *("--country", "DE", "--purpose", "CRIMINAL_PROSECUTION", "--stage", "INVESTIGATION"),
    *("--on", "2027-03-01", "--death-penalty", "NO", "--fair-trial", "MET", "--in-absentia", "NO"),
)


@pytest.mark.threat("T-14")
def test_the_conditions_answer_for_each_item_and_name_what_is_not_known(
    place: Path, package: str, plan: PackagePlan, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(place, "may-share", package, *ASKED, "--undertaking", "none") == ExitCode.OK
    *files, bare = told(capsys)
    assert {each["decision"] for each in files} == {"PERMIT"}
    assert bare["decision"] == "DENY"
    first = plan.items[0].registration
    assert run(place, "may-share", package, "--item", first, *ASKED[:2]) == ExitCode.OK
    (less,) = told(capsys)
    assert less["decision"] == "DENY"
    assert {"death_penalty", "fair_trial", "date"} <= set(str(less["missing_facts"]).split("'"))


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_person_is_answered_in_their_language(
    place: Path,
    package: str,
    language: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AMANA_LANGUAGE", language)
    ends = ["--keys", str(place / "keys"), "--quarantine", str(place / "quarantine")]
    assert main(["may-share", package, *ends, "--act", "publish"]) == ExitCode.OK
    text = capsys.readouterr().out
    assert ("Not permitted." if language == "en" else "غير مسموح.") in text
    assert main(["list", package, *ends]) == ExitCode.OK
    assert main(["verify", package, *ends]) == ExitCode.OK


def test_a_key_file_that_others_can_read_is_not_used(
    place: Path, package: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "keys").chmod(0o644)
    assert run(place, "verify", package) == ExitCode.REFUSED
    assert "package.others-can-read" in capsys.readouterr().err
    (place / "keys").chmod(0o600)
    (place / "quarantine").write_bytes(b"{}")
    assert run(place, "verify", package) == ExitCode.REFUSED
