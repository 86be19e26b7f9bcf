"""A portal in a process of its own, which knows the rehearsal's organisation and can be killed."""

import contextlib
import io
import os
import signal
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

from amana.wire.card import CardStatus
from amana.wire.enrolment import PortalAccount, PortalEnrolment
from amana.wire.signer_card import SignerCard, SignerPurpose
from amana.wire.vocabulary import Deployment
from client.keys import MemberKeys
from crypto.note import DualKey
from examples.rehearsal import Rehearsal
from examples.training_portal import make_portal
from portal.commands.portal import main as portal_command

RUN = "import sys; from portal.commands.portal import main; sys.exit(main(sys.argv[1:]))"


class PortalProgram:
    """The portal's folder, and the process that serves it while there is one."""

    def __init__(self, folder: Path, rehearsal: Rehearsal, member: MemberKeys) -> None:
        self.data = folder / "data"
        self._rehearsal = rehearsal
        settings = make_portal(self.data, rehearsal)
        with contextlib.redirect_stdout(io.StringIO()):
            assert portal_command(["init", "--settings", str(settings)]) == 0
        self.enrol(member.public.signer)
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"unix:{self.data}/portal.sock"

    @property
    def received(self) -> Path:
        return self.data / "portal" / "received"

    @property
    def uploads(self) -> Path:
        return self.data / "portal" / "uploads"

    def enrol(self, *members: DualKey) -> None:
        """Let the portal know these members of the rehearsal's account and nobody else."""
        card = self._rehearsal.make_card()
        account = PortalAccount(
            account=self._rehearsal.account,
            members=members,
            card=card.card_id,
            card_note=self._rehearsal.card.read_text(),
        )
        said = PortalEnrolment(deployment=Deployment.TRAINING, accounts=(account,))
        fresh = self.data / "enrolled.new"
        fresh.write_bytes(said.to_bytes())
        fresh.replace(self.data / "enrolled.json")

    def serve(self) -> None:
        """Start, and wait until it serves."""
        self._process = self._run()
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith(" serving\n"):
                return
        raise AssertionError("the portal did not start")

    def end(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it, in whatever way."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def write_signer_card(self, key: DualKey, path: Path, on: date) -> Path:
        """Certify the key that signs the portal's receipts."""
        card = SignerCard(
            purpose=SignerPurpose.PORTAL_RECEIPTS,
            key=key,
            deployment=Deployment.TRAINING,
            valid_from=on,
            valid_to=on + timedelta(days=60),
            status=CardStatus.ACTIVE,
            sequence=1,
            previous=None,
        )
        first, second, _ = self._rehearsal.directory
        path.write_bytes(second.cosign(first.sign(card.to_bytes().decode())).to_bytes())
        return path

    def _run(self) -> "subprocess.Popen[str]":
        environment = {
            "PATH": os.defpath,
            "LC_ALL": "C.UTF-8",
            "AMANA_DATA_DIRECTORY": str(self.data),
            "AMANA_PORTAL_LISTEN": "unix:portal.sock",
        }
        return subprocess.Popen(
            [sys.executable, "-c", RUN, "serve"],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
