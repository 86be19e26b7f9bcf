"""What can go wrong when material is fetched, from a portal or from a disk."""

from enum import StrEnum, unique

from worker.errors import WorkerError


@unique
class PullFault(StrEnum):
    """Why it could not be fetched, or the portal not be told."""

    UNREACHABLE = "portal-unreachable"
    """No answer came, or it broke off: tried again later, it goes on where it was."""
    UNAVAILABLE = "portal-unavailable"
    """The portal itself could not do it now."""
    REFUSED = "portal-refused"
    """The portal does not know it, or us, or a counter was not above the last one."""
    MALFORMED = "answer-malformed"
    TOO_LONG = "answer-too-long"
    WRONG_BYTES = "bytes-not-of-the-note"
    ANOTHER_NOTE = "another-note"
    """A submission of this id is here already, under another note."""
    NO_ROOM = "no-room"
    NO_BUNDLE = "no-bundle"
    """The folder is not what a bundle is, or holds something else beside it."""
    DISK_MISSING = "disk-missing"
    LOG_UNSIGNED = "log-unsigned"
    """The checkpoint is not signed by the portal's log."""
    LOG_FORKED = "log-forked"
    """The log signed two histories: leaves that were there are gone or changed."""
    LOG_SHRUNK = "log-shrunk"
    """The log signed fewer leaves than it had before."""
    MEMORY_DAMAGED = "pull-memory-damaged"
    """What is remembered of earlier pulls cannot be read; it is never begun anew by itself."""


_LATER = frozenset(
    {PullFault.UNREACHABLE, PullFault.UNAVAILABLE, PullFault.NO_ROOM, PullFault.DISK_MISSING}
)

_ALARMS = frozenset(
    {
        PullFault.LOG_UNSIGNED,
        PullFault.LOG_FORKED,
        PullFault.LOG_SHRUNK,
        PullFault.MEMORY_DAMAGED,
    }
)


class PullError(WorkerError):
    """Something was not fetched or not told. What is here already stays as it is."""

    def __init__(self, fault: PullFault) -> None:
        super().__init__(f"the pull has failed: {fault}")
        self.fault = fault

    @property
    def is_for_later(self) -> bool:
        """Whether to try again without anybody's looking into it."""
        return self.fault in _LATER

    @property
    def stops_pulling(self) -> bool:
        """Whether nothing more may be pulled until an officer has looked."""
        return self.fault in _ALARMS
