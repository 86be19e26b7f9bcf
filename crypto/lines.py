"""The small pieces that line-by-line texts are made of, each with one spelling only.

Notes, checkpoints and proofs share these three rules. Whatever has another spelling of the same
value is not that value: it is None, and the caller refuses with its own error. Nothing here raises.
Format: docs/format/03-signed-note.md, section "Pieces".
"""

import base64
from typing import Final

MAX_NUMBER: Final = 2**63 - 1
"""Largest number in a text: C2SP tlog-cosignature allows no later time, and every database and
language has signed 64-bit integers."""

_MAX_NUMBER_DIGITS: Final = len(str(MAX_NUMBER))


def bytes_of_base64(untrusted: str) -> bytes | None:
    """Read standard padded base64 (RFC 4648 section 4); None for any but the shortest spelling.

    Unused bits that are not zero, missing padding, line breaks and other alphabets are None too.
    """
    try:
        value = base64.b64decode(untrusted, validate=True)
    except ValueError:
        return None
    return value if base64_of(value) == untrusted else None


def base64_of(value: bytes) -> str:
    """Write bytes as standard padded base64 (RFC 4648 section 4)."""
    return base64.b64encode(value).decode("ascii")


def number_of(untrusted: str) -> int | None:
    """Read ASCII decimal from 0 to MAX_NUMBER without sign or leading zeros; else None."""
    if len(untrusted) > _MAX_NUMBER_DIGITS or not (untrusted.isascii() and untrusted.isdecimal()):
        return None
    value = int(untrusted)
    return value if value <= MAX_NUMBER and str(value) == untrusted else None


def utf8_of(text: str) -> bytes | None:
    """Write a text as UTF-8; None where it holds half a surrogate pair and has no such spelling."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return None


def text_of_utf8(untrusted: bytes) -> str | None:
    """Read strict UTF-8; None for anything else."""
    try:
        return untrusted.decode("utf-8")
    except UnicodeDecodeError:
        return None
