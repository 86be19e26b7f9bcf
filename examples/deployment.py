"""Set up every zone of a training deployment in one folder, by the commands that people use.

In earnest these are five machines, the directory's three keys are three people's, and papers are
carried between them. Here one program does all of it, with keys made anew, so that the whole can be
shown in a minute. What `amana` is told is printed as it would be typed.
"""

import contextlib
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from amana.clock import SystemClock, today
from amana.durable import durable
from amana.wire.card import Audience
from amana.wire.directory import write_signers
from amana.wire.ends import QuarantineEnd
from amana.wire.ids import AccountId, RecipientText, random_id
from amana.wire.signer_card import SignerPurpose
from amana.wire.vocabulary import Deployment as Word
from examples.directory import Directory
from portal.custody import PortalKeys
from portal.places import Places as PortalPlaces
from worker.demo_signatures import write_demo
from worker.signers import PublicSigners

OFFICER: Final = "registrar"
PASSPHRASE: Final = "olive basket morning river"  # noqa: S105 - a rehearsal's, printed on purpose
LABEL: Final = "EXAMPLE Orchard Archive"
AGREEMENT: Final = Path(__file__).parent / "terms" / "agreement-orchard.toml"
CONSENT: Final = AGREEMENT.with_name("consent-adult.toml")

_READY_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Where everything of a deployment lies, and who is enrolled in it."""

    folder: Path
    account: AccountId
    today: date
    directory: Directory

    @property
    def data(self) -> Path:
        """The data directory of all zones."""
        return self.folder / "data"

    @property
    def settings(self) -> Path:
        """The settings of all zones."""
        return self.folder / "settings.toml"

    @property
    def kit(self) -> Path:
        """The organisation's enrolment kit."""
        return self.folder / "organisation" / "kit.json"

    @property
    def card(self) -> Path:
        """The organisation's key card."""
        return self.kit.with_name("card.note")

    @property
    def keys(self) -> Path:
        """The organisation's member's keys."""
        return self.kit.with_name("member.keys")

    @property
    def passphrase(self) -> Path:
        """A file with the one passphrase of this rehearsal."""
        return self.folder / "passphrase"

    def amana(self, *words: str | Path, say: bool = True) -> str:
        """Run a command, and give what it wrote. CalledProcessError: it refused or failed."""
        texts = [_near(word) for word in words]
        if say:
            tell(f"$ amana {shlex.join(texts)}")
        done = subprocess.run(  # noqa: S603 - the project's own program
            [program(), *texts],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "AMANA_SETTINGS": str(self.settings)},
        )
        return done.stdout


def program() -> str:
    """Give the program `amana` that stands beside this Python."""
    return str(Path(sys.executable).with_name("amana"))


def _near(word: str | Path) -> str:
    """Give a word as a person here would type it: what lies below this folder, from here."""
    if isinstance(word, Path) and word.is_relative_to(Path.cwd()):
        return str(word.relative_to(Path.cwd()))
    return str(word)


def tell(line: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def set_up(folder: Path) -> Deployment:
    """Make a deployment in a new folder: keys, cards, zones, one organisation with an agreement."""
    (folder / "organisation").mkdir(mode=0o700, parents=True)
    made = Deployment(
        folder=folder.absolute(),
        account=random_id(AccountId),
        today=today(SystemClock()),
        directory=Directory.generate(Word.TRAINING),
    )
    made.data.mkdir(mode=0o700)
    _write(made.passphrase, f"{PASSPHRASE}\n".encode())
    _write(made.settings, _SETTINGS.encode())
    _make_repository(made)
    _make_quarantine(made)
    _make_portal(made)
    _enrol(made)
    return made


_SETTINGS: Final = """# TRAINING: times are short, so that a rehearsal can be watched.
data_directory = "data"

[portal]
keep_days = 0

[worker]
pull_seconds = 1
feedback_seconds = 5
"""


def _make_repository(made: Deployment) -> None:
    keys = made.data / "repository.keys"
    made.amana(
        *("package", "init", "--name", "training.invalid/repository"),
        *("--deployment", "TRAINING", "--keys", keys),
    )
    (made.data / "repository.keys.public").rename(made.data / "repository.end")


def _make_quarantine(made: Deployment) -> None:
    officer = ("--officer", OFFICER, "--passphrase-file", made.passphrase)
    made.amana("key", "init", *officer)
    made.amana("key", "new-signer", "--json")
    made.amana("worker", "init")
    write_demo(made.data / "worker" / "signatures", made.today)
    public = _public(made)
    end = QuarantineEnd(deployment=Word.TRAINING, signers=(public.note,), log=public.log)
    _write(made.data / "quarantine.end", end.to_bytes())
    with agent(made):
        made.amana("key", "unlock", *officer)
        recipients = [
            RecipientText(json.loads(made.amana("key", "new-intake", "--json"))["recipient"])
            for _ in range(2)
        ]
    directory, day = made.directory, made.today
    card = directory.card(recipients[0], Audience.CSO, made.account, day)
    month = directory.card(recipients[1], Audience.WITNESS_MONTH, None, day)
    _write(made.card, directory.sign(card))
    _write(made.data / "witness-card.note", directory.sign(month))
    _write(made.data / "directory.keys", write_signers(*directory.public))


def _make_portal(made: Deployment) -> None:
    public = _public(made)
    _write(made.data / "pull.keys", write_signers(public.pull) + write_signers(public.cosigner))
    made.amana("portal", "init")
    places = PortalPlaces(data_directory=made.data)
    (made.data / "portal-log.keys").write_bytes(places.log_keys.read_bytes())


def _enrol(made: Deployment) -> None:
    """Hand the organisation its kit, and its member's public keys to the quarantine."""
    public, directory = _public(made), made.directory
    portal = PortalPlaces(data_directory=made.data)
    receipts = directory.signer(
        PortalKeys.load(portal.keys).public,
        SignerPurpose.PORTAL_RECEIPTS,
        made.today,
    )
    feedback = directory.signer(public.note, SignerPurpose.QUARANTINE_RECEIPTS, made.today)
    _write(made.kit, directory.kit(made.account, made.card, (receipts, feedback)).to_bytes())
    _write(made.folder / "organisation" / "portal-receipts.note", directory.sign(receipts))
    # The portal hands these on; whoever asks judges them by the directory's keys.
    (made.data / "quarantine-signers").mkdir(mode=0o700)
    _write(made.data / "quarantine-signers" / "0001.note", directory.sign(feedback))
    member = ("--keys", made.keys, "--passphrase-file", made.passphrase)
    made.amana(
        *("keygen", "--kit", made.kit, "--out", made.keys),
        *("--passphrase-file", made.passphrase),
    )
    made.amana("provider", "directory", made.data / "directory.keys")
    made.amana("provider", "portal", portal.public_keys)
    account = ("--account", made.account)
    officer = ("--officer", OFFICER, "--passphrase-file", made.passphrase)
    with agent(made):
        made.amana("key", "unlock", *officer)
        made.amana("provider", "witness-card", made.data / "witness-card.note")
        member_public = made.keys.with_name("member.keys.public")
        made.amana(
            *("provider", "enrol", *account, "--label", LABEL),
            *("--member", member_public, "--card", made.card),
        )
    made.amana("provider", "export-portal", "--out", made.data / "enrolled.json")
    signature = made.keys.with_name("agreement.signature")
    made.amana("sign", AGREEMENT, "--kit", made.kit, *member, "--out", signature)
    made.amana("agreement", "add", AGREEMENT, *account)
    made.amana("agreement", "sign", AGREEMENT, "--note", signature)


@contextlib.contextmanager
def agent(made: Deployment) -> Iterator[None]:
    """Let the key agent run until the block ends."""
    process = subprocess.Popen(  # noqa: S603 - the project's own program
        [program(), "key", "agent", "--settings", str(made.settings)],
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until((made.data / "worker" / "keys" / "agent.sock").exists)
        yield
    finally:
        process.terminate()
        process.wait()


def wait_until(is_so: object, seconds: float = _READY_SECONDS) -> None:
    """Wait until something is so. TimeoutError: it never was."""
    end = time.monotonic() + seconds
    while callable(is_so) and not is_so():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.05)


def _public(made: Deployment) -> PublicSigners:
    path = made.data / "worker" / "keys" / "signers.public"
    return PublicSigners.from_bytes(path.read_bytes())


def _write(path: Path, content: bytes) -> None:
    with durable(path) as target:
        target.write(content)
