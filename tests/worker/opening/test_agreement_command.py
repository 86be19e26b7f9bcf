"""`amana agreement` and `amana sign`, and a submission under what was agreed, really opened."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from amana.exitcodes import ExitCode
from amana.wire.consent_toml import read_consent
from amana.wire.ids import AccountId
from amana.wire.reasons import ReasonCode
from amana.wire.terms_signature import TermsSignature
from amana.wire.terms_toml import read_agreement, sha256_of
from client.commands import sign
from client.conditions import load_conditions
from client.keys import MemberKeys
from examples.rehearsal import PASSPHRASE
from terms.agreement import SignatureKind
from terms.names import Uid
from terms.vocabulary import HandlingClass
from tests.wire.givens import signed
from tests.worker.agreed import EXAMPLES
from tests.worker.opening.world import LABEL, World
from worker.agreements import AgreementStore
from worker.commands import agreement, provider
from worker.enrolled import Register
from worker.opening import Held
from worker.snapshots import Snapshot, take_snapshot

INK = ("--ink", "2026-01-01", "--attested-by", "officer-1", "--attested-by", "officer-2")
ORCHARD = Uid("example/orchard")


@pytest.fixture
def desk(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A quarantine where the organisation is enrolled, its keys, and the example texts."""
    monkeypatch.setenv("AMANA_DATA_DIRECTORY", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "directory.keys").write_bytes(world.directory)
    (tmp_path / "card.note").write_bytes(world.card_note(world.card))
    (tmp_path / "member.public").write_bytes(world.member.public.to_bytes())
    shutil.copytree(EXAMPLES, tmp_path, dirs_exist_ok=True)
    assert provider.main(["directory", "directory.keys"]) == ExitCode.OK
    words = ["--account", world.rehearsal.account, "--member", "member.public", "--label", LABEL]
    assert provider.main(["enrol", *words, "--card", "card.note"]) == ExitCode.OK
    return tmp_path


def store(desk: Path) -> AgreementStore:
    return AgreementStore(desk / "data" / "worker" / "agreements")


def add(world: World, name: str = "agreement-orchard.toml") -> int:
    return agreement.main(["add", name, "--account", world.rehearsal.account])


def sign_with_keys(world: World, *, file: str, out: str) -> int:
    if not Path("member.keys").exists():
        world.member.save(Path("member.keys"), PASSPHRASE)
    words = [file, "--kit", str(world.rehearsal.kit), "--keys", "member.keys", "--out", out]
    return sign.main([*words, "--passphrase-file", str(world.rehearsal.passphrase)])


def refused(words: Sequence[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The code of a refusal, which is a sentence on standard error."""
    capsys.readouterr()
    assert agreement.main(list(words)) == ExitCode.REFUSED
    return capsys.readouterr().err.rpartition("[agreement.refused-")[2].removesuffix("]\n")


def test_ink_that_two_officers_attest_puts_an_agreement_in_force(
    world: World, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add(world) == ExitCode.OK
    assert agreement.main(["list"]) == ExitCode.OK
    assert "not signed; it permits nothing" in capsys.readouterr().out
    assert agreement.main(["sign", "agreement-orchard.toml", *INK]) == ExitCode.OK
    assert agreement.main(["list", "--json"]) == ExitCode.OK
    told = json.loads(capsys.readouterr().out.splitlines()[-1])["agreements"]
    assert [(each["agreement"], each["signed"]) for each in told] == [(ORCHARD, True)]
    (kept,) = store(desk).versions(ORCHARD)
    assert [each.kind for each in kept.signatures] == [SignatureKind.WET_INK_ATTESTED]


def test_one_officer_twice_is_one_officer(
    world: World, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add(world)
    words = ["sign", "agreement-orchard.toml", *INK[:4], "--attested-by", "officer-1"]
    assert refused(words, capsys) == "too-few-officers"
    assert not store(desk).versions(ORCHARD)[0].is_signed()


@pytest.mark.threat("T-08")
def test_a_member_signs_with_its_own_key_and_only_that_text_is_signed(
    world: World, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add(world)
    add(world, "agreement-well.toml")
    assert sign_with_keys(world, file="agreement-orchard.toml", out="orchard.signature") == 0
    note = ["--note", "orchard.signature"]
    assert refused(["sign", "agreement-well.toml", *note], capsys) == "signs-no-text"
    assert agreement.main(["sign", "agreement-orchard.toml", *note]) == ExitCode.OK
    (kept,) = store(desk).versions(ORCHARD)
    assert [each.kind for each in kept.signatures] == [SignatureKind.KEY]
    assert kept.is_signed()
    # A signature is never written over.
    assert (
        sign_with_keys(world, file="agreement-orchard.toml", out="orchard.signature")
        == ExitCode.REFUSED
    )


@pytest.mark.threat("T-08")
def test_the_key_of_a_stranger_or_of_a_suspended_member_signs_nothing(
    world: World, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add(world)
    source = (desk / "agreement-orchard.toml").read_bytes()
    word = TermsSignature(
        deployment=world.commission.deployment,
        account=world.rehearsal.account,
        text_sha256=read_agreement(source).ref.digest,
        signed_on=world.today,
    )
    stranger = MemberKeys.generate(world.rehearsal.account).signer
    elsewhere = replace(word, account=AccountId("00" * 16))
    for each, signer in ((word, stranger), (elsewhere, world.member.signer)):
        (desk / "note").write_bytes(signed(each, signer))
        words = ["sign", "agreement-orchard.toml", "--note", "note"]
        assert refused(words, capsys) == "not-signed"
    (desk / "note").write_bytes(signed(word, world.member.signer))
    named = ["--account", world.rehearsal.account, "--member", world.member.signer.key.name]
    assert provider.main(["suspend", *named]) == ExitCode.OK
    assert refused(["sign", "agreement-orchard.toml", "--note", "note"], capsys) == "not-signed"
    assert not store(desk).versions(ORCHARD)[0].is_signed()


def test_what_cannot_be_kept_is_refused_with_a_sentence(
    world: World, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    orchard = "agreement-orchard.toml"
    assert refused(["add", orchard, "--account", "00" * 16], capsys) == "no-such-account"
    assert refused(["add", orchard], capsys) == "no-such-account"
    assert refused(["add", "none.toml"], capsys) == "no-such-file"
    assert refused(["sign", orchard, *INK], capsys) == "signs-no-text"
    add(world)
    text = (desk / orchard).read_text()
    (desk / "other.toml").write_text(f"# More.\n{text}")
    assert (
        refused(["add", "other.toml", "--account", world.rehearsal.account], capsys)
        == "another-text"
    )
    (desk / "wrong.toml").write_text(text.replace("[nature]", "[natura]"))
    assert agreement.main(["check", "wrong.toml"]) == ExitCode.REFUSED
    told = capsys.readouterr().err
    assert "wrong.toml: TOML has a key “natura”" in told
    assert "[terms-text.unknown-key]" in told


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_text_is_read_back_rule_by_rule_before_anybody_signs(
    language: str,
    desk: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AMANA_LANGUAGE", language)
    for name in ("agreement-orchard.toml", "agreement-well.toml", "consent-adult.toml"):
        assert agreement.main(["check", name]) == ExitCode.OK
    told = capsys.readouterr().out
    for word in ("keep", "no-defence", "disclose_to_defence", "DENY", "IDENTITY_TO_DEFENCE"):
        assert word in told
    assert sha256_of((desk / "agreement-well.toml").read_bytes()) in told
    assert not store(desk).versions(ORCHARD)


def test_an_amendment_is_added_and_signed_like_any_text(
    world: World, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add(world)
    digest = sha256_of((desk / "agreement-orchard.toml").read_bytes())
    (desk / "amendment.toml").write_text(
        'format = "amana/agreement-amendment-toml/v1"\n[amendment]\nuid = "example/word-1"\n'
        f'agreement = "{ORCHARD}"\nto_version = 1\nto_sha256 = "{digest}"\nsubmissions = []\n'
    )
    for verb in ("check", "add"):
        assert agreement.main([verb, "amendment.toml"]) == ExitCode.OK
    assert sign_with_keys(world, file="amendment.toml", out="amendment.signature") == ExitCode.OK
    capsys.readouterr()
    words = ["sign", "amendment.toml", "--note", "amendment.signature", "--json"]
    assert agreement.main(words) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["kind"] == "KEY"
    assert len(store(desk).amendments(ORCHARD)[0].signatures) == 1


def test_what_was_sealed_under_an_agreement_is_opened_under_it(
    world: World, desk: Path, register: Register, given: Path
) -> None:
    conditions = load_conditions(
        desk / "agreement-orchard.toml",
        [(desk / "consent-adult.toml", None), (desk / "consent-ask-me-first.toml", None)],
        HandlingClass.SENSITIVE,
        account=world.rehearsal.account,
        on=world.today,
    )
    bundle = desk / "bundle"
    world.seal(given, bundle, replace(world.commission, conditions=conditions))
    opened = world.opened(bundle, register)
    unknown = take_snapshot(opened, store(desk), world.today)
    assert isinstance(unknown, Held)
    assert unknown.reason is ReasonCode.TERMS_UNKNOWN
    add(world)
    assert agreement.main(["sign", "agreement-orchard.toml", *INK]) == ExitCode.OK
    snapshot = take_snapshot(opened, store(desk), world.today)
    assert isinstance(snapshot, Snapshot)
    persons = {read_consent((EXAMPLES / f"consent-{_}.toml").read_bytes()) for _ in PERSONS}
    assert set(snapshot.document.consents) == persons
    assert {snapshot.held(item) for item in opened.items} == {None}
    assert {snapshot.terms(item) for item in opened.items} == {conditions.terms}


PERSONS = ("adult", "ask-me-first")
