"""A portal that is really served, and Debian's Chromium in front of it, with script and without.

Everything in here runs on one event loop for the whole session, as the browser does. The portal's
own thread serves over loopback, and every answer that leaves it is written down.
"""

import os
import shutil
import threading
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from amana.events import EventLog
from amana.web.server import listen, server
from portal.app import build_app
from portal.limits import Limits
from tests.browser.visits import Answers, Portal, Visit, Window
from tests.portal.conftest import LIMITS, House, directory, house, identity

__all__ = ["directory", "house", "identity"]


@pytest.fixture
def serve(house: House) -> Iterator[Callable[..., Portal]]:
    """Start the portal, with other limits if they are named; it ends with the test."""
    ends: list[Callable[[], None]] = []

    def start(limits: Limits = LIMITS) -> Portal:
        app = build_app(
            house.settings, house.clock, EventLog(house.log.append, house.clock), limits
        )
        answers = Answers(app)
        listener = listen("127.0.0.1:0", house.settings.data_directory)
        running = server(answers)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
        thread.start()

        def end() -> None:
            running.should_exit = True
            thread.join()
            listener.close()

        ends.append(end)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        return Portal(house=house, address=address, answers=answers.given)

    yield start
    for end in ends:
        end()


@pytest.fixture
def portal(serve: Callable[..., Portal]) -> Portal:
    return serve()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    program = shutil.which("chromium")
    assert program, "chromium is not installed: python3 scripts/setup.py test"
    # Its sandbox wants an ordinary user; these pages are our own.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=program, args=arguments)
        yield launched
        await launched.close()


@pytest_asyncio.fixture(loop_scope="session")
async def come(browser: Browser) -> AsyncIterator[Callable[..., object]]:
    """Open a window on a portal, as somebody who was never there; closed with the test."""
    contexts = []

    async def open_window(portal: Portal, window: Window) -> Visit:
        context = await browser.new_context(
            base_url=portal.address,
            java_script_enabled=window.has_script,
            viewport={"width": 360, "height": 740},
            color_scheme="light",
        )
        contexts.append(context)
        context.set_default_timeout(15_000)
        return Visit(portal=portal, window=window, page=await context.new_page())

    yield open_window
    for context in contexts:
        await context.close()
