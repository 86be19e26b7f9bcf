"""What an officer's passphrase opens: the identities of the groups to which the officer belongs.

A key store is kept for groups (triage, and one for each handling class), never for people: adding
an officer writes one ring and touches no kept identity. Every ring knows the recipients of all
groups, so that whoever unlocks can seal for a group without being able to open what it holds; and
the mark key, by which all of them know the store's own records from anybody else's.
Format: docs/format/25-key-store.md section 3.
"""

import hmac
import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Self

from crypto import canonical
from crypto.canonical import JsonValue
from crypto.errors import CanonicalError, KeyFormatError, KeyStoreError, NotHeldError
from crypto.identities import HybridIdentity
from crypto.recipients import HybridRecipient

FORMAT: Final = "amana/officer-ring/v1"
LIMIT_BYTES: Final = 40_960
"""Ours: MOST_GROUPS take 33 KiB, and 48 KiB locked, which is below keyfile's limit."""
MOST_GROUPS: Final = 16
NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,159}", re.ASCII)
"""Names of groups, officers and kept identities: file names on every system, and nothing else."""

_MARK_KEY_BYTES: Final = 32
"""As long as the output of HMAC-SHA-256 (RFC 2104 section 3)."""
_FIELDS: Final = frozenset({"format", "groups", "mark_key", "officer"})
_GROUP_FIELDS: Final = frozenset({"identity", "recipient"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One group: everybody's recipient, and the identity where this ring has it."""

    recipient: HybridRecipient
    identity: HybridIdentity | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Ring:
    """One officer's keys. repr hides them."""

    officer: str
    groups: Mapping[str, Group]
    mark_key: bytes

    def __post_init__(self) -> None:
        """KeyFormatError: a name, the number of groups or the mark key is outside the format."""
        if not all(NAME.fullmatch(name) for name in (self.officer, *self.groups)):
            raise KeyFormatError("a name in a ring is outside the format")
        if not 1 <= len(self.groups) <= MOST_GROUPS or len(self.mark_key) != _MARK_KEY_BYTES:
            raise KeyFormatError("a ring has too many groups, none, or no mark key")

    @classmethod
    def generate(cls, officer: str, groups: Collection[str]) -> Self:
        """Make new groups, and the ring of an officer who belongs to all of them."""
        made = {}
        for name in groups:
            identity = HybridIdentity.generate()
            made[name] = Group(recipient=identity.recipient, identity=identity)
        mark_key = secrets.token_bytes(_MARK_KEY_BYTES)
        return cls(officer=officer, groups=MappingProxyType(made), mark_key=mark_key)

    def ring_for(self, officer: str, groups: Collection[str]) -> Self:
        """Make the ring of another officer, who belongs to these of this ring's groups.

        NotHeldError: this ring does not hold one of them; nobody gives what they do not have.
        """
        for name in groups:
            self.identity(name)
        made = {
            name: group if name in groups else Group(recipient=group.recipient, identity=None)
            for name, group in self.groups.items()
        }
        return type(self)(officer=officer, groups=MappingProxyType(made), mark_key=self.mark_key)

    def recipient(self, group: str) -> HybridRecipient:
        """Give the recipient of a group; NotHeldError for one that this store does not have."""
        try:
            return self.groups[group].recipient
        except KeyError as failure:
            raise NotHeldError("the store has no such group") from failure

    def identity(self, group: str) -> HybridIdentity:
        """Give the identity of a group; NotHeldError where this officer does not belong to it."""
        identity = self.groups[group].identity if group in self.groups else None
        if identity is None:
            raise NotHeldError("the ring does not hold the identity of this group")
        return identity

    @property
    def held(self) -> tuple[str, ...]:
        """The groups to which this officer belongs, in the order of their names."""
        return tuple(sorted(name for name, group in self.groups.items() if group.identity))

    def mark(self, content: bytes) -> bytes:
        """Give the mark (32 bytes) that only whoever holds a ring of this store can make."""
        return hmac.digest(self.mark_key, content, "sha256")

    def to_bytes(self) -> bytes:
        """Write the ring as it lies inside an officer's key file."""
        groups: dict[str, JsonValue] = {
            name: {
                "identity": group.identity.to_text() if group.identity else None,
                "recipient": group.recipient.to_text(),
            }
            for name, group in self.groups.items()
        }
        return canonical.encode(
            {
                "format": FORMAT,
                "groups": groups,
                "mark_key": self.mark_key.hex(),
                "officer": self.officer,
            }
        )

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> Self:
        """Read a ring. KeyStoreError: the bytes are none."""
        try:
            value = canonical.decode(untrusted, limit_bytes=LIMIT_BYTES)
            if not isinstance(value, dict) or value.keys() != _FIELDS or value["format"] != FORMAT:
                raise KeyStoreError("a ring has other fields than its format")
            groups, mark_key, officer = value["groups"], value["mark_key"], value["officer"]
            if not (
                isinstance(groups, dict) and isinstance(mark_key, str) and isinstance(officer, str)
            ):
                raise KeyStoreError("a field of a ring is of another kind")
            return cls(
                officer=officer,
                groups=MappingProxyType({name: _group(each) for name, each in groups.items()}),
                mark_key=_unhex(mark_key),
            )
        except (CanonicalError, KeyFormatError) as failure:
            raise KeyStoreError("an officer's key file holds no ring") from failure


def _group(untrusted: JsonValue) -> Group:
    if not isinstance(untrusted, dict) or untrusted.keys() != _GROUP_FIELDS:
        raise KeyStoreError("a group of a ring has other fields than its format")
    recipient, identity = untrusted["recipient"], untrusted["identity"]
    if not isinstance(recipient, str) or not (identity is None or isinstance(identity, str)):
        raise KeyStoreError("a field of a group is of another kind")
    group = Group(
        recipient=HybridRecipient.from_text(recipient),
        identity=None if identity is None else HybridIdentity.from_text(identity),
    )
    if group.identity is not None and group.identity.recipient != group.recipient:
        raise KeyStoreError("a group's identity and recipient do not belong together")
    return group


def _unhex(text: str) -> bytes:
    try:
        data = bytes.fromhex(text)
    except ValueError as failure:
        raise KeyStoreError("a mark key is not hexadecimal") from failure
    if data.hex() != text:
        raise KeyStoreError("a mark key is not written as its format says")
    return data
