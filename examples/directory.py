"""The directory of a rehearsal: three keys that in earnest three people keep apart, off line."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final, Self

from amana.wire.card import Audience, CardStatus, KeyCard
from amana.wire.documents import Statement
from amana.wire.ids import AccountId, RecipientText
from amana.wire.kit import EnrolmentKit, SignerPin
from amana.wire.signer_card import SignerCard, SignerPurpose
from amana.wire.vocabulary import Deployment
from crypto.note import DualKey, SignedNote
from crypto.sign import NoteSigner

_DAYS: Final = {Audience.CSO: 180, Audience.WITNESS_MONTH: 31}
_SIGNER_DAYS: Final = 89
_NOTE_LIMIT_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Three signers, of whom two must sign."""

    deployment: Deployment
    signers: tuple[NoteSigner, ...] = field(repr=False)

    @classmethod
    def generate(cls, deployment: Deployment) -> Self:
        """Make new keys."""
        names = (f"training.invalid/directory-{number}" for number in (1, 2, 3))
        return cls(deployment=deployment, signers=tuple(map(NoteSigner.generate, names)))

    @property
    def public(self) -> tuple[DualKey, ...]:
        """The public halves."""
        return tuple(signer.key for signer in self.signers)

    def sign(self, statement: Statement) -> bytes:
        """Sign a statement with two of the three keys."""
        first, second, _ = self.signers
        return second.cosign(first.sign(statement.to_bytes().decode())).to_bytes()

    def card(
        self, recipient: RecipientText, audience: Audience, account: AccountId | None, day: date
    ) -> KeyCard:
        """Make the first key card of an account, or of the witnesses."""
        return KeyCard(
            audience=audience,
            account=account,
            deployment=self.deployment,
            recipient=recipient,
            valid_from=day,
            valid_to=day + timedelta(days=_DAYS[audience]),
            status=CardStatus.ACTIVE,
            sequence=1,
            previous=None,
        )

    def signer(self, key: DualKey, purpose: SignerPurpose, day: date) -> SignerCard:
        """Make the first signer card of a purpose."""
        return SignerCard(
            purpose=purpose,
            key=key,
            deployment=self.deployment,
            valid_from=day,
            valid_to=day + timedelta(days=_SIGNER_DAYS),
            status=CardStatus.ACTIVE,
            sequence=1,
            previous=None,
        )

    def kit(
        self, account: AccountId, card_path: Path, signers: tuple[SignerCard, ...]
    ) -> EnrolmentKit:
        """Make what an organisation pins: the directory, its card, and these signers."""
        note = SignedNote.parse(card_path.read_bytes(), limit_bytes=_NOTE_LIMIT_BYTES)
        card = KeyCard.from_bytes(note.text.encode())
        return EnrolmentKit(
            deployment=self.deployment,
            account=account,
            directory=self.public,
            card=card.card_id,
            card_sequence=card.sequence,
            signers=tuple(SignerPin.of(each) for each in signers),
        )
