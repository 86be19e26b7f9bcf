"""Plaintext lies in sealed memory, within a budget, and nowhere else."""

import fcntl
import hashlib
import os
import pathlib
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amana.wire.ids import ContentSha256
from tests.worker.scan.ground import pieces
from worker.errors import BudgetError, MismatchError
from worker.memory import Allotment, Content, MemoryBudget, SealedMemory, Tally

ALL_SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL


def read(memory: SealedMemory) -> bytes:
    descriptor = memory.reader()
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def whole(content: bytes, allotment: Allotment) -> SealedMemory:
    size = len(content) + 1
    ((memory, is_last),) = allotment.cut([content], window_bytes=size, overlap_bytes=0)
    assert is_last
    return memory


def test_sealed_memory_cannot_be_changed_by_anyone_who_has_it() -> None:
    with MemoryBudget(64).allot(64) as allotment, whole(b"as it came", allotment) as memory:
        descriptor = memory.reader()
        assert fcntl.fcntl(descriptor, fcntl.F_GET_SEALS) == ALL_SEALS
        link = pathlib.Path(f"/proc/self/fd/{descriptor}").readlink()
        assert str(link) == "/memfd:amana (deleted)"
        assert not os.get_inheritable(descriptor)
        with pytest.raises(PermissionError):
            os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_TRUNC)
        for change in (lambda: os.write(descriptor, b"x"), lambda: os.ftruncate(descriptor, 3)):
            with pytest.raises(OSError, match=r"Bad file|Invalid|not permitted"):
                change()
        os.close(descriptor)


def test_each_reader_has_an_offset_of_its_own() -> None:
    with MemoryBudget(64).allot(64) as allotment, whole(b"content", allotment) as memory:
        first, second = memory.reader(), memory.reader()
        assert (os.read(first, 4), os.read(second, 4)) == (b"cont", b"cont")
        os.close(first)
        os.close(second)


@given(
    content=st.binary(max_size=300),
    piece=st.integers(1, 50),
    window=st.integers(2, 120),
    overlap=st.integers(0, 60),
)
def test_windows_cover_the_content_and_each_begins_with_the_end_of_the_one_before(
    content: bytes, piece: int, window: int, overlap: int
) -> None:
    overlap = min(overlap, window - 1)
    rebuilt, last = b"", False
    with MemoryBudget(window).allot(window) as allotment:
        for memory, is_last in allotment.cut(
            pieces(content, piece), window_bytes=window, overlap_bytes=overlap
        ):
            with memory:
                assert not last
                part, last = read(memory), is_last
                assert len(part) == memory.size_bytes <= window
                begin = overlap if rebuilt else 0
                assert part[:begin] == rebuilt[len(rebuilt) - begin :]
                assert is_last or len(part) == window
                rebuilt += part[begin:]
        assert allotment.free_bytes == window
    assert last
    assert rebuilt == content


def test_more_than_the_allotment_is_refused_and_nothing_is_kept() -> None:
    before = listed("/proc/self/fd")
    with MemoryBudget(10).allot(10) as allotment:
        with pytest.raises(BudgetError):
            whole(b"eleven byte", allotment)
        assert allotment.free_bytes == 10
    assert listed("/proc/self/fd") == before


def test_an_allotment_waits_for_its_turn_and_one_beyond_the_budget_is_refused() -> None:
    budget, order = MemoryBudget(10), list[str]()
    with pytest.raises(BudgetError):
        budget.allot(11)

    def take(name: str, size: int) -> None:
        with budget.allot(size):
            order.append(name)

    with budget.allot(8):
        large = threading.Thread(target=take, args=("large", 10))
        large.start()
        large.join(0.1)
        small = threading.Thread(target=take, args=("small", 1))
        small.start()
        small.join(0.1)
        assert order == []
    large.join()
    small.join()
    assert order == ["large", "small"]


def test_the_tally_holds_what_passed_against_the_manifest() -> None:
    content = b"some bytes"
    right = Content(size_bytes=10, sha256=ContentSha256(hashlib.sha256(content).hexdigest()))
    tally = Tally()
    assert b"".join(tally.over(right.bound(pieces(content, 3)))) == content
    tally.require(right)
    other = Tally()
    with pytest.raises(MismatchError):
        list(other.over(right.bound(pieces(content + b"!", 3))))
    with pytest.raises(MismatchError):
        other.require(right)


@pytest.mark.parametrize("place", ["/tmp", "/dev/shm", "/var/tmp"])  # noqa: S108 - only listed
def test_nothing_of_it_stands_in_a_folder(place: str) -> None:
    with MemoryBudget(1 << 20).allot(1 << 20) as allotment:
        before = listed(place)
        with whole(bytes(1 << 19), allotment):
            assert listed(place) == before


def listed(place: str) -> set[str]:
    """What lies in a folder, by name."""
    return {path.name for path in pathlib.Path(place).iterdir()}
