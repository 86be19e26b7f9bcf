"""Every page by itself: on a small phone and on a desk, by day and by night, by keyboard alone."""

import pytest

from amana.i18n import Language
from tests.browser.looks import accessibility, keyboard, look
from tests.browser.visits import Come, Portal, Window

pytestmark = pytest.mark.asyncio(loop_scope="session")

LANGUAGES = [Language.AR, Language.EN]
PAGES = ["", "before", "words", "give", "return", "nowhere"]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_page_fits_its_window_and_costs_one_request(
    portal: Portal, come: Come, language: Language
) -> None:
    visit = await come(portal, Window(language=language))
    for page in PAGES:
        await visit.open(page)
        await look(visit, status=404 if page == "nowhere" else 200)
    asked = [f"/{language}/{page}".rstrip("/") for page in PAGES]
    assert [answer.path for answer in portal.answers] == asked


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_foreign_eye_finds_no_barrier(
    portal: Portal, come: Come, language: Language
) -> None:
    """axe-core, which needs script to look; the pages themselves have none."""
    visit = await come(portal, Window(language=language, has_script=True))
    for page in PAGES:
        await visit.open(page)
        assert await accessibility(visit) == [], page


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_keyboard_reaches_everything_and_leaving_first(
    portal: Portal, come: Come, language: Language
) -> None:
    visit = await come(portal, Window(language=language))
    for page in PAGES:
        await visit.open(page)
        said = await keyboard(visit)
        assert said[0] == visit.say("portal.leave")
        if page == "give":
            assert said[-1] == visit.say("portal.give.send")


async def test_whoever_leaves_by_keyboard_needs_two_keys(portal: Portal, come: Come) -> None:
    visit = await come(portal, Window(language=Language.AR))
    await visit.open("give")
    async with visit.page.expect_navigation():
        await visit.page.keyboard.press("Tab")
        await visit.page.keyboard.press("Enter")
    assert visit.page.url == f"{portal.address}/left"


async def test_leaving_is_in_sight_at_the_end_of_the_longest_page(
    portal: Portal, come: Come
) -> None:
    visit = await come(portal, Window(language=Language.AR))
    await visit.open("give")
    await visit.page.get_by_role("button").last.scroll_into_view_if_needed()
    leave = visit.page.get_by_role("button", name=visit.say("portal.leave"), exact=True)
    box = await leave.bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 100


async def test_the_page_at_the_bare_address_is_arabic(portal: Portal, come: Come) -> None:
    visit = await come(portal, Window(language=Language.AR))
    await visit.page.goto("/")
    await look(visit)


async def test_the_other_language_is_one_step_away_on_every_page(
    portal: Portal, come: Come
) -> None:
    visit = await come(portal, Window(language=Language.EN))
    for page in ("", "before", "words", "give", "return"):
        await visit.open(page)
        async with visit.page.expect_navigation():
            await visit.page.get_by_role("link", name="العربية").click()
        assert visit.page.url == f"{portal.address}/ar/{page}".rstrip("/")
