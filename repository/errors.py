"""What can go wrong on the repository's side, one name per fact.

Messages hold no name from the material. A refusal of a package is a value to who asked for a
verdict (repository/receive.py) and an error only inside.
"""

from amana.i18n import Sentence
from amana.wire.acknowledgement import RefusalReason


class RepositoryError(Exception):
    """The root of every error that this package raises on purpose.

    key: the sentence in the catalogues, without `package.`; values: what it speaks of.
    """

    def __init__(self, key: str, **values: str | int) -> None:
        super().__init__(key)
        self.sentence = Sentence(key=f"package.{key}", values=values)


class RefusedError(RepositoryError):
    """A package is not what its note, its conditions and its manifests say: `reason` names it."""

    def __init__(self, reason: RefusalReason) -> None:
        super().__init__(f"refused.{reason}")
        self.reason = reason


class UnusableError(RepositoryError):
    """A key file, a pinned end or a folder cannot be used."""


class UnknownItemError(RepositoryError):
    """The package has no item of this registration number."""
