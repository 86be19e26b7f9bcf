"""Opening is strict: what was changed, cut, hidden or unexpected is refused by its right name."""

import io
from collections.abc import Iterator
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.errors import (
    CryptoError,
    HeaderError,
    HeaderMacError,
    NoMatchError,
    PayloadError,
    TrailerError,
    UnverifiedError,
)
from crypto.filekey import FileKey
from crypto.header import Header
from crypto.opening import (
    HybridIdentity,
    Key,
    SeekableObject,
    X25519Identity,
    open_age,
    open_object,
    unwrap,
)
from crypto.padding import (
    HYBRID_HEADER_SIZE,
    TRAILER_SIZE,
    Kind,
    Trailer,
    layout,
    payload_size_of,
)
from crypto.seal import seal
from crypto.stream import SEALED_CHUNK_SIZE
from tests.crypto import stock

OFFICE = HybridIdentity.generate()
STRANGER = HybridIdentity.generate()
CLASSIC = X25519Identity(secret=bytes([7] * 32))
CONTENT = b"what was seen at the crossing" * 9000
SEALED = b"".join(seal([CONTENT], OFFICE.recipient, Kind.RAW))
SMALL = b"".join(seal([b"small"], OFFICE.recipient, Kind.RECORD))
FIRST_CHUNK = HYBRID_HEADER_SIZE + 16
SECOND_CHUNK = FIRST_CHUNK + SEALED_CHUNK_SIZE
TRAILER = Trailer(content_size=5, kind=Kind.RECORD)
PADDING = bytes(layout(5, Kind.RECORD).padding_size)


def opened(sealed: bytes, key: Key = OFFICE) -> bytes:
    return b"".join(open_object(io.BytesIO(sealed), key))


def forged(payload: bytes) -> bytes:
    """Seal any payload at all to the office, as someone with its public key could."""
    return stock.age_file(payload, OFFICE.recipient)


def test_content_comes_back_exactly() -> None:
    assert opened(SEALED) == CONTENT
    assert opened(SMALL) == b"small"


def test_a_key_agents_file_key_opens_that_object_and_no_other() -> None:
    file_key = unwrap(Header.parse(SEALED), OFFICE)
    assert opened(SEALED, file_key) == CONTENT
    with pytest.raises(HeaderMacError):
        opened(SMALL, file_key)


@pytest.mark.threat("T-02")
@pytest.mark.parametrize("key", [STRANGER, CLASSIC])
def test_a_foreign_identity_opens_nothing(key: Key) -> None:
    with pytest.raises(NoMatchError):
        opened(SEALED, key)


@pytest.mark.threat("T-01")
@pytest.mark.parametrize(
    ("changed", "error"),
    [
        (SEALED[:SECOND_CHUNK], PayloadError),
        (SEALED[:-1], PayloadError),
        (SEALED[:-65_536], PayloadError),
        (SEALED[:FIRST_CHUNK], PayloadError),
        (SEALED[: HYBRID_HEADER_SIZE + 3], PayloadError),
        (SEALED[: HYBRID_HEADER_SIZE - 1], HeaderError),
        (SEALED + b"\0", PayloadError),
        (SEALED + SEALED[-100:], PayloadError),
        (SEALED + SEALED, PayloadError),
        (
            SEALED[:FIRST_CHUNK]
            + SEALED[SECOND_CHUNK : SECOND_CHUNK + SEALED_CHUNK_SIZE]
            + SEALED[FIRST_CHUNK:SECOND_CHUNK]
            + SEALED[SECOND_CHUNK + SEALED_CHUNK_SIZE :],
            PayloadError,
        ),
        (SMALL[:HYBRID_HEADER_SIZE] + SEALED[HYBRID_HEADER_SIZE:], PayloadError),
        (b"", HeaderError),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else f"{len(value)} bytes",
)
def test_a_cut_extended_or_rearranged_object_is_refused(
    changed: bytes, error: type[CryptoError]
) -> None:
    with pytest.raises(error):
        opened(changed)


@pytest.mark.threat("T-01")
@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(SMALL) * 8 - 1))
def test_no_bit_can_be_flipped(bit: int) -> None:
    changed = bytearray(SMALL)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises((HeaderError, HeaderMacError, NoMatchError, PayloadError)) as refusal:
        opened(bytes(changed))
    if bit // 8 >= HYBRID_HEADER_SIZE:
        assert refusal.type is PayloadError


@pytest.mark.threat("T-01")
@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(SEALED) - 1))
def test_no_beginning_of_an_object_looks_whole(size: int) -> None:
    with pytest.raises((HeaderError, PayloadError)):
        opened(SEALED[:size])


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=2000), st.integers(0, 2000))
def test_nothing_but_our_own_errors_comes_out(untrusted: bytes, keep: int) -> None:
    for forgery in (untrusted, SMALL[:keep] + untrusted):
        with suppress(CryptoError):
            opened(forgery)
        with suppress(CryptoError):
            b"".join(open_age(io.BytesIO(forgery), OFFICE))


@pytest.mark.threat("T-04")
def test_an_object_that_someone_else_can_open_too_is_refused() -> None:
    payload = b"small" + PADDING + TRAILER.to_bytes()
    assert opened(forged(payload)) == b"small"
    for other in (STRANGER.recipient, CLASSIC.recipient):
        with pytest.raises(HeaderError, match="not-one-stanza"):
            opened(stock.age_file(payload, OFFICE.recipient, other))
    with pytest.raises(HeaderError, match="not-hybrid"):
        opened(stock.age_file(payload, CLASSIC.recipient), CLASSIC)


@pytest.mark.threat("T-04")
def test_a_stanza_cannot_be_added_or_removed() -> None:
    both = Header.parse(stock.age_file(b"", OFFICE.recipient, STRANGER.recipient))
    fewer = Header(stanzas=both.stanzas[:1], mac=both.mac)
    one = Header.parse(SMALL)
    more = Header(stanzas=one.stanzas + both.stanzas[1:], mac=one.mac)
    for header in (fewer, more):
        with pytest.raises(HeaderMacError):
            unwrap(header, OFFICE)
    assert unwrap(one, OFFICE) == unwrap(Header.parse(SMALL), OFFICE)


@pytest.mark.threat("T-05")
@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"small" + PADDING[:-1] + b"x" + TRAILER.to_bytes(), "padding holds something"),
        (b"small" + b"x" + PADDING[1:] + TRAILER.to_bytes(), "padding holds something"),
        (b"smal\0" + b"l" + PADDING[1:] + TRAILER.to_bytes(), "padding holds something"),
        (b"small" + PADDING + bytes(4096) + TRAILER.to_bytes(), "not as long"),
        (b"small" + PADDING + bytes(1) + TRAILER.to_bytes(), "not as long"),
        (b"small" + PADDING[1:] + TRAILER.to_bytes(), "not as long"),
        (b"small" + TRAILER.to_bytes(), "not as long"),
        (b"small" + PADDING + TRAILER.to_bytes()[:-1] + b"2", "trailer of this format"),
        (b"small" + PADDING + TRAILER.to_bytes()[:8] + b"\0amana/1", "unknown kind"),
        (b"small" + PADDING + TRAILER.to_bytes()[:8] + b"\4amana/1", "unknown kind"),
        (b"small" + PADDING + b"\1" + TRAILER.to_bytes()[1:], "over the limit"),
        (b"small" + PADDING + Trailer(content_size=9999, kind=Kind.RECORD).to_bytes(), "not as"),
        (b"small" + PADDING + Trailer(content_size=5, kind=Kind.RAW).to_bytes(), "not as long"),
        (b"small" + PADDING + Trailer(content_size=4, kind=Kind.RECORD).to_bytes(), "holds"),
        (b"a plain age file", "trailer of this format"),
        (b"short", "shorter than a trailer"),
        (b"", "shorter than a trailer"),
    ],
)
def test_a_false_trailer_or_padding_is_refused(payload: bytes, reason: str) -> None:
    with pytest.raises(TrailerError, match=reason):
        opened(forged(payload))


@pytest.mark.threat("T-05")
@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=3000), st.integers(0, 3000), st.sampled_from(Kind))
def test_only_the_one_true_payload_of_a_content_opens(
    content: bytes, padding_size: int, kind: Kind
) -> None:
    trailer = Trailer(content_size=len(content), kind=kind)
    forgery = forged(content + bytes(padding_size) + trailer.to_bytes())
    if padding_size == layout(len(content), kind).padding_size:
        assert opened(forgery) == content
    else:
        with pytest.raises(TrailerError):
            opened(forgery)


@pytest.mark.parametrize("overhang", range(1, 16))
def test_a_trailer_across_two_chunks_is_read(overhang: int) -> None:
    """It is understood, and then refused, because no padded object is as small as this one."""
    trailer = Trailer(content_size=1, kind=Kind.RAW).to_bytes()
    with pytest.raises(TrailerError, match="not as long"):
        opened(forged(bytes(65_536 + overhang - len(trailer)) + trailer))


class Huge(io.BytesIO):
    """The one object of ours whose trailer spans two chunks: 26 GiB, made where it is read."""

    SEALED_SIZE = 104 * 2**28

    def __init__(self) -> None:
        super().__init__()
        self.content_size = (payload_size_of(self.SEALED_SIZE) or 0) - TRAILER_SIZE
        file_key = FileKey.generate()
        stanza = OFFICE.recipient.wrap(file_key)
        self.head = Header.make((stanza,), file_key).to_bytes() + bytes(16)
        self.cipher = ChaCha20Poly1305(file_key.payload_key(bytes(16)))
        self.place = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.place = offset + (self.SEALED_SIZE if whence == io.SEEK_END else 0)
        return self.place

    def read(self, size: int | None = -1) -> bytes:
        """Give what is left of the header or of one chunk, as a pipe might."""
        if self.place < len(self.head):
            piece = self.head[self.place :][:size]
        elif self.place < self.SEALED_SIZE:
            number, within = divmod(self.place - len(self.head), SEALED_CHUNK_SIZE)
            piece = self.chunk(number)[within:][:size]
        else:
            piece = b""
        self.place += len(piece)
        return piece

    def chunk(self, number: int) -> bytes:
        start = number * 65_536
        trailer = Trailer(content_size=self.content_size, kind=Kind.RAW).to_bytes()
        plain = bytes(max(0, min(65_536, self.content_size - start)))
        plain += trailer[max(0, start - self.content_size) :][: 65_536 - len(plain)]
        is_last = start + 65_536 >= self.content_size + len(trailer)
        return self.cipher.encrypt((number << 8 | is_last).to_bytes(12, "big"), plain, None)


def test_the_one_object_with_its_trailer_in_two_chunks_opens() -> None:
    huge = Huge()
    found = SeekableObject(huge, OFFICE, kind=Kind.RAW, content_size=huge.content_size)
    assert (huge.content_size + TRAILER_SIZE) % 65_536 == 5
    assert len(next(found.contents())) == 65_536


@pytest.mark.threat("T-05")
def test_what_the_manifest_says_must_be_so() -> None:
    source = io.BytesIO(SEALED)
    told = open_object(source, OFFICE, kind=Kind.RAW, content_size=len(CONTENT))
    assert b"".join(told) == CONTENT
    with pytest.raises(TrailerError, match="another kind"):
        open_object(source, OFFICE, kind=Kind.PACK)
    for size in (0, len(CONTENT) - 1, len(CONTENT) + 1):
        with pytest.raises(TrailerError, match="another size"):
            open_object(source, OFFICE, content_size=size)


@pytest.mark.threat("T-06")
def test_a_flaw_in_the_middle_ends_the_content_with_an_error() -> None:
    """The chunks before it are true and have been given out: nothing is final before the end."""
    changed = bytearray(SEALED)
    changed[SECOND_CHUNK + 5] ^= 1
    content = open_object(io.BytesIO(bytes(changed)), OFFICE)
    assert next(content) == CONTENT[:65_536]
    with pytest.raises(PayloadError):
        next(content)


def test_a_pipe_that_gives_little_at_a_time_opens() -> None:
    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(1000, size) if size else size)

    plain = stock.age_file(CONTENT, CLASSIC.recipient)
    assert b"".join(open_age(Trickle(plain), CLASSIC)) == CONTENT
    assert b"".join(open_object(Trickle(SEALED), OFFICE)) == CONTENT


def test_a_file_that_ends_before_its_nonce_has_no_whole_header() -> None:
    plain = stock.age_file(b"", OFFICE.recipient)
    with pytest.raises(HeaderError, match="nonce"):
        open_age(io.BytesIO(plain[: HYBRID_HEADER_SIZE + 15]), OFFICE)


def test_the_file_key_is_needed_to_forge_but_not_to_copy() -> None:
    """A header of one object on the payload of another: both are true, together they are not."""
    mixed = SMALL[:HYBRID_HEADER_SIZE] + forged(b"small" + PADDING + TRAILER.to_bytes())[1627:]
    with pytest.raises(PayloadError):
        opened(mixed)


@pytest.fixture(name="chunks")
def _chunks() -> Iterator[bytes]:
    return open_object(
        io.BytesIO(SEALED), FileKey(secret=unwrap(Header.parse(SEALED), OFFICE).secret)
    )


def test_chunks_come_in_order_and_none_is_empty(chunks: Iterator[bytes]) -> None:
    sizes = [len(chunk) for chunk in chunks]
    assert sizes == [65_536, 65_536, 65_536, len(CONTENT) - 3 * 65_536]


@pytest.mark.threat("T-06")
def test_a_source_that_changes_after_its_trailer_was_read_is_not_taken_as_whole() -> None:
    """Whoever holds the file key can end another payload at any chunk, under the same nonce."""
    file_key = unwrap(Header.parse(SEALED), OFFICE)
    nonce = SEALED[HYBRID_HEADER_SIZE:FIRST_CHUNK]
    for shorter in (CONTENT, CONTENT[:100], CONTENT[:-1]):
        source = io.BytesIO(SEALED)
        waiting = SeekableObject(source, OFFICE)
        source.seek(0)
        source.write(SEALED[:HYBRID_HEADER_SIZE] + stock.payload(file_key, nonce, shorter))
        source.truncate()
        with pytest.raises(PayloadError):
            list(waiting.contents())
        with pytest.raises(UnverifiedError):
            waiting.read(1)
