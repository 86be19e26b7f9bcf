"""How `amana worker` and `amana review` speak: sentences for a person, one line of JSON for others.

What comes from providers, such as a name, is shown with every invisible character made visible
(amana/i18n.py), so that no name can turn a line around or move the cursor.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from amana.i18n import Sentence, Speaker, preferred_language
from amana.settings import Settings, load

Field: TypeAlias = "str | int | bool | Sequence[Field] | Mapping[str, Field] | None"
"""What a line of JSON can say."""


class Voice:
    """One call of a command: its settings, and its language."""

    def __init__(self, word: str, options: argparse.Namespace) -> None:
        path = options.settings or os.environ.get("AMANA_SETTINGS")
        self.settings: Settings = load(Path(path) if path else None, os.environ)
        self.as_json: bool = options.json
        self.speaker = Speaker(preferred_language(os.environ))
        self._word = word

    def say(self, key: str, **values: str | int) -> str:
        """Give a sentence of this command in the person's language."""
        return self.speaker.say(Sentence(key=f"{self._word}.command.{key}", values=values))

    def result(self, lines: Sequence[str], fields: Mapping[str, Field]) -> None:
        """Write the result: lines for a person, or the fields as one line of JSON."""
        if self.as_json:
            self.line(json.dumps(fields, ensure_ascii=True, sort_keys=True))
        else:
            self.line("\n".join(lines))

    def line(self, text: str) -> None:
        """Write a line at once: whoever waits for it may be a program."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def refuse(self, key: str, **values: str | int) -> None:
        """Say on the error stream why something is not done."""
        sys.stderr.write(f"amana: {self.say(key, **values)} [{self._word}.{key}]\n")
