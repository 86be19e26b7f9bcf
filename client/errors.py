"""What can go wrong on a provider's own machine, one name per fact.

Each error carries a sentence for the person who gave the command. It is shown on their own screen
and may name their own files; it is never logged or sent.
"""

from pathlib import Path
from typing import Self

from amana.i18n import Sentence
from amana.wire.errors import TermsTextError


class ClientError(Exception):
    """The root of every error that this package raises on purpose.

    key: the sentence in the catalogues, without `client.`; values: what it speaks of.
    """

    def __init__(self, key: str, **values: str | int) -> None:
        super().__init__(key)
        self.sentence = Sentence(key=f"client.{key}", values=values)


class TreeError(ClientError):
    """What was named cannot be taken as it lies on the disk."""


class ChangedError(ClientError):
    """A file changed while it was read, so what was sealed of it would be no one's original."""


class BundleError(ClientError):
    """A bundle is not what its note and manifests say, or cannot be written where it should."""


class KeysError(ClientError):
    """A key file, kit or card cannot be used."""


class StatusError(ClientError):
    """What the portal gave as feedback cannot be had or believed."""


class ConditionsError(ClientError):
    """An agreement or a consent cannot be read, or contradicts what is to be sealed under it."""

    @classmethod
    def in_text(cls, failure: TermsTextError, path: Path) -> Self:
        """Give the error for a text that a person wrote and that is not terms."""
        error = cls("terms-text")
        error.sentence = failure.in_file(str(path))
        return error


def shown(name: bytes) -> str:
    """Give a name as text for a sentence; bytes that are not UTF-8 stand as backslash and hex."""
    return name.decode("utf-8", errors="backslashreplace")
