"""`amana provider`: what a person does with the register, and what they are told."""

import json
import re
from pathlib import Path

import pytest

from amana.exitcodes import ExitCode
from amana.wire.directory import write_signers
from amana.wire.enrolment import PortalEnrolment
from client.keys import MemberKeys
from tests.worker.opening.world import LABEL, World
from worker.commands import provider
from worker.enrolled import Register


@pytest.fixture
def desk(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files as they are handed over, and settings that name a data directory."""
    monkeypatch.setenv("AMANA_DATA_DIRECTORY", str(tmp_path / "data"))
    (tmp_path / "directory.keys").write_bytes(world.directory)
    (tmp_path / "card.note").write_bytes(world.card_note(world.card))
    second = world.rehearsal.make_card(previous=world.card)
    (tmp_path / "second.note").write_bytes(world.card_note(second))
    (tmp_path / "month.note").write_bytes(world.card_note(world.month_card))
    (tmp_path / "member.public").write_bytes(world.member.public.to_bytes())
    (tmp_path / "portal.public").write_bytes(write_signers(world.portal.public))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def enrolled(world: World) -> None:
    account = world.rehearsal.account
    assert provider.main(["directory", "directory.keys"]) == ExitCode.OK
    words = ["--account", account, "--member", "member.public", "--label", LABEL]
    assert provider.main(["enrol", *words, "--card", "card.note"]) == ExitCode.OK
    assert provider.main(["witness-card", "month.note"]) == ExitCode.OK
    assert provider.main(["portal", "portal.public"]) == ExitCode.OK


def test_what_was_handed_over_is_enrolled_and_listed(
    world: World, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    enrolled(world)
    capsys.readouterr()
    assert provider.main(["list"]) == ExitCode.OK
    told = capsys.readouterr().out
    for word in (world.rehearsal.account, LABEL, world.card.card_id, world.portal.public.name):
        assert word in told
    assert provider.main(["list", "--json"]) == ExitCode.OK
    fields = json.loads(capsys.readouterr().out)
    assert fields["accounts"] == [{"account": world.rehearsal.account, "label": LABEL}]
    assert fields["witness_cards"] == [world.month_card.card_id]
    register = Register.load(desk / "data" / "worker" / "enrolled")
    assert register.members(world.rehearsal.account) == (world.member.public,)


def test_without_a_key_agent_the_card_is_enrolled_and_the_person_is_told(
    world: World, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert desk.is_dir()
    enrolled(world)
    assert world.card.card_id in capsys.readouterr().err
    assert provider.main(["bind", "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out) == {"bound": 0, "cards": 2}


def test_newer_cards_and_a_suspension_are_taken_in(
    world: World, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert desk.is_dir()
    enrolled(world)
    account, name = world.rehearsal.account, world.member.signer.key.name
    assert provider.main(["card", "--account", account, "card.note", "second.note"]) == 0
    capsys.readouterr()
    assert provider.main(["suspend", "--account", account, "--member", name]) == 0
    assert "suspended" in capsys.readouterr().out
    assert provider.main(["list"]) == ExitCode.OK
    assert "suspended" in capsys.readouterr().out
    assert provider.main(["reinstate", "--account", account, "--member", name]) == 0
    assert "may hand over" in capsys.readouterr().out


def test_what_the_portal_may_know_is_written_once_and_has_no_label(
    world: World, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    enrolled(world)
    assert provider.main(["export-portal", "--out", "enrolled.json"]) == ExitCode.OK
    content = (desk / "enrolled.json").read_bytes()
    assert PortalEnrolment.from_bytes(content).find(world.rehearsal.account) is not None
    assert LABEL.encode() not in content
    assert provider.main(["export-portal", "--out", "enrolled.json"]) == ExitCode.REFUSED
    assert "provider.refused-out-exists" in capsys.readouterr().err


def test_what_is_refused_is_said_in_a_sentence(
    world: World, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    enrolled(world)
    other = MemberKeys.generate(world.rehearsal.account).public
    (desk / "other.public").write_bytes(other.to_bytes())
    account = ["--account", world.rehearsal.account]
    for words, fault in (
        (["card", *account, "missing.note"], "no-such-file"),
        (["card", *account, "month.note"], "card-another-audience"),
        (["card", *account, "second.note", "portal.public"], "not-a-card"),
        (["enrol", *account, "--member", "card.note", "--label", LABEL], "not-a-member"),
        (["enrol", *account, "--member", "other.public", "--label", "x"], "another-label"),
        (["portal", "directory.keys"], "not-a-portal"),
        (["suspend", *account, "--member", "nobody"], "no-such-member"),
    ):
        capsys.readouterr()
        assert provider.main(words) == ExitCode.REFUSED
        assert f"[provider.refused-{fault}]" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["enrol", "--account", "x", "--member", "m", "--label", "l"],
        ["enrol", "--account", "0" * 32, "--member", "m", "--label", ""],
        ["unknown"],
        [],
    ],
)
def test_a_wrong_command_line_is_refused(words: list[str], desk: Path) -> None:
    assert desk.is_dir()
    with pytest.raises(SystemExit) as caught:
        provider.main(words)
    assert caught.value.code == ExitCode.REFUSED


def test_every_refusal_has_its_sentence(root: Path) -> None:
    catalogue = (root / "amana/locale/en/LC_MESSAGES/amana.po").read_text("utf-8")
    source = (root / "worker/enrolling.py").read_text("utf-8")
    plain = set(re.findall(r'EnrolmentRefusedError\("([a-z-]+)"\)', source))
    assert len(plain) > 10
    for fault in plain:
        assert f'"provider.refused-{fault}"' in catalogue
