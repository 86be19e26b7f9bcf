"""A multipart body is read by one rule, wherever it is cut; what is no such body is refused."""

import contextlib
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.errors import RefusedError
from portal.multipart import Event, PartEnd, PartHead, PartReader, boundary_of
from tests.portal.body import BOUNDARY, CONTENT_TYPE, body, field, file

NEWLINES = b"\r\n" * 50_000
TRICKY = [
    b"",
    NEWLINES,
    b"\r" * 70_000,
    f"\r\n--{BOUNDARY[:-1]}".encode() * 2_000,
    f"--{BOUNDARY}--\r\n".encode(),  # a boundary counts at the beginning of a line only
    bytes(range(256)) * 300,
]


def read(chunks: Iterable[bytes]) -> tuple[list[tuple[PartHead, bytes]], bool]:
    reader = PartReader(BOUNDARY.encode())
    parts: list[tuple[PartHead, bytearray]] = []
    for chunk in chunks:
        for event in reader.feed(chunk):
            match event:
                case PartHead():
                    parts.append((event, bytearray()))
                case memoryview():
                    parts[-1][1].extend(event)
                case PartEnd.END:
                    pass
    return [(head, bytes(content)) for head, content in parts], reader.is_complete


def in_pieces(whole: bytes, size: int) -> list[bytes]:
    return [whole[start : start + size] for start in range(0, len(whole), size)]


@pytest.mark.parametrize("size", [1 << 20, 65_536, 999, 61])
@pytest.mark.parametrize("content", TRICKY, ids=range(len(TRICKY)))
def test_a_part_has_the_same_bytes_wherever_the_body_is_cut(content: bytes, size: int) -> None:
    whole = body(field("a", b"1"), file("name", b"x" + content), field("b", b"2"))
    parts, is_complete = read(in_pieces(whole, size))
    assert is_complete
    assert [part for _, part in parts] == [b"1", b"x" + content, b"2"]


@given(st.lists(st.binary(max_size=300), max_size=4), st.integers(1, 400))
def test_whatever_the_parts_hold_comes_out_again(contents: list[bytes], size: int) -> None:
    whole = body(*(file(f"{n}", content) for n, content in enumerate(contents)))
    parts, is_complete = read(in_pieces(whole, size))
    assert is_complete
    assert [part for _, part in parts] == contents


@pytest.mark.threat("T-13")
@given(st.binary(max_size=500), st.integers(1, 100))
def test_arbitrary_bytes_are_refused_or_are_not_complete(junk: bytes, size: int) -> None:
    try:
        _parts, is_complete = read(in_pieces(junk, size))
    except RefusedError:
        return
    assert not is_complete or f"--{BOUNDARY}--".encode() in junk


@pytest.mark.threat("T-13")
@given(st.data())
def test_a_body_with_changed_bytes_raises_nothing_but_a_refusal(data: st.DataObject) -> None:
    whole = bytearray(body(field("token", "t"), file("a.jpg", b"content"), field("x", "y")))
    for _ in range(data.draw(st.integers(1, 5))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(RefusedError):
        read([bytes(whole)])


def test_a_refusal_does_not_quote_the_body() -> None:
    with pytest.raises(RefusedError) as refused:
        read([b"what was sent"])
    assert refused.value.__cause__ is None
    assert "sent" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "kept"),
    [(b'a"; name="token', b'a"; name="token'), (b"C:\\dir\\x", b"C:\\dir\\x"), (b'\\"', b'\\"')],
)
def test_a_file_name_is_what_stands_between_the_outer_quotes(name: bytes, kept: bytes) -> None:
    parts, _ = read([body(file(name, b""))])
    assert [head.filename for head, _ in parts] == [kept]
    assert [head.name for head, _ in parts] == ["files"]


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Type: text/plain",
        b'Content-Disposition: attachment; name="a"',
        b"Content-Disposition: form-data; name=a",
        b"Content-Disposition: form-data; name=\"a\"; filename*=UTF-8''b",
        b'Content-Disposition: form-data; name="a"\r\nContent-Disposition: form-data; name="b"',
        b'Content-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64',
        b'Content-Disposition: form-data; name="files"; filename="' + b"x" * 9_000 + b'"',
    ],
)
def test_a_head_that_says_anything_else_refuses_the_body(head: bytes) -> None:
    with pytest.raises(RefusedError):
        read([body(head + b"\r\n\r\nvalue")])


def test_a_boundary_is_taken_from_a_form_with_files_only() -> None:
    assert boundary_of(CONTENT_TYPE.encode()) == BOUNDARY.encode()
    assert boundary_of(b'multipart/form-data; boundary="a-b"') == b"a-b"
    for other in (b"", b"text/plain", b"multipart/form-data; boundary=", b"multipart/form-data"):
        with pytest.raises(RefusedError):
            boundary_of(other)


def test_events_of_an_earlier_chunk_do_not_change_with_the_next() -> None:
    reader = PartReader(BOUNDARY.encode())
    whole = body(file("a", b"first"), file("b", b"second"))
    first: list[Event] = reader.feed(whole[:150])
    seen = [bytes(each) if isinstance(each, memoryview) else each for each in first]
    reader.feed(whole[150:])
    assert seen == [bytes(each) if isinstance(each, memoryview) else each for each in first]
