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
