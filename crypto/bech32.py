"""Write key material as Bech32 text, and read it back.

Bech32 is BIP 173, without its limit of 90 characters (c2sp.org/age, "Conventions"): a post-quantum
recipient is 1 959 characters long. This module knows no key type and must never print what it is
given: the text may be a private key. Format: docs/format/01-sealed-object.md section 2.
"""

from collections.abc import Iterable
from typing import Final

from crypto.errors import KeyFormatError

MAX_TEXT_CHARACTERS: Final = 4096
"""Ours: the longest key has 1 959 characters; a longer text is refused before any work is done."""

_ALPHABET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"  # BIP 173, "Bech32"
_VALUES: Final = {character: value for value, character in enumerate(_ALPHABET)}
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)  # BIP 173
_CHECKSUM_CHARACTERS: Final = 6


def encode(prefix: str, data: bytes) -> str:
    """Write bytes as lower-case Bech32 text with the human-readable `prefix`, itself lower case."""
    values = _regroup(data, source_bits=8, target_bits=5)
    if (remainder := len(data) * 8 % 5) != 0:
        # The regrouping drops an unfinished group; on the way out it is filled with zero bits.
        values.append(data[-1] << (5 - remainder) & 31)
    residue = _checksum(prefix, [*values, *[0] * _CHECKSUM_CHARACTERS]) ^ 1
    check = [residue >> 5 * (5 - place) & 31 for place in range(_CHECKSUM_CHARACTERS)]
    return f"{prefix}1{''.join(_ALPHABET[value] for value in [*values, *check])}"


def decode(untrusted_text: str, *, prefix: str) -> bytes:
    """Read Bech32 text that must carry the human-readable `prefix` (given in lower case).

    Accepts all lower case or all upper case, as BIP 173 says. KeyFormatError: the text is too long,
    mixed in case, of another prefix, mistyped (checksum), or not canonical.
    """
    if len(untrusted_text) > MAX_TEXT_CHARACTERS:
        raise KeyFormatError("the key text is too long")
    if untrusted_text not in {untrusted_text.lower(), untrusted_text.upper()}:
        raise KeyFormatError("the key text mixes upper and lower case")
    found_prefix, separator, encoded = untrusted_text.lower().rpartition("1")
    if not separator or found_prefix != prefix:
        raise KeyFormatError("the key text begins with another prefix than the one expected")
    if len(encoded) < _CHECKSUM_CHARACTERS or any(c not in _VALUES for c in encoded):
        raise KeyFormatError("the key text is too short or has a character outside the alphabet")
    values = [_VALUES[character] for character in encoded]
    if _checksum(prefix, values) != 1:
        raise KeyFormatError("the key text is mistyped: its checksum does not match")
    return _from_groups(values[:-_CHECKSUM_CHARACTERS])


def _from_groups(values: list[int]) -> bytes:
    """Turn five-bit groups back into bytes; what is left over must be fewer than five zero bits."""
    spare_bits = len(values) * 5 % 8
    has_spare_group = spare_bits > 4  # noqa: PLR2004 (a group has five bits; BIP 173 allows four)
    if has_spare_group or (spare_bits and values[-1] & ((1 << spare_bits) - 1)):
        raise KeyFormatError("the key text is not canonical: its last bits are not zero")
    return bytes(_regroup(values, source_bits=5, target_bits=8))


def _regroup(values: Iterable[int], *, source_bits: int, target_bits: int) -> list[int]:
    accumulator = held_bits = 0
    groups = []
    for value in values:
        accumulator = (accumulator << source_bits | value) & 0xFFF
        held_bits += source_bits
        while held_bits >= target_bits:
            held_bits -= target_bits
            groups.append(accumulator >> held_bits & ((1 << target_bits) - 1))
    return groups


def _checksum(prefix: str, values: Iterable[int]) -> int:
    codes = [ord(character) for character in prefix]
    residue = 1
    for value in [*(c >> 5 for c in codes), 0, *(c & 31 for c in codes), *values]:
        top = residue >> 25
        residue = (residue & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(_GENERATOR):
            if top >> place & 1:
                residue ^= generator
    return residue
