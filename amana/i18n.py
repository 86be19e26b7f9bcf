"""Sentences in the reader's language.

Code carries a `Sentence`, a key and its values; only this module turns one into text. The texts
are gettext catalogues (amana/locale/LANGUAGE/LC_MESSAGES/amana.po), compiled when the project is
installed or a wheel is built. The catalogue header `X-Reviewer` names who has read the translation;
while it is empty, readers are told, and a Kurdish draft is not shown at all: a machine's guess at
what may be done with someone's material is worse than a second language.
"""

import dataclasses
import enum
import gettext
import pathlib
import re
import unicodedata
from collections.abc import Mapping
from typing import Final, Protocol

_LOCALE: Final = pathlib.Path(__file__).resolve().parent / "locale"
_PLACE: Final = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
# U+2068 and U+2069 (Unicode UAX 9): what stands between them cannot turn the text around it.
_ISOLATE: Final = "\u2068{}\u2069"
# Joiners decide the shape of Arabic and Kurdish letters; every other invisible character goes.
_KEPT_FORMATS: Final = frozenset("\u200c\u200d")
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class SentenceError(Exception):
    """A sentence is in no catalogue, or lacks a value that its text asks for."""


class Language(enum.StrEnum):
    """The languages of the project (BCP 47). English is the one that is always complete."""

    EN = "en"
    AR = "ar"
    CKB = "ckb"
    KMR = "kmr"

    @property
    def direction(self) -> str:
        """The value of HTML's `dir`: Sorani (ckb) is written in Arabic letters, Kurmanji is not."""
        return "rtl" if self in {Language.AR, Language.CKB} else "ltr"


# A draft in these two is shown with a notice; in any other language it is not shown.
_DRAFT_IS_SHOWN: Final = frozenset({Language.EN, Language.AR})
_INSTEAD: Final[Mapping[Language, tuple[Language, ...]]] = {
    Language.EN: (),
    Language.AR: (Language.EN,),
    Language.CKB: (Language.AR, Language.EN),
    Language.KMR: (Language.AR, Language.EN),
}


class Sayable(Protocol):
    """Anything with a key and values, wherever it was made: `terms` has its own sentence type."""

    @property
    def key(self) -> str:
        """The name of the sentence in the catalogues."""

    @property
    def values(self) -> Mapping[str, str | int]:
        """What is put in its places. `count`, if there is one, chooses the plural form."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence not yet said."""

    key: str
    values: Mapping[str, str | int] = dataclasses.field(default_factory=dict)


class Catalogue:
    """The texts of one language."""

    def __init__(self, language: Language) -> None:
        path = _LOCALE / language / "LC_MESSAGES" / "amana.mo"
        try:
            with path.open("rb") as file:
                self._texts = gettext.GNUTranslations(file)
        except FileNotFoundError as failure:
            raise SentenceError(f"no catalogue for {language.value}") from failure
        self.language = language

    @property
    def reviewer(self) -> str:
        """Who has read this translation; empty if no one has."""
        return self.template("X-Reviewer", None) or ""

    def template(self, key: str, count: int | None) -> str | None:
        """Return the text with its places still open, in the plural form for `count`; or None."""
        plural = key if count is None else self._texts.ngettext(key, key, count)
        # A text that is the same for every number has no plural forms.
        text = self._texts.gettext(key) if plural == key else plural
        return None if text == key else text


class Speaker:
    """Says sentences in one language, and in the next best one where it must."""

    def __init__(self, language: Language) -> None:
        self.asked = language
        self._catalogues = tuple(
            catalogue
            for catalogue in _existing((language, *_INSTEAD[language]))
            if catalogue.reviewer or catalogue.language in _DRAFT_IS_SHOWN
        )

    @property
    def language(self) -> Language:
        """The language that is really spoken."""
        return self._catalogues[0].language

    @property
    def is_reviewed(self) -> bool:
        """Whether someone has read what is spoken here. If not, say `translation.not-reviewed`."""
        return bool(self._catalogues[0].reviewer)

    def knows(self, key: str) -> bool:
        """Return whether any catalogue in use has the sentence."""
        # A sentence with plural forms is found by a count alone, until Python 3.11.4.
        return any(
            catalogue.template(key, None) or catalogue.template(key, 1)
            for catalogue in self._catalogues
        )

    def say(self, sentence: Sayable) -> str:
        """Return the text. SentenceError if no catalogue has it or a value is missing.

        Invisible characters in values become U+FFFD, and values are isolated in right-to-left
        text, so that a hostile name can neither turn a line around nor move the cursor.
        """
        count = sentence.values.get("count")
        for catalogue in self._catalogues:
            template = catalogue.template(sentence.key, count if isinstance(count, int) else None)
            if template is not None:
                return _filled(template, sentence.values, catalogue.language.direction)
        raise SentenceError("a sentence is in no catalogue")


def visible(untrusted_text: str) -> str:
    """Return the text with U+FFFD for every control, invisible or unassigned character."""
    return "".join(
        "\ufffd"
        if unicodedata.category(letter) in _INVISIBLE and letter not in _KEPT_FORMATS
        else letter
        for letter in untrusted_text
    )


def preferred_language(environ: Mapping[str, str]) -> Language:
    """Return the language that the environment asks for: AMANA_LANGUAGE, else the POSIX locale."""
    for name in ("AMANA_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        wanted = re.split(r"[_.@-]", environ.get(name, ""), maxsplit=1)[0].lower()
        if wanted:
            return next((known for known in Language if known == wanted), Language.EN)
    return Language.EN


def _existing(languages: tuple[Language, ...]) -> list[Catalogue]:
    return [Catalogue(language) for language in languages if (_LOCALE / language).is_dir()]


def _filled(template: str, values: Mapping[str, str | int], direction: str) -> str:
    def put(place: re.Match[str]) -> str:
        if place[1] not in values:
            raise SentenceError("a sentence lacks a value")
        value = values[place[1]]
        if isinstance(value, int):
            return str(value)
        text = visible(value)
        return _ISOLATE.format(text) if direction == "rtl" else text

    return _PLACE.sub(put, template)
