"""How a command speaks with the person in front of it, in their language.

Results go to standard output, everything else to standard error. With `--json` a result is one
line of JSON for a program, and there is no progress bar.
"""

import getpass
import json
import os
import re
import sys
import unicodedata
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console as RichConsole
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from amana.exitcodes import ExitCode
from amana.i18n import Sentence, Speaker, preferred_language
from client.errors import ClientError, KeysError
from client.keys import read_private

LEAST_PASSPHRASE_CHARACTERS: Final = 12
"""Ours: with Argon2id at 256 MiB, twelve characters that are not a phrase outlive the material."""

_HALF_A_PAIR: Final = re.compile("[\ud800-\udfff]")


class Console:
    """One command's voice."""

    def __init__(self, *, as_json: bool = False) -> None:
        self._as_json = as_json
        self._speaker = Speaker(preferred_language(os.environ))
        self._progress = RichConsole(stderr=True)

    def say(self, key: str, **values: str | int) -> str:
        """Give a sentence of the client in the person's language."""
        return self._speaker.say(Sentence(key=f"client.{key}", values=values))

    def tell(self, key: str, **values: str | int) -> None:
        """Say something to the person, beside the result."""
        sys.stderr.write(self.say(key, **values) + "\n")

    def result(self, lines: Sequence[str], fields: Mapping[str, object]) -> None:
        """Give the result: lines for a person, or the fields as one line of JSON."""
        text = json.dumps(fields, ensure_ascii=True, sort_keys=True) if self._as_json else None
        sys.stdout.write((text if text is not None else "\n".join(lines)) + "\n")

    def refuse(self, failure: ClientError) -> int:
        """Say why nothing was done, and give the exit code for it."""
        sys.stderr.write(f"amana: {self._speaker.say(failure.sentence)} [{failure.sentence.key}]\n")
        return ExitCode.REFUSED

    @contextmanager
    def progress(self, key: str, total_bytes: int) -> Iterator[Callable[[int], None]]:
        """Show how far reading has come, where there is a screen to show it on."""
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=self._progress,
            disable=self._as_json or not self._progress.is_terminal,
        )
        with bar:
            task = bar.add_task(self.say(key), total=total_bytes)
            yield lambda count: bar.advance(task, count)

    def passphrase(self, path: Path | None, *, is_new: bool) -> str:
        """Ask for a passphrase, twice for a new one, or take the first line of a file.

        KeysError: it is too short or no text, the two differ, or the file cannot be read or can be
        read by others.
        """
        if path is None:
            found = self._ask("ask-passphrase")
            if is_new and self._ask("ask-passphrase-again") != found:
                raise KeysError("passphrases-differ")
        else:
            found = _first_line(path)
        # Python's sign of bytes that were typed and are not UTF-8.
        if _HALF_A_PAIR.search(found):
            raise KeysError("passphrase-not-text")
        # Two keyboards may write the same Arabic or accented letter in two ways (RFC 8265 4.2).
        normal = unicodedata.normalize("NFC", found)
        if is_new and len(normal) < LEAST_PASSPHRASE_CHARACTERS:
            raise KeysError("passphrase-too-short", count=LEAST_PASSPHRASE_CHARACTERS)
        return normal

    def _ask(self, key: str) -> str:
        """Ask at the terminal, without showing what is typed; KeysError where there is none."""
        with warnings.catch_warnings():
            # Without a terminal getpass would read on, and show what it reads.
            warnings.simplefilter("error", getpass.GetPassWarning)
            try:
                return getpass.getpass(self.say(key))
            except (getpass.GetPassWarning, EOFError) as failure:
                raise KeysError("no-terminal") from failure


def _first_line(path: Path) -> str:
    line, _, _ = read_private(path).partition(b"\n")
    try:
        # A line that was written on Windows ends with both.
        return line.removesuffix(b"\r").decode("utf-8")
    except UnicodeDecodeError:
        pass
    # Raised out here, since the failure above holds the passphrase.
    raise KeysError("not-text", path=str(path))
