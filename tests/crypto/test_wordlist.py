"""The word lists: what no word may be, and how what is typed comes to a word."""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import WordListError
from crypto.wordlist import WORD_COUNT, Language, Review, WordList, fold, review, word_list

ROOT = Path(__file__).parents[2]
CHAPTER = ROOT / "docs" / "format" / "05-return-phrase.md"
BANNED = tomllib.loads((ROOT / "tests" / "words" / "banned.toml").read_text("utf-8"))

SHAPES = {
    Language.ARABIC: re.compile("[ابتثجحخدذرزسشصضطظعغفقكلمنهوي]{3,7}"),
    Language.ENGLISH: re.compile("[a-z]{3,8}"),
}
LANGUAGES = pytest.mark.parametrize("language", Language)


def folded(language: Language) -> list[str]:
    return [fold(word) for word in word_list(language).words]


def banned(language: Language, rule: str) -> list[str]:
    return [fold(word) for word in BANNED[language][rule].split()]


def shortened(word: str) -> set[str]:
    """The word, and the word with any one letter left out."""
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


def is_one_edit_away(one: str, other: str) -> bool:
    """True for words that differ, by one letter put in, left out or changed."""
    if len(one) == len(other):
        return sum(a != b for a, b in zip(one, other, strict=True)) == 1
    short, long = sorted((one, other), key=len)
    return len(long) - len(short) == 1 and short in shortened(long)


def pairs_one_edit_apart(words: list[str]) -> Iterator[tuple[str, str]]:
    """Find the pairs without looking at all 523,776: such words share a shortened form."""
    sharing = defaultdict(list)
    for word in words:
        for form in shortened(word):
            sharing[form].append(word)
    for family in sharing.values():
        yield from ((a, b) for a in family for b in family if a < b and is_one_edit_away(a, b))


@LANGUAGES
def test_a_list_has_1024_words_in_the_order_of_their_folded_letters(language: Language) -> None:
    words = folded(language)
    assert len(words) == len(set(words)) == WORD_COUNT
    assert words == sorted(words)


@LANGUAGES
def test_a_word_is_one_token_that_a_phone_can_type(language: Language) -> None:
    assert [word for word in folded(language) if not SHAPES[language].fullmatch(word)] == []


@LANGUAGES
def test_a_shown_word_has_no_harakat_tatweel_or_article(language: Language) -> None:
    shown = word_list(language).words
    assert [word for word in shown if re.search("[\u0640\u064b-\u065f\u0670]", word)] == []
    assert [word for word in folded(language) if word.startswith("ال")] == []


@pytest.mark.threat("T-11")
@LANGUAGES
def test_one_mistyped_letter_never_makes_another_word(language: Language) -> None:
    assert list(pairs_one_edit_apart(folded(language))) == []


def test_pairs_one_edit_apart_are_found() -> None:
    found = set(pairs_one_edit_apart(["cat", "cart", "cars", "dog", "scat", "act"]))
    assert found == {("cars", "cart"), ("cart", "cat"), ("cat", "scat")}


@LANGUAGES
def test_no_word_is_the_beginning_of_another(language: Language) -> None:
    """A word whose end was torn off or hidden is unknown, never another word."""
    words = folded(language)
    beginnings = {word[:length] for word in words for length in range(3, len(word))}
    assert beginnings & set(words) == set()


@LANGUAGES
def test_no_word_is_on_the_list_of_what_could_hurt(language: Language) -> None:
    words = folded(language)
    assert set(words) & set(banned(language, "words")) == set()
    roots = banned(language, "roots")
    assert [(word, root) for word in words for root in roots if root in word] == []


@LANGUAGES
def test_no_word_is_one_mistyped_letter_away_from_the_worst(language: Language) -> None:
    worst = banned(language, "near")
    words = folded(language)
    assert set(words) & set(worst) == set()
    assert [(w, bad) for w in words for bad in worst if is_one_edit_away(w, bad)] == []


def test_no_word_is_in_both_lists() -> None:
    assert set(folded(Language.ARABIC)) & set(folded(Language.ENGLISH)) == set()


@LANGUAGES
def test_the_lists_are_those_of_the_chapter(language: Language) -> None:
    """People hold phrases in these words: a list in use is never changed."""
    assert f"| `{language}` | `{word_list(language).sha256}` |" in CHAPTER.read_text("utf-8")


@LANGUAGES
def test_no_native_reader_has_signed_yet_and_pages_can_say_so(language: Language) -> None:
    entry = review(language)
    assert entry.sha256 == word_list(language).sha256
    assert (entry.reviewer, entry.reviewed_on, entry.is_reviewed) == ("", None, False)


def signed(digest: str, **changed: str) -> str:
    fields = {"language": "'ar'", "sha256": f"'{digest}'", "reviewer": "'R.'"}
    fields |= {"reviewed_on": "2026-10-02"} | changed
    return "[[list]]\n" + "".join(f"{name} = {value}\n" for name, value in fields.items())


def test_a_review_holds_for_the_list_that_was_read_and_no_other() -> None:
    digest = word_list(Language.ARABIC).sha256
    entry = Review.from_toml(signed(digest), Language.ARABIC)
    assert (entry.reviewer, entry.reviewed_on) == ("R.", date(2026, 10, 2))
    assert entry.is_reviewed
    assert not Review.from_toml(signed("00" * 32), Language.ARABIC).is_reviewed


def test_a_review_that_does_not_say_who_when_and_what_is_refused() -> None:
    right = signed("00" * 32)
    late = signed("00" * 32, reviewed_on="'2026'")
    for text in ("", right * 2, late, signed("00" * 32, comment="'fine'"), signed("", sha256="1")):
        with pytest.raises(WordListError):
            Review.from_toml(text, Language.ARABIC)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("إبريق", "ابريق"),
        ("أرز", "ارز"),
        ("آرز", "ارز"),
        ("ٱرز", "ارز"),
        ("سماء", "سما"),
        ("لؤلؤ", "لولو"),
        ("دافئ", "دافي"),
        ("دافى", "دافي"),
        ("وردة", "ورده"),
        ("خُزَامَىٰ", "خزامي"),
        ("شجـــرة", "شجره"),
        ("کرز", "كرز"),
        ("ﻟﻴﻤﻮﻥ", "ليمون"),
        ("ﻭﻻﺩﺓ", "ولاده"),
        ("ور\ufe70دة", "ورده"),
        ("\u202bشاي\u202c", "شاي"),
        ("شا\u200cي", "شاي"),
        ("LEMON", "lemon"),
        ("Ｌｅｍｏｎ", "lemon"),  # noqa: RUF001 -- full-width letters are what is tested
        ("le\u00admon", "lemon"),
        ("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789"),
    ],
)
def test_what_is_typed_comes_to_one_spelling(typed: str, meant: str) -> None:
    assert fold(typed) == meant


@LANGUAGES
def test_folding_leaves_a_folded_word_alone(language: Language) -> None:
    assert [fold(word) for word in folded(language)] == folded(language)


@given(st.text())
def test_any_text_can_be_folded(text: str) -> None:
    assert len(fold(text)) <= 18 * max(1, len(text))


def test_a_list_that_is_short_or_says_a_word_twice_is_refused() -> None:
    words = word_list(Language.ENGLISH).words
    for broken in (words[:-1], (*words, "xylem"), (*words[:-1], words[0].upper())):
        with pytest.raises(WordListError):
            WordList.of(Language.ENGLISH, broken)
