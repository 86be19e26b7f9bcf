"""Marks that no file has by chance, and every way in which a program might write one down."""

import base64
import hashlib
import json
import secrets
import urllib.parse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

_LATIN: Final = "bcdfghjkmnpqrstvwxz"
_ARABIC: Final = "بتثجحخدذرزسشصضطظعغفقكلمن"
_LENGTH: Final = 14
_ALIGNMENTS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """A mark. what: what it stands in, for people."""

    what: str
    mark: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A mark that was found. spelling: how it was written."""

    what: str
    spelling: str


def latin() -> str:
    """Give a new mark of small Latin letters, in which no word can stand."""
    return "".join(secrets.choice(_LATIN) for _ in range(_LENGTH))


def arabic() -> str:
    """Give a new mark of Arabic letters: the one that escapes and codings change."""
    return "".join(secrets.choice(_ARABIC) for _ in range(_LENGTH))


def digests(what: str, content: bytes) -> tuple[Canary, ...]:
    """Give what must stand nowhere in the clear of a content: its SHA-256 and SHA-512."""
    return tuple(
        Canary(what=f"{name} of {what}", mark=hashlib.new(name, content).digest())
        for name in ("sha256", "sha512")
    )


class Watch:
    """Looks for canaries."""

    def __init__(self, canaries: Iterable[Canary]) -> None:
        self._needles = tuple(
            (needle, Sighting(what=canary.what, spelling=spelling))
            for canary in canaries
            for needle, spelling in _spellings(canary.mark).items()
        )

    def sightings(self, content: bytes) -> Iterator[Sighting]:
        """Yield what is found, each mark in each spelling once."""
        # Hexadecimal digits, percent signs, media types: letters may be large or small.
        lowered = content.lower()
        for needle, sighting in self._needles:
            if needle in (lowered if needle == needle.lower() else content):
                yield sighting


def _spellings(mark: bytes) -> dict[bytes, str]:
    """Give what to look for, and what each is called; the plainest name for what has several."""
    found = [("raw", mark), ("hex", mark.hex().encode())]
    for start in range(_ALIGNMENTS):
        # The letters that also depend on what stands before and behind are left out.
        coded = base64.b64encode(b"\0" * start + mark)
        inner = coded[4 if start else 0 : len(coded) - 4]
        found.append((f"base64 {start}", inner))
        found.append((f"base64url {start}", inner.translate(bytes.maketrans(b"+/", b"-_"))))
    found += _texts(mark)
    return {needle: spelling for spelling, needle in reversed(found)}


def _texts(mark: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        text = mark.decode("utf-8")
    except UnicodeDecodeError:
        return
    # Without its last byte it is in the other byte order too.
    yield "UTF-16", text.encode("utf-16-le")[:-1]
    yield "percent", urllib.parse.quote(text, safe="").lower().encode()
    yield "JSON", json.dumps(text)[1:-1].encode()
    yield "repr", repr(mark)[2:-1].encode()
    yield "HTML", "".join(f"&#{ord(letter)};" for letter in text).encode()
