"""What a provider says of conditions goes along sealed, and what contradicts is refused before."""

import hashlib
import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from amana import cli
from amana.exitcodes import ExitCode
from amana.wire.consent_toml import read_consent
from amana.wire.references import ConsentReference
from amana.wire.sealed import RecordKind
from amana.wire.snapshot import consent_digest, consent_id
from amana.wire.terms_toml import read_agreement
from amana.wire.vocabulary import ConsentBasis, TermsState
from client.commands import sign
from client.conditions import UNKNOWN_CONSENT, SideDocument
from client.errors import TreeError
from client.keys import MemberKeys
from client.opening import BundleOpener
from client.plan import MOST_OBJECTS, plan
from client.sealing import Commission, seal_tree
from client.tree import walk
from examples.rehearsal import PASSPHRASE, Rehearsal
from terms.vocabulary import HandlingClass

EXAMPLES = Path(__file__).parents[2] / "examples" / "terms"
ORCHARD = EXAMPLES / "agreement-orchard.toml"
ADULT = EXAMPLES / "consent-adult.toml"
ASK = EXAMPLES / "consent-ask-me-first.toml"
STRANGER = "0" * 32


@pytest.fixture(scope="module")
def keys(rehearsal: Rehearsal, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "member.keys"
    words = ["keygen", "--kit", str(rehearsal.kit), "--out", str(path)]
    assert cli.main([*words, "--passphrase-file", str(rehearsal.passphrase)]) == ExitCode.OK
    return path


@pytest.fixture
def given(tmp_path: Path) -> Path:
    folder = tmp_path / "Given"
    (folder / "statements").mkdir(parents=True)
    (folder / "statements" / "first.txt").write_bytes(b"first")
    (folder / "statements-other.txt").write_bytes(b"other")
    return folder


@pytest.fixture
def command(rehearsal: Rehearsal, keys: Path, given: Path, tmp_path: Path) -> list[str]:
    words = ["seal", str(given), "--kit", str(rehearsal.kit), "--card", str(rehearsal.card)]
    words += ["--keys", str(keys), "--passphrase-file", str(rehearsal.passphrase)]
    return [*words, "--out", str(tmp_path / "bundle"), "--json"]


def opened(rehearsal: Rehearsal, keys: Path, folder: Path) -> BundleOpener:
    member = MemberKeys.load(keys, PASSPHRASE)
    return BundleOpener(folder / "bundle", rehearsal.intake, member.signer.key)


def test_every_item_names_the_agreement_the_persons_and_the_class(
    command: list[str],
    rehearsal: Rehearsal,
    keys: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["--agreement", str(ORCHARD), "--consent", str(ADULT), "--consent", str(ASK)]
    assert cli.main([*command, *words, "--class", "SENSITIVE"]) == ExitCode.OK
    told = json.loads(capsys.readouterr().out)
    bundle = opened(rehearsal, keys, tmp_path)
    persons = [read_consent(path.read_bytes()) for path in (ADULT, ASK)]
    submission = bundle.submission
    assert submission.terms.state is TermsState.AGREEMENT
    assert submission.terms.named == read_agreement(ORCHARD.read_bytes()).ref
    assert submission.handling_class is HandlingClass.SENSITIVE
    recorded = tuple(
        ConsentReference(
            state=ConsentBasis.RECORDED, consent_id=consent_id(each), exempt_reason=None
        )
        for each in persons
    )
    assert {item.terms for item in bundle.items} == {submission.terms}
    assert {item.consents for item in bundle.items} == {recorded}
    assert told["agreement"] == "example/orchard@1"
    assert told["consents"] == [consent_id(each) for each in persons]


def test_the_documents_go_along_sealed_each_with_its_digest(
    command: list[str], rehearsal: Rehearsal, keys: Path, tmp_path: Path
) -> None:
    assert cli.main([*command, "--agreement", str(ORCHARD), "--consent", str(ADULT)]) == ExitCode.OK
    records = opened(rehearsal, keys, tmp_path).submission.records
    person = read_consent(ADULT.read_bytes())
    assert [each.kind for each in records] == [RecordKind.AGREEMENT, RecordKind.CONSENT]
    assert records[0].sha256 == hashlib.sha256(ORCHARD.read_bytes()).hexdigest()
    assert records[1].sha256 == str(consent_digest(person))
    assert records[1].consent_id == consent_id(person)
    clear = b"".join(path.read_bytes() for path in tmp_path.glob("bundle/**/*") if path.is_file())
    for told in (b"orchard", b"olive", person.uid.encode(), b"ConsentGiven"):
        assert told not in clear


def test_a_consent_for_one_place_is_about_that_place_alone(
    command: list[str],
    rehearsal: Rehearsal,
    keys: Path,
    given: Path,
    tmp_path: Path,
) -> None:
    place = f"{given / 'statements'}={ASK}"
    assert cli.main([*command, "--consent-for", place]) == ExitCode.OK
    bundle = opened(rehearsal, keys, tmp_path)
    about = {item.name.text: item.consents for item in bundle.items}
    assert about["statements-other.txt"] == (UNKNOWN_CONSENT,)
    assert [each.state for each in about["first.txt"]] == [ConsentBasis.RECORDED]
    assert bundle.submission.terms.state is TermsState.UNKNOWN


def test_without_conditions_nothing_is_known_and_that_is_said(
    command: list[str],
    rehearsal: Rehearsal,
    keys: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command.remove("--json")
    assert cli.main(command) == ExitCode.OK
    assert "Conditions: none were stated." in capsys.readouterr().out
    bundle = opened(rehearsal, keys, tmp_path)
    assert bundle.submission.records == ()
    assert {item.consents for item in bundle.items} == {(UNKNOWN_CONSENT,)}


def test_what_is_known_is_told_to_the_person(
    command: list[str], given: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command.remove("--json")
    words = ["--agreement", str(ORCHARD), "--consent-for", f"{given / 'statements'}={ADULT}"]
    assert cli.main([*command, *words]) == ExitCode.OK
    told = capsys.readouterr().out
    assert "the agreement example/orchard, version 1" in told
    assert "1 record went along" in told
    assert "not known for some or all" in told


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("valid_from = 2026-01-01", "valid_from = 2090-01-01"), "agreement-not-yet-valid"),
        (('intake_until = "NO_LAST_DAY"', "intake_until = 2026-01-02"), "agreement-intake-closed"),
        (('valid_to = "NO_LAST_DAY"', "valid_to = 2026-01-02"), "agreement-intake-closed"),
        (('["CLIENT", "COURIER"]', '["UN_SHARE"]'), "agreement-mode-not-agreed"),
        (('["KEEPING", "return"]', '["return"]'), "conditions-forbid"),
        (('# account = "…"', f'account = "{STRANGER}"'), "agreement-another-account"),
    ],
)
def test_an_agreement_that_contradicts_is_refused_before_anything_is_sealed(
    change: tuple[str, str],
    code: str,
    command: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = ORCHARD.read_text()
    assert change[0] in text
    (tmp_path / "agreement.toml").write_text(text.replace(*change, 1))
    words = [*command, "--agreement", str(tmp_path / "agreement.toml")]
    assert cli.main(words) == ExitCode.REFUSED
    assert f"[client.{code}]" in capsys.readouterr().err
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (('PRESERVE = "YES"', 'PRESERVE = "NO"'), "preserve"),
        (('state = "ConsentGiven"', 'state = "ConsentWithdrawn"'), "silence"),
        (('valid_to = "NO_LAST_DAY"', "valid_to = 2026-03-15"), "expired"),
    ],
)
def test_a_person_who_said_no_is_told_by_the_rule(
    change: tuple[str, str],
    rule: str,
    command: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "person.toml").write_text(ADULT.read_text().replace(*change, 1))
    assert cli.main([*command, "--consent", str(tmp_path / "person.toml")]) == ExitCode.REFUSED
    told = capsys.readouterr().err
    assert "[client.conditions-forbid]" in told
    assert f"“{rule}”" in told
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_text_that_is_no_agreement_is_refused_with_its_file_and_place(
    language: str,
    command: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AMANA_LANGUAGE", language)
    text = ORCHARD.read_text().replace("[nature]\n", "[nature]\nextent = 1\n", 1)
    (tmp_path / "wrong.toml").write_text(text)
    assert cli.main([*command, "--agreement", str(tmp_path / "wrong.toml")]) == ExitCode.REFUSED
    told = capsys.readouterr().err
    for part in ("wrong.toml", "[nature]", "extent", "[terms-text.unknown-key]"):
        assert part in told


def test_files_that_are_missing_or_contradict_each_other_are_refused(
    command: list[str], given: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.toml"
    other.write_text(ADULT.read_text().replace("pseudonym-olive", "pseudonym-fig"))
    for words, code in (
        (["--agreement", str(tmp_path / "none")], "no-such-file"),
        (["--consent", str(given)], "file-unreadable"),
        (["--consent", str(ADULT), "--consent", str(other)], "consent-twice"),
        (["--consent-for", f"{tmp_path / 'elsewhere'}={ADULT}"], "consent-for-nothing"),
    ):
        assert cli.main([*command, *words]) == ExitCode.REFUSED
        assert f"[client.{code}]" in capsys.readouterr().err
    assert not (tmp_path / "bundle").exists()


def test_documents_count_among_the_objects_of_a_submission(
    commission: Commission, given: Path, tmp_path: Path
) -> None:
    document = SideDocument(kind=RecordKind.OTHER, consent_id=None, content=b"a")
    conditions = replace(commission.conditions, documents=(document,) * MOST_OBJECTS)
    planned = plan(walk([given]).entries)
    with pytest.raises(TreeError):
        seal_tree(
            planned,
            replace(commission, conditions=conditions),
            tmp_path / "out",
            lambda _count: None,
        )
    assert not (tmp_path / "out").exists()


def test_the_same_day_is_the_last_day(command: list[str], day: date, tmp_path: Path) -> None:
    for last, code in ((day, ExitCode.OK), (day - timedelta(days=1), ExitCode.REFUSED)):
        text = ORCHARD.read_text().replace('"NO_LAST_DAY"', last.isoformat())
        path = tmp_path / f"{last}.toml"
        path.write_text(text)
        assert cli.main([*command, "--agreement", str(path)]) == code


def test_a_text_that_says_nothing_is_not_signed(
    rehearsal: Rehearsal, keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wrong.toml").write_text(ORCHARD.read_text().replace("version = 1", "version = 0"))
    out = tmp_path / "signature"
    ends = ["--kit", str(rehearsal.kit), "--keys", str(keys), "--out", str(out)]
    for file, code in (
        ("wrong.toml", "terms-text.must-be-version"),
        ("none.toml", "client.no-such-file"),
        (".", "client.file-unreadable"),
    ):
        assert sign.main([str(tmp_path / file), *ends]) == ExitCode.REFUSED
        assert f"[{code}]" in capsys.readouterr().err
    assert not out.exists()
