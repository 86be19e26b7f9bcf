"""Give an object to another recipient by changing its header alone.

The file key stays, so the payload stays, byte for byte; the new header wraps the same file key for
the new recipient only. Whoever keeps a copy of the old header can still open the payload with the
old identity, so the caller must destroy every copy of it. Two headers always have the same length,
so nothing moves. Protected like opening: import contracts keep it out of the portal.
Format: docs/format/01-sealed-object.md section 9.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from crypto.errors import HeaderError
from crypto.header import MAX_HEADER_SIZE, Header
from crypto.opening import Key, resolve
from crypto.padding import HYBRID_HEADER_SIZE
from crypto.recipients import HybridRecipient


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrapping:
    """One change of header, decided but not yet made. Both headers are 1 627 bytes.

    It opens nothing by itself, but `old` must not outlive the change.
    """

    old: bytes = field(repr=False)
    new: bytes = field(repr=False)

    @property
    def old_digest(self) -> bytes:
        """SHA-256 of the old header, for the custody event."""
        return hashlib.sha256(self.old).digest()

    @property
    def new_digest(self) -> bytes:
        """SHA-256 of the new header, for the custody event."""
        return hashlib.sha256(self.new).digest()

    def apply(self, target: BinaryIO) -> None:
        """Write the new header over the old one in a file open for reading and writing.

        Nothing but the first 1 627 bytes is touched. A run that was killed half way is mended by a
        second one: keep the Rewrapping durably until this has returned and the file is synced.
        HeaderError: the file begins with neither header, nor with a mixture of both.
        """
        target.seek(0)
        untrusted_head = target.read(HYBRID_HEADER_SIZE)
        if len(untrusted_head) != HYBRID_HEADER_SIZE or not self._is_between(untrusted_head):
            raise HeaderError("the file does not have the header that was re-wrapped")
        target.seek(0)
        target.write(self.new)
        target.flush()

    def copy(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the object under its new header, for a store whose files never change.

        pieces: the whole object, cut anywhere. HeaderError: it does not begin with the old header.
        """
        untrusted_head = b""
        is_head_done = False
        for piece in pieces:
            if is_head_done:
                yield piece
                continue
            untrusted_head += piece
            if len(untrusted_head) >= HYBRID_HEADER_SIZE:
                if not untrusted_head.startswith(self.old):
                    raise HeaderError("the object does not have the header that was re-wrapped")
                is_head_done = True
                yield self.new
                yield untrusted_head[HYBRID_HEADER_SIZE:]
        if not is_head_done:
            raise HeaderError("the object is shorter than its header")

    def _is_between(self, untrusted_head: bytes) -> bool:
        triples = zip(untrusted_head, self.old, self.new, strict=True)
        return all(found in {before, after} for found, before, after in triples)


def rewrap(untrusted_header: bytes, key: Key, recipient: HybridRecipient) -> Rewrapping:
    """Work out the new header of an object; nothing is written.

    untrusted_header: the object's first bytes, at least its header; what follows is not looked at.
    key: the identity it is sealed to now, or its file key. HeaderError: the header is malformed, or
    has anything but one hybrid stanza. NoMatchError: another's. HeaderMacError: it was changed.
    """
    header = Header.parse(untrusted_header[:MAX_HEADER_SIZE])
    header.hybrid_share()
    file_key = resolve(header, key)
    new = Header.make((recipient.wrap(file_key),), file_key)
    return Rewrapping(old=header.to_bytes(), new=new.to_bytes())
