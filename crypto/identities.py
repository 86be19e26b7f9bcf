"""Private keys, and how each finds the file key in a header.

The only private keys of sealed objects are here: import contracts keep this module, and what is
built on it, out of the portal. HybridIdentity is the one in use; the other two exist so that this
implementation can be judged by every official age vector and compared with other programs. Nothing
here may be printed. Format: c2sp.org/age, "Native recipient types";
docs/format/01-sealed-object.md section 3.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey
from nacl import bindings as sodium
from nacl.exceptions import CryptoError as SodiumError

from crypto import bech32, header, recipients
from crypto.errors import HeaderError, KeyFormatError, NoMatchError
from crypto.filekey import FileKey
from crypto.header import Header, Stanza
from crypto.recipients import HybridRecipient, X25519Recipient

_SEED_SIZE: Final = 32  # c2sp.org/age: every native identity is 32 random bytes.
_MLKEM_SEED_SIZE: Final = 64  # FIPS 203 section 7.1: d and z
_HYBRID_PREFIX: Final = "age-secret-key-pq-"
_X25519_PREFIX: Final = "age-secret-key-"
_SCRYPT_SALT_SIZE: Final = 16
_SCRYPT_FACTOR: Final = re.compile(r"[1-9][0-9]?")  # No longer number could be within the limit.


class Identity(Protocol):
    """Whoever may be able to find a file key in a header."""

    def unwrap(self, stanzas: Sequence[Stanza]) -> FileKey | None:
        """Return the file key, or None when no stanza is for this identity.

        HeaderError: a stanza of the identity's own type is malformed.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HybridIdentity:
    """A post-quantum private key: the 32-byte seed of an X-Wing key pair. repr hides it."""

    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a seed of another length with KeyFormatError."""
        if len(self.seed) != _SEED_SIZE:
            raise KeyFormatError("a hybrid identity is a seed of 32 bytes")

    @classmethod
    def generate(cls) -> Self:
        """Make a new identity from the system's randomness."""
        return cls(seed=secrets.token_bytes(_SEED_SIZE))

    @classmethod
    def from_text(cls, untrusted_text: str) -> Self:
        """Read `AGE-SECRET-KEY-PQ-1…`; KeyFormatError when it is mistyped or something else."""
        return cls(seed=bech32.decode(untrusted_text, prefix=_HYBRID_PREFIX))

    def to_text(self) -> str:
        """Write `AGE-SECRET-KEY-PQ-1…`, which opens everything sealed to the recipient."""
        return bech32.encode(_HYBRID_PREFIX, self.seed).upper()

    @property
    def recipient(self) -> HybridRecipient:
        """The public half (about 1 ms of work)."""
        mlkem, x25519 = self._load()
        public_key = mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
        return HybridRecipient(public_key=public_key)

    def unwrap(self, stanzas: Sequence[Stanza]) -> FileKey | None:
        """Try every hybrid stanza: none of them says whose it is."""
        key = MLKEM768X25519PrivateKey(*self._load())
        for stanza in _own(stanzas, header.HYBRID_STANZA, argument_count=2):
            share = _read_share(stanza, header.HYBRID_SHARE_SIZE)
            _require_strong_share(share[-32:])
            try:
                secret = recipients.HYBRID_SUITE.decrypt(
                    share + stanza.body, key, recipients.HYBRID_INFO
                )
            except InvalidTag:
                continue
            return FileKey(secret=secret)
        return None

    def _load(self) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
        # X-Wing draft, section 5.2 (expandDecapsulationKey): SHAKE-256 yields both private keys.
        expanded = hashlib.shake_256(self.seed).digest(_MLKEM_SEED_SIZE + 32)
        return (
            MLKEM768PrivateKey.from_seed_bytes(expanded[:_MLKEM_SEED_SIZE]),
            X25519PrivateKey.from_private_bytes(expanded[_MLKEM_SEED_SIZE:]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class X25519Identity:
    """A classic private key (32 bytes). For vectors and comparison only."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a key of another length with KeyFormatError."""
        if len(self.secret) != _SEED_SIZE:
            raise KeyFormatError("an X25519 identity has 32 bytes")

    @classmethod
    def from_text(cls, untrusted_text: str) -> Self:
        """Read `AGE-SECRET-KEY-1…`; KeyFormatError when it is mistyped or something else."""
        return cls(secret=bech32.decode(untrusted_text, prefix=_X25519_PREFIX))

    def to_text(self) -> str:
        """Write `AGE-SECRET-KEY-1…`."""
        return bech32.encode(_X25519_PREFIX, self.secret).upper()

    @property
    def recipient(self) -> X25519Recipient:
        """The public half."""
        return X25519Recipient(public_key=sodium.crypto_scalarmult_base(self.secret))

    def unwrap(self, stanzas: Sequence[Stanza]) -> FileKey | None:
        """Try every X25519 stanza: none of them says whose it is."""
        public_key = self.recipient.public_key
        for stanza in _own(stanzas, recipients.X25519_STANZA, argument_count=2):
            share = _read_share(stanza, size=32)
            _require_strong_share(share)
            shared_secret = sodium.crypto_scalarmult(self.secret, share)
            wrap_key = recipients.x25519_wrap_key(shared_secret, share=share, recipient=public_key)
            if (file_key := _unwrap(wrap_key, stanza)) is not None:
                return file_key
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScryptIdentity:
    """A passphrase. For vectors and comparison only.

    max_log_work_factor: a greater factor is refused before any work; 18 takes 256 MiB of memory and
    is what other programs seal with (c2sp.org/age asks for a limit and names none).
    """

    passphrase: str = field(repr=False)
    max_log_work_factor: int = 18

    def unwrap(self, stanzas: Sequence[Stanza]) -> FileKey | None:
        """Try the scrypt stanza, which is the only one in its header."""
        for stanza in _own(stanzas, recipients.SCRYPT_STANZA, argument_count=3):
            salt = _read_share(stanza, _SCRYPT_SALT_SIZE)
            untrusted_factor = stanza.arguments[2]
            if not _SCRYPT_FACTOR.fullmatch(untrusted_factor):
                raise HeaderError("the scrypt work factor is not a plain small number")
            if (factor := int(untrusted_factor)) > self.max_log_work_factor:
                raise HeaderError("the scrypt work factor is over the limit")
            wrap_key = recipients.scrypt_wrap_key(self.passphrase, salt, log_work_factor=factor)
            return _unwrap(wrap_key, stanza)
        return None


def unwrap(file_header: Header, identity: Identity) -> FileKey:
    """Find the file key in a header, and check the header under it. No payload is needed.

    NoMatchError: it is not sealed to this identity. HeaderMacError: the header was changed.
    HeaderError: a stanza is malformed, or a passphrase's stanza is not alone (c2sp.org/age).
    """
    names = [stanza.arguments[0] for stanza in file_header.stanzas]
    if recipients.SCRYPT_STANZA in names and len(names) > 1:
        raise HeaderError("a scrypt stanza is not the only one in its header")
    file_key = identity.unwrap(file_header.stanzas)
    if file_key is None:
        raise NoMatchError("the file is not sealed to this identity")
    file_header.require_mac(file_key)
    return file_key


def _own(stanzas: Sequence[Stanza], name: str, *, argument_count: int) -> list[Stanza]:
    """Pick the stanzas of one type; their body is checked before any key touches it.

    c2sp.org/age asks for the length check, against partitioning oracles.
    """
    own = [stanza for stanza in stanzas if stanza.arguments[0] == name]
    for stanza in own:
        if len(stanza.arguments) != argument_count or len(stanza.body) != header.WRAPPED_KEY_SIZE:
            raise HeaderError("a stanza of a known type does not have its form")
    return own


def _read_share(stanza: Stanza, size: int) -> bytes:
    share = header.decode_base64(stanza.arguments[1])
    if len(share) != size:
        raise HeaderError("a stanza's share or salt does not have its length")
    return share


def _require_strong_share(share: bytes) -> None:
    """Turn a low-order share into a malformed header, which c2sp.org/age says it is."""
    try:
        recipients.require_strong_point(share)
    except KeyFormatError as failure:
        raise HeaderError("a stanza's share is a point of low order") from failure


def _unwrap(wrap_key: bytes, stanza: Stanza) -> FileKey | None:
    try:
        secret = sodium.crypto_aead_chacha20poly1305_ietf_decrypt(
            stanza.body, None, recipients.WRAP_NONCE, wrap_key
        )
    except SodiumError:
        return None
    return FileKey(secret=secret)
