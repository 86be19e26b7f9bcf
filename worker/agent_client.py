"""How the rest of the quarantine uses private keys: by asking the key agent, one thing at a time.

No identity ever comes here; a file key does, for one object. The agent's answers are bounded, and
read by the same strict rules as its requests. Every call is a connection of its own, so a client
may be shared by threads and survives an agent that was started again.
Format: docs/format/25-key-store.md section 6.
"""

import contextlib
import os
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NoReturn, Protocol, TypeVar, assert_never

from amana.wire.errors import WireError
from amana.wire.ids import CardId, RecipientText, SubmissionId
from crypto.errors import KeyFormatError
from crypto.filekey import FileKey
from crypto.padding import HYBRID_HEADER_SIZE
from crypto.recipients import HybridRecipient
from terms.vocabulary import HandlingClass
from worker.agent_frames import read_message, receive_frame, to_frame
from worker.agent_messages import (
    ANSWERS,
    HEADERS_PER_REQUEST,
    AgentRefusal,
    AgentStatus,
    Answer,
    AskClassRecipient,
    AskFileKeys,
    AskStatus,
    Bind,
    CardHolder,
    ClassHolder,
    Destroy,
    Done,
    GivenFileKeys,
    GivenRecipient,
    Holder,
    HolderName,
    Lock,
    MakeIntake,
    OfficerName,
    Refusal,
    Request,
    SealedHeader,
    Unlock,
)
from worker.errors import (
    AgentUnreachableError,
    BudgetSpentError,
    HeaderRefusedError,
    KeyDestroyedError,
    KeyMissingError,
    KeysFaultError,
    KeysLockedError,
    NotClearedError,
    RequestRefusedError,
    WrongPassphraseError,
)

__all__ = [
    "AgentClient",
    "AgentStatus",
    "CardHolder",
    "ClassHolder",
    "Holder",
    "Keys",
    "short_path",
]

_ANSWER_SECONDS: Final = 60.0
"""Ours: Argon2id with 256 MiB takes seconds on a small machine, and others may stand before us."""

AnswerT = TypeVar("AnswerT", bound=Answer)


class Keys(Protocol):
    """What the opener and the engine may ask of private keys.

    Every method raises KeysUnavailableError when the keys cannot be used now (try again later).
    """

    def file_keys(
        self, submission: SubmissionId, holder: Holder, headers: Sequence[bytes]
    ) -> tuple[FileKey, ...]:
        """Give the file keys of the objects of one submission, in the order of their headers.

        headers: each begins with the object's age header; more may follow and is not looked at.
        HeaderRefusedError: a header does not open with that identity, or was changed: its index.
        KeyDestroyedError: the identity was destroyed.
        """
        ...

    def class_recipient(
        self, submission: SubmissionId, handling_class: HandlingClass
    ) -> HybridRecipient:
        """Give the recipient of a submission's handling class: made once, the same on every call.

        KeyDestroyedError: its identity was destroyed.
        """
        ...

    def new_intake(self) -> HybridRecipient:
        """Make an intake identity, durably, and give the recipient for its key card."""
        ...

    def bind(self, card: CardId, recipient: HybridRecipient) -> None:
        """Say which card carries an intake identity's recipient. Idempotent.

        KeyMissingError: no identity here has that recipient. KeyDestroyedError: it was destroyed.
        RequestRefusedError: the card is bound to another.
        """
        ...

    def destroy(self, holder: Holder) -> None:
        """Destroy an identity for ever, tombstone first. Idempotent; works while locked too.

        What other cards carry the same recipient is destroyed with it. KeyMissingError: the card
        was never bound.
        """
        ...

    def status(self) -> AgentStatus:
        """Say how things stand with the agent."""
        ...


class AgentClient:
    """The keys of a running key agent.

    path: its socket, `DATA/worker/keys/agent.sock`.
    """

    def __init__(self, path: Path, *, seconds: float = _ANSWER_SECONDS) -> None:
        self._path = path
        self._seconds = seconds

    def file_keys(
        self, submission: SubmissionId, holder: Holder, headers: Sequence[bytes]
    ) -> tuple[FileKey, ...]:
        """As Keys.file_keys; asked for in groups of HEADERS_PER_REQUEST."""
        cut = [SealedHeader(header[:HYBRID_HEADER_SIZE]) for header in headers]
        for index, header in enumerate(cut):
            # The agent would refuse the whole message; this is a fact about one object.
            if len(header) != HYBRID_HEADER_SIZE:
                raise HeaderRefusedError(index)
        name = HolderName.of(holder)
        given: list[FileKey] = []
        for start in range(0, len(cut), HEADERS_PER_REQUEST):
            group = tuple(cut[start : start + HEADERS_PER_REQUEST])
            request = AskFileKeys(submission=submission, holder=name, headers=group)
            answer = self._ask(request, GivenFileKeys, first_index=start)
            if len(answer.file_keys) != len(group):
                raise AgentUnreachableError
            given += (FileKey(secret=secret) for secret in answer.file_keys)
        return tuple(given)

    def class_recipient(
        self, submission: SubmissionId, handling_class: HandlingClass
    ) -> HybridRecipient:
        """As Keys.class_recipient."""
        request = AskClassRecipient(submission=submission, handling_class=handling_class)
        return _recipient(self._ask(request, GivenRecipient))

    def new_intake(self) -> HybridRecipient:
        """As Keys.new_intake."""
        return _recipient(self._ask(MakeIntake(), GivenRecipient))

    def bind(self, card: CardId, recipient: HybridRecipient) -> None:
        """As Keys.bind."""
        self._ask(Bind(card=card, recipient=RecipientText(recipient.to_text())), Done)

    def destroy(self, holder: Holder) -> None:
        """As Keys.destroy."""
        self._ask(Destroy(holder=HolderName.of(holder)), Done)

    def status(self) -> AgentStatus:
        """As Keys.status."""
        return self._ask(AskStatus(), AgentStatus)

    def unlock(self, officer: OfficerName, passphrase: str) -> AgentStatus:
        """Take an officer's keys into the agent's memory; another officer's are forgotten.

        WrongPassphraseError: it is wrong, or there is no such officer.
        """
        request = Unlock(officer=officer, passphrase=passphrase)
        with contextlib.suppress(WireError):
            request.to_bytes()
            return self._ask(request, AgentStatus)
        # No officer has such a name, and no key file such a passphrase: empty, endless or no text.
        raise WrongPassphraseError("the passphrase opens no officer's keys")

    def lock(self) -> None:
        """Have the agent forget every key at once."""
        self._ask(Lock(), Done)

    def _ask(self, request: Request, expected: type[AnswerT], *, first_index: int = 0) -> AnswerT:
        frame = to_frame(request)
        try:
            with self._connection() as connection:
                connection.sendall(frame)
                answer = read_message(receive_frame(connection), ANSWERS)
        except (OSError, WireError) as failure:
            raise AgentUnreachableError from failure
        if isinstance(answer, Refusal):
            _refuse(answer, first_index)
        if not isinstance(answer, expected):
            raise AgentUnreachableError
        return answer

    @contextlib.contextmanager
    def _connection(self) -> Iterator[socket.socket]:
        with (
            short_path(self._path) as path,
            socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection,
        ):
            connection.settimeout(self._seconds)
            connection.connect(path)
            yield connection


@contextlib.contextmanager
def short_path(path: Path) -> Iterator[str]:
    """Give another name of a socket's path, for as long as the block lasts.

    A socket's address holds 107 bytes (unix(7)) and a data directory may lie deeper than that.
    """
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _recipient(answer: GivenRecipient) -> HybridRecipient:
    try:
        return HybridRecipient.from_text(answer.recipient)
    except KeyFormatError as failure:
        raise AgentUnreachableError from failure


def _refuse(refusal: Refusal, first_index: int) -> NoReturn:  # noqa: C901 - one arm for each word
    match refusal.reason:
        case AgentRefusal.BUDGET_SPENT:
            raise BudgetSpentError
        case AgentRefusal.DESTROYED:
            raise KeyDestroyedError("the key was destroyed")
        case AgentRefusal.FAULT:
            raise KeysFaultError
        case AgentRefusal.HEADER:
            raise HeaderRefusedError(first_index + (refusal.index or 0))
        case AgentRefusal.LOCKED:
            raise KeysLockedError
        case AgentRefusal.MALFORMED:
            raise AgentUnreachableError
        case AgentRefusal.MISSING:
            raise KeyMissingError
        case AgentRefusal.NOT_CLEARED:
            raise NotClearedError
        case AgentRefusal.TAKEN:
            raise RequestRefusedError("the card is bound to another key")
        case AgentRefusal.WRONG_PASSPHRASE:
            raise WrongPassphraseError("the passphrase opens no officer's keys")
    assert_never(refusal.reason)
