"""One HTTP client for all zones: an onion address through Tor, or this machine, and nothing else.

There is no way from here into the open network, not by a redirect, a proxy of the environment or a
mistyped address: every request is looked at once more before it leaves, and a name is never looked
up outside Tor. Nothing is sent that tells of a version. Onion addresses: Tor rendezvous
specification, version 3, "Encoding onion addresses".
"""

import base64
import hashlib
import ipaddress
import re
from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Final
from urllib.parse import quote

import httpx

from amana.link.errors import AddressError, AnswerError

CONNECT_SECONDS: Final = 90
"""Building a circuit to an onion service takes seconds, on a bad day a minute and more."""

SILENCE_SECONDS: Final = 120
"""How long the other side may be silent, and how long a write may stand still."""

_ONION_BYTES: Final = 35  # 32 of the key, 2 of the checksum, 1 of the version
_ONION_VERSION: Final = 3
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_LAST_PORT: Final = 65_535
_UNIX: Final = ("http+unix:", "unix:")
_UNIX_HOST: Final = "amana.invalid"
_HEADERS: Final = {"accept": "*/*", "accept-encoding": "identity", "connection": "keep-alive"}


def open_link(url: str, *, socks: str | None = None, isolation: str | None = None) -> httpx.Client:
    """Give a client for one portal; close it, or use it with `with`. Paths are relative to `url`.

    url: `http://….onion`, `http://127.0.0.1:PORT`, or `unix:PATH`. socks: `HOST:PORT` of Tor's
    SOCKS port, HOST an address in numbers on this machine or a private network; needed for an onion
    address, not used for others. isolation: any word; what has another word goes over another
    circuit (Tor: IsolateSOCKSAuth).
    AddressError: the URL is anything else. The client raises it too for a request elsewhere, and
    httpx.TransportError when the other side is not reached or goes away. It follows no redirect.
    """
    for scheme in _UNIX:
        if url.startswith(scheme):
            transport = httpx.HTTPTransport(uds=url.removeprefix(scheme), trust_env=False)
            return _client(httpx.URL(f"http://{_UNIX_HOST}"), transport)
    base = _parse(url)
    if not base.host.endswith(".onion"):
        _require_loopback(base.host)
        return _client(base, httpx.HTTPTransport(trust_env=False))
    _require_onion(base.host)
    if socks is None:
        raise AddressError("an onion address is reached through Tor only: its SOCKS port is needed")
    try:
        proxy = httpx.Proxy(_proxy_url(socks, isolation))
    except (httpx.InvalidURL, ValueError) as failure:
        raise AddressError("Tor's SOCKS port is named as 127.0.0.1:9050") from failure
    return _client(base, httpx.HTTPTransport(proxy=proxy, trust_env=False))


def read_bounded(response: httpx.Response, limit_bytes: int) -> bytes:
    """Give the body of a response that is being streamed. AnswerError: it is over the limit."""
    body = bytearray()
    for piece in bounded(response, limit_bytes):
        body += piece
    return bytes(body)


def bounded(response: httpx.Response, limit_bytes: int) -> Iterator[bytes]:
    """Yield the bytes of a streamed response as they come, undecoded.

    AnswerError: more come than the limit, before those above it are given.
    """
    size = 0
    for piece in response.iter_raw():
        size += len(piece)
        if size > limit_bytes:
            raise AnswerError("the answer is longer than it may be")
        yield piece


class _OnlyThere(httpx.BaseTransport):
    """Lets a request pass to the one host that the client was opened for."""

    def __init__(self, inner: httpx.BaseTransport, base: httpx.URL) -> None:
        self._inner = inner
        self._place = (base.scheme, base.host, base.port)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        if (url.scheme, url.host, url.port) != self._place:
            raise AddressError("the request is for another host than the link was opened for")
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


def _client(base: httpx.URL, transport: httpx.BaseTransport) -> httpx.Client:
    client = httpx.Client(
        base_url=base,
        headers=_HEADERS,
        transport=_OnlyThere(transport, base),
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS),
    )
    # The library's own names it and its version.
    del client.headers["user-agent"]
    # Whatever the other side wants kept, to know us again by, is not kept.
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
    return client


def _parse(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as failure:
        raise AddressError("the address is no URL") from failure
    if parsed.scheme != "http" or parsed.userinfo or parsed.query or parsed.fragment:
        raise AddressError("the address is not http://HOST or unix:PATH")
    return parsed


def _require_loopback(host: str) -> None:
    try:
        is_here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_here = False
    if not is_here:
        raise AddressError("the address is neither an onion service nor this machine")


def _require_onion(host: str) -> None:
    """Check the checksum that is in every address: one mistyped letter must not go anywhere."""
    label = host.removesuffix(".onion").rpartition(".")[2]
    try:
        raw = base64.b32decode(label.upper())
    except ValueError:  # binascii.Error is one; a label of other letters than ASCII another
        raw = b""
    if len(raw) == _ONION_BYTES and raw[-1] == _ONION_VERSION:
        summed = hashlib.sha3_256(b".onion checksum" + raw[:32] + raw[-1:]).digest()
        if summed[:2] == raw[32:34]:
            return
    raise AddressError("the onion address is mistyped: its checksum does not fit")


def _proxy_url(socks: str, isolation: str | None) -> str:
    host, _, port = socks.removeprefix("socks5h://").rpartition(":")
    try:
        is_near = ipaddress.ip_address(host.strip("[]")).is_private
    except ValueError:
        is_near = False
    if not is_near or not _PORT.fullmatch(port) or int(port) > _LAST_PORT:
        raise AddressError("Tor's SOCKS port is named as 127.0.0.1:9050")
    word = "" if isolation is None else f"{quote('amana', safe='')}:{quote(isolation, safe='')}@"
    return f"socks5h://{word}{host}:{port}"
