"""A member of an organisation: the public keys that the quarantine enrols.

It goes to the quarantine by hand, with the agreement; what the portal holds of it is a filter.
Format: docs/format/17-bundle.md.
"""

from typing import ClassVar

from amana.wire.documents import Document, carries, record
from amana.wire.ids import RECIPIENT, RecipientText
from amana.wire.signers import NOTE_SIGNER
from crypto.note import DualKey


@record
class Member(Document):
    """Public halves of a member's keys."""

    FORMAT: ClassVar = "amana/member/v1"
    LIMIT_BYTES: ClassVar = 16_384

    signer: DualKey = carries(NOTE_SIGNER, "Signs package notes and answers.")
    feedback: RecipientText = carries(RECIPIENT, "Feedback and receipts are sealed to this.")
