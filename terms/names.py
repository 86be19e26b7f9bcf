"""Names that terms refer to: parties, rules, items, countries, digests, days.

Each kind has one function that checks a text and gives the kind back.
The patterns are docs/format/13-terms.md section 7.
"""

import datetime as dt
import re
from typing import NewType

from terms.errors import VocabularyError

Uid = NewType("Uid", str)
"""A name for a party, layer, rule, item or record; never the name of a person."""

Country = NewType("Country", str)
"""A country, as an ISO 3166-1 alpha-2 code in capitals."""

Digest = NewType("Digest", str)
"""A SHA-256 in lower-case hex."""

Language = NewType("Language", str)
"""A language, as an ISO 639 code of two or three small letters (`ar`, `ckb`, `kmr`, `en`)."""

_UID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}", re.ASCII)


def uid(untrusted: str) -> Uid:
    """Give a name of 1 to 128 letters, digits and `. _ : @ / -`, or raise VocabularyError."""
    return Uid(_checked(untrusted, _UID))


def country(untrusted: str) -> Country:
    """Give a country code, or raise VocabularyError; whether such a country exists is not asked."""
    return Country(_checked(untrusted, _COUNTRY))


def digest(untrusted: str) -> Digest:
    """Give a SHA-256 of 64 hex digits, or raise VocabularyError."""
    return Digest(_checked(untrusted, _DIGEST))


def language(untrusted: str) -> Language:
    """Give a language code, or raise VocabularyError."""
    return Language(_checked(untrusted, _LANGUAGE))


def day(untrusted: str) -> dt.date:
    """Give the day that is written `2026-10-02`, or raise VocabularyError."""
    try:
        date = dt.date.fromisoformat(untrusted)
    except ValueError:
        # The cause would repeat the text, which may be anything, in every traceback.
        raise VocabularyError("a day is not written as 2026-10-02") from None
    # fromisoformat also reads week dates and dates without hyphens, which do not sort as texts.
    if date.isoformat() != untrusted:
        raise VocabularyError("a day is not written as 2026-10-02")
    return date


def _checked(untrusted: str, pattern: re.Pattern[str]) -> str:
    if not pattern.fullmatch(untrusted):
        raise VocabularyError("a name is not written as its kind must be")
    return untrusted
