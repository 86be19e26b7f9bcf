"""The two ends of the way from quarantine to repository: whom each must know of the other.

Each is exchanged by hand, once, and compared on paper; there is no trust on first use. A package
is sealed to no recipient but the pinned one, and believed from no signer but a pinned one.
Format: docs/format/21-answers.md.
"""

from typing import ClassVar, Final

from amana.wire.documents import Document, carries, record
from amana.wire.errors import FieldError
from amana.wire.fields import Choice, Many, Nullable
from amana.wire.ids import RECIPIENT, RecipientText
from amana.wire.signers import SIGNER
from amana.wire.vocabulary import Deployment
from crypto.note import DualKey, Purpose

SIGNERS_LIMIT: Final = 16
"""Most signers of one end at a time. Ours: a key of 90 days and those before it for four years."""


@record
class RepositoryEnd(Document):
    """What the quarantine pins of the repository. FieldError: a key that signs no notes."""

    FORMAT: ClassVar = "amana/repository-end/v1"
    LIMIT_BYTES: ClassVar = 16_384

    deployment: Deployment = carries(Choice(Deployment), "Whether it takes real material.")
    recipient: RecipientText = carries(RECIPIENT, "Packages are sealed to this.")
    signer: DualKey = carries(SIGNER, "Signs acknowledgements and refusals.")

    def __post_init__(self) -> None:
        if self.signer.purpose is not Purpose.NOTE:
            raise FieldError("signs no notes", "signer")


@record
class QuarantineEnd(Document):
    """What the repository pins of the quarantine. FieldError: a key that does not fit its use."""

    FORMAT: ClassVar = "amana/quarantine-end/v1"
    LIMIT_BYTES: ClassVar = 1 << 17

    deployment: Deployment = carries(Choice(Deployment), "Whether it holds real material.")
    signers: tuple[DualKey, ...] = carries(
        Many(SIGNER, SIGNERS_LIMIT, least=1), "Those whose packages are taken; newest first."
    )
    log: DualKey | None = carries(
        Nullable(SIGNER), "Signs the custody log's checkpoints; null takes no checkpoint."
    )

    def __post_init__(self) -> None:
        if any(signer.purpose is not Purpose.NOTE for signer in self.signers):
            raise FieldError("has a key that signs no notes", "signers")
        if self.log is not None and self.log.purpose is not Purpose.LOG:
            raise FieldError("signs no checkpoints", "log")
