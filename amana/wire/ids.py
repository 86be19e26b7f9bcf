"""The names of things: random ids, ids that are hashes, digests, and their codecs.

A random id tells nothing of what it names. An id that is a hash can be made again by whoever holds
its parts, so that the same thing arriving twice has one name. No id is ever a count.
Format: docs/format/06-ids-and-fields.md.
"""

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NewType, TypeVar

from amana.wire.errors import FieldError
from amana.wire.fields import Base64, Token, hexadecimal
from crypto.canonical import JsonValue
from crypto.errors import KeyFormatError
from crypto.recipients import HybridRecipient

IdT = TypeVar("IdT", bound=str)

AccountId = NewType("AccountId", str)
"""A provider's pseudonym on the portal. Random."""
ObjectId = NewType("ObjectId", str)
"""One sealed object. Random."""
ItemId = NewType("ItemId", str)
"""One file, folder or link. Random."""
GroupId = NewType("GroupId", str)
"""What belongs together, such as the pages of one letter. Random."""
BatchId = NewType("BatchId", str)
"""Items that share conditions, or minted cards that share a root. Random."""
TransferId = NewType("TransferId", str)
"""An agreed hand-over, weeks long perhaps. Random."""
ConsignmentId = NewType("ConsignmentId", str)
"""One part of a transfer. Random."""
ConsentId = NewType("ConsentId", str)
"""One person's consent record. Random."""
ReceiptId = NewType("ReceiptId", str)
"""One receipt. Random."""
KeyId = NewType("KeyId", str)
"""A signer's pair of keys: SHA-256 of its two verifier lines."""
SubmissionId = NewType("SubmissionId", str)
"""What one provider hands over at one time: a hash, see derive_submission_id."""
EventId = NewType("EventId", str)
"""One custody event: a hash, see amana.wire.event."""
CardId = NewType("CardId", str)
"""One key card: the digest of its text."""
ThingId = NewType("ThingId", str)
"""The id of any of these, where a document can speak of several kinds."""

Digest = NewType("Digest", str)
"""SHA-256 of a document, or of sealed bytes: it tells nothing of the material."""
ContentSha256 = NewType("ContentSha256", str)
"""SHA-256 of plaintext. It identifies a known file, so it stands in sealed documents only."""
ContentSha512 = NewType("ContentSha512", str)
"""SHA-512 of plaintext; sealed documents only, like ContentSha256."""
Salt = NewType("Salt", bytes)
"""32 random bytes that keep a leaf of a tree from being guessed."""
Nonce = NewType("Nonce", bytes)
"""32 random bytes that keep an id from being guessed."""
RecipientText = NewType("RecipientText", str)
"""A recipient `age1pq1…` whose check symbols were right."""
LogOrigin = NewType("LogOrigin", str)
"""The name of a custody log, as its checkpoints have it (C2SP tlog-checkpoint)."""

ID_BYTES: Final = 16
"""128 random bits: ids of 5 million items then meet with a chance below 2^-80. Ours."""
SALT_BYTES: Final = 32
"""As long as the digest that it protects, so guessing the salt is no easier than a preimage."""

ACCOUNT_ID: Final = hexadecimal(AccountId, ID_BYTES, "random id")
OBJECT_ID: Final = hexadecimal(ObjectId, ID_BYTES, "random id")
ITEM_ID: Final = hexadecimal(ItemId, ID_BYTES, "random id")
GROUP_ID: Final = hexadecimal(GroupId, ID_BYTES, "random id")
BATCH_ID: Final = hexadecimal(BatchId, ID_BYTES, "random id")
TRANSFER_ID: Final = hexadecimal(TransferId, ID_BYTES, "random id")
CONSIGNMENT_ID: Final = hexadecimal(ConsignmentId, ID_BYTES, "random id")
CONSENT_ID: Final = hexadecimal(ConsentId, ID_BYTES, "random id")
RECEIPT_ID: Final = hexadecimal(ReceiptId, ID_BYTES, "random id")
KEY_ID: Final = hexadecimal(KeyId, 32, "key id")
SUBMISSION_ID: Final = hexadecimal(SubmissionId, 32, "submission id")
EVENT_ID: Final = hexadecimal(EventId, 32, "event id")
CARD_ID: Final = hexadecimal(CardId, 32, "card id")
THING_ID: Final = Token(
    ThingId,
    re.compile(r"[0-9a-f]{32}(?:[0-9a-f]{32})?", re.ASCII),
    "id of any kind: 32 or 64 lower-case hexadecimal digits",
)
DIGEST: Final = hexadecimal(Digest, 32, "SHA-256")
CONTENT_SHA256: Final = hexadecimal(ContentSha256, 32, "SHA-256 of plaintext")
CONTENT_SHA512: Final = hexadecimal(ContentSha512, 64, "SHA-512 of plaintext")
SALT: Final = Base64(Salt, SALT_BYTES, SALT_BYTES)
NONCE: Final = Base64(Nonce, SALT_BYTES, SALT_BYTES)
LOG_ORIGIN: Final = Token(
    LogOrigin,
    # Narrower than C2SP: nothing here can look like another name, or turn the line around it.
    re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}", re.ASCII),
    "name of a log: 1 to 128 ASCII letters, digits or `._:/-`",
)


@dataclass(frozen=True, slots=True)
class Recipient:
    """A recipient, as every age program writes it; a mistyped one is refused here already."""

    def write(self, value: RecipientText) -> JsonValue:
        """Give the text itself."""
        return str(value)

    def read(self, untrusted: JsonValue) -> RecipientText:
        """Give the text, when crypto.recipients would seal to it."""
        # 1,216 bytes of X-Wing public key in 5-bit symbols, and 6 check symbols: c2sp.org/age.
        if not isinstance(untrusted, str) or len(untrusted) != _RECIPIENT_CHARACTERS:
            raise FieldError(f"is not {self.describe()}")
        try:
            spelled = HybridRecipient.from_text(untrusted).to_text()
        except KeyFormatError as failure:
            raise FieldError("is not a recipient that can be sealed to") from failure
        # Bech32 knows capitals as well; a document has one spelling.
        if spelled != untrusted:
            raise FieldError(f"is not {self.describe()}")
        return RecipientText(untrusted)

    def describe(self) -> str:
        """Give the shape."""
        return "recipient: `age1pq1` and 1,952 Bech32 symbols, the last six of them right"


_RECIPIENT_CHARACTERS: Final = len("age1pq1") + 1_952
RECIPIENT: Final = Recipient()


def random_id(kind: Callable[[str], IdT]) -> IdT:
    """Give a new random id: `random_id(ItemId)`."""
    return kind(secrets.token_hex(ID_BYTES))


def random_salt() -> Salt:
    """Give a new salt."""
    return Salt(secrets.token_bytes(SALT_BYTES))


def random_nonce() -> Nonce:
    """Give a new nonce."""
    return Nonce(secrets.token_bytes(SALT_BYTES))


def hash_parts(tag: str, *parts: bytes) -> str:
    """Give the SHA-256, in hexadecimal, over a domain tag and parts, each behind its length.

    The lengths are four bytes, big-endian, so no two lists of parts give the same input.
    """
    state = hashlib.sha256()
    for part in (tag.encode("ascii"), *parts):
        state.update(len(part).to_bytes(4, "big"))
        state.update(part)
    return state.hexdigest()


def derive_submission_id(nonce: Nonce, account: AccountId, card: CardId) -> SubmissionId:
    """Give the id of what an account submits under a card with a nonce of its client.

    The same submission has the same id by Tor and by disk. FieldError: a part is not an id.
    """
    parts = (nonce, _raw(ACCOUNT_ID, account), _raw(CARD_ID, card))
    return SubmissionId(hash_parts("amana/submission-id/v1", *parts))


def _raw(codec: Token[IdT], value: IdT) -> bytes:
    try:
        return bytes.fromhex(codec.read(value))
    except FieldError as fault:
        raise fault.inside("id") from None
