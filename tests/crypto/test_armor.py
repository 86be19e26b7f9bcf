"""Armor: one spelling, bounded."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import armor
from crypto.errors import ArmorError

ARMORED = armor.encode(bytes(range(100)))


@given(st.binary(max_size=300), st.text(" \t\r\n", max_size=5))
def test_armor_reads_back_with_white_space_around_it(data: bytes, space: str) -> None:
    text = armor.encode(data)
    assert armor.decode(space.encode() + text + space.encode()) == data
    assert armor.decode(text.replace(b"\n", b"\r\n")) == data


@given(st.integers(0, len(ARMORED) - 1), st.integers(0, 255))
def test_changed_armor_is_refused_or_reads_as_something_else(place: int, byte: int) -> None:
    changed = ARMORED[:place] + bytes([byte]) + ARMORED[place + 1 :]
    try:
        data = armor.decode(changed)
    except ArmorError:
        return
    assert armor.encode(data).strip() == changed.strip().replace(b"\r\n", b"\n")


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_an_armor_error(untrusted: bytes) -> None:
    begin, end = ARMORED.splitlines()[0], ARMORED.splitlines()[-1]
    for text in (untrusted, begin + b"\n" + untrusted + b"\n" + end):
        with suppress(ArmorError):
            armor.decode(text)


def test_armor_over_the_limit_is_refused_unread() -> None:
    with pytest.raises(ArmorError, match="limit"):
        armor.decode(ARMORED, limit_bytes=len(ARMORED) - 1)
