"""The records of a key store: a kept identity, and another name for one.

A record says in clear what it is of, and holds the identity sealed to one group. Its mark proves
that somebody with a ring of this store wrote it: without one, a record put there by a stranger
would have material sealed to the stranger's key. Format: docs/format/25-key-store.md section 2.
"""

import base64
import binascii
import hmac
import io
from dataclasses import dataclass
from typing import Final, Self

from crypto import canonical
from crypto.errors import (
    CanonicalError,
    CryptoError,
    KeyFormatError,
    KeyStoreError,
    NoMatchError,
)
from crypto.identities import HybridIdentity
from crypto.opening import open_object
from crypto.padding import Kind
from crypto.private.ring import NAME, Ring
from crypto.recipients import HybridRecipient
from crypto.seal import seal

IDENTITY_FORMAT: Final = "amana/kept-identity/v1"
INSIDE_FORMAT: Final = "amana/kept-secret/v1"
ALIAS_FORMAT: Final = "amana/kept-alias/v1"
LIMIT_BYTES: Final = 12_288
"""Ours: a kept identity takes 8 KiB: a recipient, and a sealed object of 4,096 bytes in base64."""

_MARK: Final = "mark"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptIdentity:
    """One identity at rest: its recipient in clear, itself sealed to a group."""

    name: str
    group: str
    recipient: HybridRecipient
    sealed: bytes

    @classmethod
    def of(cls, name: str, group: str, identity: HybridIdentity, ring: Ring) -> Self:
        """Seal an identity to a group under a name; NotHeldError: there is no such group."""
        inside = {"format": INSIDE_FORMAT, "identity": identity.to_text(), "name": name}
        pieces = seal((canonical.encode({**inside}),), ring.recipient(group), Kind.RECORD)
        return cls(name=name, group=group, recipient=identity.recipient, sealed=b"".join(pieces))

    def to_bytes(self, ring: Ring) -> bytes:
        """Write the record and its mark."""
        return _write(
            {
                "format": IDENTITY_FORMAT,
                "group": self.group,
                "name": self.name,
                "recipient": self.recipient.to_text(),
                "sealed": base64.urlsafe_b64encode(self.sealed).rstrip(b"=").decode("ascii"),
            },
            ring,
        )

    @classmethod
    def from_bytes(cls, untrusted: bytes, name: str, ring: Ring) -> Self:
        """Read the record of this name. KeyStoreError: it is another's, or nobody's of ours."""
        fields = _read(
            untrusted, IDENTITY_FORMAT, frozenset({"group", "name", "recipient", "sealed"}), ring
        )
        if fields["name"] != name:
            raise KeyStoreError("a record lies under another's name")
        try:
            recipient = HybridRecipient.from_text(fields["recipient"])
            sealed = base64.urlsafe_b64decode(fields["sealed"] + "=" * (-len(fields["sealed"]) % 4))
        except (KeyFormatError, binascii.Error, ValueError) as failure:
            raise KeyStoreError("a record's recipient or object is malformed") from failure
        return cls(name=name, group=fields["group"], recipient=recipient, sealed=sealed)

    def identity(self, ring: Ring) -> HybridIdentity:
        """Open the identity.

        NotHeldError: the ring's officer does not belong to the group. KeyStoreError: what is
        sealed is not the identity of this name and recipient.
        """
        key = ring.identity(self.group)
        try:
            content = b"".join(open_object(io.BytesIO(self.sealed), key, kind=Kind.RECORD))
            inside = canonical.decode(content, limit_bytes=LIMIT_BYTES)
            identity = _identity(inside, self.name)
        except CryptoError as failure:
            raise KeyStoreError("a kept identity does not open") from failure
        if identity.recipient != self.recipient:
            raise KeyStoreError("a kept identity is not that of its recipient")
        return identity


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAlias:
    """Another name for a kept identity."""

    alias: str
    name: str

    def to_bytes(self, ring: Ring) -> bytes:
        """Write the record and its mark."""
        return _write({"alias": self.alias, "format": ALIAS_FORMAT, "name": self.name}, ring)

    @classmethod
    def from_bytes(cls, untrusted: bytes, alias: str, ring: Ring | None) -> Self:
        """Read the record of this alias. KeyStoreError: it is another's, or nobody's of ours.

        ring: None reads it without its mark, which is enough to destroy what it names.
        """
        fields = _read(untrusted, ALIAS_FORMAT, frozenset({"alias", "name"}), ring)
        if fields["alias"] != alias or not NAME.fullmatch(fields["name"]):
            raise KeyStoreError("a record lies under another's name")
        return cls(alias=alias, name=fields["name"])


def _write(fields: dict[str, canonical.JsonValue], ring: Ring) -> bytes:
    mark = ring.mark(canonical.encode(fields)).hex()
    return canonical.encode({**fields, _MARK: mark}) + b"\n"


def _read(
    untrusted: bytes, name: str, expected: frozenset[str], ring: Ring | None
) -> dict[str, str]:
    if not untrusted.endswith(b"\n"):
        raise KeyStoreError("a record does not end with a newline")
    try:
        value = canonical.decode(untrusted[:-1], limit_bytes=LIMIT_BYTES)
    except CanonicalError as failure:
        raise KeyStoreError("a record is not one line of canonical JSON") from failure
    if not isinstance(value, dict) or value.keys() != expected | {"format", _MARK}:
        raise KeyStoreError("a record has other fields than its format")
    fields = {key: each for key, each in value.items() if isinstance(each, str)}
    if len(fields) != len(value) or fields["format"] != name:
        raise KeyStoreError("a record is of another format")
    mark = fields.pop(_MARK)
    if ring is not None:
        expected_mark = ring.mark(canonical.encode({**fields})).hex()
        if not hmac.compare_digest(mark.encode("utf-8"), expected_mark.encode("ascii")):
            raise KeyStoreError("a record does not carry the mark of this store")
    return fields


def _identity(inside: canonical.JsonValue, name: str) -> HybridIdentity:
    if not isinstance(inside, dict) or inside.keys() != {"format", "identity", "name"}:
        raise KeyStoreError("a kept secret has other fields than its format")
    text = inside["identity"]
    if (inside["format"], inside["name"]) != (INSIDE_FORMAT, name) or not isinstance(text, str):
        raise KeyStoreError("a kept secret is another's")
    try:
        return HybridIdentity.from_text(text)
    except KeyFormatError:
        pass
    # Raised out here, since the failure above may hold the text.
    raise NoMatchError("a kept secret is no identity")
