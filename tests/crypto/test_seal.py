"""Sealing while content arrives: any cut, one size, flat memory."""

import io
import random
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.errors import FinishedError
from crypto.header import Inspected, inspect
from crypto.opening import HybridIdentity, open_object
from crypto.padding import Kind, is_on_step, layout
from crypto.seal import Sealer, seal

OFFICE = HybridIdentity.generate()
MEBIBYTE = 1 << 20


def opened(sealed: bytes) -> bytes:
    return b"".join(open_object(io.BytesIO(sealed), OFFICE))


@settings(max_examples=40)
@given(
    st.lists(st.binary(max_size=400) | st.just(bytes(70_000)), max_size=8), st.sampled_from(Kind)
)
def test_content_opens_to_itself_however_it_arrived(pieces: list[bytes], kind: Kind) -> None:
    sealed = b"".join(seal(pieces, OFFICE.recipient, kind))
    assert opened(sealed) == b"".join(pieces)


@pytest.mark.parametrize("kind", Kind)
def test_an_empty_file_is_an_object_too(kind: Kind) -> None:
    sealed = b"".join(seal([], OFFICE.recipient, kind))
    assert len(sealed) == kind.floor_bytes
    assert opened(sealed) == b""


@pytest.mark.threat("T-03")
def test_a_thousand_sizes_fall_on_few_steps() -> None:
    choose = random.Random(1)  # noqa: S311 (sizes for a test, the same each time)
    sizes = [int(2 ** choose.uniform(0, 20)) for _ in range(1000)]
    found = set()
    for size in sizes:
        sealed_size = sum(map(len, seal([bytes(size)], OFFICE.recipient, Kind.RAW)))
        assert is_on_step(sealed_size, Kind.RAW)
        assert sealed_size == layout(size, Kind.RAW).sealed_size
        found.add(sealed_size)
    assert found <= {step * 65_536 for step in range(1, 18)}


@pytest.mark.threat("T-03")
def test_the_portal_sees_a_possible_object() -> None:
    sealed = b"".join(seal([b"testimony"], OFFICE.recipient, Kind.RAW))
    found = inspect(sealed[:16_384], sealed_size=len(sealed), kind=Kind.RAW)
    assert isinstance(found, Inspected)


def test_the_sizes_are_known_at_every_moment() -> None:
    sealer = Sealer(OFFICE.recipient, Kind.RAW)
    assert (sealer.content_size, sealer.sealed_size) == (0, 65_536)
    written = len(sealer.update(memoryview(bytes(100_000))))
    assert (sealer.content_size, sealer.sealed_size) == (100_000, 131_072)
    written += sum(map(len, sealer.finish()))
    assert written == sealer.sealed_size


def test_the_same_content_never_seals_to_the_same_bytes() -> None:
    objects = {b"".join(seal([b"same"], OFFICE.recipient, Kind.RECORD)) for _ in range(20)}
    assert len({sealed[1627:] for sealed in objects}) == 20


def test_a_finished_object_takes_nothing_more() -> None:
    sealer = Sealer(OFFICE.recipient, Kind.RECORD)
    rest = sealer.finish()
    with pytest.raises(FinishedError):
        sealer.update(b"more")
    with pytest.raises(FinishedError):
        sealer.finish()
    assert opened(b"".join(rest)) == b""


@pytest.mark.parametrize("mebibytes", [64, 257])
def test_memory_stays_flat_while_sealing(mebibytes: int) -> None:
    """Also while padding: 257 MiB are followed by almost 7 MiB of zeros."""
    piece = bytes(MEBIBYTE)
    sealer = Sealer(OFFICE.recipient, Kind.RAW)
    tracemalloc.start()
    try:
        written = sum(len(sealer.update(piece)) for _ in range(mebibytes))
        written += sum(map(len, sealer.finish()))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert written == sealer.sealed_size
    assert peak < 4 * MEBIBYTE
