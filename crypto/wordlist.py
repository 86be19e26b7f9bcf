"""The words in which a return phrase is read, and how typed words are brought to them.

A list never changes after its first phrase was shown: index is line number, and a changed line
makes other people's phrases mean something else. Nothing here logs or raises with a word in it.
Format: docs/format/05-return-phrase.md, sections "Word lists" and "Folding".
"""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Final, Self

from crypto.errors import WordListError

WORD_COUNT: Final = 1024
"""Words in a list: ten bits each (docs/format/05-return-phrase.md)."""

_SPACED_MARKS: Final = re.compile("[\ufc5e-\ufc63\ufcf2-\ufcf4\ufe70-\ufe7f]")
# NFKC would turn these presentation forms of harakat into a space and a mark, and cut the word.

_DROPPED_CATEGORIES: Final = frozenset({"Cf", "Me", "Mn"})
# Bidi controls, joiners and soft hyphens; enclosing marks; harakat.

_LETTERS: Final = str.maketrans(
    {
        "أ": "ا",
        "إ": "ا",
        "آ": "ا",
        "ٱ": "ا",
        "ؤ": "و",
        "ئ": "ي",
        "ى": "ي",
        "ی": "ي",
        "ک": "ك",
        "ة": "ه",
        "\N{ARABIC LETTER HEH GOAL}": "ه",
        "\N{ARABIC LETTER AE}": "ه",
        "ء": None,
        "ـ": None,
    }
)
# Standing hamza goes, because in Levantine speech and on phones it mostly went already: سماء, سما.
# Kaf, yeh and heh have other code points on Persian, Kurdish and Urdu keyboards.

_DIGITS: Final = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")


class Language(StrEnum):
    """The languages in which a phrase is shown, by their BCP 47 tags."""

    ARABIC = "ar"
    ENGLISH = "en"


def fold(untrusted: str) -> str:
    """Bring a text to the one spelling in which words are compared.

    NFKC and lower case; without harakat, tatweel, standing hamza and invisible controls; one alef,
    one waw, one yeh, one heh, one kaf; Arabic-Indic and Persian digits as ASCII. Never fails, and
    what it does not know it leaves alone. The text can grow: its length is to be limited before
    (NFKC makes at most 18 characters of one).
    """
    text = unicodedata.normalize("NFKC", _SPACED_MARKS.sub("", untrusted)).lower()
    kept = (c for c in text if unicodedata.category(c) not in _DROPPED_CATEGORIES)
    return "".join(kept).translate(_LETTERS).translate(_DIGITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class WordList:
    """One language's 1,024 words as they are shown, and the way back from a folded word."""

    language: Language
    words: tuple[str, ...]
    index_of: Mapping[str, int]

    @classmethod
    def of(cls, language: Language, words: tuple[str, ...]) -> Self:
        """Make a list in order; WordListError unless it has 1,024 words, different when folded."""
        index_of = {fold(word): index for index, word in enumerate(words)}
        if len(words) != WORD_COUNT or len(index_of) != WORD_COUNT:
            raise WordListError(f"the list {language} does not hold {WORD_COUNT} different words")
        return cls(language=language, words=words, index_of=MappingProxyType(index_of))

    @property
    def sha256(self) -> str:
        """Lower-case hex digest of the words, UTF-8, each with a newline: the bytes of the list."""
        return sha256("".join(f"{word}\n" for word in self.words).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Whether a native reader has read a list and signed for it; pages say so where none has.

    sha256 is the list that was read: a review holds for no other.
    """

    language: Language
    reviewer: str
    reviewed_on: date | None
    sha256: str

    @classmethod
    def from_toml(cls, text: str, language: Language) -> Self:
        """Find a language's entry in the text of REVIEW.toml.

        WordListError unless it is there once, with its four fields and no other. An unsigned entry
        has "" for its reviewer and its day.
        """
        entries = tomllib.loads(text).get("list", [])
        match [entry for entry in entries if entry.get("language") == language]:
            case [
                {
                    "language": str(),
                    "sha256": str(digest),
                    "reviewer": str(reviewer),
                    "reviewed_on": "" | date() as signed_on,
                    **others,
                }
            ] if not others:
                day = signed_on if isinstance(signed_on, date) else None
                return cls(language=language, reviewer=reviewer, reviewed_on=day, sha256=digest)
            case _:
                raise WordListError(f"the review of the list {language} cannot be read")

    @property
    def is_reviewed(self) -> bool:
        """True if someone has signed for the list that this program holds."""
        signed = bool(self.reviewer) and self.reviewed_on is not None
        return signed and self.sha256 == word_list(self.language).sha256


def _shipped() -> Traversable:
    return files("crypto") / "words"


@cache
def word_list(language: Language) -> WordList:
    """Read a list as shipped; WordListError if the installation is broken."""
    lines = (_shipped() / f"{language}.txt").read_text("utf-8").splitlines()
    return WordList.of(language, tuple(lines))


@cache
def review(language: Language) -> Review:
    """Who read this language's list, as shipped; WordListError if the installation is broken."""
    return Review.from_toml((_shipped() / "REVIEW.toml").read_text("utf-8"), language)
