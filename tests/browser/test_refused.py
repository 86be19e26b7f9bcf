"""Whoever is refused is told what happened and what to do; nothing of it is kept."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from amana.i18n import Language
from portal.limits import Limits
from portal.pages import REFUSAL_BYTES
from portal.refusal import Refusal
from tests.browser.looks import look
from tests.browser.visits import Come, Portal, Visit, Window

pytestmark = pytest.mark.asyncio(loop_scope="session")

LIMITS = Limits(spare_bytes=0, body_bytes=1 << 20, items=3)
DAYS_2 = 48 * 3600


@pytest.fixture
def strict_portal(serve: Callable[[Limits], Portal]) -> Portal:
    return serve(LIMITS)


async def type_words_that_are_none(visit: Visit, folder: Path) -> None:
    """Two words."""
    await visit.field("portal.give.words").fill("نهر قمر")
    await attach(visit, folder, 1, 10)


async def wait_for_two_days(visit: Visit, folder: Path) -> None:
    visit.portal.house.clock.advance(DAYS_2)
    await attach(visit, folder, 1, 10)


async def choose_too_much(visit: Visit, folder: Path) -> None:
    await attach(visit, folder, 1, 3 << 20)


async def choose_too_many(visit: Visit, folder: Path) -> None:
    await attach(visit, folder, 4, 10)


async def fill_in_nothing(_visit: Visit, _folder: Path) -> None:
    """Only the button."""


async def attach(visit: Visit, folder: Path, count: int, size: int) -> None:
    paths = [folder / f"{number}.bin" for number in range(count)]
    for path in paths:
        path.write_bytes(bytes(size))
    await visit.attach("portal.give.files", *paths)


@pytest.mark.parametrize(
    "case",
    [
        (type_words_that_are_none, Refusal.WORDS),
        (wait_for_two_days, Refusal.FORM_OLD),
        (choose_too_much, Refusal.TOO_LARGE),
        (choose_too_many, Refusal.TOO_MANY),
        (fill_in_nothing, Refusal.NOTHING_GIVEN),
    ],
)
async def test_a_refusal_says_what_happened_and_leads_back_to_the_form(
    strict_portal: Portal,
    come: Come,
    tmp_path: Path,
    case: tuple[Callable[[Visit, Path], Awaitable[None]], Refusal],
) -> None:
    portal, (act, refusal) = strict_portal, case
    for language in (Language.AR, Language.EN):
        visit = await come(portal, Window(language=language, has_script=language is Language.AR))
        await visit.open("give")
        await act(visit, tmp_path)
        await visit.press("portal.give.send")
        await look(visit, status=refusal.status)
        assert visit.last.body_bytes == REFUSAL_BYTES
        said = await visit.text()
        assert visit.say(f"portal.refused.{refusal.value}") in said
        assert visit.say("portal.refused.nothing-kept") in said
        await nothing_is_left(portal)
        await visit.follow("portal.refused.form")
        assert visit.page.url == f"{portal.address}/{language}/give"


async def nothing_is_left(portal: Portal) -> None:
    """The answer may be there a moment before the last piece is taken back."""
    for _ in range(100):
        if not portal.house.left:
            break
        await asyncio.sleep(0.05)
    assert portal.house.left == set()


@pytest.mark.parametrize("has_script", [False, True])
async def test_an_old_page_of_return_is_refused_too(
    portal: Portal, come: Come, *, has_script: bool
) -> None:
    visit = await come(portal, Window(language=Language.AR, has_script=has_script))
    await visit.open("return")
    portal.house.clock.advance(DAYS_2)
    await visit.press("portal.return.send")
    await look(visit, status=Refusal.FORM_OLD.status)
