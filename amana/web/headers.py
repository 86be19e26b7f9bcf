"""The headers that stand on every response, whoever made it, and the ones that never do.

A pure ASGI middleware, outermost: pages, redirects and errors leave through it. No address, agent
or time is looked at or kept. Reasons: docs/format/18-portal.md section 2.
"""

from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

FIXED: Final = MappingProxyType(
    {
        b"cache-control": b"no-store",
        b"cross-origin-embedder-policy": b"require-corp",
        b"cross-origin-opener-policy": b"same-origin",
        b"cross-origin-resource-policy": b"same-origin",
        b"permissions-policy": b"camera=(), display-capture=(), geolocation=(), microphone=()",
        b"referrer-policy": b"no-referrer",
        b"x-content-type-options": b"nosniff",
        b"x-frame-options": b"DENY",
        b"x-robots-tag": b"noindex, nofollow",
    }
)
"""What does not depend on the page. OWASP Secure Headers Project; Fetch and HTML standards."""

NEVER: Final = frozenset({b"date", b"etag", b"last-modified", b"server", b"x-powered-by"})
"""What would tell of the machine or its clock, or let a browser recognise a page it has seen."""


def content_security_policy(style_hashes: Iterable[str]) -> bytes:
    """Give the policy (CSP Level 3) under which nothing loads but the styles with these hashes.

    style_hashes: `sha256-…` each; without one no style applies at all.
    """
    styles = " ".join(f"'{each}'" for each in style_hashes) or "'none'"
    return (
        f"default-src 'none'; style-src {styles}; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ).encode("ascii")


def header_set(style_hashes: Iterable[str] = ()) -> tuple[tuple[bytes, bytes], ...]:
    """Give every header that a response must carry, names in lower case."""
    policy = (b"content-security-policy", content_security_policy(style_hashes))
    return (policy, *FIXED.items())


class SafeHeaders:
    """Puts the header set on each response of an application, in place of what it said itself."""

    def __init__(self, app: ASGIApp, *, style_hashes: Iterable[str] = ()) -> None:
        self._app = app
        self._headers = header_set(style_hashes)
        self._taken = NEVER | {name for name, _value in self._headers}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and its response back with the headers on it."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [each for each in message["headers"] if each[0].lower() not in self._taken]
                message = {**message, "headers": [*own, *self._headers]}
            await send(message)

        await self._app(scope, receive, send_with_headers)
