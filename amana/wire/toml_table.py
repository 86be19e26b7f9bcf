"""TOML that a person writes and signs, read so that nothing in it goes unread.

Every table is asked what it must and may hold, and anything else is refused by name; every value
has one kind. What a reader cannot see may not be there: two people who look at one text must have
read the same. Format: docs/format/27-terms-toml.md section 1.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Final, TypeVar

from amana.wire.errors import TermsTextError
from terms.errors import VocabularyError
from terms.names import Uid, uid

LIMIT_BYTES: Final = 64 << 10
"""Longest text. Ours: an agreement is some pages; two hundred rules and their comments fit."""
LINE_LIMIT: Final = 500
"""Characters of the longest line. Ours: a sentence fits. A key of many steps does not: of those a
TOML reader takes minutes for 128 KiB; with both limits the worst text we found takes 2.6 s."""
MOST_VERSIONS: Final = 1_000_000
"""As many versions as `amana.wire.references` can name."""

_AT: Final = re.compile(r"at line (\d+)")
# Joiners decide the shape of Arabic and Kurdish letters; any other invisible sign could hide words
# or turn a line around (Unicode TR 36), in a text whose bytes are what is signed.
_SEEN: Final = frozenset("\t\n\r\u200c\u200d")
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

Word = TypeVar("Word", bound=StrEnum)


def parse(untrusted: bytes) -> "Table":
    """Give the outermost table. TermsTextError: too long, no text, invisible signs, no TOML."""
    if len(untrusted) > LIMIT_BYTES:
        raise TermsTextError("too-long", limit=LIMIT_BYTES >> 10)
    try:
        text = untrusted.decode("utf-8")
    except UnicodeDecodeError:
        raise TermsTextError("not-text") from None
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > LINE_LIMIT:
            raise TermsTextError("line-too-long", line=number, limit=LINE_LIMIT)
        if any(unicodedata.category(_) in _UNSEEN and _ not in _SEEN for _ in line):
            raise TermsTextError("invisible", line=number)
    try:
        return Table("", tomllib.loads(text))
    # A number of too many digits is a plain ValueError, tables in tables a RecursionError.
    except (ValueError, RecursionError) as failure:
        found = _AT.search(str(failure))
        place = int(found[1]) if found else text.count("\n") + 1
    # Raised out here, since the failure above repeats the text.
    raise TermsTextError("not-toml", line=place)


class Table:
    """One table of a text. place: how a sentence names it, such as `[sharing]`."""

    def __init__(self, place: str, values: Mapping[str, object]) -> None:
        self._place = place
        self._values = values

    def require(self, *keys: str, may_have: Sequence[str] = ()) -> None:
        """Refuse a key that is not known here, then one that is missing. TermsTextError."""
        known = (*keys, *may_have)
        place = self._place or "TOML"
        for key in self._values:
            if key not in known:
                told = ", ".join(known)
                raise TermsTextError("unknown-key", place=place, word=key, known=told)
        for key in keys:
            if key not in self._values:
                raise TermsTextError("missing-key", place=place, word=key)

    def has(self, key: str) -> bool:
        """Tell whether a key that may be left out is there."""
        return key in self._values

    def at(self, key: str) -> str:
        """Give the name of a place for a sentence."""
        return f"{self._place} {key}".lstrip()

    def table(self, key: str) -> "Table":
        """Give a table in this one."""
        value = self._values[key]
        if not isinstance(value, dict):
            raise TermsTextError("must-be-table", place=self.at(key))
        return Table(f"[{key}]" if not self._place else self.at(key), value)

    def tables(self, key: str) -> tuple["Table", ...]:
        """Give a list of tables, each named by its number, which counts from 1."""
        value = self._values[key]
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise TermsTextError("must-be-tables", place=self.at(key))
        return tuple(Table(f"{self.at(key)} {n}", each) for n, each in enumerate(value, start=1))

    def text(self, key: str) -> str:
        """Give a text."""
        value = self._values[key]
        if not isinstance(value, str):
            raise TermsTextError("must-be-text", place=self.at(key))
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Give a list of texts, none of them twice, in the writer's order."""
        value = self._values[key]
        if not isinstance(value, list):
            raise TermsTextError("must-be-list", place=self.at(key))
        texts: list[str] = []
        for each in value:
            if not isinstance(each, str):
                raise TermsTextError("must-be-list", place=self.at(key))
            if each in texts:
                raise TermsTextError("repeated", place=self.at(key), word=each)
            texts.append(each)
        return tuple(texts)

    def name(self, key: str) -> Uid:
        """Give a name as `terms.names` has them."""
        try:
            return uid(self.text(key))
        except VocabularyError:
            raise TermsTextError("not-a-name", place=self.at(key)) from None

    def number(self, key: str) -> int:
        """Give a version: a whole number from 1."""
        value = self._values[key]
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= MOST_VERSIONS:
            raise TermsTextError("must-be-version", place=self.at(key))
        return value

    def day(self, key: str) -> date:
        """Give a day, which TOML writes 2026-10-02 without quotes."""
        return as_day(self._values[key], self.at(key))

    def day_or(self, key: str, nothing: str) -> date | None:
        """Give a day, or None where the text says in a word that there is none."""
        return None if self._says(key, nothing) else self.day(key)

    def word(self, key: str, kind: type[Word]) -> Word:
        """Give one word of a closed list."""
        return as_word(self.text(key), kind, self.at(key))

    def word_or(self, key: str, kind: type[Word], nothing: str) -> Word | None:
        """Give one word of a closed list, or None where the text says that there is none."""
        return None if self._says(key, nothing) else self.word(key, kind)

    def words(self, key: str, kind: type[Word]) -> frozenset[Word]:
        """Give words of a closed list, none of them twice."""
        return frozenset(as_word(each, kind, self.at(key)) for each in self.texts(key))

    def flag_or(self, key: str, nothing: str) -> bool | None:
        """Give true or false, or None where the text says that it was not recorded."""
        value = self._values[key]
        if self._says(key, nothing):
            return None
        if not isinstance(value, bool):
            raise TermsTextError("must-be-flag", place=self.at(key), word=nothing)
        return value

    def raw(self, key: str) -> object:
        """Give what stands there, for a value whose kind depends on another."""
        return self._values[key]

    def keys(self) -> tuple[str, ...]:
        """Give the keys in the order in which they stand."""
        return tuple(self._values)

    def _says(self, key: str, word: str) -> bool:
        return self._values[key] == word


def as_day(untrusted: object, place: str) -> date:
    """Give a day. TermsTextError: it is something else, such as a day with an hour or in quotes."""
    if not isinstance(untrusted, date) or isinstance(untrusted, datetime):
        raise TermsTextError("must-be-day", place=place)
    return untrusted


def as_word(untrusted: str, kind: type[Word], place: str, also: Iterable[str] = ()) -> Word:
    """Give a word of a closed list. TermsTextError: it is not in the list, or in other letters.

    also: words that may stand there too, for the sentence.
    """
    try:
        return kind(untrusted)
    except ValueError:
        known = ", ".join((*sorted(kind), *also))
        raise TermsTextError("unknown-word", place=place, word=untrusted, known=known) from None
