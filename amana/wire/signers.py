"""Public signing keys inside documents, and reading what was signed with them.

A statement is read only after its signatures were verified, in one step, so that no caller can
have the one without the other. Private keys never come here. Format: docs/format/09-key-cards.md.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, TypeVar

from amana.wire.documents import Statement
from amana.wire.errors import FieldError, FormatError, UnsignedError
from amana.wire.ids import KeyId
from crypto.canonical import JsonValue
from crypto.errors import KeyFormatError, NoteError, SignatureError
from crypto.note import DualKey, Purpose, SignedNote, signers_of, verify, verify_threshold

SIGNATURES_LIMIT_BYTES: Final = 1 << 19
"""Most bytes of signature lines below a statement: 100 lines of 3.5 KB (crypto.note)."""

_HALVES: Final = frozenset({"ed25519", "mldsa44"})

StatementT = TypeVar("StatementT", bound=Statement)


@dataclass(frozen=True, slots=True)
class Signer:
    """A signer's two public keys, as C2SP verifier lines.

    purpose: what the keys must be for; None takes any.
    """

    purpose: Purpose | None = None

    def write(self, value: DualKey) -> JsonValue:
        """Give both lines by algorithm."""
        ed25519, mldsa44 = value.to_texts()
        return {"ed25519": ed25519, "mldsa44": mldsa44}

    def read(self, untrusted: JsonValue) -> DualKey:
        """Give both keys. FieldError: one is malformed, or they do not belong together."""
        if not isinstance(untrusted, dict) or untrusted.keys() != _HALVES:
            raise FieldError("is not an object with ed25519 and mldsa44")
        ed25519, mldsa44 = untrusted["ed25519"], untrusted["mldsa44"]
        if not (isinstance(ed25519, str) and isinstance(mldsa44, str)):
            raise FieldError("is not two verifier lines")
        try:
            key = DualKey.from_texts(ed25519, mldsa44)
        except KeyFormatError as failure:
            raise FieldError("is not two verifier lines of one signer") from failure
        if self.purpose not in (None, key.purpose):
            raise FieldError("is a key for something else")
        return key

    def describe(self) -> str:
        """Give the kind."""
        pair = "object with `ed25519` and `mldsa44`, each a C2SP verifier line"
        return pair if self.purpose is None else f"{pair}, for {self.purpose.name.lower()}s"


SIGNER: Final = Signer()
NOTE_SIGNER: Final = Signer(Purpose.NOTE)
"""A signer of notes. A log's key would sign what this project calls a checkpoint."""


def key_id(key: DualKey) -> KeyId:
    """Give the id of a signer: SHA-256 of its two verifier lines, each ended by a newline.

    C2SP's own key ids have four bytes and tell keys apart; this one stands for the key in court.
    """
    lines = "".join(f"{line}\n" for line in key.to_texts())
    return KeyId(hashlib.sha256(lines.encode("utf-8")).hexdigest())


def read_signed(kind: type[StatementT], untrusted: bytes, key: DualKey) -> StatementT:
    """Give the statement in a note that this signer signed with both keys.

    UnsignedError: it did not, or a line is wrong. FormatError, FieldError: not such a statement.
    """
    note = _note(kind, untrusted)
    try:
        verify(note, key)
    except SignatureError as failure:
        raise UnsignedError("the statement is not signed by its signer") from failure
    return kind.from_bytes(note.text.encode("utf-8"))


def read_signed_only(
    kind: type[StatementT], untrusted: bytes, key: DualKey, others: Collection[DualKey] = ()
) -> StatementT:
    """Give the statement in a note that this signer signed, and nobody else but `others`.

    A stranger's line proves nothing, but it names somebody, and the note lies in the clear.
    UnsignedError: as read_signed, or a line is no known signer's, or one of `others` is wrong.
    FormatError, FieldError: not such a statement.
    """
    note = _note(kind, untrusted)
    known = {(half.name, half.key_id) for each in (key, *others) for half in each.halves}
    if any((line.name, line.key_id) not in known for line in note.signatures):
        raise UnsignedError("the note has a line of somebody else")
    try:
        signers_of(note, tuple(others))
    except SignatureError as failure:
        raise UnsignedError("a line below the statement is wrong") from failure
    return read_signed(kind, untrusted, key)


def read_signed_by_some(
    kind: type[StatementT], untrusted: bytes, keys: Collection[DualKey], threshold: int
) -> StatementT:
    """Give the statement in a note that at least `threshold` of these signers signed.

    Errors: as read_signed.
    """
    note = _note(kind, untrusted)
    try:
        verify_threshold(note, keys, threshold)
    except SignatureError as failure:
        raise UnsignedError("the statement is signed by too few") from failure
    return kind.from_bytes(note.text.encode("utf-8"))


def _note(kind: type[Statement], untrusted: bytes) -> SignedNote:
    limit = kind.LIMIT_BYTES + SIGNATURES_LIMIT_BYTES
    try:
        return SignedNote.parse(untrusted, limit_bytes=limit)
    except NoteError as failure:
        raise FormatError("the bytes are not a signed note within the limit") from failure
