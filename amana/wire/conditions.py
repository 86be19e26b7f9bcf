"""Names and records of `terms` inside documents: their rule reads them, and no second one.

Format: docs/format/12-terms-snapshot.md; what the records mean: docs/format/13-terms.md.
"""

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from amana.wire.errors import FieldError
from crypto.canonical import JsonValue
from terms.consent import ConsentRecord
from terms.errors import TermsError, VocabularyError
from terms.layer import Layer
from terms.names import Uid, uid
from terms.plain import from_json, to_json

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TermsName:
    """A name as terms have it: one rule, theirs, says what may be one."""

    def write(self, value: Uid) -> JsonValue:
        """Give the name."""
        return str(value)

    def read(self, untrusted: JsonValue) -> Uid:
        """Give the name. FieldError: `terms.names` refuses it."""
        if not isinstance(untrusted, str):
            raise FieldError("is not text")
        try:
            return uid(untrusted)
        except VocabularyError as failure:
            raise FieldError("is not a name that terms can have") from failure

    def describe(self) -> str:
        """Give the kind."""
        return "name of 1 to 128 ASCII letters, digits or `._:@/-` (chapter 13)"


@dataclass(frozen=True, slots=True)
class TermsRecord(Generic[T]):
    """A record of `terms`, in the JSON form that `terms.plain` gives it."""

    kind: type[T]

    def write(self, value: T) -> JsonValue:
        """Give the JSON form."""
        return to_json(value)

    def read(self, untrusted: JsonValue) -> T:
        """Give the record. FieldError: `terms` refuses it."""
        try:
            return from_json(self.kind, untrusted)
        except TermsError as failure:
            raise FieldError("is not such a record of terms") from failure

    def describe(self) -> str:
        """Give the kind."""
        return f"record *{self.kind.__name__}* of terms (chapter 13)"


UID: Final = TermsName()
LAYER: Final = TermsRecord(Layer)
CONSENT: Final = TermsRecord(ConsentRecord)
