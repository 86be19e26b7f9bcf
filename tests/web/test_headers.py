"""The header set stands on every answer, in place of what an application said itself."""

import httpx
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from amana.web.headers import NEVER, SafeHeaders, content_security_policy, header_set


async def _talkative(scope: Scope, receive: Receive, send: Send) -> None:
    response = Response(
        "x", headers={"Server": "x", "ETag": "1", "Cache-Control": "public", "X-Own": "kept"}
    )
    await response(scope, receive, send)


async def test_what_an_application_says_against_the_set_is_replaced() -> None:
    app = SafeHeaders(_talkative, style_hashes=("sha256-abc=",))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://portal") as client:
        answer = await client.get("/")
    assert answer.headers.get_list("cache-control") == ["no-store"]
    assert answer.headers["x-own"] == "kept"
    assert not {name.encode() for name in answer.headers} & NEVER
    for name, value in header_set(("sha256-abc=",)):
        assert answer.headers[name.decode()] == value.decode()


def test_the_policy_lets_nothing_load_but_the_style_that_it_names() -> None:
    policy = content_security_policy(["sha256-abc="]).decode()
    assert policy.split("; ") == [
        "default-src 'none'",
        "style-src 'sha256-abc='",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]
    assert "style-src 'none'" in content_security_policy([]).decode()


def test_nothing_is_said_twice() -> None:
    names = [name for name, _value in header_set()]
    assert len(set(names)) == len(names)
