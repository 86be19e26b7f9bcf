"""How an officer gives a passphrase: at the terminal, unseen, or from a file that only they read.

It must never stand in an error, a log or another process's arguments.
"""

import getpass
import os
import re
import stat
import unicodedata
import warnings
from collections.abc import Callable
from enum import StrEnum, unique
from pathlib import Path
from typing import Final

from worker.agent_messages import PASSPHRASE_LIMIT_BYTES
from worker.errors import WorkerError

LEAST_CHARACTERS: Final = 12
"""Ours: with Argon2id at 256 MiB, twelve characters that are not a phrase outlive the material."""

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_HALF_A_PAIR: Final = re.compile("[\ud800-\udfff]")


@unique
class PassphraseFault(StrEnum):
    """Why what was given cannot be a passphrase."""

    DIFFER = "passphrases-differ"
    NO_TERMINAL = "no-terminal"
    NOT_TEXT = "passphrase-not-text"
    TOO_SHORT = "passphrase-too-short"
    UNREADABLE = "passphrase-unreadable"


class PassphraseError(WorkerError):
    """No usable passphrase was given: `fault` says why."""

    def __init__(self, fault: PassphraseFault) -> None:
        super().__init__(fault)
        self.fault = fault


def read_passphrase(path: Path | None, *, is_new: bool, say: Callable[[str], str]) -> str:
    """Ask for a passphrase, twice for a new one, or take the first line of a file; give it in NFC.

    say: gives the sentence of a key, to ask with. PassphraseError: see its faults.
    """
    if path is None:
        found = _ask(say("ask-passphrase"))
        if is_new and _ask(say("ask-passphrase-again")) != found:
            raise PassphraseError(PassphraseFault.DIFFER)
    else:
        found = _first_line(path)
    # Python's sign of bytes that were typed and are not UTF-8.
    if _HALF_A_PAIR.search(found):
        raise PassphraseError(PassphraseFault.NOT_TEXT)
    # Two keyboards may write the same Arabic or accented letter in two ways (RFC 8265 4.2).
    normal = unicodedata.normalize("NFC", found)
    if is_new and len(normal) < LEAST_CHARACTERS:
        raise PassphraseError(PassphraseFault.TOO_SHORT)
    return normal


def _ask(prompt: str) -> str:
    with warnings.catch_warnings():
        # Without a terminal getpass would read on, and show what it reads.
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(prompt)
        except (getpass.GetPassWarning, EOFError) as failure:
            raise PassphraseError(PassphraseFault.NO_TERMINAL) from failure


def _first_line(path: Path) -> str:
    try:
        with path.open("rb") as source:
            # Of what is open, not of the name: that may be another file by now.
            if os.fstat(source.fileno()).st_mode & _OTHERS:
                raise PassphraseError(PassphraseFault.UNREADABLE)
            line, _, _ = source.read(PASSPHRASE_LIMIT_BYTES).partition(b"\n")
    except OSError as failure:
        raise PassphraseError(PassphraseFault.UNREADABLE) from failure
    try:
        # A line that was written on Windows ends with both.
        return line.removesuffix(b"\r").decode("utf-8")
    except UnicodeDecodeError:
        pass
    # Raised out here, since the failure above holds the passphrase.
    raise PassphraseError(PassphraseFault.NOT_TEXT)
