"""A person who goes through the pages one after the other, with the one cookie."""

import re
from collections.abc import Iterator

import httpx

from tests.portal.body import CONTENT_TYPE, body, field, file

_TOKEN = re.compile(r'name="token" value="([^"]+)"')
SMALL = file("a.jpg", b"A" * 300_000)


class Traveller:
    """One browser in front of a portal; its client keeps the cookie."""

    def __init__(self, client: httpx.Client, language: str = "en") -> None:
        self.client = client
        self.language = language

    def page(self, step: str) -> httpx.Response:
        return self.client.get(f"/{self.language}/{step}")

    def token(self, step: str) -> str:
        found = _TOKEN.search(self.page(step).text)
        return "" if found is None else found[1]

    def post(self, step: str, **fields: str) -> httpx.Response:
        form = {"token": self.token(step), **fields}
        return self.client.post(f"/{self.language}/{step}", data=form)

    def begin(self, words: str = "", **answers: str) -> None:
        assert self.post("words", words=words).headers["location"] == self.path("purposes")
        assert self.post("purposes", **answers).headers["location"] == self.path("files")

    def add(self, *parts: bytes) -> httpx.Response:
        return self.send(body(field("token", self.token("files")), *parts))

    def send(self, content: bytes | Iterator[bytes]) -> httpx.Response:
        headers = {"content-type": CONTENT_TYPE}
        return self.client.post(self.path("files"), content=content, headers=headers)

    def whole(self, *parts: bytes) -> bytes:
        return body(field("token", self.token("files")), *parts)

    def hand_over(self) -> httpx.Response:
        return self.post("review")

    def path(self, step: str) -> str:
        return f"/{self.language}/{step}"

    @property
    def cookie(self) -> str:
        return self.client.cookies["draft"]

    @property
    def shown(self) -> list[str]:
        """What the page for files lists."""
        found = re.findall(
            r"<li>((?:File|Text) [^<]*: )<bdi>([^<]*)</bdi></li>", self.page("files").text
        )
        return [_plain(first + second) for first, second in found]


def _plain(text: str) -> str:
    return text.replace("\u2068", "").replace("\u2069", "")
