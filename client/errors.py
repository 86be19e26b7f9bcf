"""What can go wrong on a provider's own machine, one name per fact.

Each error carries a sentence for the person who gave the command. It is shown on their own screen
and may name their own files; it is never logged or sent.
"""

from amana.i18n import Sentence


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


def shown(name: bytes) -> str:
    """Give a name as text for a sentence; bytes that are not UTF-8 stand as backslash and hex."""
    return name.decode("utf-8", errors="backslashreplace")
