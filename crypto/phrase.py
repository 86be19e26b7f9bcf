"""A return phrase: ten words, or ten numbers, that bring a person back to a reply.

A hundred bits: 92 of a secret, 8 of a check. The same code reads in Arabic, in English and in
digits. No phrase, word or secret is ever in a repr, a message or an exception, and no private key
is made here: `derive` returns seeds. Format: docs/format/05-return-phrase.md.
"""

import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final, NewType, Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from nacl.pwhash import argon2id

from crypto.errors import PhraseError
from crypto.wordlist import WORD_COUNT, Language, fold, word_list

PHRASE_WORDS: Final = 10
"""Words in a phrase (docs/format/05-return-phrase.md)."""

SECRET_BITS: Final = 92
"""Bits of the secret: at 1 ms a guess on each of a million machines, longer than the sun has."""

SECRET_BYTES: Final = 12
"""Bytes that hold the secret, big-endian; their first four bits are zero."""

GROUP_DIGITS: Final = 4
"""Digits of an index when the phrase is shown in digits, leading zeros included."""

MAX_TEXT_CHARACTERS: Final = 1_000
"""Longest text that is looked at: ten words with all their harakat and numbering have below 300."""

ARGON2_MEMORY_BYTES: Final = 19 * 1024 * 1024
"""19 MiB: OWASP Password Storage Cheat Sheet, Argon2id with m=19456 (19 MiB), t=2, p=1. The 92 bits
carry the security; this slows whoever has seen part of a phrase, and a phone can still do it."""

ARGON2_PASSES: Final = 2
"""Passes over the memory, same profile. Lanes are 1: libsodium has no other."""

DIRECTORY_ROOT_BYTES: Final = 32
"""SHA-256 fingerprint of the directory root, by which one deployment's phrases are no other's."""

_SALT_DOMAIN: Final = b"amana/return-phrase/v1\n"
_CHECK_DOMAIN: Final = b"amana/return-phrase-check/v1\n"
_INDEX_BITS: Final = 10
_CHECK_BITS: Final = 8
_LABEL_DIGITS: Final = 2

_TOKEN: Final = re.compile(r"[0-9]+|[^\W_0-9]+")
# After folding: a run of ASCII digits, or a run of letters (and of digits of scripts that we do not
# read, so that these are unknown and not skipped). All else only parts.

LookupId = NewType("LookupId", bytes)
"""16 bytes that name a mailbox; whoever keeps it keeps only its SHA-256."""

Seed = NewType("Seed", bytes)
"""32 bytes from which a private key is made, elsewhere."""


class Refusal(StrEnum):
    """Why a text is not a return phrase. A page shows a sentence for each."""

    EMPTY = "empty"
    TOO_LONG = "too-long"
    WRONG_COUNT = "wrong-count"
    WRONG_NUMBERING = "wrong-numbering"
    UNKNOWN_WORD = "unknown-word"
    CHECK_FAILED = "check-failed"


class PhraseRefusedError(PhraseError):
    """What was typed is not a return phrase; holds the reason, never a word.

    position: 1 to 10, of the word that is UNKNOWN_WORD, or before which the number stands that is
    WRONG_NUMBERING; else None.
    """

    def __init__(self, reason: Refusal, position: int | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.position = position


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class ReturnPhrase:
    """A phrase that passed its check. It cannot be printed by accident, sorted or put in a set.

    secret: 12 bytes, 92 bits big-endian.
    """

    secret: bytes

    def __post_init__(self) -> None:
        if len(self.secret) != SECRET_BYTES or self.secret[0] >> 4:
            raise PhraseRefusedError(Refusal.WRONG_COUNT)

    def __eq__(self, other: object) -> bool:
        """Compare in constant time."""
        if not isinstance(other, ReturnPhrase):
            return NotImplemented
        return hmac.compare_digest(self.secret, other.secret)

    __hash__ = None  # type: ignore[assignment]  # the hash of a secret says something about it

    def __repr__(self) -> str:
        """Say nothing."""
        return "ReturnPhrase(…)"

    @classmethod
    def generate(cls) -> Self:
        """Draw a phrase from the operating system's randomness."""
        return cls(secret=secrets.randbits(SECRET_BITS).to_bytes(SECRET_BYTES, "big"))

    @classmethod
    def from_indices(cls, indices: Sequence[int]) -> Self:
        """Take ten indices, 0 to 1023, first word first.

        PhraseRefusedError: WRONG_COUNT; UNKNOWN_WORD for an index out of range; CHECK_FAILED.
        """
        if len(indices) != PHRASE_WORDS:
            raise PhraseRefusedError(Refusal.WRONG_COUNT)
        code = 0
        for position, index in enumerate(indices, start=1):
            if not 0 <= index < WORD_COUNT:
                raise PhraseRefusedError(Refusal.UNKNOWN_WORD, position)
            code = code << _INDEX_BITS | index
        secret = (code >> _CHECK_BITS).to_bytes(SECRET_BYTES, "big")
        if code & (1 << _CHECK_BITS) - 1 != _check(secret):
            raise PhraseRefusedError(Refusal.CHECK_FAILED)
        return cls(secret=secret)

    @classmethod
    def parse(cls, untrusted: str) -> Self:
        """Read a phrase as it was typed, in words of either language or in digits.

        Words and groups of four digits may be mixed; section "Reading" of the chapter lists what
        may stand between them. PhraseRefusedError otherwise, with the first reason that applies of
        TOO_LONG, WRONG_NUMBERING, EMPTY, WRONG_COUNT, UNKNOWN_WORD, CHECK_FAILED.
        """
        if len(untrusted) > MAX_TEXT_CHARACTERS:
            raise PhraseRefusedError(Refusal.TOO_LONG)
        words = _words_in(fold(untrusted))
        if not words:
            raise PhraseRefusedError(Refusal.EMPTY)
        if len(words) != PHRASE_WORDS:
            raise PhraseRefusedError(Refusal.WRONG_COUNT)
        return cls.from_indices([_index(word, at) for at, word in enumerate(words, start=1)])

    @classmethod
    def parse_fields(cls, untrusted_fields: Sequence[str]) -> Self:
        """Read the numbered fields of a form, in order: the same as their text, a line each.

        A whole phrase pasted into the first field is read too.
        """
        return cls.parse("\n".join(untrusted_fields))

    @property
    def indices(self) -> tuple[int, ...]:
        """The ten indices, 0 to 1023, first word first."""
        code = int.from_bytes(self.secret, "big") << _CHECK_BITS | _check(self.secret)
        shifts = range(_INDEX_BITS * (PHRASE_WORDS - 1), -1, -_INDEX_BITS)
        return tuple(code >> shift & WORD_COUNT - 1 for shift in shifts)

    def words(self, language: Language) -> tuple[str, ...]:
        """Look up the ten words to show, first word first."""
        words = word_list(language).words
        return tuple(words[index] for index in self.indices)

    @property
    def groups(self) -> tuple[str, ...]:
        """The same as ten groups of four ASCII digits, 0000 to 1023."""
        return tuple(f"{index:0{GROUP_DIGITS}}" for index in self.indices)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class PhraseSecrets:
    """What a phrase opens in one deployment. Lives for one request, and cannot be printed.

    lookup_id: finds the mailbox. reply_seed: of the X-Wing identity that replies are sealed to.
    answer_ed25519_seed, answer_mldsa_seed: of the keys that sign answers and withdrawals.
    """

    lookup_id: LookupId
    reply_seed: Seed
    answer_ed25519_seed: Seed
    answer_mldsa_seed: Seed

    def __repr__(self) -> str:
        """Say nothing."""
        return "PhraseSecrets(…)"


def derive(phrase: ReturnPhrase, *, directory_root: bytes) -> PhraseSecrets:
    """Compute what a phrase opens in the deployment of this directory: 19 MiB, some 20 ms.

    directory_root: 32 bytes, the SHA-256 fingerprint of the deployment's directory root. ValueError
    for any other length: that is the caller's mistake, never the typist's.
    """
    if len(directory_root) != DIRECTORY_ROOT_BYTES:
        raise ValueError("a directory root has 32 bytes")
    root = argon2id.kdf(
        hashes.SHA256.digest_size,
        phrase.secret,
        sha256(_SALT_DOMAIN + directory_root).digest()[: argon2id.SALTBYTES],
        opslimit=ARGON2_PASSES,
        memlimit=ARGON2_MEMORY_BYTES,
    )
    return PhraseSecrets(
        lookup_id=LookupId(_expand(root, "lookup", 16)),
        reply_seed=Seed(_expand(root, "reply", 32)),
        answer_ed25519_seed=Seed(_expand(root, "answer-ed25519", 32)),
        answer_mldsa_seed=Seed(_expand(root, "answer-mldsa", 32)),
    )


def _expand(root: bytes, purpose: str, length: int) -> bytes:
    # The root is uniform already, so RFC 5869 section 3.3 lets extraction be left out.
    info = f"amana/return-phrase/{purpose}/v1".encode()
    return HKDFExpand(hashes.SHA256(), length, info).derive(root)


def _check(secret: bytes) -> int:
    return sha256(_CHECK_DOMAIN + secret).digest()[0]


def _words_in(folded: str) -> list[str]:
    """Part a folded text into words and groups; numbers before them must be 1 to 10 in order."""
    words: list[str] = []
    for token in _TOKEN.findall(folded):
        if _is_number(token) and len(token) <= _LABEL_DIGITS:
            position = len(words) + 1
            if int(token) != position or position > PHRASE_WORDS:
                raise PhraseRefusedError(Refusal.WRONG_NUMBERING, min(position, PHRASE_WORDS))
        else:
            words.extend(_parted(token))
    return words


def _parted(token: str) -> Sequence[str]:
    """Cut ten groups that were typed in one run; any other token is one word."""
    if _is_number(token) and len(token) == PHRASE_WORDS * GROUP_DIGITS:
        return [token[at : at + GROUP_DIGITS] for at in range(0, len(token), GROUP_DIGITS)]
    return [token]


def _index(word: str, position: int) -> int:
    """Find a word in the lists, or read a group; a group out of range is refused by its user."""
    if _is_number(word) and len(word) == GROUP_DIGITS:
        return int(word)
    for language in Language:
        index = word_list(language).index_of.get(word)
        if index is not None:
            return index
    raise PhraseRefusedError(Refusal.UNKNOWN_WORD, position)


def _is_number(token: str) -> bool:
    return token.isascii() and token.isdecimal()
