"""A provider's signature over the text of an agreement or of an amendment.

What is signed names the digest of the text and the account, so it can be moved to no other text and
no other provider. Who of an organisation's members may sign for it, the quarantine knows. Format:
docs/format/27-terms-toml.md section 6.
"""

from collections.abc import Collection
from datetime import date
from typing import ClassVar

from amana.wire.documents import Statement, carries, record
from amana.wire.fields import Choice, Day
from amana.wire.ids import ACCOUNT_ID, DIGEST, AccountId, Digest
from amana.wire.signers import read_signed_by_some
from amana.wire.vocabulary import Deployment
from crypto.note import DualKey


@record
class TermsSignature(Statement):
    """A provider's word that this text is what it agreed to."""

    FORMAT: ClassVar = "amana/terms-signature/v1"
    LIMIT_BYTES: ClassVar = 4_096

    deployment: Deployment = carries(Choice(Deployment), "Whether the agreement is real.")
    account: AccountId = carries(ACCOUNT_ID, "The provider's account.")
    text_sha256: Digest = carries(DIGEST, "SHA-256 of the text, byte for byte.")
    signed_on: date = carries(Day(), "The day, by the signer's own clock.")


def read_terms_signature(untrusted: bytes, members: Collection[DualKey]) -> TermsSignature:
    """Give the statement in a note that at least one of an account's members signed.

    UnsignedError: none of them did, or a line is wrong. FormatError, FieldError: no such statement.
    """
    return read_signed_by_some(TermsSignature, untrusted, members, threshold=1)
