"""A person goes from page to page, and what arrives is what was given on the way."""

from collections.abc import Callable
from pathlib import Path

import pytest

from amana.web.render import PAGE_LIMIT_BYTES
from crypto import canonical
from crypto.phrase import ReturnPhrase
from examples.visitor import Visitor
from terms.consent import ConsentRecord
from terms.plain import from_json
from tests.portal.body import field, file
from tests.portal.conftest import Site
from tests.portal.drafting import SMALL, Traveller
from tests.portal.phrases import all_opened, come_back, words_of
from tests.portal.test_giving import NAME, PHOTO, only
from tests.portal.test_pages import tags


@pytest.fixture
def traveller(site: Site) -> Traveller:
    return Traveller(site.client)


def test_the_whole_journey_ends_in_one_submission(site: Site, traveller: Traveller) -> None:
    words = words_of(ReturnPhrase.generate())
    traveller.begin(words, PRESERVE="YES", SHARE_SYRIAN_AUTHORITIES="NO", age="18_PLUS")
    assert traveller.add(file(NAME, PHOTO, "image/jpeg")).status_code == 303
    assert traveller.add(field("text", "ما رأيت"), file("dir/b", b"B")).status_code == 303
    assert traveller.shown == ["File 1: 256 KB", "Text 2: 1 KB", "File 3: 1 KB"]
    assert "1 item" not in traveller.page("review").text
    answer = traveller.hand_over()
    assert (answer.status_code, answer.headers["location"]) == (303, "/en/thanks")
    thanks = traveller.page("thanks").text
    assert "3 items arrived whole." in thanks
    assert "amana/receipt-r1/v1" in thanks
    came = only(site.house)
    assert came.content_of(NAME.encode()) == PHOTO
    assert came.content_of(b"text.txt") == "ما رأيت".encode()
    assert came.content_of(b"b") == b"B"
    (document,) = came.records
    record = from_json(ConsentRecord, canonical.decode(document, limit_bytes=1 << 16))
    assert {each.purpose: each.answer for each in record.answers} == {
        "PRESERVE": "YES",
        "SHARE_SYRIAN_AUTHORITIES": "NO",
    }
    assert {each.consents[0].consent_id for each in came.items} == {
        came.submission.records[0].consent_id
    }
    assert came.submission.reply is not None
    assert come_back(site, words).status_code == 200
    assert list(site.house.places.drafts.iterdir()) == []


def test_without_words_or_answers_it_is_a_submission_too(site: Site, traveller: Traveller) -> None:
    traveller.begin()
    traveller.add(SMALL)
    traveller.hand_over()
    came = only(site.house)
    assert (came.records, came.submission.reply) == ((), None)


def test_answers_can_be_changed_until_it_is_handed_over(site: Site, traveller: Traveller) -> None:
    traveller.begin(PRESERVE="YES")
    traveller.add(SMALL)
    checked = [each for _, each in tags(traveller.page("purposes").text) if "checked" in each]
    assert [(each["name"], each["value"]) for each in checked] == [("PRESERVE", "YES")]
    assert traveller.post("purposes", PRESERVE="NO", understood="YES").status_code == 303
    traveller.hand_over()
    (document,) = only(site.house).records
    assert b'"answer":"NO"' in document
    assert b"YES" not in document


def test_what_files_already_say_cannot_be_changed(site: Site, traveller: Traveller) -> None:
    """They name a consent record, or say that there is none; and they name the account."""
    traveller.begin()
    traveller.add(SMALL)
    assert traveller.post("purposes", PRESERVE="YES").status_code == 409
    assert traveller.post("words", words=words_of(ReturnPhrase.generate())).status_code == 409
    assert traveller.shown == ["File 1: 300 KB"]
    traveller.hand_over()
    assert only(site.house).records == ()


def test_going_back_to_the_words_before_any_file_begins_again(
    site: Site, traveller: Traveller
) -> None:
    traveller.begin(PRESERVE="YES")
    first = traveller.cookie
    traveller.begin(PRESERVE="NO")
    assert traveller.cookie != first
    site.client.cookies.set("draft", first)
    assert traveller.page("files").status_code == 410


def test_handing_over_twice_gives_one_submission_and_the_same_thanks(
    site: Site, traveller: Traveller
) -> None:
    """The page that thanks did not arrive; the person sends again."""
    traveller.begin()
    traveller.add(SMALL)
    token = traveller.token("review")
    for _ in range(2):
        answer = site.client.post("/en/review", data={"token": token})
        assert answer.headers["location"] == "/en/thanks"
    assert traveller.page("thanks").text == traveller.page("thanks").text
    assert len(list(site.house.places.received.iterdir())) == 1
    for step in ("purposes", "files", "review"):
        assert traveller.page(step).headers["location"] == "/en/thanks"
    assert traveller.send(b"").status_code == 409


def test_after_a_handing_over_another_draft_can_begin(site: Site, traveller: Traveller) -> None:
    for _ in range(2):
        traveller.begin()
        traveller.add(SMALL)
        traveller.hand_over()
    assert len(list(site.house.places.received.iterdir())) == 2


def test_the_same_new_words_in_two_drafts_are_one_account(site: Site) -> None:
    words = words_of(ReturnPhrase.generate())
    cookies = []
    traveller = Traveller(site.client)
    for _ in range(2):
        site.client.cookies.clear()
        traveller.begin(words)
        traveller.add(SMALL)
        cookies.append(traveller.cookie)
    for each in cookies:
        site.client.cookies.set("draft", each)
        assert traveller.hand_over().headers["location"] == "/en/thanks"
        site.client.cookies.clear()
    assert len({each.note.account for each in all_opened(site.house)}) == 1


def test_nothing_to_hand_over_is_said(traveller: Traveller) -> None:
    traveller.begin()
    assert traveller.hand_over().status_code == 400
    assert traveller.add(field("text", ""), file("", b"")).status_code == 400


def test_the_cookie_is_for_this_site_and_session_alone(site: Site, traveller: Traveller) -> None:
    fields = {"token": traveller.token("words"), "words": ""}
    here = site.client.post("/en/words", data=fields).headers["set-cookie"]
    onion = {"host": f"{'a' * 56}.onion"}
    there = site.client.post("/en/words", data=fields, headers=onion).headers["set-cookie"]
    for each in (here, there):
        assert {"Path=/", "HttpOnly", "SameSite=Strict"} <= set(each.split("; "))
        assert "expires" not in each.lower()
        assert "max-age" not in each.lower()
    assert ("; Secure" in here, "; Secure" in there) == (False, True)


@pytest.mark.parametrize("language", ["ar", "en"])
def test_every_page_is_light_with_as_many_items_as_there_may_be(site: Site, language: str) -> None:
    traveller = Traveller(site.client, language)
    every = {
        "PRESERVE": "ASK_ME_FIRST",
        "CONTACT_ME": "NOT_NOW",
        "SHARE_NATIONAL_PROSECUTOR": "ASK_ME_FIRST",
        "SHARE_INTERNATIONAL_COURT": "ASK_ME_FIRST",
        "SHARE_OTHER_UN": "ASK_ME_FIRST",
        "SEARCH_FOR_MISSING": "ASK_ME_FIRST",
    }
    traveller.begin(words_of(ReturnPhrase.generate()), **every)
    assert traveller.add(*[file(f"{n}", b"A") for n in range(20)]).status_code == 303
    for step in ("words", "purposes", "files", "review"):
        answer = traveller.page(step)
        assert answer.status_code == 200
        assert len(answer.content) <= PAGE_LIMIT_BYTES
        assert not {name for name, _ in tags(answer.text)} & {"script", "img", "link", "iframe"}
    traveller.hand_over()
    assert len(traveller.page("thanks").content) <= PAGE_LIMIT_BYTES


def test_the_visitor_of_the_examples_goes_through_it(
    serve: Callable[..., Site], tmp_path: Path
) -> None:
    site = serve(address="127.0.0.1:0")
    path = tmp_path / "photo.jpg"
    path.write_bytes(PHOTO)
    visitor = Visitor(str(site.client.base_url))
    assert visitor.give([path, path], "what I saw") == "Thank you"
    visitor.close()
    assert len(only(site.house).items) == 3
    assert list(site.house.places.drafts.iterdir()) == []
