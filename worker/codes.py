"""What the quarantine's log can say: a code, the day, and counts (amana/events.py)."""

from enum import unique

from amana.events import Code


@unique
class WorkerCode(Code):
    """Operator codes of the quarantine."""

    RUNNING = "running"
    ALREADY_RUNNING = "already-running"
    SCANNER_STARTED = "scanner-started"
    SCANNER_MISSING = "scanner-missing"
    NO_PORTAL = "no-portal"
    PULLED = "pulled"
    PULL_FAILED = "pull-failed"
    CARRYING_FAILED = "carrying-failed"
    PORTAL_LOG_WRONG = "portal-log-wrong"
    FEEDBACK_POSTED = "feedback-posted"
    RECEIPTS_POSTED = "receipts-posted"
    RUN_DONE = "run-done"
    RUN_AGAIN = "run-again"
    RUN_HELD = "run-held"
    RUN_FAILED = "run-failed"
    STOPPED = "stopped"


@unique
class WaitCode(Code):
    """Why a run is made again: the words of `worker.errors.RetryReason`, one for one."""

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
