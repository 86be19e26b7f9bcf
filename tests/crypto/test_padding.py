"""Sealed sizes fall on few steps, by a rule that leaves no freedom."""

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crypto.errors import TrailerError
from crypto.padding import (
    HYBRID_HEADER_SIZE,
    MAX_CONTENT_SIZE,
    TRAILER_SIZE,
    Kind,
    Trailer,
    is_on_step,
    layout,
    padme_step,
    payload_size_of,
    sealed_size_of,
)

KINDS = st.sampled_from(Kind)
SIZES = st.integers(0, MAX_CONTENT_SIZE) | st.integers(0, 2**31) | st.integers(0, 300_000)
UNREACHABLE = 103 * 2**28


def steps(kind: Kind, limit: int) -> list[int]:
    """Every step from the first to the limit."""
    found, size = [], kind.floor_bytes
    while size <= limit:
        found.append(size)
        size += max(kind.floor_bytes, padme_step(size))
    return found


@pytest.mark.threat("T-03")
@given(SIZES, KINDS)
def test_a_sealed_size_is_a_step_and_every_layout_adds_up(size: int, kind: Kind) -> None:
    sizes = layout(size, kind)
    assert is_on_step(sizes.sealed_size, kind)
    assert sizes.sealed_size % max(kind.floor_bytes, padme_step(sizes.sealed_size)) == 0
    assert sizes.payload_size == size + sizes.padding_size + TRAILER_SIZE
    assert sealed_size_of(sizes.payload_size) == sizes.sealed_size
    assert payload_size_of(sizes.sealed_size) == sizes.payload_size


@pytest.mark.threat("T-03")
@given(SIZES, KINDS)
def test_padding_costs_less_than_one_step_or_a_thirty_second(size: int, kind: Kind) -> None:
    least = sealed_size_of(size + TRAILER_SIZE)
    over = layout(size, kind).sealed_size - least
    assert over < kind.floor_bytes or over < least / 32
    assert over < kind.floor_bytes or over < least * 0.12


@given(SIZES, SIZES, KINDS)
def test_more_content_never_makes_a_smaller_object(one: int, other: int, kind: Kind) -> None:
    less, more = sorted((one, other))
    assert layout(less, kind).sealed_size <= layout(more, kind).sealed_size


@given(st.integers(1, 2**60))
@example(2**16)
@example(2**17 - 1)
def test_the_step_is_padmes(size: int) -> None:
    """Nikitin et al. 2019, algorithm 1, written as they write it."""
    exponent = size.bit_length() - 1
    kept = exponent.bit_length()
    mask = (1 << max(0, exponent - kept)) - 1
    padded = size + mask & ~mask
    step = padme_step(size)
    assert -(-size // step) * step == padded
    assert (padded - size) / size <= 0.12


@pytest.mark.parametrize("kind", Kind)
def test_one_step_alone_cannot_be_reached(kind: Kind) -> None:
    """Counted over every step up to the limit; the chapter proves why it is this one."""
    missing = [step for step in steps(kind, 2**53) if payload_size_of(step) is None]
    assert missing == [UNREACHABLE]


@pytest.mark.parametrize("kind", Kind)
def test_one_step_alone_splits_the_trailer_over_two_chunks(kind: Kind) -> None:
    split = [s for s in steps(kind, 2**53) if 0 < (payload_size_of(s) or 0) % 65_536 < TRAILER_SIZE]
    assert split == [UNREACHABLE + 2**28]


@pytest.mark.parametrize("kind", Kind)
def test_content_that_would_fall_on_the_missing_step_takes_the_next(kind: Kind) -> None:
    before = layout(UNREACHABLE - 2**28, kind).sealed_size
    assert before == UNREACHABLE + 2**28
    assert not is_on_step(UNREACHABLE, kind)


@pytest.mark.parametrize("kind", Kind)
def test_the_limits_hold(kind: Kind) -> None:
    assert layout(MAX_CONTENT_SIZE, kind).sealed_size < 2**53
    for size in (-1, MAX_CONTENT_SIZE + 1):
        with pytest.raises(TrailerError, match="limits"):
            layout(size, kind)


@pytest.mark.parametrize(("kind", "sealed"), [(Kind.RAW, 65_536), (Kind.RECORD, 4096)])
def test_the_first_step_holds_this_much(kind: Kind, sealed: int) -> None:
    most = sealed - HYBRID_HEADER_SIZE - 16 - 16 - TRAILER_SIZE
    assert layout(0, kind).sealed_size == layout(most, kind).sealed_size == sealed
    assert layout(most, kind).padding_size == 0
    assert layout(most + 1, kind).sealed_size == 2 * sealed


@given(st.integers(0, MAX_CONTENT_SIZE), KINDS)
def test_a_trailer_reads_back(size: int, kind: Kind) -> None:
    trailer = Trailer(content_size=size, kind=kind)
    assert Trailer.from_bytes(trailer.to_bytes()) == trailer


def test_a_trailer_is_written_as_the_chapter_says() -> None:
    trailer = Trailer(content_size=258, kind=Kind.PACK)
    assert trailer.to_bytes() == bytes([0, 0, 0, 0, 0, 0, 1, 2, 2]) + b"amana/1"


@pytest.mark.threat("T-05")
@given(st.binary(max_size=40) | st.binary(min_size=9, max_size=9).map(lambda b: b + b"amana/1"))
def test_no_bytes_raise_anything_but_a_trailer_error(untrusted: bytes) -> None:
    with suppress(TrailerError):
        assert Trailer.from_bytes(untrusted).to_bytes() == untrusted
