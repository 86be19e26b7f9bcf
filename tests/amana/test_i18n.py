"""A key and its values become a sentence in the reader's language, or in the next best one."""

import dataclasses
import pathlib
import re
import shutil
import unicodedata
from collections.abc import Callable, Mapping

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from amana import i18n
from amana.i18n import Language, Sentence, SentenceError, Speaker, preferred_language, visible
from deploy.catalogues import compile_catalogues

UNKNOWN = Sentence(key="cli.unknown-command", values={"word": "seel"})
WRITTEN = (Language.EN, Language.AR)


def source(root: pathlib.Path, language: Language) -> Catalog:
    path = root / "amana" / "locale" / language / "LC_MESSAGES" / "amana.po"
    with path.open("rb") as file:
        return read_po(file, abort_invalid=True)


def texts(catalogue: Catalog) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for message in catalogue:
        key = message.id if isinstance(message.id, str) else message.id[0]
        if key:
            written = message.string
            found[key] = [written] if isinstance(written, str) else list(written or ())
    return found


def test_a_sentence_is_said_in_english_and_in_arabic() -> None:
    assert Speaker(Language.EN).say(UNKNOWN).startswith("There is no command “seel” here.")
    assert "«\u2068seel\u2069»" in Speaker(Language.AR).say(UNKNOWN)


@pytest.mark.parametrize(
    ("count", "begins"),
    [
        (0, "لا أوامر"),
        (1, "أمر واحد"),
        (2, "أمران"),
        (3, "3 أوامر"),
        (11, "11 أمرًا"),
        (100, "100 أمر"),
    ],
)
def test_arabic_has_its_six_forms(count: int, begins: str) -> None:
    said = Speaker(Language.AR).say(Sentence(key="cli.installed", values={"count": count}))
    assert said.startswith(begins)


def test_a_count_in_a_text_without_plural_forms_changes_nothing() -> None:
    sentence = Sentence(key="cli.interrupted", values={"count": 2})
    assert Speaker(Language.EN).say(sentence) == "Stopped."


def test_any_type_with_a_key_and_values_can_be_said() -> None:
    @dataclasses.dataclass(frozen=True)
    class Elsewhere:
        key: str
        values: Mapping[str, str | int]

    assert Speaker(Language.EN).say(Elsewhere("cli.interrupted", {})) == "Stopped."


@pytest.mark.parametrize("language", [Language.KMR, Language.CKB])
def test_without_a_catalogue_kurdish_readers_get_arabic(language: Language) -> None:
    assert Speaker(language).language is Language.AR


def test_a_draft_says_that_it_is_one() -> None:
    assert Speaker(Language.EN).is_reviewed
    assert not Speaker(Language.AR).is_reviewed


@pytest.fixture
def drafted(
    root: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """Put a Sorani catalogue beside the others, with the reviewer named."""

    def draft(reviewer: str) -> None:
        locale = tmp_path / "amana" / "locale"
        shutil.copytree(root / "amana" / "locale", locale)
        shutil.copytree(locale / "ar", locale / "ckb")
        path = locale / "ckb" / "LC_MESSAGES" / "amana.po"
        text = path.read_text(encoding="utf-8").replace("X-Reviewer: ", f"X-Reviewer: {reviewer}")
        path.write_text(text.replace("توقّف التنفيذ.", "draft"), encoding="utf-8")
        compile_catalogues(tmp_path)
        monkeypatch.setattr(i18n, "_LOCALE", locale)

    return draft


def test_a_kurdish_draft_is_not_shown(drafted: Callable[[str], None]) -> None:
    drafted("")
    speaker = Speaker(Language.CKB)
    assert speaker.language is Language.AR
    assert speaker.say(Sentence(key="cli.interrupted")) != "draft"


def test_a_reviewed_kurdish_catalogue_is_shown(drafted: Callable[[str], None]) -> None:
    drafted("a named person, 2026-10-02")
    speaker = Speaker(Language.CKB)
    assert (speaker.language, speaker.is_reviewed) == (Language.CKB, True)
    assert speaker.say(Sentence(key="cli.interrupted")) == "draft"


def test_a_sentence_in_no_catalogue_is_refused() -> None:
    with pytest.raises(SentenceError, match="in no catalogue"):
        Speaker(Language.AR).say(Sentence(key="no.such-key"))
    assert not Speaker(Language.AR).knows("no.such-key")


def test_a_missing_value_is_refused() -> None:
    with pytest.raises(SentenceError, match="lacks a value"):
        Speaker(Language.EN).say(Sentence(key="cli.unknown-command"))


def test_every_place_of_every_text_is_filled(root: pathlib.Path) -> None:
    for language in WRITTEN:
        for key, written in texts(source(root, language)).items():
            places = {place for text in written for place in re.findall(r"\{(\w+)\}", text)}
            values: dict[str, str | int] = dict.fromkeys(places, "x")
            count = {"count": 5} if "count" in places else {}
            said = Speaker(language).say(Sentence(key=key, values=values | count))
            assert not re.search(r"\{\w+\}", said), key


def test_a_missing_catalogue_is_refused() -> None:
    with pytest.raises(SentenceError, match="no catalogue for kmr"):
        i18n.Catalogue(Language.KMR)


@pytest.mark.threat("T-17")
@given(text=st.text())
def test_what_is_said_holds_no_invisible_character_of_a_value(text: str) -> None:
    said = visible(text)
    assert len(said) == len(text)
    kinds = {unicodedata.category(letter) for letter in said if letter not in "\u200c\u200d"}
    assert kinds.isdisjoint({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f]", said)


def test_joiners_stay_because_they_shape_words() -> None:
    assert visible("می\u200cخواهم") == "می\u200cخواهم"


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, Language.EN),
        ({"LANG": "ar_SY.UTF-8"}, Language.AR),
        ({"LANG": "ar_SY.UTF-8", "LC_ALL": "C.UTF-8"}, Language.EN),
        ({"LANG": "de_DE", "AMANA_LANGUAGE": "ckb"}, Language.CKB),
    ],
)
def test_the_language_is_the_environment_s(environ: Mapping[str, str], language: Language) -> None:
    assert preferred_language(environ) is language


def test_direction_follows_the_script() -> None:
    directions = {language.value: language.direction for language in Language}
    assert directions == {"en": "ltr", "ar": "rtl", "ckb": "rtl", "kmr": "ltr"}


def test_the_catalogues_hold_the_same_keys_with_the_same_places(root: pathlib.Path) -> None:
    english, arabic = (texts(source(root, language)) for language in WRITTEN)
    assert english.keys() == arabic.keys()
    for key, written in english.items():
        places = {frozenset(re.findall(r"\{(\w+)\}", text)) for text in [*written, *arabic[key]]}
        assert len(places) == 1, key


@pytest.mark.parametrize("damage", ['"X-Reviewer: \\n"\n', None])
def test_a_source_without_a_reviewer_or_with_a_guess_does_not_compile(
    root: pathlib.Path, tmp_path: pathlib.Path, damage: str | None
) -> None:
    shutil.copytree(root / "amana" / "locale", tmp_path / "amana" / "locale")
    path = tmp_path / "amana" / "locale" / "ar" / "LC_MESSAGES" / "amana.po"
    text = path.read_text(encoding="utf-8")
    text = (
        text.replace(damage, "")
        if damage
        else text.replace('\nmsgid "cli.title', '\n#, fuzzy\nmsgid "cli.title')
    )
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"amana\.po"):
        compile_catalogues(tmp_path)
