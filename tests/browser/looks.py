"""What every page must be, looked at in the browser itself."""

import re
from functools import cache
from pathlib import Path
from typing import Final

from amana.web.headers import FIXED
from amana.web.render import PAGE_LIMIT_BYTES
from tests.browser.visits import Visit

WCAG: Final = ("2a", "2aa", "21a", "21aa", "22aa")
WIDTHS: Final = (1280, 320, 360)
"""A desk, the narrowest phone (WCAG 2.2, 1.4.10), and a usual one, which the window stays at."""

AXE: Final = Path(__file__).resolve().parent.parent / "js/node_modules/axe-core/axe.min.js"

# A page that is wider than its window shows a bar; an element may hang over without one.
_FACTS: Final = """() => {
  const wide = [...document.querySelectorAll("body *")].filter((each) => {
    const box = each.getBoundingClientRect();
    return box.width > 0 && (box.right > innerWidth + 0.5 || box.left < -0.5);
  });
  const fields = [...document.querySelectorAll("input:not([type=hidden]), textarea, select")];
  return {
    lang: document.documentElement.lang,
    dir: getComputedStyle(document.documentElement).direction,
    title: document.title,
    wide: [
      ...(document.documentElement.scrollWidth > innerWidth ? ["the page"] : []),
      ...wide.map((each) => each.outerHTML.slice(0, 80)),
    ],
    unlabelled: fields.filter((each) => !each.labels.length).map((each) => each.outerHTML),
    headings: document.querySelectorAll("h1").length,
    small: [...document.querySelectorAll("button, a.go, .row label, input[type=file]")]
      .filter((each) => each.getBoundingClientRect().height < 24)
      .map((each) => each.outerHTML.slice(0, 80)),
  };
}"""

# In the order of the document; of radio buttons with one name only the first is stopped at.
_STOPS: Final = """() => {
  const named = new Set();
  const all = document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), textarea, summary"
  );
  window.stops = [...all].filter((each) => {
    if (each.type !== "radio") return true;
    const isNew = !named.has(each.name);
    named.add(each.name);
    return isNew;
  });
  return window.stops.length;
}"""
_STOP: Final = """() => {
  const here = document.activeElement;
  const style = getComputedStyle(here);
  const box = here.getClientRects()[0];
  const [x, y] = [box.x + box.width / 2, box.y + Math.min(box.height / 2, 30)];
  return {
    index: window.stops.indexOf(here),
    ring: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
    isSeen: here.contains(document.elementFromPoint(x, y)),
    text: (here.labels?.[0] ?? here).textContent.trim(),
  };
}"""


async def look(visit: Visit, *, status: int = 200) -> None:
    """Look at the page that is open: its one light answer, its headers, its structure."""
    answer = visit.last
    assert answer.status == status
    assert answer.body_bytes <= PAGE_LIMIT_BYTES
    fixed = {name.decode(): value.decode() for name, value in FIXED.items()}
    assert {name: answer.headers.get(name) for name in fixed} == fixed
    policy = answer.headers["content-security-policy"]
    assert re.match(r"default-src 'none'; style-src 'sha256-[\w+/=]{44}'; form-action", policy)
    for width in WIDTHS:
        await visit.page.set_viewport_size({"width": width, "height": 740})
        await _fits(visit)
    assert visit.complaints == []


async def _fits(visit: Visit) -> None:
    facts = await visit.page.evaluate(_FACTS)
    direction = visit.window.language.direction
    assert (facts["lang"], facts["dir"]) == (visit.window.language.value, direction)
    assert facts["title"]
    assert (facts["wide"], facts["unlabelled"], facts["small"]) == ([], [], [])
    assert facts["headings"] == 1
    # The style that the policy names by its hash is in force.
    assert (
        await visit.page.locator("body").evaluate("each => getComputedStyle(each).margin") != "8px"
    )


async def keyboard(visit: Visit) -> list[str]:
    """Go through the page with the key Tab; return what each stop says, in order."""
    count = await visit.page.evaluate(_STOPS)
    said = []
    for index in range(count):
        await visit.page.keyboard.press("Tab")
        stop = await visit.page.evaluate(_STOP)
        assert stop["index"] == index, stop
        assert stop["ring"] >= 2, stop
        assert stop["isSeen"], stop
        said.append(stop["text"])
    return said


async def accessibility(visit: Visit) -> list[str]:
    """Give what axe-core finds against WCAG 2.2 A and AA, and its own best practices.

    By day; and whether letters can be told from paper by night too.
    """
    await visit.page.evaluate(_axe())
    found = await _axe_finds(visit, [*(f"wcag{each}" for each in WCAG), "best-practice"])
    await visit.page.emulate_media(color_scheme="dark")
    found += await _axe_finds(visit, ["color-contrast"])
    await visit.page.emulate_media(color_scheme="light")
    return found


async def _axe_finds(visit: Visit, rules: list[str]) -> list[str]:
    found = await visit.page.evaluate("rules => axe.run({runOnly: rules})", rules)
    assert found["passes"]
    return [
        f"{each['id']}: {node['html'][:120]}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


@cache
def _axe() -> str:
    return AXE.read_text(encoding="utf-8")
