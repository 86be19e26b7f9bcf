"""What can go wrong with a document between zones, one name per fact.

Messages are for an operator's log: they name the place of a fault, never what stood there.
"""

from dataclasses import replace
from enum import StrEnum, unique
from typing import Final, Self

from amana.i18n import Sentence

ROOT: Final = "the document"
"""How a message names a fault that lies in no single field."""


class WireError(Exception):
    """The root of every error that this package raises on purpose."""


class FormatError(WireError):
    """The bytes are not this kind of document: another format, not canonical JSON, too long."""


class FieldError(WireError):
    """One field is missing, unknown, of another kind, over its limit, or at odds with another.

    path: where, like `objects[3].sealed_size`; empty for the document itself. The names in a path
    are ours; the name of an unknown field is the sender's and never stands here.
    """

    def __init__(self, problem: str, path: str = "") -> None:
        super().__init__(f"{path or ROOT} {problem}")
        self.problem = problem
        self.path = path

    def inside(self, step: str) -> Self:
        """Give the same fault as the surrounding field sees it: `step` goes before the path."""
        joint = "." if self.path and not self.path.startswith("[") else ""
        return type(self)(self.problem, f"{step}{joint}{self.path}")


class PackError(WireError):
    """The content of a pack is not the bytes that its items' ids and sizes yield."""


class ArchiveError(WireError):
    """An archive or bag is not, byte for byte, what its writer must have written."""


class UnsignedError(WireError):
    """The document does not carry the signatures that it must, or one of them is wrong."""


class UnprovenError(WireError):
    """A Merkle proof, or the checkpoint it ends in, does not show what it should."""


@unique
class CardFault(StrEnum):
    """Why a card that is genuine may still not be used. Each has its own words for the user."""

    ANOTHER_ACCOUNT = "another-account"
    ANOTHER_AUDIENCE = "another-audience"
    ANOTHER_DEPLOYMENT = "another-deployment"
    ANOTHER_PURPOSE = "another-purpose"
    NOT_YET_VALID = "not-yet-valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    ROLLED_BACK = "rolled-back"
    CHAIN_BROKEN = "chain-broken"


class CardError(WireError):
    """A card is genuine and may not be used: `fault` says why."""

    def __init__(self, fault: CardFault) -> None:
        super().__init__(f"the card may not be used: {fault}")
        self.fault = fault


class TermsTextError(WireError):
    """Terms that a person wrote cannot be read as terms; the sentence says where and what to do.

    key: the sentence in the catalogues, without `terms-text.`; values: what it speaks of, which may
    be the writer's own words. They are shown to whoever brought the text, and never logged.
    """

    def __init__(self, key: str, **values: str | int) -> None:
        super().__init__(f"the text is not terms: {key}")
        self.sentence = Sentence(key=f"terms-text.{key}", values={"file": "TOML", **values})

    def in_file(self, name: str) -> Sentence:
        """Give the sentence with the name of the file that the text stands in."""
        return replace(self.sentence, values={**self.sentence.values, "file": name})
