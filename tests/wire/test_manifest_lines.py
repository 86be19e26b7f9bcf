"""Many manifests in one object: a line each, and only one way to write them."""

from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amana.wire.errors import FormatError, WireError
from amana.wire.manifest_lines import (
    Limits,
    items_root,
    read_lines,
    read_manifests,
    write_lines,
)
from crypto import merkle
from tests.wire import examples

LINES = st.lists(st.binary(min_size=1, max_size=600).filter(lambda line: b"\n" not in line))


def pieces(raw: bytes, size: int) -> Iterator[bytes]:
    return (raw[start : start + size] for start in range(0, len(raw), size))


def joined(lines: Iterable[bytes]) -> bytes:
    return b"".join(write_lines(lines))


@settings(max_examples=60)
@given(lines=LINES.filter(bool), size=st.integers(1, 5_000))
def test_lines_come_back_however_the_stream_is_cut(lines: list[bytes], size: int) -> None:
    assert list(read_lines(pieces(joined(lines), size))) == lines


def test_manifests_come_back_in_order() -> None:
    items = list(read_manifests(pieces(joined(examples.ITEM_LINES), 777)))
    assert items == [examples.BARE_ITEM, examples.FOLDER_ITEM]


@pytest.mark.threat("T-05")
@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"x", b"x\ny", b"x\n\n", b"\nx\n", b"x\n\ny\n"],
    ids=["nothing", "empty", "cut", "second-cut", "empty-last", "empty-first", "empty-between"],
)
def test_content_that_could_hide_or_lose_something_is_refused(content: bytes) -> None:
    with pytest.raises(FormatError):
        list(read_lines([content]))


@pytest.mark.parametrize("lines", [[], [b""], [b"a\nb"]], ids=repr)
def test_what_is_not_a_line_is_not_written(lines: list[bytes]) -> None:
    with pytest.raises(FormatError):
        joined(lines)


def test_a_long_line_in_the_smallest_pieces_is_read_in_time_that_grows_with_it() -> None:
    """Joined anew for each piece, a line of this length would be copied through 30 GB."""
    line = b"x" * (1 << 18)
    assert list(read_lines(pieces(line + b"\n", 1))) == [line]


def test_a_reader_stops_at_its_limits() -> None:
    many = joined([b"x"] * 3)
    with pytest.raises(FormatError):
        list(read_lines([many], Limits(manifests=2)))
    with pytest.raises(FormatError):
        list(read_lines([joined([b"x" * 11])], Limits(line_bytes=10)))
    endless = (b"x" * 100 for _ in range(1_000_000))
    with pytest.raises(FormatError):
        list(read_lines(endless, Limits(line_bytes=10_000)))


@given(st.lists(st.binary(max_size=50)))
def test_arbitrary_bytes_are_refused_in_our_own_words(junk: list[bytes]) -> None:
    with pytest.raises(WireError):
        list(read_manifests(junk))


@pytest.mark.threat("T-10")
def test_one_item_is_proven_without_the_others() -> None:
    lines = (*examples.ITEM_LINES, b"a third", b"a fourth")
    hashes = [merkle.leaf_hash(line) for line in lines]
    merkle.verify_inclusion(
        merkle.inclusion_proof(hashes, 1),
        leaf=examples.FOLDER_ITEM.leaf,
        index=1,
        size=4,
        root=items_root(lines),
    )
