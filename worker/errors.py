"""What can go wrong in the quarantine, one name per fact.

Messages are for an operator's log: no plaintext, no file name, no signature name, no path. What a
pipeline keeps of an error is its class and, for a RetryError, its reason.
"""

from enum import StrEnum, unique

from amana.wire.agree import Mismatch
from amana.wire.ids import ObjectId
from amana.wire.reasons import ReasonCode


class WorkerError(Exception):
    """The root of every error that this package raises on purpose."""


class BudgetError(WorkerError):
    """More memory is needed than the quarantine may ever hold at one time, or the machine has."""


class MismatchError(WorkerError):
    """The bytes are not of the size or the SHA-256 that their manifest names."""


class SignatureBaseError(WorkerError):
    """The signature database is missing, not described, not as described, or not allowed here."""


class ScannerStartError(WorkerError):
    """Our own clamd cannot be started as it must be."""


class SandboxError(WorkerError):
    """The sandbox cannot be started, or its spawner is gone."""


class UntrustedAnswerError(WorkerError):
    """What came out of the sandbox is not an answer: it broke, or something took it over."""


class LateAnswerError(UntrustedAnswerError):
    """The sandbox did not answer in the time that one item has."""


@unique
class RetryReason(StrEnum):
    """Why there is no verdict yet. None of them says anything about the material."""

    SCANNER_UNREACHABLE = "scanner-unreachable"
    SCANNER_SILENT = "scanner-silent"
    SCANNER_TIMEOUT = "scanner-timeout"
    SCANNER_FAULT = "scanner-fault"
    BYTES_MISCOUNTED = "bytes-miscounted"
    CANARY_MISJUDGED = "canary-misjudged"
    SIGNATURES_CHANGED = "signatures-changed"
    SIGNATURES_OLD = "signatures-old"
    SIGNATURES_UNUSABLE = "signatures-unusable"
    SANDBOX_UNAVAILABLE = "sandbox-unavailable"
    MEMORY_SHORT = "memory-short"
    KEYS_LOCKED = "keys-locked"
    KEYS_NOT_CLEARED = "keys-not-cleared"
    KEYS_BUDGET_SPENT = "keys-budget-spent"
    KEY_MISSING = "key-missing"
    KEYS_FAULT = "keys-fault"
    AGENT_UNREACHABLE = "agent-unreachable"
    NO_REPOSITORY = "no-repository"


class RetryError(WorkerError):
    """No verdict came of an examination; it is made again, for the reason lies with us."""

    def __init__(self, reason: RetryReason) -> None:
        super().__init__(f"no verdict: {reason}")
        self.reason = reason


class KeysUnavailableError(RetryError):
    """The key agent cannot do this now; nothing is said about the material."""


class KeysLockedError(KeysUnavailableError):
    """No officer has unlocked the keys, or they were locked again."""

    def __init__(self) -> None:
        super().__init__(RetryReason.KEYS_LOCKED)


class NotClearedError(KeysUnavailableError):
    """The officer who unlocked the keys is not cleared for this handling class."""

    def __init__(self) -> None:
        super().__init__(RetryReason.KEYS_NOT_CLEARED)


class BudgetSpentError(KeysUnavailableError):
    """This unlocking has no unwraps left: an officer unlocks the keys again."""

    def __init__(self) -> None:
        super().__init__(RetryReason.KEYS_BUDGET_SPENT)


class KeyMissingError(KeysUnavailableError):
    """The key store has no such key: its card was not bound yet, or a backup is to be restored."""

    def __init__(self) -> None:
        super().__init__(RetryReason.KEY_MISSING)


class KeysFaultError(KeysUnavailableError):
    """The key store is damaged, or the journal cannot be written: an operator looks."""

    def __init__(self) -> None:
        super().__init__(RetryReason.KEYS_FAULT)


class AgentUnreachableError(KeysUnavailableError):
    """The key agent does not run, did not answer in time, or answered what it may not."""

    def __init__(self) -> None:
        super().__init__(RetryReason.AGENT_UNREACHABLE)


class KeyDestroyedError(WorkerError):
    """The key was destroyed, and what is sealed to it can never be opened again."""


class HeaderRefusedError(WorkerError):
    """A header does not open with the key that it should: another's object, or a changed one.

    A fact about the object, and not a reason to try again. index: its place among those given.
    """

    def __init__(self, index: int) -> None:
        super().__init__(f"header {index} does not open with this key")
        self.index = index


class WrongPassphraseError(WorkerError):
    """The passphrase is wrong, there is no such officer, or the officer's file was changed."""


class AgentRunningError(WorkerError):
    """Another key agent holds these keys."""


class KeyPlaceError(WorkerError):
    """The key store is missing, is there already, or can be read by others."""


class RequestRefusedError(WorkerError):
    """The key agent does not do what was asked: a card bound to another key, or a name in use."""


class SignersError(WorkerError):
    """The quarantine's signing keys are missing or malformed, or others can read them."""


class MoveError(WorkerError):
    """A submission or an item is not in a state from which it could go where it was sent."""


class UnknownNameError(WorkerError):
    """There is no such submission or item, or its short name fits several."""


class PipelineError(WorkerError):
    """The quarantine's own records do not fit together: an operator looks, nothing is lost."""


class RegisterError(WorkerError):
    """The register of who may give material is missing or damaged: nothing is judged without it."""


class EnrolmentRefusedError(WorkerError):
    """What was to be enrolled is malformed, not signed as it must be, or at odds with the register.

    fault: which of these, as the last part of a sentence's key.
    """

    def __init__(self, fault: str) -> None:
        super().__init__(f"not enrolled: {fault}")
        self.fault = fault


@unique
class AgreementFault(StrEnum):
    """Why an agreement, an amendment or a signature cannot be kept as it is."""

    ANOTHER_ACCOUNT = "another-account"
    ANOTHER_PROVIDER = "another-provider"
    ANOTHER_TEXT = "another-text"
    NEWER_VERSION = "newer-version"
    NO_SUCH_VERSION = "no-such-version"
    NOT_THE_PARTY = "not-the-party"
    SIGNS_NO_TEXT = "signs-no-text"
    NOT_SIGNED = "not-signed"
    TOO_FEW_OFFICERS = "too-few-officers"
    NO_SUCH_ACCOUNT = "no-such-account"
    NO_SUCH_FILE = "no-such-file"
    DAMAGED = "damaged"


class AgreementError(WorkerError):
    """An agreement, an amendment or a signature cannot be kept: `fault` says why."""

    def __init__(self, fault: AgreementFault) -> None:
        super().__init__(f"the agreement cannot be kept: {fault}")
        self.fault = fault


class DisagreementError(MismatchError):
    """What came does not agree with itself: a fact about the material, which is held for it.

    reason: the word for custody events. object_id: the object in which it shows. mismatches: what
    note and manifests do not say alike.
    """

    def __init__(
        self,
        reason: ReasonCode,
        *,
        object_id: ObjectId | None = None,
        mismatches: tuple[Mismatch, ...] = (),
    ) -> None:
        super().__init__(f"held: {reason}")
        self.reason = reason
        self.object_id = object_id
        self.mismatches = mismatches
