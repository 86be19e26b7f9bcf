"""Keep a secret in a file under a passphrase.

The file says in clear how it was locked and nothing of what it holds. It must never be written
with a weaker cost than the caller asked for, and never be believed about a cost before the
limits are checked: a hostile file could otherwise take all memory.
Format: docs/format/15-key-file.md.
"""

import base64
import binascii
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import nacl.bindings
import nacl.exceptions
import nacl.pwhash.argon2id
import nacl.utils

from crypto import canonical
from crypto.errors import CanonicalError, KeyFormatError, NoMatchError

FORMAT: Final = "amana/key-file/v1"
LIMIT_BYTES: Final = 65_536
"""Longest key file that is read: member keys take about 3 KiB, an officer's ring stays below 64."""

_SALT_BYTES: Final = nacl.pwhash.argon2id.SALTBYTES
_NONCE_BYTES: Final = nacl.bindings.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
_KEY_BYTES: Final = nacl.bindings.crypto_aead_xchacha20poly1305_ietf_KEYBYTES
_TAG_BYTES: Final = nacl.bindings.crypto_aead_xchacha20poly1305_ietf_ABYTES
_FIELDS: Final = frozenset({"box", "format", "memory_bytes", "nonce", "operations", "salt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """How hard one guess of the passphrase is: Argon2id version 1.3 (RFC 9106), one lane."""

    memory_bytes: int
    operations: int

    def __post_init__(self) -> None:
        """Refuse what libsodium cannot do, and what would take the reader's machine down."""
        if not LEAST_MEMORY_BYTES <= self.memory_bytes <= MOST_MEMORY_BYTES:
            raise KeyFormatError("key file asks for a memory cost outside the limits")
        if not 1 <= self.operations <= MOST_OPERATIONS:
            raise KeyFormatError("key file asks for a time cost outside the limits")


LEAST_MEMORY_BYTES: Final = nacl.pwhash.argon2id.MEMLIMIT_MIN
MOST_MEMORY_BYTES: Final = 1 << 30
"""1 GiB, libsodium's MEMLIMIT_SENSITIVE: more than we ever write, still possible on a laptop."""
MOST_OPERATIONS: Final = 10

PEOPLE: Final = Cost(memory_bytes=256 << 20, operations=3)
"""For passphrases that people choose: libsodium's MODERATE profile, about 0.4 s on two cores."""


def lock(secret: bytes, passphrase: str, cost: Cost = PEOPLE) -> bytes:
    """Lock a secret under a passphrase.

    Returns the whole file: one line of RFC 8785 JSON and a newline. Salt and nonce are fresh, so
    locking the same secret twice gives two different files. KeyFormatError: the passphrase holds
    half a surrogate pair, which no other program could type.
    """
    salt = nacl.utils.random(_SALT_BYTES)
    nonce = nacl.utils.random(_NONCE_BYTES)
    box = nacl.bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
        secret, _bound(cost, salt), nonce, _stretch(passphrase, cost, salt)
    )
    return canonical.encode(_clear(cost, salt) | {"box": _b64(box), "nonce": _b64(nonce)}) + b"\n"


def unlock(untrusted: bytes, passphrase: str) -> bytes:
    """Give back what `lock` was given.

    Raises KeyFormatError when the bytes are not a key file or the passphrase is no text,
    NoMatchError when the passphrase is wrong or the file was changed (nobody can tell which).
    """
    fields = _fields(untrusted)
    cost = Cost(
        memory_bytes=_integer(fields, "memory_bytes"), operations=_integer(fields, "operations")
    )
    salt = _unb64(fields, "salt", _SALT_BYTES)
    nonce = _unb64(fields, "nonce", _NONCE_BYTES)
    box = _unb64(fields, "box")
    if len(box) < _TAG_BYTES:
        raise KeyFormatError("key file: the box is shorter than its tag")
    try:
        return nacl.bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
            box, _bound(cost, salt), nonce, _stretch(passphrase, cost, salt)
        )
    except (nacl.exceptions.CryptoError, nacl.exceptions.ValueError) as failure:
        raise NoMatchError("wrong passphrase, or the key file was changed") from failure


def _clear(cost: Cost, salt: bytes) -> dict[str, canonical.JsonValue]:
    return {
        "format": FORMAT,
        "memory_bytes": cost.memory_bytes,
        "operations": cost.operations,
        "salt": _b64(salt),
    }


def _bound(cost: Cost, salt: bytes) -> bytes:
    """Everything that stands in clear is bound to the box as associated data."""
    return canonical.encode(_clear(cost, salt))


def _stretch(passphrase: str, cost: Cost, salt: bytes) -> bytes:
    return nacl.pwhash.argon2id.kdf(
        _KEY_BYTES,
        _utf8(passphrase),
        salt,
        opslimit=cost.operations,
        memlimit=cost.memory_bytes,
    )


def _utf8(passphrase: str) -> bytes:
    with suppress(UnicodeEncodeError):
        return passphrase.encode()
    # Raised out here, since the failure above holds the passphrase and would travel as the context.
    raise KeyFormatError("the passphrase holds half a surrogate pair")


def _fields(untrusted: bytes) -> dict[str, canonical.JsonValue]:
    if not untrusted.endswith(b"\n"):
        raise KeyFormatError("key file does not end with a newline")
    try:
        value = canonical.decode(untrusted[:-1], limit_bytes=LIMIT_BYTES)
    except CanonicalError as failure:
        raise KeyFormatError("key file is not one line of canonical JSON") from failure
    if not isinstance(value, dict) or value.keys() != _FIELDS or value["format"] != FORMAT:
        raise KeyFormatError("key file has other fields than its format")
    return value


def _integer(fields: dict[str, canonical.JsonValue], name: str) -> int:
    value = fields[name]
    if type(value) is not int:
        raise KeyFormatError(f"key file: {name} is not an integer")
    return value


def _unb64(fields: dict[str, canonical.JsonValue], name: str, size: int | None = None) -> bytes:
    value = fields[name]
    if not isinstance(value, str):
        raise KeyFormatError(f"key file: {name} is not text")
    try:
        data = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except (binascii.Error, ValueError) as failure:
        raise KeyFormatError(f"key file: {name} is not base64url") from failure
    if _b64(data) != value or (size is not None and len(data) != size):
        raise KeyFormatError(f"key file: {name} has the wrong length or spelling")
    return data


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
