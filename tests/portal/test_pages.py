"""Every page is light, needs no script and no second request, and tells nothing by its size."""

import html.parser
import re
from pathlib import Path

import pytest

from amana.i18n import Language, Sentence, Speaker
from amana.web.headers import NEVER, header_set
from amana.web.render import PAGE_LIMIT_BYTES
from portal.pages import REFUSAL_BYTES
from portal.refusal import Refusal
from terms.consent import ConsentPurpose
from tests.portal.body import CONTENT_TYPE, body, field, file
from tests.portal.conftest import Site

PAGES = [
    "/",
    *(
        f"/{language}{path}"
        for language in ("ar", "en")
        for path in ("", "/before", "/give", "/words", "/return")
    ),
]
EVERYWHERE = [
    *(("GET", path) for path in [*PAGES, "/left", "/nowhere", "/ckb", "/en/nowhere", "/..%2f"]),
    *(("HEAD", path) for path in PAGES),
    *(("GET", f"/en/{step}") for step in ("purposes", "files", "review", "thanks")),
    *(
        ("POST", path)
        for path in [
            *("/leave", "/", "/en/before", "/ar/give", "/en/return", "/ar/words", "/nowhere"),
            *("/en/purposes", "/ar/files", "/en/review", "/en/thanks"),
        ]
    ),
    *((method, "/en/give") for method in ("PUT", "DELETE", "OPTIONS", "TRACE")),
]


class Reader(html.parser.HTMLParser):
    """Lists tags with their attributes, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def tags(page: str) -> list[tuple[str, dict[str, str | None]]]:
    reader = Reader()
    reader.feed(page)
    return reader.tags


@pytest.mark.parametrize(("method", "path"), EVERYWHERE)
def test_every_answer_has_the_headers_and_none_that_tell(
    site: Site, method: str, path: str
) -> None:
    answer = site.client.request(method, path)
    style = re.search(r"'(sha256-[^']+)'", answer.headers["content-security-policy"])
    assert style is not None
    wanted = {name.decode(): value.decode() for name, value in header_set([style[1]])}
    assert {name: answer.headers[name] for name in wanted} == wanted
    assert len(answer.headers.get_list("cache-control")) == 1
    assert not {name.encode() for name in answer.headers} & NEVER
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", [*PAGES, "/left"])
def test_a_page_is_one_light_request_without_a_script(site: Site, path: str) -> None:
    answer = site.client.get(path)
    assert answer.status_code == 200
    assert len(answer.content) <= PAGE_LIMIT_BYTES
    found = tags(answer.text)
    assert not {name for name, _ in found} & {"script", "img", "link", "iframe", "svg", "object"}
    for _name, attributes in found:
        assert not {key for key in attributes if key.startswith("on")} | attributes.keys() & {
            "style"
        }
        assert not any((value or "").startswith(("http", "//")) for value in attributes.values())


@pytest.mark.parametrize("path", PAGES)
def test_leaving_comes_first_and_the_language_is_right(site: Site, path: str) -> None:
    found = tags(site.client.get(path).text)
    arabic = not path.startswith("/en")
    page = dict(found)["html"]
    assert (page["lang"], page["dir"]) == (("ar", "rtl") if arabic else ("en", "ltr"))
    reached = [each for each in found if each[0] in {"a", "button", "input", "form"}]
    assert reached[0] == ("form", {"method": "post", "action": "/leave"})
    assert reached[1][0] == "button"


def test_leaving_lets_the_browser_forget_and_shows_an_empty_page(site: Site) -> None:
    answer = site.client.post("/leave")
    assert answer.status_code == 303
    assert answer.headers["clear-site-data"] == '"cache", "cookies", "storage"'
    assert answer.headers["location"] == "/left"
    assert "Amana" not in site.client.get("/left").text


@pytest.mark.parametrize("language", ["ar", "en"])
def test_nothing_is_chosen_beforehand_and_every_purpose_is_asked(site: Site, language: str) -> None:
    found = tags(site.client.get(f"/{language}/give").text)
    radios = [attributes for name, attributes in found if attributes.get("type") == "radio"]
    assert not [each for each in radios if "checked" in each]
    asked = {each["name"]: 0 for each in radios}
    for each in radios:
        asked[each["name"]] += 1
    assert dict.fromkeys(ConsentPurpose, 4).items() <= asked.items()
    order = [each["name"] for name, each in found if name in {"input", "textarea"}]
    assert order[0] == "token"
    assert order[-3:] == ["text", "files", "files"]


def test_every_refusal_is_of_one_length_in_every_language(site: Site) -> None:
    """Two that are easy to bring about from outside, and all of them by their template."""
    for path in ("/nowhere", "/ar/nowhere", "/en/nowhere"):
        answer = site.client.get(path)
        assert (answer.status_code, len(answer.content)) == (404, REFUSAL_BYTES)
    answer = site.client.post("/en/give", content=b"")
    assert (answer.status_code, len(answer.content)) == (400, REFUSAL_BYTES)


def test_every_refusal_has_its_sentence_and_status() -> None:
    for language in (Language.AR, Language.EN):
        speaker = Speaker(language)
        said = {speaker.say(Sentence(key=f"portal.refused.{each}")) for each in Refusal}
        assert len(said) == len(Refusal)
    assert all(each.status >= 400 for each in Refusal)


@pytest.mark.parametrize("language", ["ar", "en"])
def test_the_page_that_thanks_is_light_with_a_receipt_in_it(site: Site, language: str) -> None:
    whole = body(field("token", site.token(language)), file("a", b"A"))
    answer = site.client.post(
        f"/{language}/give", content=whole, headers={"content-type": CONTENT_TYPE}
    )
    assert answer.status_code == 200
    assert len(answer.content) <= PAGE_LIMIT_BYTES
    assert "amana/receipt-r1/v1" in answer.text


def test_an_error_of_ours_becomes_a_page_and_one_code(site: Site) -> None:
    """The database goes away under the running portal."""
    for path in site.house.settings.data_directory.glob("portal.db*"):
        path.write_bytes(b"\0" * path.stat().st_size)
    whole = body(field("token", site.token()), file("a", b"A"))
    answer = site.client.post("/en/give", content=whole, headers={"content-type": CONTENT_TYPE})
    assert (answer.status_code, len(answer.content)) == (500, REFUSAL_BYTES)
    assert site.house.log[-1] == "2026-10-02 request-failed"
    # Nobody knows what the database kept, so the bundle waits for the next start.
    assert list(site.house.places.receiving.iterdir()) == []


def test_styles_name_no_side_of_the_page(root: Path) -> None:
    """Logical properties only: the same sheet serves both directions."""
    sides = re.compile(
        r"(?<![-\w])(left|right|top|bottom|width|height)\s*:|:\s*(left|right)\b|\burl\(|@import"
    )
    for path in (root / "static" / "css").glob("*.css"):
        assert not sides.search(path.read_text()), path


@pytest.mark.parametrize("host", ["[", "elsewhere.invalid"])
def test_no_answer_follows_the_host_that_a_request_names(site: Site, host: str) -> None:
    answer = site.client.get("/en/", headers={"host": host})
    assert answer.status_code == 404
    assert "location" not in answer.headers
    assert str(site.house.settings.data_directory) not in answer.text
