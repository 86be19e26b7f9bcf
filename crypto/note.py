"""Text that names who signed it: C2SP signed notes, each signer with two signatures.

A signer is Ed25519 and ML-DSA-44 together, and counts only when both lines are there and right. A
line of a key that nobody here knows is passed over, as C2SP demands; a wrong line of a known key
rejects the note. Text that was not verified must never be acted on; no private key is ever in this
module. Format: docs/format/03-signed-note.md.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

import nacl.bindings
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from crypto.algorithm import TIME_BYTES, Algorithm
from crypto.errors import KeyFormatError, NoteError, ProofError, SignatureError
from crypto.lines import base64_of, bytes_of_base64, text_of_utf8, utf8_of

MAX_SIGNATURES: Final = 100
"""Most signature lines in a note. C2SP signed-note demands at least 16 and a maximum; Go's
golang.org/x/mod/sumdb/note stops at 100."""

MAX_NAME_BYTES: Final = 255
"""Longest key name: C2SP tlog-cosignature signs it as `opaque cosigner_name<1..2^8-1>`."""

KEY_ID_BYTES: Final = 4
"""C2SP signed-note: an identifier, not a fingerprint; it is easy to find keys that share one."""

_MAX_VKEY_CHARACTERS: Final = 4096
_SIGNATURE_MARK: Final = "\u2014 "


class Purpose(Enum):
    """What a signer's two keys are for. The value is the pair of algorithms."""

    NOTE = (Algorithm.ED25519, Algorithm.MLDSA44_NOTE)
    """Cards, receipts, packages: any text but a checkpoint."""
    LOG = (Algorithm.ED25519, Algorithm.MLDSA44_COSIGNATURE)
    """A log's own checkpoints."""
    COSIGNER = (Algorithm.ED25519_COSIGNATURE, Algorithm.MLDSA44_COSIGNATURE)
    """Someone else who saw that a log only grew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """One public key under a name: half of a signer, or a stranger's whole key.

    name: 1 to MAX_NAME_BYTES bytes of UTF-8, printable, without white space or `+`.
    KeyFormatError: no such name, a key of the wrong length, an Ed25519 key of small order.
    """

    name: str
    algorithm: Algorithm
    public: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not _is_key_name(self.name):
            raise KeyFormatError("the key name is empty, too long or has a character it may not")
        if len(self.public) != self.algorithm.public_bytes:
            raise KeyFormatError("the public key has the wrong length")
        # A key of small order has signatures that fit every message.
        if self.algorithm.is_ed25519 and not nacl.bindings.crypto_core_ed25519_is_valid_point(
            self.public
        ):
            raise KeyFormatError("the Ed25519 public key is not a point of the main group")

    @property
    def key_id(self) -> bytes:
        """KEY_ID_BYTES bytes: SHA-256 of name, newline, type and key, cut (C2SP signed-note)."""
        hashed = self.name.encode("utf-8") + b"\n" + self.algorithm.value + self.public
        return hashlib.sha256(hashed).digest()[:KEY_ID_BYTES]

    @classmethod
    def from_text(cls, untrusted: str) -> "VerifierKey":
        """Read a C2SP vkey; KeyFormatError unless it is exactly what to_text() writes."""
        if len(untrusted) > _MAX_VKEY_CHARACTERS:
            raise KeyFormatError("the verifier key is too long")
        name, _, rest = untrusted.partition("+")
        typed_public = bytes_of_base64(rest.partition("+")[2])
        if typed_public is None:
            raise KeyFormatError("the verifier key is not name, key id and base64")
        for algorithm in Algorithm:
            if typed_public.startswith(algorithm.value):
                public = typed_public.removeprefix(algorithm.value)
                key = cls(name=name, algorithm=algorithm, public=public)
                break
        else:
            raise KeyFormatError("the verifier key has an unknown signature type")
        if key.to_text() != untrusted:
            raise KeyFormatError("the verifier key's id is not that of its name and key")
        return key

    def to_text(self) -> str:
        """Write the C2SP vkey: name, `+`, key id in hex, `+`, base64 of type and key."""
        typed_public = base64_of(self.algorithm.value + self.public)
        return f"{self.name}+{self.key_id.hex()}+{typed_public}"

    def verify(self, text: str, signature: bytes) -> None:
        """Check one signature (with its time, where it has one) over a note's text.

        SignatureError: it is wrong, or this key signs checkpoints and the text is none.
        """
        if len(signature) != self.algorithm.signature_bytes:
            raise SignatureError("a signature has the wrong length")
        at = self.algorithm.time_of(signature)
        try:
            message = self.algorithm.message(name=self.name, text=text, at=at)
        except ProofError as failure:
            raise SignatureError("a log's key signed what is not a checkpoint") from failure
        bare = signature[TIME_BYTES:] if self.algorithm.is_timed else signature
        try:
            if self.algorithm.is_ed25519:
                VerifyKey(self.public).verify(message, bare)
            else:
                MLDSA44PublicKey.from_public_bytes(self.public).verify(bare, message)
        except (BadSignatureError, InvalidSignature) as failure:
            raise SignatureError("a signature of a known key is wrong") from failure


@dataclass(frozen=True, slots=True, kw_only=True)
class DualKey:
    """The two public keys of one signer, under one name; it signed only where both signed.

    KeyFormatError: the names differ, or the algorithms are not a pair that Purpose lists.
    """

    ed25519: VerifierKey
    mldsa: VerifierKey

    def __post_init__(self) -> None:
        if self.ed25519.name != self.mldsa.name:
            raise KeyFormatError("the two keys of a signer have different names")
        if self._algorithms not in (purpose.value for purpose in Purpose):
            raise KeyFormatError("the two keys do not belong together")

    @property
    def _algorithms(self) -> tuple[Algorithm, Algorithm]:
        return (self.ed25519.algorithm, self.mldsa.algorithm)

    @property
    def name(self) -> str:
        """The signer's name."""
        return self.ed25519.name

    @property
    def purpose(self) -> Purpose:
        """What this signer signs."""
        return Purpose(self._algorithms)

    @property
    def halves(self) -> tuple[VerifierKey, VerifierKey]:
        """Both keys, Ed25519 first."""
        return (self.ed25519, self.mldsa)

    @classmethod
    def from_texts(cls, untrusted_ed25519: str, untrusted_mldsa: str) -> "DualKey":
        """Read both halves from their vkeys; KeyFormatError if either, or the pair, is not one."""
        return cls(
            ed25519=VerifierKey.from_text(untrusted_ed25519),
            mldsa=VerifierKey.from_text(untrusted_mldsa),
        )

    def to_texts(self) -> tuple[str, str]:
        """Write both halves as vkeys, Ed25519 first."""
        return (self.ed25519.to_text(), self.mldsa.to_text())


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureLine:
    """One line under a note: whose key, and the signature (with its time, where it has one).

    NoteError: a name that no key may have, a key id of the wrong length, an empty signature.
    """

    name: str
    key_id: bytes
    signature: bytes

    def __post_init__(self) -> None:
        if not _is_key_name(self.name):
            raise NoteError("a signature line has a malformed key name")
        if len(self.key_id) != KEY_ID_BYTES or not self.signature:
            raise NoteError("a signature line is too short")

    @classmethod
    def from_text(cls, untrusted: str) -> "SignatureLine":
        """Read one line without its newline; NoteError unless it is what to_text() writes."""
        name, _, encoded = untrusted.removeprefix(_SIGNATURE_MARK).partition(" ")
        signed = bytes_of_base64(encoded)
        if not untrusted.startswith(_SIGNATURE_MARK) or signed is None:
            raise NoteError("a signature line is not dash, name and base64")
        return cls(name=name, key_id=signed[:KEY_ID_BYTES], signature=signed[KEY_ID_BYTES:])

    def to_text(self) -> str:
        """Write the line without its newline."""
        return f"{_SIGNATURE_MARK}{self.name} {base64_of(self.key_id + self.signature)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedNote:
    """A text and the lines under it. Having one proves nothing: verify() does.

    text: ends in a newline, has no other control character. signatures: 1 to MAX_SIGNATURES.
    NoteError: anything else.
    """

    text: str
    signatures: tuple[SignatureLine, ...]

    def __post_init__(self) -> None:
        encoded = utf8_of(self.text)
        if encoded is None or not encoded.endswith(b"\n"):
            raise NoteError("a note's text is Unicode and ends in a newline")
        if min(encoded.replace(b"\n", b" ")) < ord(" "):
            raise NoteError("a note's text has a control character")
        if not 0 < len(self.signatures) <= MAX_SIGNATURES:
            raise NoteError(f"a note has 1 to {MAX_SIGNATURES} signature lines")

    @classmethod
    def parse(cls, untrusted: bytes, *, limit_bytes: int) -> "SignedNote":
        """Read a whole note; NoteError unless it is exactly what to_bytes() writes.

        limit_bytes: longest note that is looked at; the caller knows its format.
        """
        if len(untrusted) > limit_bytes:
            raise NoteError(f"the note is longer than the {limit_bytes} bytes allowed here")
        whole = text_of_utf8(untrusted)
        if whole is None:
            raise NoteError("the note is not UTF-8")
        # The last empty line divides: the text may have empty lines of its own.
        text, divider, block = whole.rpartition("\n\n")
        if not divider or not block.endswith("\n"):
            raise NoteError("the note has no text and signature lines, each ended by a newline")
        if block.count("\n") > MAX_SIGNATURES:
            raise NoteError(f"the note has more than {MAX_SIGNATURES} signature lines")
        lines = block[:-1].split("\n")
        return cls(text=text + "\n", signatures=tuple(map(SignatureLine.from_text, lines)))

    def to_bytes(self) -> bytes:
        """Write the note in UTF-8: text, empty line, signature lines in their order."""
        lines = "".join(f"{line.to_text()}\n" for line in self.signatures)
        return f"{self.text}\n{lines}".encode()

    def signatures_of(self, key: VerifierKey) -> tuple[bytes, ...]:
        """Return the signatures that claim to be this key's, in their order; not verified."""
        claim = (key.name, key.key_id)
        return tuple(s.signature for s in self.signatures if (s.name, s.key_id) == claim)


def verify(note: SignedNote, key: DualKey) -> None:
    """Return only if both keys of this signer signed the note.

    SignatureError: one of the two lines is missing, any line of either key is wrong, or the lines
    state different times.
    """
    if not _is_signed_by(note, key):
        raise SignatureError("one of the two signatures of a signer is missing")


def signers_of(note: SignedNote, keys: Collection[DualKey]) -> tuple[str, ...]:
    """Return the names of those who signed with both keys, in the order of `keys`.

    SignatureError: any line of any of these keys is wrong, as in verify(); or two of them share a
    name or a key, so that one signer could count twice.
    """
    if _has_one_signer_twice(keys):
        raise SignatureError("two of the keys are one signer's")
    return tuple(key.name for key in keys if _is_signed_by(note, key))


def verify_threshold(
    note: SignedNote, keys: Collection[DualKey], threshold: int
) -> tuple[str, ...]:
    """Return the names of those who signed with both keys, if they are enough.

    threshold: how many of them must have, 1 to all. SignatureError: fewer did, the threshold is
    out of range, or as signers_of(), also where enough others have signed.
    """
    if not 1 <= threshold <= len(keys):
        raise SignatureError("the threshold and the keys make no policy")
    signers = signers_of(note, keys)
    if len(signers) < threshold:
        raise SignatureError(f"{len(signers)} signed where {threshold} must")
    return signers


def cosigned_at(note: SignedNote, key: DualKey) -> int:
    """Verify a log's or cosigner's signatures and return the POSIX second that they state.

    0 stands for no statement of time. SignatureError: as verify().
    """
    verify(note, key)
    return max(_stated_times(note, key), default=0)


def _is_key_name(name: str) -> bool:
    encoded = utf8_of(name)
    if encoded is None or not 0 < len(encoded) <= MAX_NAME_BYTES:
        return False
    # Printable leaves out what cannot be seen, and so what turns or hides the letters around it.
    return name.isprintable() and " " not in name and "+" not in name


def _is_signed_by(note: SignedNote, key: DualKey) -> bool:
    halves_signed = 0
    for half in key.halves:
        claimed = note.signatures_of(half)
        for signature in claimed:
            half.verify(note.text, signature)
        halves_signed += bool(claimed)
    if len(_stated_times(note, key)) > 1:
        raise SignatureError("the signatures of one signer state different times")
    return halves_signed == len(key.halves)


def _stated_times(note: SignedNote, key: DualKey) -> set[int]:
    timed = (half for half in key.halves if half.algorithm.is_timed)
    return {half.algorithm.time_of(s) for half in timed for s in note.signatures_of(half)}


def _has_one_signer_twice(keys: Collection[DualKey]) -> bool:
    names = {key.name for key in keys}
    ed25519 = {key.ed25519.public for key in keys}
    mldsa = {key.mldsa.public for key in keys}
    return not len(names) == len(ed25519) == len(mldsa) == len(keys)
