"""The ASCII form of an age file, for vectors and for other people's small files.

Our objects are binary. Armor is read whole, so its length is bounded first; it is strict PEM with
one spelling, except for white space around it and LF or CRLF as line ends.
Format: c2sp.org/age, "ASCII armor"; RFC 7468 section 3.
"""

import base64
import binascii
from typing import Final

from crypto.errors import ArmorError

MAX_ARMOR_SIZE: Final = 16 * 1024 * 1024
"""Bytes. Ours: it is all held in memory."""

_BEGIN: Final = b"-----BEGIN AGE ENCRYPTED FILE-----"
_END: Final = b"-----END AGE ENCRYPTED FILE-----"
_LINE_COLUMNS: Final = 64  # RFC 7468 section 2
_LINE_BYTES: Final = 48
_WHITE_SPACE: Final = b" \t\r\n"


def encode(age_file: bytes) -> bytes:
    """Write a binary age file as armor, with LF and a final line end."""
    starts = range(0, len(age_file), _LINE_BYTES)
    body = [base64.b64encode(age_file[start : start + _LINE_BYTES]) for start in starts]
    return b"".join(line + b"\n" for line in [_BEGIN, *body, _END])


def decode(untrusted: bytes, *, limit_bytes: int = MAX_ARMOR_SIZE) -> bytes:
    """Read armor and return the binary age file in it, which is not looked at.

    ArmorError: over the limit, not armor, or not in its one spelling.
    """
    if len(untrusted) > limit_bytes:
        raise ArmorError("the armor is over the limit")
    lines = untrusted.strip(_WHITE_SPACE).replace(b"\r\n", b"\n").split(b"\n")
    if lines[0] != _BEGIN or lines[-1] != _END or len(lines) == 1:
        raise ArmorError("the armor does not begin or end with its line")
    body = lines[1:-1]
    if any(len(line) != _LINE_COLUMNS for line in body[:-1]):
        raise ArmorError("the armor has a line that is not 64 columns long")
    if body and not 0 < len(body[-1]) <= _LINE_COLUMNS:
        raise ArmorError("the armor's last line is empty or over 64 columns")
    text = b"".join(body)
    try:
        age_file = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as failure:
        raise ArmorError("the armor holds something that is not base64") from failure
    if base64.b64encode(age_file) != text:
        raise ArmorError("the armor's base64 is not canonical")
    return age_file
