"""The payload: whatever way it is cut, the chunks are the same, and each stays in its place."""

import io
import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.errors import FinishedError, PayloadError
from crypto.filekey import FileKey
from crypto.stream import (
    CHUNK_SIZE,
    SEALED_CHUNK_SIZE,
    ByteLike,
    ChunkOpener,
    ChunkSealer,
    open_chunks,
    opened_payload_size,
    sealed_payload_size,
)

FILE_KEY = FileKey.generate()
NONCE = bytes(16)
THREE_CHUNKS = bytes(range(256)) * (2 * CHUNK_SIZE // 256) + b"the end"


def sealed(pieces: Sequence[ByteLike]) -> bytes:
    sealer = ChunkSealer(FILE_KEY, NONCE)
    return b"".join(sealer.update(piece) for piece in pieces) + sealer.finish()


def opened(payload: bytes) -> bytes:
    return b"".join(open_chunks(ChunkOpener(FILE_KEY, NONCE), io.BytesIO(payload).read))


SEALED = sealed([THREE_CHUNKS])


@settings(max_examples=50)
@given(st.lists(st.integers(0, len(THREE_CHUNKS)), max_size=6))
def test_cutting_the_input_anywhere_changes_nothing(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(THREE_CHUNKS)]
    pieces = [THREE_CHUNKS[a:b] for a, b in itertools.pairwise(edges)]
    assert sealed(pieces) == SEALED


@pytest.mark.parametrize("first", [0, 1, CHUNK_SIZE - 1, CHUNK_SIZE])
def test_a_full_chunk_waits_until_it_is_known_not_to_be_the_last(first: int) -> None:
    chunk = THREE_CHUNKS[:CHUNK_SIZE]
    assert sealed([chunk[:first], chunk[first:]]) == sealed([chunk])
    assert opened(sealed([chunk[:first], chunk[first:]])) == chunk


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_any_buffer_is_taken(wrap: type) -> None:
    assert sealed([wrap(THREE_CHUNKS)]) == SEALED


@pytest.mark.parametrize("size", [0, 1, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, 3 * CHUNK_SIZE])
def test_a_payload_of_any_size_opens_to_what_went_in(size: int) -> None:
    payload = sealed([bytes(size)])
    assert opened(payload) == bytes(size)
    assert len(payload) + len(NONCE) == sealed_payload_size(size)


@given(st.integers(0, 2**60))
def test_sizes_convert_both_ways(size: int) -> None:
    assert opened_payload_size(sealed_payload_size(size)) == size


@given(st.integers(-100, 300_000))
def test_a_sealed_size_means_one_payload_size_or_none(sealed_size: int) -> None:
    size = opened_payload_size(sealed_size)
    assert size is None or sealed_payload_size(size) == sealed_size


@pytest.mark.threat("T-01")
@pytest.mark.parametrize(
    "forged",
    [
        SEALED[:SEALED_CHUNK_SIZE],
        SEALED[: 2 * SEALED_CHUNK_SIZE],
        SEALED[: SEALED_CHUNK_SIZE + 100],
        SEALED[:-1],
        SEALED[SEALED_CHUNK_SIZE:],
        SEALED[SEALED_CHUNK_SIZE : 2 * SEALED_CHUNK_SIZE] + SEALED,
        SEALED[SEALED_CHUNK_SIZE : 2 * SEALED_CHUNK_SIZE]
        + SEALED[:SEALED_CHUNK_SIZE]
        + SEALED[2 * SEALED_CHUNK_SIZE :],
        SEALED + b"\0",
        SEALED + SEALED[-23:],
        b"",
    ],
    ids=[
        "one-chunk-left",
        "cut-at-an-edge",
        "cut-inside",
        "tail-dropped",
        "head-dropped",
        "repeated",
        "swapped",
        "appended",
        "last-repeated",
        "nothing-left",
    ],
)
def test_a_rearranged_payload_does_not_open(forged: bytes) -> None:
    with pytest.raises(PayloadError):
        opened(forged)


def test_nothing_is_added_to_a_finished_payload() -> None:
    sealer = ChunkSealer(FILE_KEY, NONCE)
    sealer.finish()
    with pytest.raises(FinishedError):
        sealer.update(b"more")
    with pytest.raises(FinishedError):
        sealer.finish()
