"""What can go wrong on the portal, one name per fact.

What a visitor is told is no error but a Refusal (portal/refusal.py). Messages here are for an
operator's log: no plaintext, name, address or key stands in them.
"""

from amana.wire.ids import ObjectId
from amana.wire.upload import UploadFault
from portal.refusal import Refusal


class PortalError(Exception):
    """The root of every error that this package raises on purpose."""


class KeysError(PortalError):
    """The portal's own keys are missing, malformed, or readable by others."""


class DirectoryError(PortalError):
    """The directory keys that key cards are checked against are missing or malformed."""


class RefusedError(PortalError):
    """What is being received cannot be taken; `refusal` says why. Never leaves the intake."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


class UploadRefusedError(PortalError):
    """A member's request is not done: `fault` says why, `objects` which of the note's it is about.

    Never leaves the API.
    """

    def __init__(self, fault: UploadFault, objects: tuple[ObjectId, ...] = ()) -> None:
        super().__init__(fault.value)
        self.fault = fault
        self.objects = objects
