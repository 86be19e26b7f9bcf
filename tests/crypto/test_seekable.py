"""Reading from anywhere, but only in what has been authenticated as a whole."""

import io
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.errors import PayloadError, UnverifiedError
from crypto.opening import HybridIdentity, SeekableObject
from crypto.padding import Kind
from crypto.seal import seal

OFFICE = HybridIdentity.generate()
CONTENT = bytes(range(251)) * 1200
SEALED = b"".join(seal([CONTENT], OFFICE.recipient, Kind.RAW))


def seekable(sealed: bytes = SEALED) -> SeekableObject:
    return SeekableObject(io.BytesIO(sealed), OFFICE)


def verified(found: SeekableObject) -> SeekableObject:
    assert b"".join(found.contents())
    return found


@pytest.mark.threat("T-06")
def test_nothing_is_read_before_the_whole_is_authenticated() -> None:
    found = seekable()
    assert found.readable()
    assert found.seekable()
    for early in (lambda: found.seek(0), lambda: found.read(1), found.readall):
        with pytest.raises(UnverifiedError):
            early()
    half_way = found.contents()
    next(half_way)
    with pytest.raises(UnverifiedError):
        found.seek(0)


@pytest.mark.threat("T-06")
def test_a_flawed_object_never_becomes_readable() -> None:
    changed = bytearray(SEALED)
    changed[100_000] ^= 1
    found = seekable(bytes(changed))
    with pytest.raises(PayloadError):
        list(found.contents())
    with pytest.raises(UnverifiedError):
        found.read(1)


VERIFIED = verified(seekable())


@settings(deadline=None)
@given(st.integers(-50, len(CONTENT) + 50), st.integers(0, 200_000), st.booleans())
def test_any_place_reads_as_in_the_content(place: int, size: int, from_end: bool) -> None:  # noqa: FBT001 (Hypothesis draws it)
    reader = io.BufferedReader(VERIFIED, 100_000)
    if from_end:
        reader.seek(-min(size, len(CONTENT)), io.SEEK_END)
        assert reader.read() == CONTENT[len(CONTENT) - min(size, len(CONTENT)) :]
    else:
        start = max(0, place)
        assert VERIFIED.seek(place) == start
        assert VERIFIED.tell() == start
        reader.seek(start)
        assert reader.read(size) == CONTENT[start : start + size]
    reader.detach()


def test_a_pack_reads_as_a_tar_file() -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in ("a/photo.jpg", "b/شهادة.txt"):
            member = tarfile.TarInfo(name)
            member.size = 70_000
            tar.addfile(member, io.BytesIO(name.encode()[:1] * 70_000))
    sealed = b"".join(seal([packed.getvalue()], OFFICE.recipient, Kind.PACK))
    reader = io.BufferedReader(verified(seekable(sealed)))
    with tarfile.open(fileobj=reader) as tar:
        assert tar.getnames() == ["a/photo.jpg", "b/شهادة.txt"]
        member_file = tar.extractfile("b/شهادة.txt")
        assert member_file is not None
        assert member_file.read() == b"b" * 70_000


def test_a_source_that_changes_after_the_pass_is_noticed() -> None:
    source = io.BytesIO(SEALED)
    found = verified(SeekableObject(source, OFFICE))
    source.seek(0)
    source.write(SEALED[:2000])
    source.seek(1700)
    source.write(b"changed")
    with pytest.raises(PayloadError):
        found.read(10)


def test_the_trailer_is_known_before_the_pass() -> None:
    assert seekable().trailer.content_size == len(CONTENT)
    assert seekable().trailer.kind is Kind.RAW
