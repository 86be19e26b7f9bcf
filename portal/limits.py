"""How much of what a stranger may send, each limit looked at before anything is believed."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one upload by form.

    body_bytes: the whole body; larger files are for enrolled members (docs/format/18-portal.md).
    items: files, and the text. field_bytes: one answer or token. idle_seconds: no byte at all.
    upload_seconds: the whole, so that nobody holds a place for ever. uploads: at one time.
    token_seconds, token_bytes: until the token has come; only then an upload takes a place.
    spare_bytes: disk that must stay free.
    """

    body_bytes: int = 4 << 30
    items: int = 500
    field_bytes: int = 512
    idle_seconds: float = 180
    upload_seconds: float = 24 * 3600
    uploads: int = 32
    token_seconds: float = 60
    token_bytes: int = 64 * 1024
    spare_bytes: int = 1 << 30


DEFAULT: Final = Limits()
