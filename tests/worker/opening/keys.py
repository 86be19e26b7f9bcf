"""Keys that really unwrap, in this process: what a key agent does, without its process."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from amana.wire.ids import CardId, SubmissionId
from crypto.errors import CryptoError
from crypto.filekey import FileKey
from crypto.header import Header
from crypto.opening import HybridIdentity, unwrap
from crypto.recipients import HybridRecipient
from terms.vocabulary import HandlingClass
from worker.agent_messages import AgentStatus, CardHolder, ClassHolder, Holder, OfficerName
from worker.errors import (
    HeaderRefusedError,
    KeyDestroyedError,
    KeyMissingError,
    KeysLockedError,
)


@dataclass(slots=True, kw_only=True)
class RealKeys:
    """Identities by their holders; asked: how many headers each call was about."""

    identities: dict[Holder, HybridIdentity] = field(default_factory=dict)
    destroyed: set[Holder] = field(default_factory=set)
    asked: list[int] = field(default_factory=list)
    locked: bool = False

    def file_keys(
        self, submission: SubmissionId, holder: Holder, headers: Sequence[bytes]
    ) -> tuple[FileKey, ...]:
        assert len(submission) == 64
        identity = self._identity(holder)
        self.asked.append(len(headers))
        given = []
        for index, header in enumerate(headers):
            try:
                given.append(unwrap(Header.parse(header), identity))
            except CryptoError as failure:
                raise HeaderRefusedError(index) from failure
        return tuple(given)

    def class_recipient(
        self, submission: SubmissionId, handling_class: HandlingClass
    ) -> HybridRecipient:
        holder = ClassHolder(submission=submission, handling_class=handling_class)
        self.identities.setdefault(holder, HybridIdentity.generate())
        return self._identity(holder).recipient

    def new_intake(self) -> HybridRecipient:
        raise KeysLockedError

    def bind(self, card: CardId, recipient: HybridRecipient) -> None:
        for identity in self.identities.values():
            if identity.recipient == recipient:
                self.identities[CardHolder(card=card)] = identity
                return
        raise KeyMissingError

    def destroy(self, holder: Holder) -> None:
        self.destroyed.add(holder)
        self.identities.pop(holder, None)

    def status(self) -> AgentStatus:
        return AgentStatus(
            is_locked=self.locked,
            officer=None if self.locked else OfficerName("registrar"),
            cleared=(),
            unwraps_left=0 if self.locked else 1000,
            is_memory_locked=True,
            destroyed=len(self.destroyed),
            journal=None,
        )

    def _identity(self, holder: Holder) -> HybridIdentity:
        if self.locked:
            raise KeysLockedError
        if holder in self.destroyed:
            raise KeyDestroyedError("it was destroyed")
        if holder not in self.identities:
            raise KeyMissingError
        return self.identities[holder]
