"""What can go wrong in the quarantine, one name per fact.

Messages are for an operator's log: no plaintext, no file name, no signature name, no path. What a
pipeline keeps of an error is its class and, for a RetryError, its reason.
"""

from enum import StrEnum, unique


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


class RetryError(WorkerError):
    """No verdict came of an examination; it is made again, for the reason lies with us."""

    def __init__(self, reason: RetryReason) -> None:
        super().__init__(f"no verdict: {reason}")
        self.reason = reason
