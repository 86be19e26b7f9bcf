"""Files of public signing keys, as they are carried by hand: C2SP verifier lines and nothing else.

Two lines are one signer, Ed25519 first. The directory's file holds three signers; a portal's or a
pull client's holds one. Format: docs/format/26-quarantine.md section 2.
"""

from collections.abc import Collection
from typing import Final

from amana.wire.errors import FormatError
from amana.wire.kit import DIRECTORY_KEYS
from crypto.errors import KeyFormatError
from crypto.note import DualKey, Purpose

SIGNERS_LIMIT_BYTES: Final = 32_768
"""Longest file: six verifier lines have about 11,000 bytes."""


def read_directory(untrusted: bytes) -> tuple[DualKey, ...]:
    """Give the directory's signers. FormatError: not three different signers of notes."""
    keys = _signers(untrusted)
    if not are_three_signers(keys):
        raise FormatError("the directory keys are not those of three signers")
    return keys


def are_three_signers(keys: Collection[DualKey]) -> bool:
    """Say whether these can be a directory: no name and no key may count twice."""
    names = {key.name for key in keys}
    halves = {half.public for key in keys for half in key.halves}
    return len(keys) == len(names) == DIRECTORY_KEYS and len(halves) == 2 * DIRECTORY_KEYS


def read_signer(untrusted: bytes) -> DualKey:
    """Give the one signer in a file. FormatError: not exactly one signer of notes."""
    keys = _signers(untrusted)
    if len(keys) != 1:
        raise FormatError("the file does not hold one signer")
    return keys[0]


def write_signers(*keys: DualKey) -> bytes:
    """Give the file of these signers."""
    return "".join(f"{line}\n" for key in keys for line in key.to_texts()).encode()


def _signers(untrusted: bytes) -> tuple[DualKey, ...]:
    if len(untrusted) > SIGNERS_LIMIT_BYTES:
        raise FormatError("the file of keys is too long")
    try:
        lines = untrusted.decode("utf-8").splitlines()
        if not lines or len(lines) % 2:
            raise FormatError("the file does not have two lines for each signer")
        keys = tuple(map(DualKey.from_texts, lines[::2], lines[1::2]))
    except (UnicodeDecodeError, KeyFormatError) as failure:
        raise FormatError("the file does not hold verifier lines") from failure
    if any(key.purpose is not Purpose.NOTE for key in keys):
        raise FormatError("a key in the file signs no notes")
    return keys
