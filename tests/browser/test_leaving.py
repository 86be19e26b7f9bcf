"""Whoever leaves, leaves nothing on the screen; the button Back brings nothing of it back."""

import re
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Error

from amana.i18n import Language
from tests.browser.visits import Come, Portal, Visit, Window

pytestmark = pytest.mark.asyncio(loop_scope="session")

TYPED = "رأيت ذلك بعيني"


async def half_fill(visit: Visit) -> str:
    """A form that is not sent."""
    await visit.open("give")
    await visit.field("portal.give.text").fill(TYPED)
    await visit.field("portal.give.words").fill(TYPED)
    await visit.choose("portal.give.age", "portal.age.UNDER_18")
    await visit.choose("portal.purpose.SHARE_SYRIAN_AUTHORITIES", "portal.answer.NO")
    return TYPED


async def read_words(visit: Visit) -> str:
    """Ten words, on the page that shows them once."""
    await visit.open("words")
    return "".join(await visit.page.locator("ol").all_inner_texts())


async def be_thanked(visit: Visit) -> str:
    """The page with the receipt."""
    await visit.open("give")
    await visit.field("portal.give.text").fill(TYPED)
    await visit.press("portal.give.send")
    return visit.say("portal.thanks.heading")


async def read_statuses(visit: Visit) -> str:
    """The page that says what became of it."""
    await visit.open("return")
    await visit.field("portal.return.words").fill(TYPED)
    await visit.press("portal.return.send")
    return visit.say("portal.statuses.heading")


async def shown(visit: Visit) -> str:
    """Everything on the page, what stands in its fields included."""
    fields = await visit.page.locator("textarea").evaluate_all("all => all.map(each => each.value)")
    return "\n".join([await visit.text(), *fields])


@pytest.mark.parametrize("has_script", [False, True])
async def test_back_shows_nothing_of_the_visit(
    portal: Portal, come: Come, *, has_script: bool
) -> None:
    for visit_a_page in (half_fill, read_words, be_thanked, read_statuses):
        visit = await come(portal, Window(language=Language.AR, has_script=has_script))
        await leave_and_go_back(visit, visit_a_page)


async def leave_and_go_back(visit: Visit, visit_a_page: Callable[[Visit], Awaitable[str]]) -> None:
    portal = visit.portal
    secret = await visit_a_page(visit)
    assert secret in await shown(visit)
    await visit.press("portal.leave")
    assert portal.answers[-2].headers["clear-site-data"]
    asked = len(portal.answers)
    if visit_a_page in {half_fill, read_words}:
        await visit.page.go_back()
        # The page was asked for anew: nothing of it was kept.
        assert len(portal.answers) == asked + 1
    else:
        # The answer to a form: the browser has nothing to show, and asks before it sends again.
        with pytest.raises(Error, match="ERR_CACHE_MISS"):
            await visit.page.go_back()
        await visit.page.wait_for_url(re.compile("^chrome-error:"), wait_until="commit")
        assert len(portal.answers) == asked
    assert secret not in await shown(visit)
    assert await visit.page.locator("input:checked").count() == 0
