"""The whole way with a real key agent: no identity is ever in this process."""

from dataclasses import replace
from pathlib import Path

import pytest

from amana.exitcodes import ExitCode
from amana.wire.ids import RecipientText
from amana.wire.vocabulary import Deployment
from terms.vocabulary import HandlingClass
from tests.worker.agents import make_store, running
from tests.worker.opening.world import LABEL, World
from worker.commands import provider
from worker.contents import SubmissionContents
from worker.enrolled import Register
from worker.errors import KeysLockedError
from worker.opening import Opened, open_submission
from worker.triage import rewrap_objects


@pytest.mark.threat("T-07")
def test_what_is_sealed_to_a_new_card_is_opened_handed_over_and_opened_again(
    world: World, given: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, bundle = tmp_path / "data", tmp_path / "bundle"
    make_store(data)
    monkeypatch.setenv("AMANA_DATA_DIRECTORY", str(data))
    with running(data) as agent:
        agent.unlock()
        recipient = agent.client.new_intake()
        card = replace(world.card, recipient=RecipientText(recipient.to_text()))
        enrol(world, tmp_path, world.card_note(card))
        commission = replace(world.commission, card=card.card_id, recipient=recipient)
        world.seal(given, bundle, commission)

        def opened() -> Opened:
            register = Register.load(data / "worker" / "enrolled")
            deployment = Deployment.TRAINING
            found = open_submission(bundle, register, agent.client, deployment, on=world.today)
            assert isinstance(found, Opened), found
            return found

        def contents() -> list[bytes]:
            items = SubmissionContents(bundle, opened(), agent.client).items()
            return [b"".join(item.read()) for item in items]

        before = contents()
        rewrap_objects(bundle, opened(), agent.client, lambda _: HandlingClass.SGBV)
        assert contents() == before
        agent.client.lock()
        with pytest.raises(KeysLockedError):
            opened()


def enrol(world: World, folder: Path, card: bytes) -> None:
    """As an operator does it; the key agent is told of the card."""
    files = {"directory": world.directory, "card": card, "member": world.member.public.to_bytes()}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    assert provider.main(["directory", str(folder / "directory")]) == ExitCode.OK
    words = ["--account", world.rehearsal.account, "--label", LABEL]
    words += ["--member", str(folder / "member"), "--card", str(folder / "card")]
    assert provider.main(["enrol", *words]) == ExitCode.OK
    assert provider.main(["bind"]) == ExitCode.OK
