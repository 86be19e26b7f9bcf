"""What the portal writes into its log.

Nothing is written for a visit: whoever keeps the log also stamps each line with the time.
"""

from enum import unique

from amana.events import Code


@unique
class PortalCode(Code):
    """The portal's operator codes."""

    ALREADY_SERVED = "already-served"
    DRAFTS_NOT_REMOVED = "drafts-not-removed"
    FAILED = "request-failed"
    LEFTOVERS = "leftovers-removed"
    MERGED = "leaves-merged"
    NOT_MERGED = "leaves-not-merged"
    NOT_REMOVED = "acknowledged-not-removed"
    PULL_FAILED = "pull-failed"
    PULL_SERVING = "pull-serving"
    REMOVED = "acknowledged-removed"
    SERVING = "serving"
    STOPPED = "stopped"
    UPLOADS_EXPIRED = "uploads-expired"
    UPLOAD_FAILED = "upload-failed"
