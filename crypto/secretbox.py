"""Secret boxes: short content under a key that somebody else keeps.

XSalsa20-Poly1305 with a random nonce (libsodium `crypto_secretbox`, through PyNaCl). For what must
lie somewhere and be read only with what its owner brings along, such as a draft. The length of the
content shows, up to a step that the caller chooses. Whoever holds the key can make a box as well as
open one. Used in docs/format/18-portal.md section 8.
"""

from typing import Final

from nacl.exceptions import CryptoError as SodiumError
from nacl.secret import SecretBox

from crypto.errors import SecretBoxError

KEY_BYTES: Final = SecretBox.KEY_SIZE
"""crypto_secretbox_KEYBYTES, 32."""

_LENGTH_BYTES: Final = 4


def seal_box(key: bytes, content: bytes, *, step_bytes: int) -> bytes:
    """Give a box around the content: a length of 4 bytes, the content, zeros up to a full step.

    SecretBoxError: the key has another length, or the content is 4 GiB long.
    """
    try:
        padded = len(content).to_bytes(_LENGTH_BYTES) + content
        padded += bytes(-len(padded) % step_bytes)
        return bytes(_box(key).encrypt(padded))
    except OverflowError as failure:
        raise SecretBoxError("the content is too long for a box") from failure


def open_box(key: bytes, untrusted: bytes) -> bytes:
    """Give the content of a box. SecretBoxError: another key, changed bytes, wrong padding."""
    box = _box(key)
    try:
        padded = box.decrypt(untrusted)
    except (SodiumError, ValueError) as failure:
        raise SecretBoxError("the box does not open with this key") from failure
    end = _LENGTH_BYTES + int.from_bytes(padded[:_LENGTH_BYTES])
    if len(padded) < _LENGTH_BYTES or end > len(padded) or any(padded[end:]):
        raise SecretBoxError("the box is padded otherwise than ours")
    return padded[_LENGTH_BYTES:end]


def _box(key: bytes) -> SecretBox:
    if len(key) != KEY_BYTES:
        raise SecretBoxError("the key of a box has 32 bytes")
    return SecretBox(key)
