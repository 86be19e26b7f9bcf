"""How much of what a stranger may send, each limit looked at before anything is believed."""

from dataclasses import dataclass
from typing import Final

from crypto.phrase import MAX_TEXT_CHARACTERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one upload by form, and of a draft.

    body_bytes: the whole body, or all that one draft was given; larger files are for enrolled
    members (docs/format/18-portal.md). items: files, and texts. field_bytes: one answer or token.
    words_bytes: the ten words. idle_seconds: no byte at all.
    upload_seconds: the whole, so that nobody holds a place for ever. uploads: at one time.
    token_seconds, token_bytes: until the token has come; only then an upload takes a place.
    spare_bytes: disk that must stay free. drafts: at one time. draft_pool_bytes: sealed bytes of
    all drafts. draft_seconds: a draft without a request or a byte. handed_seconds: one that was
    handed over, for its receipt. stall_seconds: a writer of a draft that was silent so long gives
    way to another.
    """

    body_bytes: int = 4 << 30
    items: int = 500
    field_bytes: int = 512
    words_bytes: int = 4 * MAX_TEXT_CHARACTERS
    idle_seconds: float = 180
    upload_seconds: float = 24 * 3600
    uploads: int = 32
    token_seconds: float = 60
    token_bytes: int = 64 * 1024
    spare_bytes: int = 1 << 30
    drafts: int = 20_000
    draft_pool_bytes: int = 256 << 30
    draft_seconds: float = 1_800
    handed_seconds: float = 300
    stall_seconds: float = 20


DEFAULT: Final = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadLimits:
    """The limits of sealed uploads by enrolled members (docs/format/23-upload.md section 5).

    object_bytes: one sealed object. pool_bytes: all uploads that are in no submission yet.
    uploads: of one account at a time. witness_bytes: disk that uploads leave to those who come by
    the form. sessions: of one account. session_seconds: without a request or a byte.
    idle_seconds: no byte at all. stall_seconds: a writer that was silent so long gives way to
    another. commit_bytes: at most so much is sent again after a break. keep_days: an upload that
    nothing was added to.
    """

    object_bytes: int = 256 << 30
    pool_bytes: int = 4 << 40
    uploads: int = 70_000
    witness_bytes: int = 4 << 30
    sessions: int = 16
    session_seconds: float = 1_800
    idle_seconds: float = 180
    stall_seconds: float = 5
    commit_bytes: int = 8 << 20
    keep_days: int = 7


UPLOADS: Final = UploadLimits()
