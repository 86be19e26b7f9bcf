"""The textual head of an age file: who can open it, and what can be checked without any key.

Parsing is strict and the encoding canonical: a header that parses is, byte for byte, the one that
to_bytes() writes. No length is believed before it is bounded. This module never sees a private key
and never opens anything.
Format: c2sp.org/age, "Header"; docs/format/01-sealed-object.md sections 3 and 7.
"""

import base64
import binascii
import hmac
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from crypto import padding
from crypto.errors import HeaderError, HeaderMacError
from crypto.filekey import FileKey

MAX_HEADER_SIZE: Final = 16_384
"""Bytes. Ours: one hybrid stanza takes 1 627; age itself sets no limit."""
HYBRID_STANZA: Final = "mlkem768x25519"
"""First argument of an object's one stanza (c2sp.org/age, "mlkem768x25519 recipient stanza")."""
HYBRID_SHARE_SIZE: Final = 1120
"""Bytes of encapsulated key: ML-KEM-768 ciphertext 1 088 (FIPS 203 table 3), X25519 share 32."""
WRAPPED_KEY_SIZE: Final = 32
"""Bytes of every native stanza's body: the file key and a Poly1305 tag."""

_VERSION_LINE: Final = b"age-encryption.org/v1"
_MAC_SIZE: Final = 32  # HMAC-SHA-256
_LINE_COLUMNS: Final = 64  # c2sp.org/age, "Recipient stanza"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stanza:
    """One way to the file key: the arguments name the way, the body is the wrapped key."""

    arguments: tuple[str, ...]
    body: bytes

    def to_bytes(self) -> bytes:
        """Write the stanza; its body ends with a line shorter than 64 columns, perhaps empty."""
        body = encode_base64(self.body)
        starts = range(0, len(body) + 1, _LINE_COLUMNS)
        lines = [f"-> {' '.join(self.arguments)}", *(body[s : s + _LINE_COLUMNS] for s in starts)]
        return "".join(f"{line}\n" for line in lines).encode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """All stanzas and the MAC (32 bytes) that the file key puts on them."""

    stanzas: tuple[Stanza, ...]
    mac: bytes

    @classmethod
    def make(cls, stanzas: tuple[Stanza, ...], file_key: FileKey) -> Self:
        """Build the header of a new object from stanzas that all wrap this file key."""
        return cls(stanzas=stanzas, mac=file_key.header_mac(_authenticated(stanzas)))

    @classmethod
    def parse(cls, untrusted_prefix: bytes) -> Self:
        """Read the header at the start of an age file; what follows it is not looked at.

        HeaderError: not age v1, malformed in any way, cut, or longer than MAX_HEADER_SIZE. The MAC
        is read but not checked: that takes the file key, see require_mac().
        """
        lines = _Lines(untrusted_prefix)
        if lines.take() != _VERSION_LINE:
            raise HeaderError("the file does not begin with the version line of age v1")
        stanzas = []
        while (line := lines.take()).startswith(b"-> "):
            stanzas.append(Stanza(arguments=_parse_arguments(line), body=_parse_body(lines)))
        if not stanzas:
            raise HeaderError("the header has no recipient stanza")
        mark, separator, untrusted_mac = line.partition(b" ")
        if mark != b"---" or not separator:
            raise HeaderError("the header has a line that is neither a stanza nor the MAC")
        mac = decode_base64(untrusted_mac)
        if len(mac) != _MAC_SIZE:
            raise HeaderError("the header's MAC is not 32 bytes long")
        return cls(stanzas=tuple(stanzas), mac=mac)

    def to_bytes(self) -> bytes:
        """Write the header, byte for byte as it was or will be in the file."""
        return _authenticated(self.stanzas) + f" {encode_base64(self.mac)}\n".encode("ascii")

    def require_mac(self, file_key: FileKey) -> None:
        """Check the MAC under the file key; HeaderMacError when the header was changed."""
        if not hmac.compare_digest(self.mac, file_key.header_mac(_authenticated(self.stanzas))):
            raise HeaderMacError("the header was changed, or the file key is another file's")

    def hybrid_share(self) -> bytes:
        """Return the share of the one hybrid stanza; HeaderError unless it is the only stanza.

        This is what every object's header must pass, with a key or without.
        """
        share = _hybrid_share(self.stanzas)
        if isinstance(share, Refusal):
            raise HeaderError(f"the header is not that of a sealed object: {share.value}")
        return share


class Refusal(StrEnum):
    """Why bytes cannot be a sealed object. Each is visible without a key."""

    NOT_AGE = "not-age"
    """The header is not one of age v1, is cut, or is over MAX_HEADER_SIZE."""
    NOT_ONE_STANZA = "not-one-stanza"
    """Someone beside the one recipient could open it."""
    NOT_HYBRID = "not-hybrid"
    """The one stanza is not post-quantum: X25519, a passphrase, a plugin."""
    MALFORMED_STANZA = "malformed-stanza"
    """The hybrid stanza's share is not 1 120 bytes, or its body not 32."""
    IMPOSSIBLE_SIZE = "impossible-size"
    """No padded object of this kind has this sealed size: it was cut, extended or not padded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """What can be known of a well-formed object without a key."""

    header: Header
    payload_size: int


def inspect(
    untrusted_prefix: bytes, *, sealed_size: int, kind: padding.Kind
) -> Inspected | Refusal:
    """Judge by its head and size alone whether bytes can be a sealed object: a structural check.

    untrusted_prefix: the first bytes, at least as many as MAX_HEADER_SIZE or all there are.
    sealed_size: of the whole object, in bytes; its steps depend on the kind that is claimed.
    Whose key it is sealed to, and whether its payload is whole, cannot be seen here.
    """
    try:
        header = Header.parse(untrusted_prefix)
    except HeaderError:
        return Refusal.NOT_AGE
    share = _hybrid_share(header.stanzas)
    if isinstance(share, Refusal):
        return share
    payload_size = padding.payload_size_of(sealed_size)
    if payload_size is None or not padding.is_on_step(sealed_size, kind):
        return Refusal.IMPOSSIBLE_SIZE
    return Inspected(header=header, payload_size=payload_size)


def encode_base64(data: bytes) -> str:
    """Write standard base64 without padding (RFC 4648 section 4), as all of a header is."""
    return base64.b64encode(data).decode("ascii").rstrip("=")


def decode_base64(untrusted: bytes | str) -> bytes:
    """Read standard base64 without padding; HeaderError unless it is the one canonical spelling."""
    try:
        text = untrusted if isinstance(untrusted, str) else untrusted.decode("ascii")
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as failure:
        raise HeaderError("the header has a word that is not base64") from failure
    if encode_base64(data) != text:
        raise HeaderError("the header has base64 that is not canonical")
    return data


def _hybrid_share(stanzas: tuple[Stanza, ...]) -> bytes | Refusal:
    if len(stanzas) != 1:
        return Refusal.NOT_ONE_STANZA
    name, *rest = stanzas[0].arguments
    if name != HYBRID_STANZA:
        return Refusal.NOT_HYBRID
    if len(rest) != 1 or len(stanzas[0].body) != WRAPPED_KEY_SIZE:
        return Refusal.MALFORMED_STANZA
    try:
        share = decode_base64(rest[0])
    except HeaderError:
        return Refusal.MALFORMED_STANZA
    return share if len(share) == HYBRID_SHARE_SIZE else Refusal.MALFORMED_STANZA


def _authenticated(stanzas: tuple[Stanza, ...]) -> bytes:
    """Everything under the MAC: up to and including the `---` mark, without the space after it."""
    return b"%s\n%s---" % (_VERSION_LINE, b"".join(stanza.to_bytes() for stanza in stanzas))


class _Lines:
    """The lines of a header, taken one by one, never further than MAX_HEADER_SIZE."""

    def __init__(self, untrusted: bytes) -> None:
        self._untrusted = untrusted
        self._limit = min(len(untrusted), MAX_HEADER_SIZE)
        self._start = 0

    def take(self) -> bytes:
        end = self._untrusted.find(b"\n", self._start, self._limit)
        if end < 0:
            raise HeaderError("the header is cut, or longer than the limit")
        line = self._untrusted[self._start : end]
        self._start = end + 1
        return line


def _parse_arguments(line: bytes) -> tuple[str, ...]:
    words = line.split(b" ")[1:]
    if not all(word and all(0x21 <= byte <= 0x7E for byte in word) for word in words):  # noqa: PLR2004 (VCHAR, RFC 5234)
        raise HeaderError(
            "a stanza has an empty argument or one with a character that is not visible"
        )
    return tuple(word.decode("ascii") for word in words)


def _parse_body(lines: _Lines) -> bytes:
    """Take lines until one is shorter than 64 columns: that one ends the body."""
    body = bytearray()
    while True:
        line = lines.take()
        if len(line) > _LINE_COLUMNS:
            raise HeaderError("a stanza's body has a line over 64 columns")
        body += decode_base64(line)
        if len(line) < _LINE_COLUMNS:
            return bytes(body)
