"""What a content seems to be by its first bytes: a media type, and containers that stay closed.

The type is a hint for people. What decides is the second list: things known to hold others, or to
be encrypted, that our walk cannot open and a scanner may pass over in silence.
"""

import re
from collections.abc import Callable
from typing import Final

from puremagic import PureError, from_string

from worker.inside.channel import Ending

HEAD_BYTES: Final = 4_096
"""How much is looked at: every sign below lies in it."""

# RFC 6838 section 4.2, as amana.wire.words has it, which is not in reach here.
_MEDIA_TYPE: Final = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}", re.ASCII
)


_ZIP: Final = b"PK\x03\x04"
"""Documents are zip too; which one it is cannot be seen here, and puremagic guesses."""


def _begins(sign: bytes, offset: int = 0) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(sign, offset)


# Signs from the formats' own descriptions. An Ending other than these two never comes from here.
_CLOSED: Final[tuple[tuple[Callable[[bytes], bool], Ending], ...]] = (
    (_begins(b"age-encryption.org/v1\n"), Ending.ENCRYPTED),
    (_begins(b"-----BEGIN AGE ENCRYPTED FILE-----"), Ending.ENCRYPTED),
    (_begins(b"-----BEGIN PGP MESSAGE-----"), Ending.ENCRYPTED),
    (_begins(b"LUKS\xba\xbe"), Ending.ENCRYPTED),
    (_begins(b"Salted__"), Ending.ENCRYPTED),  # openssl-enc(1)
    (_begins(b"\x60\xea"), Ending.UNSUPPORTED),  # ARJ
    (_begins(b"EGGA"), Ending.UNSUPPORTED),
    (_begins(b"ALZ\x01"), Ending.UNSUPPORTED),
    (_begins(b"**ACE**", 7), Ending.UNSUPPORTED),
    (_begins(b"LRZI"), Ending.UNSUPPORTED),
    (_begins(b"\x89LZO\x00\r\n\x1a\n"), Ending.UNSUPPORTED),
    (_begins(b"SIT!"), Ending.UNSUPPORTED),
    (_begins(b"StuffIt"), Ending.UNSUPPORTED),
    (_begins(b"zPQ"), Ending.UNSUPPORTED),
    (_begins(b"MSWIM\0\0\0"), Ending.UNSUPPORTED),
    (_begins(b"hsqs"), Ending.UNSUPPORTED),  # SquashFS
    (_begins(b"QFI\xfb"), Ending.UNSUPPORTED),  # QEMU disk
    (_begins(b"vhdxfile"), Ending.UNSUPPORTED),
    (_begins(b"conectix"), Ending.UNSUPPORTED),  # Virtual PC disk
    (_begins(b"KDMV"), Ending.UNSUPPORTED),  # VMware disk
    (_begins(_ZIP), Ending.UNREADABLE),
    (_begins(b"7z\xbc\xaf\x27\x1c"), Ending.UNREADABLE),
    (_begins(b"Rar!\x1a\x07"), Ending.UNREADABLE),
    (_begins(b"MSCF\0\0\0\0"), Ending.UNREADABLE),
    (_begins(b"\x1f\x8b"), Ending.UNREADABLE),
    (_begins(b"BZh"), Ending.UNREADABLE),
    (_begins(b"\xfd7zXZ\x00"), Ending.UNREADABLE),
    (_begins(b"\x28\xb5\x2f\xfd"), Ending.UNREADABLE),
)


def closed(head: bytes) -> Ending:
    """Say why a content that libarchive does not know is a container all the same, or COMPLETE.

    UNREADABLE: it has the sign of a format that libarchive should have known.
    """
    return next((ending for is_so, ending in _CLOSED if is_so(head)), Ending.COMPLETE)


def media_type(head: bytes) -> str | None:
    """Give the media type that the first bytes suggest."""
    if not head:
        return None
    if head.startswith(_ZIP):
        return "application/zip"
    try:
        name: str = from_string(head, mime=True)
    except (PureError, ValueError):
        return None
    return name if _MEDIA_TYPE.fullmatch(name) else None
