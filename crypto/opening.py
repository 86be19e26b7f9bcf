"""Open what was sealed: plain age files, and our objects.

Nothing that was not authenticated ever leaves this module; but the beginning of a cut object is
authentic too, so content is final only when its iterator has ended without an error. Import
contracts keep this module out of the portal.
Format: c2sp.org/age; docs/format/01-sealed-object.md section 8, whose step numbers stand here.
"""

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from crypto import header, padding, stream
from crypto.errors import HeaderError, PayloadError, TrailerError, UnverifiedError
from crypto.filekey import FileKey
from crypto.header import Header
from crypto.identities import HybridIdentity, Identity, ScryptIdentity, X25519Identity, unwrap
from crypto.padding import Kind, Trailer

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = [
    "HybridIdentity",
    "Identity",
    "Key",
    "ScryptIdentity",
    "SeekableObject",
    "X25519Identity",
    "open_age",
    "open_object",
    "resolve",
    "unwrap",
]

Key: TypeAlias = FileKey | Identity
"""What opens one file: its file key (from a key agent), or an identity that can find it."""


def resolve(file_header: Header, key: Key) -> FileKey:
    """Return the file key, found or given, with the header checked under it; errors as unwrap()."""
    if not isinstance(key, FileKey):
        return unwrap(file_header, key)
    file_header.require_mac(key)
    return key


def open_age(source: BinaryIO, key: Key) -> Iterator[bytes]:
    """Open any binary age file that arrives front to back; yield its plaintext in chunks.

    The header is read and the key tried before this returns: HeaderError, HeaderMacError,
    NoMatchError. PayloadError comes from the iterator; what it yielded until then is authentic, and
    incomplete. For our own objects use open_object(), which checks more.
    """
    prefix = _read_fully(source, header.MAX_HEADER_SIZE)
    file_header = Header.parse(prefix)
    file_key = resolve(file_header, key)
    rest = io.BytesIO(prefix[len(file_header.to_bytes()) :])

    def read(size: int) -> bytes:
        piece = rest.read(size)
        return piece + _read_fully(source, size - len(piece))

    nonce = read(stream.NONCE_SIZE)
    if len(nonce) != stream.NONCE_SIZE:
        raise HeaderError("the file ends before the payload's nonce")
    return stream.open_chunks(stream.ChunkOpener(file_key, nonce), read)


def open_object(
    source: BinaryIO, key: Key, *, kind: Kind | None = None, content_size: int | None = None
) -> Iterator[bytes]:
    """Open a sealed object from a seekable file; yield exactly its content, in chunks.

    kind, content_size: what the manifest says; a difference is refused before any content comes.
    The content is final only when the iterator ends without an error: write it to a name that
    nobody reads, and rename afterwards. Errors: see SeekableObject and its contents().
    """
    return SeekableObject(source, key, kind=kind, content_size=content_size).contents()


class SeekableObject(io.RawIOBase):
    """A sealed object whose content can be read from anywhere, once all of it is authenticated.

    Iterate contents() to its end first; until then read and seek raise UnverifiedError. Afterwards
    it is a read-only binary file of the content (wrap it in io.BufferedReader). Every chunk is
    authenticated again whenever it is read. The source stays the caller's, to close.
    """

    def __init__(
        self,
        source: BinaryIO,
        key: Key,
        *,
        kind: Kind | None = None,
        content_size: int | None = None,
    ) -> None:
        """Do steps 1 to 6: all that can be known before the content is read.

        HeaderError, HeaderMacError, NoMatchError: as unwrap(), and HeaderError for more than the
        one hybrid stanza. PayloadError: the last chunk is not where the size puts it, as after a
        cut. TrailerError: the payload is not one of ours, or not what the manifest says.
        """
        super().__init__()
        self._source = source
        sealed_size = source.seek(0, io.SEEK_END)
        untrusted_prefix = self._read_at(0, header.MAX_HEADER_SIZE)
        file_header = Header.parse(untrusted_prefix)  # Step 1.
        file_header.hybrid_share()  # Step 2.
        file_key = resolve(file_header, key)  # Step 3.
        self._payload_start = len(file_header.to_bytes()) + stream.NONCE_SIZE
        payload_size = padding.payload_size_of(sealed_size)  # Step 4.
        if payload_size is None:
            raise PayloadError("no age file has this size: the object was cut or extended")
        self._payload_size = payload_size
        nonce = untrusted_prefix[self._payload_start - stream.NONCE_SIZE : self._payload_start]
        self._opener = stream.ChunkOpener(file_key, nonce)
        self.trailer = self._read_trailer()  # Step 5.
        self._require_expected(kind, content_size)  # Step 6.
        self._is_verified = False
        self._position = 0
        self._cached: tuple[int, bytes] = (-1, b"")

    def contents(self) -> Iterator[bytes]:
        """Yield the content, front to back, and authenticate every byte of the object: step 7.

        PayloadError: a chunk was changed, or the payload is not as long as it was in step 4.
        TrailerError: the padding is not all zeros. Only when the iterator ends without either is
        the content final, and random access allowed.
        """
        offset = self._payload_start

        def read(size: int) -> bytes:
            nonlocal offset
            piece = self._read_at(offset, size)
            offset += len(piece)
            return piece

        position = 0
        for chunk in stream.open_chunks(self._opener, read):
            content = chunk[: max(0, self.trailer.content_size - position)]
            if len(content) < len(chunk):
                self._require_padding(chunk[len(content) :], position + len(content))
            if content:
                yield content
            position += len(chunk)
        # A source that others write to may have ended elsewhere by now, under the same file key.
        if position != self._payload_size:
            raise PayloadError("the payload has another length than when its trailer was read")
        self._is_verified = True

    def readable(self) -> bool:
        """Tell io that this can be read."""
        return True

    def seekable(self) -> bool:
        """Tell io that this can be sought in."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place in the content; UnverifiedError before contents() has ended."""
        self._require_verified()
        bases = {
            io.SEEK_SET: 0,
            io.SEEK_CUR: self._position,
            io.SEEK_END: self.trailer.content_size,
        }
        self._position = max(0, bases[whence] + offset)
        return self._position

    def tell(self) -> int:
        """Return the place in the content."""
        return self._position

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill the buffer from the current place, up to the end of a chunk; 0 at the end.

        UnverifiedError: contents() has not ended. PayloadError: the source changed since.
        """
        self._require_verified()
        target = memoryview(buffer).cast("B")
        number, start = divmod(self._position, stream.CHUNK_SIZE)
        wanted = min(len(target), self.trailer.content_size - self._position)
        if wanted <= 0:
            return 0
        if self._cached[0] != number:
            self._cached = (number, self._open_chunk(number))
        piece = self._cached[1][start : start + wanted]
        target[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def _require_verified(self) -> None:
        if not self._is_verified:
            raise UnverifiedError("read the whole content once before reading from anywhere")

    def _require_expected(self, kind: Kind | None, content_size: int | None) -> None:
        found = self.trailer
        if padding.layout(found.content_size, found.kind).payload_size != self._payload_size:
            raise TrailerError("the padding is not as long as the rule makes it")
        if (kind or found.kind) != found.kind:
            raise TrailerError("the object is of another kind than expected")
        if content_size not in {None, found.content_size}:
            raise TrailerError("the content has another size than expected")

    def _require_padding(self, ending: bytes, start: int) -> None:
        """Compare what follows the content with what must follow it: zeros, then the trailer."""
        trailer_start = self._payload_size - padding.TRAILER_SIZE
        zeros = bytes(min(len(ending), max(0, trailer_start - start)))
        trailer = self.trailer.to_bytes()[max(0, start - trailer_start) :]
        if ending != zeros + trailer[: len(ending) - len(zeros)]:
            raise TrailerError("the padding holds something, or the trailer changed")

    def _read_trailer(self) -> Trailer:
        last = (self._payload_size - 1) // stream.CHUNK_SIZE if self._payload_size else 0
        ending = self._open_chunk(last)
        if len(ending) < padding.TRAILER_SIZE and last:
            ending = self._open_chunk(last - 1) + ending
        return Trailer.from_bytes(ending[-padding.TRAILER_SIZE :])

    def _open_chunk(self, number: int) -> bytes:
        offset = self._payload_start + number * stream.SEALED_CHUNK_SIZE
        chunk = self._read_at(offset, stream.SEALED_CHUNK_SIZE)
        is_last = (number + 1) * stream.CHUNK_SIZE >= self._payload_size
        return self._opener.open_chunk(number, chunk, is_last=is_last)

    def _read_at(self, offset: int, size: int) -> bytes:
        self._source.seek(offset)
        return _read_fully(self._source, size)


def _read_fully(source: BinaryIO, size: int) -> bytes:
    """Read `size` bytes, fewer only at the end: a pipe or socket may give less than asked."""
    piece = source.read(size)
    if len(piece) == size or not piece:
        return piece
    pieces, missing = [piece], size - len(piece)
    while missing and (piece := source.read(missing)):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)
