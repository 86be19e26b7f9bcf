"""The tar and the manifests: one spelling, and anything else is refused without a stray error."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amana.wire import bag, tar
from amana.wire.acknowledgement import PackageAcknowledgement, PackageRefusal
from amana.wire.bag import Algorithm
from amana.wire.documents import Document
from amana.wire.ends import QuarantineEnd, RepositoryEnd
from amana.wire.errors import ArchiveError, WireError
from amana.wire.pack import END, fill
from amana.wire.package import CustodyLine, PackagedItem, PackageRecord, SealedPackage

FILES = (("data/a.bin", b"a" * 600), ("data/b.bin", b"b" * 100), ("bagit.txt", bag.DECLARATION))
LARGE = 9 << 30


def archive(files: Iterable[tuple[str, bytes]], modified: int = 1_000) -> bytes:
    parts = []
    for path, raw in files:
        member = tar.Member(path=path, size=len(raw), modified=modified)
        parts += [tar.header(member), raw, fill(len(raw))]
    return b"".join([*parts, END])


def read(*chunks: bytes) -> list[tuple[str, bytes]]:
    return [(member.path, b"".join(pieces)) for member, pieces in tar.read(chunks)]


WHOLE = archive(FILES)


@given(cuts=st.lists(st.integers(0, len(WHOLE)), max_size=8))
def test_an_archive_is_read_the_same_however_it_is_cut(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(WHOLE)]
    chunks = [WHOLE[a:b] for a, b in pairwise(places)]
    assert read(*chunks) == list(FILES)


@settings(max_examples=50)
@given(raw=st.binary(min_size=1, max_size=3_000).filter(any))
def test_arbitrary_bytes_are_no_archive(raw: bytes) -> None:
    with pytest.raises(ArchiveError):
        read(raw)


@pytest.mark.threat("T-13")
@settings(max_examples=300)
@given(at=st.integers(0, len(WHOLE) - 1), value=st.integers(0, 255))
def test_an_archive_with_any_byte_changed_is_refused_or_says_the_change(
    at: int, value: int
) -> None:
    mutated = WHOLE[:at] + bytes([value]) + WHOLE[at + 1 :]
    try:
        found = [(m.path, b"".join(p), m.modified) for m, p in tar.read([mutated])]
    except ArchiveError:
        return
    parts = [archive([(path, raw)], modified)[: -len(END)] for path, raw, modified in found]
    assert b"".join([*parts, END]) == mutated


@pytest.mark.threat("T-01")
def test_an_archive_that_is_cut_or_goes_on_is_refused() -> None:
    for size in range(0, len(WHOLE), 97):
        with pytest.raises(ArchiveError):
            read(WHOLE[:size])
    with pytest.raises(ArchiveError):
        read(WHOLE, b"x")


def test_a_file_above_8_gib_has_its_size_in_an_extended_header() -> None:
    member = tar.Member(path="package/data/objects/000001.bin", size=LARGE, modified=1_000)
    head = tar.header(member)
    assert len(head) == 3 * 512
    found, _pieces = next(tar.read([head, b"x"]))
    assert found == member


@pytest.mark.threat("T-17")
@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "a//b", "a/../b", ".hidden", "a b", "x" * 101, "", "صورة"]
)
def test_a_name_that_could_leave_a_folder_is_no_name_in_a_bag(name: str) -> None:
    assert not bag.is_path(name)
    line = f"{'0' * 64}  {name}\n".encode()
    with pytest.raises(ArchiveError):
        list(bag.read_manifest([line], Algorithm.SHA256))


@given(raw=st.binary(max_size=200))
def test_arbitrary_lines_are_no_manifest(raw: bytes) -> None:
    with pytest.raises(ArchiveError):
        list(bag.read_manifest([raw], Algorithm.SHA512))


@pytest.mark.threat("T-13")
@pytest.mark.parametrize(
    "kind",
    [
        *(CustodyLine, PackagedItem, PackageRecord, SealedPackage, PackageAcknowledgement),
        *(PackageRefusal, QuarantineEnd, RepositoryEnd),
    ],
)
@given(raw=st.binary(max_size=120))
def test_arbitrary_bytes_are_no_document_of_a_package(kind: type[Document], raw: bytes) -> None:
    for untrusted in (raw, kind.FORMAT.encode() + b"\n" + raw + b"\n"):
        with pytest.raises(WireError):
            kind.from_bytes(untrusted)
