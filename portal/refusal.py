"""Why the portal does not take something: a closed list, each with a page and a status.

All pages are equally long, so that nobody outside can tell one reason from another by size. The
sentences are `portal.refused.<word>` in the catalogues.
"""

from enum import StrEnum, unique
from http import HTTPStatus
from types import MappingProxyType
from typing import Final


@unique
class Refusal(StrEnum):
    """The reason, as the visitor is told it."""

    BUSY = "busy"
    CLOSED = "closed"
    DRAFT_BUSY = "draft-busy"
    DRAFT_GONE = "draft-gone"
    FAILED = "failed"
    FORM_OLD = "form-old"
    METHOD = "method"
    NOT_FOUND = "not-found"
    NOTHING_GIVEN = "nothing-given"
    NO_ROOM = "no-room"
    SEALED_ALREADY = "sealed-already"
    TOO_LARGE = "too-large"
    TOO_MANY = "too-many"
    TOO_SLOW = "too-slow"
    UNREADABLE = "unreadable"
    WORDS = "words"

    @property
    def status(self) -> HTTPStatus:
        """The HTTP status that goes with the page."""
        return _STATUS[self]


_STATUS: Final = MappingProxyType(
    {
        Refusal.BUSY: HTTPStatus.SERVICE_UNAVAILABLE,
        Refusal.CLOSED: HTTPStatus.SERVICE_UNAVAILABLE,
        Refusal.DRAFT_BUSY: HTTPStatus.CONFLICT,
        Refusal.DRAFT_GONE: HTTPStatus.GONE,
        Refusal.FAILED: HTTPStatus.INTERNAL_SERVER_ERROR,
        Refusal.FORM_OLD: HTTPStatus.FORBIDDEN,
        Refusal.METHOD: HTTPStatus.METHOD_NOT_ALLOWED,
        Refusal.NOT_FOUND: HTTPStatus.NOT_FOUND,
        Refusal.NOTHING_GIVEN: HTTPStatus.BAD_REQUEST,
        Refusal.NO_ROOM: HTTPStatus.INSUFFICIENT_STORAGE,
        Refusal.SEALED_ALREADY: HTTPStatus.CONFLICT,
        Refusal.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        Refusal.TOO_MANY: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        # Not 408: a browser may send the whole form again by itself (RFC 9110 section 15.5.9).
        Refusal.TOO_SLOW: HTTPStatus.BAD_REQUEST,
        Refusal.UNREADABLE: HTTPStatus.BAD_REQUEST,
        Refusal.WORDS: HTTPStatus.BAD_REQUEST,
    }
)
