"""Short forms: a few fields, `application/x-www-form-urlencoded`, read whole before they count.

Nothing of a field is kept or quoted when it is refused. Format: docs/format/18-portal.md sections 7
and 8.
"""

import asyncio
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from crypto.phrase import MAX_TEXT_CHARACTERS
from portal.errors import RefusedError
from portal.refusal import Refusal

BODY_LIMIT_BYTES: Final = 12 * MAX_TEXT_CHARACTERS + 1_024
"""Longest body: ten words of four bytes a character, each written %XX, and the token."""

BODY_SECONDS: Final = 60
"""How long the body may take."""


def fields_in(untrusted: bytes, *, most: int) -> dict[str, str]:
    """Give the fields of a body. RefusedError: UNREADABLE; too many, or one stands twice."""
    try:
        pairs = parse_qsl(
            untrusted.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=most,
        )
    except ValueError:
        raise RefusedError(Refusal.UNREADABLE) from None  # the cause would quote the words
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise RefusedError(Refusal.UNREADABLE)
    return fields


async def short_body(request: Request) -> bytes:
    """Read a short body. RefusedError: too long, too slow, cut."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > BODY_LIMIT_BYTES:
                    raise RefusedError(Refusal.UNREADABLE)
    except TimeoutError:
        raise RefusedError(Refusal.TOO_SLOW) from None
    except ClientDisconnect:
        raise RefusedError(Refusal.UNREADABLE) from None
    return bytes(body)
