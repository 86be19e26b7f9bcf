"""A member's program fetches feedback from a portal that runs, and says it in words."""

import dataclasses
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from amana import cli
from amana.exitcodes import ExitCode
from amana.wire.card import CardStatus
from amana.wire.feedback import FEEDBACK_PATH
from amana.wire.ids import CardId
from amana.wire.kit import EnrolmentKit
from amana.wire.signer_card import SignerCard, SignerPurpose
from amana.wire.upload import UploadFault, UploadRefused
from amana.wire.vocabulary import Deployment
from client.keys import MemberKeys
from crypto.sign import NoteSigner
from terms.feedback import FeedbackCode
from tests.portal.conftest import TODAY, House, Site
from tests.portal.members import Organisation, enrol, organisation
from tests.portal.phrases import posted
from tests.wire.feedbacks import ISSUE, a_status
from tests.wire.givens import QUARANTINE
from worker.feedback import Told, make_batch

PASSPHRASE = "olive basket morning river"  # noqa: S105 - a test's


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A member's machine: what it types before `--portal`."""

    words: list[str]
    organisation: Organisation
    keys: MemberKeys


@pytest.fixture
def machine(house: House, tmp_path: Path) -> Machine:
    """An enrolled member with kit, keys and passphrase, in a folder of its own."""
    made = organisation(house)
    keys = MemberKeys.generate(made.account)
    made = dataclasses.replace(made, member=keys.signer)
    enrol(house, made)
    folder = tmp_path / "member"
    folder.mkdir(mode=0o700)
    kit = EnrolmentKit(
        deployment=Deployment.TRAINING,
        account=made.account,
        directory=tuple(signer.key for signer in house.directory),
        card=CardId(made.card.digest),
        card_sequence=1,
        signers=(),
    )
    (folder / "kit").write_bytes(kit.to_bytes())
    keys.save(folder / "keys", PASSPHRASE)
    (folder / "phrase").touch(mode=0o600)
    (folder / "phrase").write_text(PASSPHRASE)
    words = ["status", "--kit", str(folder / "kit"), "--keys", str(folder / "keys")]
    words += ["--passphrase-file", str(folder / "phrase")]
    words += ["--portal", f"unix:{house.settings.data_directory}/portal.sock"]
    return Machine(words=words, organisation=made, keys=keys)


def certify(house: House) -> None:
    """Put the card of the quarantine's signer where the portal passes it on."""
    card = SignerCard(
        purpose=SignerPurpose.QUARANTINE_RECEIPTS,
        key=QUARANTINE.key,
        deployment=Deployment.TRAINING,
        valid_from=TODAY - timedelta(days=1),
        valid_to=TODAY + timedelta(days=80),
        status=CardStatus.ACTIVE,
        sequence=1,
        previous=None,
    )
    note = house.directory[1].cosign(house.directory[0].sign(card.to_bytes().decode()))
    house.places.signers.mkdir(exist_ok=True)
    (house.places.signers / "1.note").write_bytes(note.to_bytes())


def post(house: House, machine: Machine) -> None:
    statuses = (a_status(FeedbackCode.PRESERVED), a_status(FeedbackCode.NOT_KEPT))
    told = Told(
        account=machine.organisation.account,
        recipients=(machine.keys.feedback.recipient,),
        statuses=statuses,
    )
    posted(house, make_batch([told], ISSUE, QUARANTINE))


@pytest.fixture
def told(house: House, machine: Machine, serve: Callable[..., Site]) -> Site:
    """A portal that has a batch with something for this member."""
    certify(house)
    post(house, machine)
    return serve()


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "we could not keep these files: they are outside our mandate."),
        ("ar", "لم نتمكن من الاحتفاظ بهذه الملفات"),
    ],
)
def test_a_member_reads_its_feedback_in_its_own_language(
    told: Site,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    language: str,
    said: str,
) -> None:
    monkeypatch.setenv("AMANA_LANGUAGE", language)
    assert cli.main(machine.words) == ExitCode.OK
    out = capsys.readouterr().out
    assert said in out.lower()
    assert "\ufffd" not in out
    # The same again: a session is opened anew, and what was seen is remembered.
    assert cli.main([*machine.words, "--json"]) == ExitCode.OK
    fields = json.loads(capsys.readouterr().out)
    assert [each["code"] for each in fields["statuses"]] == ["NOT_KEPT", "PRESERVED"]
    assert (fields["batch"], fields["next_on"]) == (7, "2026-10-09")
    assert told.house.log[-1].endswith("leaves-merged leaves=64")


def test_without_a_signer_card_nothing_is_believed(
    house: House,
    machine: Machine,
    serve: Callable[..., Site],
    capsys: pytest.CaptureFixture[str],
) -> None:
    serve()
    assert cli.main(machine.words) == ExitCode.REFUSED
    assert "portal-unknown" in capsys.readouterr().err
    post(house, machine)
    assert cli.main(machine.words) == ExitCode.REFUSED
    assert "feedback-signer" in capsys.readouterr().err
    certify(house)
    card = str(house.places.signers / "1.note")
    assert cli.main([*machine.words, "--signer", card]) == ExitCode.OK


def test_feedback_needs_a_session(told: Site) -> None:
    answer = told.client.get(FEEDBACK_PATH)
    assert answer.status_code == 401
    assert UploadRefused.from_bytes(answer.content).fault is UploadFault.NO_SESSION


def test_a_portal_that_is_not_there_is_said_to_be_away(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    for address, key in (("http://127.0.0.1:9", "portal-away"), ("http://a.b", "portal-address")):
        assert cli.main([*machine.words[:-1], address]) == ExitCode.REFUSED
        assert key in capsys.readouterr().err


def test_a_stranger_opens_no_session(
    told: Site, machine: Machine, house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    other = NoteSigner.generate(f"{machine.organisation.account}/member-2")
    enrol(house, dataclasses.replace(machine.organisation, member=other))
    assert cli.main(machine.words) == ExitCode.REFUSED
    assert "portal-not-signed" in capsys.readouterr().err
    assert told.client.get("/en").status_code == 200
