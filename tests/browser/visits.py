"""Somebody at the portal's pages: what they see, press and type, and what the portal answered."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypeAlias

from playwright.async_api import ConsoleMessage, Error, Locator, Page
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from amana.i18n import Language, Sentence, Speaker
from tests.portal.conftest import House
from tests.portal.opened import Opened, opened

# What Chromium says of every page that is an answer of 400 or more.
_STATUS_IS_TOLD = "Failed to load resource: the server responded with a status of"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer as it left the portal."""

    method: str
    path: str
    status: int
    headers: dict[str, str]
    body_bytes: int


class Answers:
    """Passes everything on to an application and writes down what it answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.given: list[Answer] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started: list[Message] = []
        sizes: list[int] = []

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.append(message)
            elif message["type"] == "http.response.body":
                sizes.append(len(message.get("body", b"")))
                if not message.get("more_body"):
                    self._write_down(scope, started[0], sum(sizes))
            await send(message)

        await self._app(scope, receive, send_on)

    def _write_down(self, scope: Scope, start: Message, body_bytes: int) -> None:
        headers = {name.decode(): value.decode() for name, value in start["headers"]}
        self.given.append(
            Answer(
                method=scope["method"],
                path=scope["path"],
                status=start["status"],
                headers=headers,
                body_bytes=body_bytes,
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """A portal that is served at an address of this machine."""

    house: House
    address: str
    answers: list[Answer]

    def received(self) -> list[Opened]:
        """Everything that was given, opened as the quarantine does."""
        folders = sorted(self.house.places.received.iterdir())
        return [opened(each, self.house.identity, self.house.keys.public) for each in folders]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """How somebody looks at the pages."""

    language: Language
    has_script: bool = False

    def __str__(self) -> str:
        script = "script" if self.has_script else "plain"
        return f"{self.language}-{script}"


@dataclass(kw_only=True)  # playwright hangs a name of its own on whatever listens
class Visit:
    """One window with one page in it. Every step ends when the next page is whole."""

    portal: Portal
    window: Window
    page: Page
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", self._hear)

    def _hear(self, told: ConsoleMessage | Error) -> None:
        if isinstance(told, Error):
            self.complaints.append(str(told))
        elif told.type in {"error", "warning"} and not told.text.startswith(_STATUS_IS_TOLD):
            self.complaints.append(told.text)

    def say(self, key: str, **values: str | int) -> str:
        """The sentence, in the language of this visit."""
        return _speaker(self.window.language).say(Sentence(key=key, values=values))

    async def open(self, name: str = "") -> None:
        """Type an address: a page of this visit's language."""
        await self.page.goto(f"/{self.window.language}{'/' * bool(name)}{name}")

    async def follow(self, key: str) -> None:
        """Press the link that says this."""
        link = self.page.get_by_role("link", name=self.say(key), exact=True)
        await self._turn(link.first.click)

    async def press(self, key: str) -> None:
        """Press the button that says this."""
        button = self.page.get_by_role("button", name=self.say(key), exact=True)
        await self._turn(button.click)

    async def back(self) -> None:
        """Press the browser's own button."""
        await self._turn(lambda: self.page.evaluate("history.back()"))

    async def _turn(self, act: Callable[[], Awaitable[object]]) -> None:
        async with self.page.expect_navigation(wait_until="load"):
            await act()

    def field(self, key: str) -> Locator:
        """The field with this label."""
        return self.page.get_by_label(self.say(key), exact=True)

    async def choose(self, question: str, answer: str) -> None:
        """Answer a question with radio buttons."""
        group = self.page.get_by_role("group", name=self.say(question), exact=True)
        await group.get_by_label(self.say(answer), exact=True).check()

    async def attach(self, key: str, *paths: Path) -> None:
        """Choose files."""
        await self.field(key).set_input_files(list(paths))

    async def text(self) -> str:
        """What stands on the page."""
        return await self.page.locator("body").inner_text()

    async def words(self) -> list[str]:
        """The ten words that the page shows."""
        return await self.page.locator("ol bdi").all_inner_texts()

    @property
    def last(self) -> Answer:
        """What the portal answered last."""
        return self.portal.answers[-1]


@cache
def _speaker(language: Language) -> Speaker:
    return Speaker(language)


Come: TypeAlias = Callable[[Portal, Window], Awaitable[Visit]]
"""Opens a window on a portal (the fixture `come`)."""
