"""Make everything that a rehearsal needs: directory keys, an intake identity, a card, a kit.

All of it is TRAINING, made anew each time, and kept in one folder. In earnest the directory keys
are three people's, off line, and the intake identity never leaves the quarantine.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from amana.durable import durable
from amana.wire.card import Audience, CardStatus, KeyCard
from amana.wire.ids import AccountId, CardId, RecipientText, random_id
from amana.wire.kit import EnrolmentKit
from amana.wire.vocabulary import Deployment
from crypto.opening import HybridIdentity
from crypto.sign import NoteSigner

PASSPHRASE = "olive basket morning river"  # noqa: S105 - a rehearsal's, printed on purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """Where the pieces lie, and the keys that in earnest nobody would hold together."""

    folder: Path
    account: AccountId
    today: date
    directory: tuple[NoteSigner, ...] = field(repr=False)
    intake: HybridIdentity = field(repr=False)

    @property
    def kit(self) -> Path:
        """The organisation's enrolment kit."""
        return self.folder / "kit.json"

    @property
    def card(self) -> Path:
        """The organisation's key card."""
        return self.folder / "card.note"

    @property
    def identity(self) -> Path:
        """The intake identity, as an age identity file."""
        return self.folder / "intake.identity"

    @property
    def keys(self) -> Path:
        """Where the member's key file goes; `amana keygen` makes it."""
        return self.folder / "member.keys"

    @property
    def passphrase(self) -> Path:
        """A file with the passphrase of the member's keys."""
        return self.folder / "passphrase"

    def make_card(
        self,
        *,
        previous: KeyCard | None = None,
        status: CardStatus = CardStatus.ACTIVE,
        days: int = 180,
    ) -> KeyCard:
        """Make a card for the intake identity; the first one, or the one after `previous`."""
        return KeyCard(
            audience=Audience.CSO,
            account=self.account,
            deployment=Deployment.TRAINING,
            recipient=RecipientText(self.intake.recipient.to_text()),
            valid_from=self.today,
            valid_to=self.today + timedelta(days=days),
            status=status,
            sequence=1 if previous is None else previous.sequence + 1,
            previous=None if previous is None else CardId(previous.digest),
        )

    def make_month_card(self) -> KeyCard:
        """Make the witnesses' card of this month, for the same intake identity."""
        return KeyCard(
            audience=Audience.WITNESS_MONTH,
            account=None,
            deployment=Deployment.TRAINING,
            recipient=RecipientText(self.intake.recipient.to_text()),
            valid_from=self.today,
            valid_to=self.today + timedelta(days=31),
            status=CardStatus.ACTIVE,
            sequence=1,
            previous=None,
        )

    def write_card(self, card: KeyCard, path: Path, signers: int = 2) -> Path:
        """Sign a card with so many of the directory keys, and write it."""
        first, *others = self.directory[:signers]
        note = first.sign(card.to_bytes().decode())
        for signer in others:
            note = signer.cosign(note)
        _write(path, note.to_bytes())
        return path


def prepare(folder: Path, today: date) -> Rehearsal:
    """Make a rehearsal in a new folder: kit, card, identity, passphrase; no member keys yet."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    rehearsal = Rehearsal(
        folder=folder,
        account=random_id(AccountId),
        today=today,
        directory=tuple(NoteSigner.generate(f"training.invalid/directory-{n}") for n in (1, 2, 3)),
        intake=HybridIdentity.generate(),
    )
    card = rehearsal.make_card()
    kit = EnrolmentKit(
        deployment=Deployment.TRAINING,
        account=rehearsal.account,
        directory=tuple(signer.key for signer in rehearsal.directory),
        card=card.card_id,
        card_sequence=card.sequence,
        signers=(),
    )
    rehearsal.write_card(card, rehearsal.card)
    _write(rehearsal.kit, kit.to_bytes())
    _write(rehearsal.identity, f"# TRAINING\n{rehearsal.intake.to_text()}\n".encode())
    _write(rehearsal.passphrase, f"{PASSPHRASE}\n".encode())
    return rehearsal


def _write(path: Path, content: bytes) -> None:
    with durable(path) as target:
        target.write(content)
