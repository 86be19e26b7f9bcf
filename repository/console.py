"""How a command of the repository speaks, in the language of the person in front of it.

Results go to standard output, everything else to standard error; with `--json` a result is one
line of JSON for each thing, for a program.
"""

import json
import os
import sys
from collections.abc import Mapping
from typing import TypeAlias

from amana.exitcodes import ExitCode
from amana.i18n import Sayable, Sentence, Speaker, preferred_language
from repository.errors import RepositoryError

Field: TypeAlias = str | int | bool | list[str] | None


class Console:
    """One command's voice."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._speaker = Speaker(preferred_language(os.environ))

    def sentence(self, key: str, **values: str | int) -> str:
        """Give a sentence of the repository in the person's language."""
        return self._speaker.say(Sentence(key=f"package.{key}", values=values))

    def say(self, sentence: Sayable) -> str:
        """Give any sentence in the person's language."""
        return self._speaker.say(sentence)

    def result(self, text: str, fields: Mapping[str, Field]) -> None:
        """Give one result: text for a person, or the fields as one line of JSON."""
        line = json.dumps(fields, ensure_ascii=True, sort_keys=True) if self._as_json else text
        sys.stdout.write(line + "\n")

    def tell(self, key: str, **values: str | int) -> None:
        """Say something beside the result."""
        sys.stderr.write(self.sentence(key, **values) + "\n")

    def refuse(self, failure: RepositoryError) -> int:
        """Say why not, and give the exit code for it."""
        sys.stderr.write(f"amana: {self._speaker.say(failure.sentence)} [{failure.sentence.key}]\n")
        return ExitCode.REFUSED
