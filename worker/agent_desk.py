"""What the key agent does: one officer's keys in memory, a budget, and an answer to each request.

It holds no socket and reads no clock of its own. Whatever it gives or makes is in the journal
first. Format: docs/format/25-key-store.md sections 4 to 6.
"""

import contextlib
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, assert_never

from amana.wire.ids import Digest, RecipientText
from crypto.errors import (
    CryptoError,
    DestroyedError,
    HeaderError,
    HeaderMacError,
    KeyAbsentError,
    KeyFormatError,
    KeyTakenError,
    NoMatchError,
    NotHeldError,
)
from crypto.header import Header
from crypto.identities import HybridIdentity, unwrap
from crypto.private.keystore import KeyStore
from crypto.private.ring import Ring
from crypto.recipients import HybridRecipient
from terms.vocabulary import HandlingClass
from worker.agent_journal import Act, Entry, Journal
from worker.agent_messages import (
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
    HolderName,
    Lock,
    MakeIntake,
    OfficerName,
    Refusal,
    Request,
    SealedHeader,
    SecretBytes,
    Unlock,
)
from worker.agent_places import TRIAGE, group_of, intake_name, name_of

_REFUSALS: Final[Mapping[type[Exception], AgentRefusal]] = {
    DestroyedError: AgentRefusal.DESTROYED,
    KeyAbsentError: AgentRefusal.MISSING,
    KeyTakenError: AgentRefusal.TAKEN,
    NotHeldError: AgentRefusal.NOT_CLEARED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one unlocking allows, and how long it lasts without use.

    The defaults are ours: 50,000 is a day's examining and packaging of 20,000 objects; half an
    hour is shorter than a lunch.
    """

    unwraps: int = 50_000
    idle_seconds: float = 1_800.0


@dataclass(slots=True, kw_only=True)
class _Session:
    """One unlocking."""

    officer: OfficerName
    ring: Ring
    unwraps_left: int
    used_at: float


class _RefusedError(Exception):
    """What was asked is refused, with this answer."""

    def __init__(self, reason: AgentRefusal, index: int | None = None) -> None:
        super().__init__(reason)
        self.refusal = Refusal(reason=reason, index=index)


class Desk:
    """Answers requests. monotonic: seconds that pass while the machine sleeps too."""

    def __init__(
        self,
        store: KeyStore,
        journal: Journal,
        *,
        limits: Limits,
        monotonic: Callable[[], float],
        is_memory_locked: bool,
    ) -> None:
        self._store = store
        self._journal = journal
        self._limits = limits
        self._monotonic = monotonic
        self._is_memory_locked = is_memory_locked
        self._session: _Session | None = None
        self._locked_times = 0
        self._owed: Entry | None = None

    def answer(self, request: Request) -> Answer:
        """Do what is asked, or say why not. It raises nothing that a request can bring about."""
        self.tidy()
        try:
            return self._do(request)
        except _RefusedError as refused:
            return refused.refusal
        except (OSError, CryptoError) as failure:
            reason = _REFUSALS.get(type(failure), AgentRefusal.FAULT)
            return Refusal(reason=reason, index=None)

    def forget(self) -> None:
        """Drop the keys at once, whatever is going on: nothing more is given away.

        It may run between any two steps of answer(); tidy() writes the journal afterwards.
        """
        session, self._session = self._session, None
        self._locked_times += 1
        if session is not None:
            self._owed = Entry(act=Act.LOCKED, officer=session.officer)

    def tidy(self) -> None:
        """Drop the keys if nobody used them for as long as the limits say; note what was dropped.

        What the journal cannot take now it gets the next time.
        """
        session = self._session
        if session and self._monotonic() - session.used_at >= self._limits.idle_seconds:
            self.forget()
        if self._owed is not None:
            with contextlib.suppress(OSError):
                self._journal.write([self._owed])
                self._owed = None

    def _do(self, request: Request) -> Answer:  # noqa: PLR0911 - one arm for each request
        match request:
            case Unlock():
                return self._unlock(request)
            case Lock():
                self.forget()
                self.tidy()
                return Done()
            case AskStatus():
                return self._status()
            case AskFileKeys():
                return self._file_keys(request)
            case AskClassRecipient():
                return _given(self._class_recipient(request))
            case MakeIntake():
                return _given(self._make_intake())
            case Bind():
                return self._bind(request)
            case Destroy():
                return self._destroy(request)
        assert_never(request)

    def _unlock(self, request: Unlock) -> AgentStatus:
        locked_times = self._locked_times
        try:
            ring = self._store.unlock(request.officer, request.passphrase)
        except NoMatchError as failure:
            # A passphrase typed in the place of the name must not stand in the journal.
            is_officer = request.officer in self._store.officers()
            officer = request.officer if is_officer else None
            self._journal.write([Entry(act=Act.UNLOCK_REFUSED, officer=officer)])
            raise _RefusedError(AgentRefusal.WRONG_PASSPHRASE) from failure
        self._journal.write([Entry(act=Act.UNLOCKED, officer=request.officer)])
        # Stretching takes long enough for somebody to have pressed the alarm meanwhile.
        if self._locked_times != locked_times:
            raise _RefusedError(AgentRefusal.LOCKED)
        self._session = _Session(
            officer=request.officer,
            ring=ring,
            unwraps_left=self._limits.unwraps,
            used_at=self._monotonic(),
        )
        return self._status()

    def _status(self) -> AgentStatus:
        session = self._session
        held = session.ring.held if session else ()
        return AgentStatus(
            is_locked=session is None,
            officer=session.officer if session else None,
            cleared=tuple(each for each in HandlingClass if group_of(each) in held),
            unwraps_left=session.unwraps_left if session else 0,
            is_memory_locked=self._is_memory_locked,
            destroyed=self._store.tombstone_count(),
            journal=self._journal.last,
        )

    def _file_keys(self, request: AskFileKeys) -> GivenFileKeys:
        session = self._use()
        identity = self._store.identity(session.ring, name_of(request.holder.holder))
        if len(request.headers) > session.unwraps_left:
            raise _RefusedError(AgentRefusal.BUDGET_SPENT)
        session.unwraps_left -= len(request.headers)
        keys: list[SecretBytes] = []
        for index, header in enumerate(request.headers):
            secret = _file_key(header, identity)
            if secret is None:
                self._journal.write([_unwrapped(request, session, header, Act.HEADER_REFUSED)])
                raise _RefusedError(AgentRefusal.HEADER, index)
            keys.append(secret)
        self._journal.write(
            [_unwrapped(request, session, header, Act.UNWRAPPED) for header in request.headers]
        )
        if self._session is not session:
            raise _RefusedError(AgentRefusal.LOCKED)
        return GivenFileKeys(file_keys=tuple(keys))

    def _class_recipient(self, request: AskClassRecipient) -> HybridRecipient:
        session = self._use()
        holder = ClassHolder(submission=request.submission, handling_class=request.handling_class)
        name, group = name_of(holder), group_of(request.handling_class)
        try:
            return self._store.recipient(session.ring, name)
        except KeyAbsentError:
            made = HybridIdentity.generate()
        entry = Entry(
            act=Act.CLASS_MADE,
            officer=session.officer,
            submission=request.submission,
            holder=HolderName.of(holder),
            recipient=_digest(made.recipient.public_key),
        )
        self._journal.write([entry])
        self._store.put(session.ring, name, group, made)
        return made.recipient

    def _make_intake(self) -> HybridRecipient:
        session = self._use()
        made = HybridIdentity.generate()
        digest = _digest(made.recipient.public_key)
        self._journal.write([Entry(act=Act.INTAKE_MADE, officer=session.officer, recipient=digest)])
        self._store.put(session.ring, intake_name(made.recipient), TRIAGE, made)
        return made.recipient

    def _bind(self, request: Bind) -> Done:
        session = self._use()
        recipient = HybridRecipient.from_text(request.recipient)
        holder = CardHolder(card=request.card)
        entry = Entry(
            act=Act.BOUND,
            officer=session.officer,
            holder=HolderName.of(holder),
            recipient=_digest(recipient.public_key),
        )
        self._journal.write([entry])
        self._store.bind(session.ring, name_of(holder), intake_name(recipient))
        return Done()

    def _destroy(self, request: Destroy) -> Done:
        holder = request.holder.holder
        name = name_of(holder)
        # A mistyped card would look destroyed while its key lives on; a class may never have come.
        if isinstance(holder, CardHolder) and not self._store.knows(name):
            raise _RefusedError(AgentRefusal.MISSING)
        if not self._store.is_destroyed(name):
            officer = self._session.officer if self._session else None
            self._journal.write([Entry(act=Act.DESTROYED, officer=officer, holder=request.holder)])
        self._store.destroy(name)
        return Done()

    def _use(self) -> _Session:
        session = self._session
        if session is None:
            raise _RefusedError(AgentRefusal.LOCKED)
        session.used_at = self._monotonic()
        return session


def _file_key(header: SealedHeader, identity: HybridIdentity) -> SecretBytes | None:
    try:
        parsed = Header.parse(header)
        parsed.hybrid_share()
        if parsed.to_bytes() != header:
            return None
        return SecretBytes(unwrap(parsed, identity).secret)
    except (HeaderError, HeaderMacError, NoMatchError, KeyFormatError):
        return None


def _unwrapped(request: AskFileKeys, session: _Session, header: SealedHeader, act: Act) -> Entry:
    return Entry(
        act=act,
        officer=session.officer,
        submission=request.submission,
        holder=request.holder,
        header=_digest(header),
    )


def _given(recipient: HybridRecipient) -> GivenRecipient:
    return GivenRecipient(recipient=RecipientText(recipient.to_text()))


def _digest(content: bytes) -> Digest:
    return Digest(hashlib.sha256(content).hexdigest())
