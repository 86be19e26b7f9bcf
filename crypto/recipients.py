"""Wrap a file key for somebody's public key.

Sealed objects have one recipient, post-quantum: HybridRecipient (X-Wing: ML-KEM-768 and X25519).
The other two exist so that this implementation can be judged by every official age vector and
compared with other programs; nothing of ours is sealed with them. No private key is ever in this
module. Format: c2sp.org/age, "Native recipient types"; docs/format/01-sealed-object.md section 3.
"""

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Final, Protocol, Self

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PublicKey, Suite
from nacl import bindings as sodium
from nacl.exceptions import CryptoError as SodiumError

from crypto import bech32
from crypto.errors import KeyFormatError
from crypto.filekey import FileKey, hkdf_sha256
from crypto.header import HYBRID_SHARE_SIZE, HYBRID_STANZA, Stanza, encode_base64

X25519_STANZA: Final = "X25519"
SCRYPT_STANZA: Final = "scrypt"
HYBRID_INFO: Final = b"age-encryption.org/mlkem768x25519"
"""HPKE's `info` (c2sp.org/age, "mlkem768x25519 recipient stanza")."""
HYBRID_SUITE: Final = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
"""HPKE's parameters (the same page): KEM 0x647a, KDF 0x0001, AEAD 0x0003 of RFC 9180's registry."""
WRAP_NONCE: Final = bytes(12)
"""X25519 and scrypt stanzas use each wrapping key once, so the nonce is fixed (c2sp.org/age)."""

_HYBRID_PREFIX: Final = "age1pq"
_X25519_PREFIX: Final = "age"
_MLKEM_KEY_SIZE: Final = 1184  # FIPS 203 table 3
_X25519_KEY_SIZE: Final = 32  # RFC 7748
_SCRYPT_SALT_SIZE: Final = 16  # c2sp.org/age, "scrypt recipient stanza"


class Recipient(Protocol):
    """Whoever a file key can be wrapped for."""

    def wrap(self, file_key: FileKey) -> Stanza:
        """Return a fresh stanza, different each time, that lets the recipient find the file key."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HybridRecipient:
    """A post-quantum public key (1 216 bytes), written `age1pq1…` (1 959 characters)."""

    public_key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse, with KeyFormatError, bytes to which nothing could be sealed."""
        if len(self.public_key) != _MLKEM_KEY_SIZE + _X25519_KEY_SIZE:
            raise KeyFormatError("a hybrid recipient has 1216 bytes")
        require_strong_point(self.public_key[_MLKEM_KEY_SIZE:])
        self._load()

    @classmethod
    def from_text(cls, untrusted_text: str) -> Self:
        """Read `age1pq1…`; KeyFormatError when it is mistyped or not such a recipient."""
        return cls(public_key=bech32.decode(untrusted_text, prefix=_HYBRID_PREFIX))

    def to_text(self) -> str:
        """Write `age1pq1…`, as every age program reads it."""
        return bech32.encode(_HYBRID_PREFIX, self.public_key)

    def wrap(self, file_key: FileKey) -> Stanza:
        """Return the mlkem768x25519 stanza: a 1 120-byte share, a 32-byte body, always."""
        sealed = HYBRID_SUITE.encrypt(file_key.secret, self._load(), HYBRID_INFO)
        share, body = sealed[:HYBRID_SHARE_SIZE], sealed[HYBRID_SHARE_SIZE:]
        return Stanza(arguments=(HYBRID_STANZA, encode_base64(share)), body=body)

    def _load(self) -> MLKEM768X25519PublicKey:
        try:
            return MLKEM768X25519PublicKey(
                MLKEM768PublicKey.from_public_bytes(self.public_key[:_MLKEM_KEY_SIZE]),
                X25519PublicKey.from_public_bytes(self.public_key[_MLKEM_KEY_SIZE:]),
            )
        except ValueError as failure:
            raise KeyFormatError("the ML-KEM-768 part is not a valid key") from failure


@dataclass(frozen=True, slots=True, kw_only=True)
class X25519Recipient:
    """A classic public key (32 bytes), written `age1…`. For vectors and comparison only."""

    public_key: bytes

    def __post_init__(self) -> None:
        """Refuse, with KeyFormatError, bytes to which nothing could be sealed."""
        if len(self.public_key) != _X25519_KEY_SIZE:
            raise KeyFormatError("an X25519 recipient has 32 bytes")
        require_strong_point(self.public_key)

    @classmethod
    def from_text(cls, untrusted_text: str) -> Self:
        """Read `age1…`; KeyFormatError when it is mistyped or not such a recipient."""
        return cls(public_key=bech32.decode(untrusted_text, prefix=_X25519_PREFIX))

    def to_text(self) -> str:
        """Write `age1…`."""
        return bech32.encode(_X25519_PREFIX, self.public_key)

    def wrap(self, file_key: FileKey) -> Stanza:
        """Return the X25519 stanza: a fresh 32-byte share, a 32-byte body."""
        ephemeral = secrets.token_bytes(_X25519_KEY_SIZE)
        share = sodium.crypto_scalarmult_base(ephemeral)
        shared_secret = sodium.crypto_scalarmult(ephemeral, self.public_key)
        wrap_key = x25519_wrap_key(shared_secret, share=share, recipient=self.public_key)
        return Stanza(
            arguments=(X25519_STANZA, encode_base64(share)),
            body=_wrap(wrap_key, file_key),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScryptRecipient:
    """Whoever knows a passphrase. For vectors and comparison only.

    log_work_factor: base-two logarithm of scrypt's N (RFC 7914); 18 is what other programs use.
    """

    passphrase: str = field(repr=False)
    log_work_factor: int = 18

    def wrap(self, file_key: FileKey) -> Stanza:
        """Return the scrypt stanza, which must stay the only one in its header."""
        salt = secrets.token_bytes(_SCRYPT_SALT_SIZE)
        wrap_key = scrypt_wrap_key(self.passphrase, salt, log_work_factor=self.log_work_factor)
        return Stanza(
            arguments=(SCRYPT_STANZA, encode_base64(salt), str(self.log_work_factor)),
            body=_wrap(wrap_key, file_key),
        )


def require_strong_point(point: bytes) -> None:
    """Refuse a low-order X25519 point with KeyFormatError: every secret shared with it is zero."""
    try:
        sodium.crypto_scalarmult(bytes(_X25519_KEY_SIZE), point)
    except SodiumError as failure:
        raise KeyFormatError("the X25519 part is a point of low order") from failure


def x25519_wrap_key(shared_secret: bytes, *, share: bytes, recipient: bytes) -> bytes:
    """Derive the wrapping key of an X25519 stanza (c2sp.org/age, "X25519 recipient stanza")."""
    return hkdf_sha256(shared_secret, salt=share + recipient, info=b"age-encryption.org/v1/X25519")


def scrypt_wrap_key(passphrase: str, salt: bytes, *, log_work_factor: int) -> bytes:
    """Derive the wrapping key of a scrypt stanza (c2sp.org/age: r = 8, p = 1).

    Takes 2**log_work_factor KiB of memory: the caller bounds a factor that it has read.
    """
    work_factor = 1 << log_work_factor
    return hashlib.scrypt(
        passphrase.encode(),
        salt=b"age-encryption.org/v1/scrypt" + salt,
        n=work_factor,
        r=8,
        p=1,
        maxmem=(work_factor + 64) * 1024,
        dklen=32,
    )


def _wrap(wrap_key: bytes, file_key: FileKey) -> bytes:
    return sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
        file_key.secret, None, WRAP_NONCE, wrap_key
    )
