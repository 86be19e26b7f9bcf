"""Ten words bring a person back; to everybody else they are words like any others."""

import re
import statistics
import time

import pytest

from amana.web.render import PAGE_LIMIT_BYTES
from crypto.phrase import ReturnPhrase
from crypto.wordlist import Language, word_list
from portal.pages import REFUSAL_BYTES
from terms.feedback import FeedbackCode
from tests.portal.body import CONTENT_TYPE, body, field, file
from tests.portal.conftest import Site
from tests.portal.phrases import come_back, give_with, issue_of, made_for, posted, words_of
from tests.wire.feedbacks import DAY, NEXT, a_status

pytestmark = pytest.mark.threat("T-34")

KNOWN, OTHER = ReturnPhrase.generate(), ReturnPhrase.generate()
ARABIC, ENGLISH = (word_list(language).words for language in Language)
MISTYPED = " ".join([*KNOWN.words(Language.ENGLISH)[:9], "amana"])


@pytest.fixture
def home(site: Site) -> Site:
    """A portal to which one person gave something with ten words, and nobody else anything."""
    assert give_with(site, words_of(KNOWN)).status_code == 200
    return site


@pytest.mark.parametrize(("language", "listed"), [("ar", ARABIC), ("en", ENGLISH)])
def test_ten_fresh_words_are_shown_with_their_numbers_and_kept_nowhere(
    site: Site, language: str, listed: tuple[str, ...]
) -> None:
    before = site.house.left
    pages = [site.client.get(f"/{language}/words").text for _ in range(2)]
    shown = [
        re.findall(r'<li><bdi>(.+?)</bdi> <span class="quiet" dir="ltr">(\d{4})', _) for _ in pages
    ]
    assert shown[0] != shown[1]
    for each in shown:
        words, groups = zip(*each, strict=True)
        assert set(words) <= set(listed)
        phrase = ReturnPhrase.parse(" ".join(words))
        assert phrase == ReturnPhrase.parse(" ".join(groups))
    assert site.house.left == before


@pytest.mark.threat("T-11")
@pytest.mark.parametrize("language", ["ar", "en"])
def test_words_in_any_language_or_numbers_show_what_there_is_to_read(
    home: Site, language: str
) -> None:
    posted(home.house, made_for(home.house, (a_status(FeedbackCode.PRESERVED),)))
    arabic_digits = " ".join(KNOWN.groups).translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    typed = [words_of(KNOWN), words_of(KNOWN, Language.ARABIC), "-".join(KNOWN.groups)]
    pages = [come_back(home, each, language) for each in [*typed, arabic_digits]]
    said = {"ar": "حُفظت ملفاتكم وفق الشروط", "en": "Your files are preserved under the conditions"}
    assert [page.status_code for page in pages] == [200] * 4
    assert {page.content for page in pages} == {pages[0].content}
    assert said[language] in pages[0].text


@pytest.mark.threat("T-11")
@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("is_published", [False, True])
def test_unknown_wrong_and_newsless_words_give_one_page_to_the_byte(
    home: Site, language: str, *, is_published: bool
) -> None:
    if is_published:
        posted(home.house, made_for(home.house, ()))
    typed = [words_of(KNOWN), words_of(OTHER), MISTYPED, "", "x" * 5_000, "١٢٣", "\u202e"]
    pages = [come_back(home, each, language) for each in typed]
    assert {(page.status_code, page.content) for page in pages} == {(200, pages[0].content)}
    assert {tuple(sorted(page.headers.items())) for page in pages} == {
        tuple(sorted(pages[0].headers.items()))
    }


@pytest.mark.threat("T-11")
@pytest.mark.parametrize("left", [None, b"", b"short"])
def test_words_that_are_known_are_not_told_by_what_the_disk_lost(
    home: Site, left: bytes | None
) -> None:
    posted(home.house, made_for(home.house, (a_status(FeedbackCode.PRESERVED),)))
    path = next(home.house.places.feedback.glob("*.objects"))
    path.unlink()
    if left is not None:
        path.write_bytes(left)
    known, other = (come_back(home, words_of(each)) for each in (KNOWN, OTHER))
    assert (known.status_code, known.content) == (200, other.content)


@pytest.mark.threat("T-03")
def test_a_page_with_news_is_as_long_as_one_without(home: Site) -> None:
    nothing = come_back(home, words_of(KNOWN))
    news = tuple(a_status(code) for code in FeedbackCode)
    posted(home.house, made_for(home.house, news))
    something = come_back(home, words_of(KNOWN))
    assert nothing.content != something.content
    assert len(nothing.content) == len(something.content) == PAGE_LIMIT_BYTES
    assert "There are older answers" in something.text


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize(
    "code", [FeedbackCode.GENERAL_UPDATE, FeedbackCode.PERMISSION_ASKED, FeedbackCode.PARTLY_KEPT]
)
def test_the_longest_page_still_fits(home: Site, language: str, code: FeedbackCode) -> None:
    posted(home.house, made_for(home.house, (a_status(code, submission=None),) * 12))
    assert come_back(home, words_of(KNOWN), language).status_code == 200


@pytest.mark.parametrize("language", ["ar", "en"])
def test_dates_and_reasons_are_said_whole_inside_other_sentences(home: Site, language: str) -> None:
    codes = (FeedbackCode.CONDITIONS_CHANGED, FeedbackCode.NOT_KEPT, FeedbackCode.QUESTION)
    posted(home.house, made_for(home.house, tuple(a_status(code) for code in codes)))
    page = come_back(home, words_of(KNOWN), language).text
    assert "\ufffd" not in page
    month = {"ar": "تشرين الأول", "en": "October"}[language]
    assert page.count(f"2 {month} 2026") == 5
    assert f"9 {month} 2026" in page


@pytest.mark.threat("T-17")
@pytest.mark.parametrize("text", ["<b>&\"'" * 200, "\u202e" * 400, "&" * 1_598, "\n" * 500])
def test_a_hostile_text_neither_breaks_nor_lengthens_the_page(home: Site, text: str) -> None:
    posted(home.house, made_for(home.house, (a_status(FeedbackCode.QUESTION, text=text),)))
    page = come_back(home, words_of(KNOWN), "ar")
    assert (page.status_code, len(page.content)) == (200, PAGE_LIMIT_BYTES)
    assert not {"<b>", "\u202e"} & set(re.findall("<b>|\u202e", page.text))


def test_a_batch_is_shown_from_its_day_and_the_newest_one(home: Site) -> None:
    posted(home.house, made_for(home.house, (a_status(),), issue_of(1)))
    assert "preserved" in come_back(home, words_of(KNOWN)).text
    posted(home.house, made_for(home.house, (), issue_of(2)))
    page = come_back(home, words_of(KNOWN)).text
    assert "preserved" not in page
    assert "2 October 2026" in page
    assert f"{NEXT.day} October 2026" in page
    assert home.house.clock.now().date() == DAY


@pytest.mark.threat("T-11")
def test_words_that_are_nobodys_take_the_same_work(home: Site) -> None:
    """Medians of turns taken; without a derivation the second and third would take a tenth."""
    posted(home.house, made_for(home.house, (a_status(),)))
    typed = {"known": words_of(KNOWN), "unknown": words_of(OTHER), "wrong": MISTYPED}
    times: dict[str, list[float]] = {name: [] for name in typed}
    for _ in range(9):
        for name, words in typed.items():
            start = time.perf_counter()
            come_back(home, words)
            times[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(each) for name, each in times.items()}
    assert max(medians.values()) < 2 * min(medians.values())


def test_without_our_own_form_no_words_are_looked_at(home: Site) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    wrong: list[tuple[str | bytes, int]] = [
        ("token=x&words=y", 403),
        ("words=y", 403),
        ("token=x&token=x&words=y", 400),
        ("%%%", 400),
        ("words=%ff&token=x", 400),
        ("x" * 20_000, 400),
        (b"\xff", 400),
    ]
    for content, status in wrong:
        answer = home.client.post("/en/return", content=content, headers=headers)
        assert (answer.status_code, len(answer.content)) == (status, REFUSAL_BYTES)
    foreign = home.client.post("/en/return", headers=headers | {"sec-fetch-site": "cross-site"})
    assert foreign.status_code == 403


def test_a_token_of_the_other_form_does_not_count(home: Site) -> None:
    answer = home.client.post(
        "/en/return",
        content=f"token={home.token()}&words=x",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "words",
    [MISTYPED, "one two", "x" * 5_000, b"\xff\xfe", "1 " * 10],
    ids=["mistyped", "few", "long", "no-text", "digits"],  # the words are new in each process
)
def test_wrong_words_are_refused_before_a_byte_of_material_is_taken(
    site: Site, words: str | bytes
) -> None:
    """The body ends in the middle of a file: nobody waited for its rest."""
    parts = [field("token", site.token()), field("words", words), file("a", b"A" * 400_000)]
    answer = site.client.post(
        "/en/give", content=body(*parts)[:-200_000], headers={"content-type": CONTENT_TYPE}
    )
    assert (answer.status_code, len(answer.content)) == (400, REFUSAL_BYTES)
    assert "not ten words or numbers of ours" in answer.text
    assert site.house.left == set()


def test_words_behind_material_are_refused(site: Site) -> None:
    parts = [field("token", site.token()), file("a", b"A"), field("words", words_of(KNOWN))]
    answer = site.client.post(
        "/en/give", content=body(*parts), headers={"content-type": CONTENT_TYPE}
    )
    assert answer.status_code == 400
    assert site.house.left == set()
