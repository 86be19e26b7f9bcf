"""The one secret of a sealed object: its file key, and what is derived from it.

Every object has a fresh file key of 128 random bits; recipients' stanzas wrap it, and whoever holds
it can open that object and no other. It must never be printed, logged, or used for two objects.
Format: c2sp.org/age, "File key", "Header MAC" and "Payload"; docs/format/01-sealed-object.md.
"""

import hmac
import secrets
from dataclasses import dataclass
from typing import Final, Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto.errors import KeyFormatError

FILE_KEY_SIZE: Final = 16
"""Bytes in a file key (c2sp.org/age, "File key": 128 bits)."""

_DERIVED_KEY_SIZE: Final = 32  # c2sp.org/age, "Conventions": every derived key is 32 bytes.


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class FileKey:
    """The 16 bytes that open one object. Comparing takes constant time; repr hides the bytes."""

    secret: bytes

    def __post_init__(self) -> None:
        """Refuse a key of another length with KeyFormatError."""
        if len(self.secret) != FILE_KEY_SIZE:
            raise KeyFormatError("a file key is 16 bytes long")

    def __repr__(self) -> str:
        return "FileKey(hidden)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FileKey) and hmac.compare_digest(self.secret, other.secret)

    __hash__ = None  # type: ignore[assignment]  # a secret does not belong in a hash table

    @classmethod
    def generate(cls) -> Self:
        """Make a fresh file key from the system's randomness."""
        return cls(secret=secrets.token_bytes(FILE_KEY_SIZE))

    def header_mac(self, authenticated: bytes) -> bytes:
        """Compute the MAC (32 bytes) of a header up to and including its `---` mark."""
        return hmac.digest(
            hkdf_sha256(self.secret, salt=b"", info=b"header"), authenticated, "sha256"
        )

    def payload_key(self, nonce: bytes) -> bytes:
        """Derive the key (32 bytes) of the payload that begins with this 16-byte nonce."""
        return hkdf_sha256(self.secret, salt=nonce, info=b"payload")


def hkdf_sha256(secret: bytes, *, salt: bytes, info: bytes) -> bytes:
    """Derive 32 bytes as age does: HKDF-SHA-256, RFC 5869; an empty salt stands for zeros."""
    return HKDF(algorithm=hashes.SHA256(), length=_DERIVED_KEY_SIZE, salt=salt, info=info).derive(
        secret
    )
