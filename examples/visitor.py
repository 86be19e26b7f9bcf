"""A person at the portal's pages, without script: reads the ten words, gives files, comes back."""

import html
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import httpx

ANSWERS: Final = {
    "PRESERVE": "YES",
    "ANALYSE_INTERNAL": "YES",
    "SHARE_INTERNATIONAL_COURT": "ASK_ME_FIRST",
    "PUBLIC_REPORT_REDACTED": "NO",
}
"""What this person decides; what is not answered counts as no."""

_WORD: Final = re.compile(r"<li><bdi>([^<]+)</bdi>")
_TOKEN: Final = re.compile(r'name="token" value="([^"]+)"')
_STATUS: Final = re.compile(r"<li><strong>([^<]+)</strong>.*?<br>([^<]+)</li>", re.DOTALL)
_SECONDS: Final = 120.0


class Visitor:
    """One visit. ConnectionError: the portal answers otherwise than it should."""

    def __init__(self, portal: str, language: str = "en") -> None:
        self._client = httpx.Client(
            base_url=f"{portal}/{language}", timeout=_SECONDS, follow_redirects=True
        )
        self.words = " ".join(_WORD.findall(self._page("words")))

    def close(self) -> None:
        """Leave, and let go of the line."""
        self._client.close()

    def give(self, files: Sequence[Path], text: str) -> str:
        """Go from page to page and give a text and files, one after the other.

        Return the heading of the page that answers.
        """
        self._send("words", {"words": self.words})
        self._send("purposes", ANSWERS)
        self._add("text", (None, text.encode()))
        for path in files:
            self._add("files", (path.name, path.read_bytes()))
        return _heading(self._send("review", {}))

    def statuses(self) -> list[str]:
        """Come back with the words; return what the page says, newest first."""
        page = self._send("return", {"words": self.words})
        return [f"{day}: {html.unescape(told)}" for day, told in _STATUS.findall(page)]

    def _send(self, page: str, fields: dict[str, str]) -> str:
        form = {"token": self._token(page), **fields}
        return self._checked(self._client.post(page, data=form))

    def _add(self, name: str, part: tuple[str | None, bytes]) -> None:
        token = (None, self._token("files").encode())
        self._checked(self._client.post("files", files=[("token", token), (name, part)]))

    def _token(self, page: str) -> str:
        found = _TOKEN.search(self._page(page))
        if found is None:
            raise ConnectionError(page)
        return found[1]

    def _page(self, name: str) -> str:
        return self._checked(self._client.get(name))

    def _checked(self, answer: httpx.Response) -> str:
        if answer.status_code >= httpx.codes.BAD_REQUEST:
            raise ConnectionError(f"{answer.status_code}: {_heading(answer.text)}")
        return answer.text


def _heading(page: str) -> str:
    return html.unescape("".join(re.findall(r"<h1>(.*?)</h1>", page)))
