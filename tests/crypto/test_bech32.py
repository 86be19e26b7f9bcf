"""Key text: written one way, read strictly."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import bech32
from crypto.errors import KeyFormatError

PREFIXES = st.sampled_from(["age", "age1pq", "age-secret-key-pq-"])
IDENTITY = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"


def test_the_example_of_the_age_specification_reads_as_it_says() -> None:
    data = bech32.decode(IDENTITY, prefix="age-secret-key-")
    assert data == bytes([0x42] * 32)
    assert bech32.encode("age-secret-key-", data).upper() == IDENTITY


@given(PREFIXES, st.binary(max_size=1300))
def test_what_is_written_reads_back(prefix: str, data: bytes) -> None:
    text = bech32.encode(prefix, data)
    assert bech32.decode(text, prefix=prefix) == data
    assert bech32.decode(text.upper(), prefix=prefix) == data


@given(st.binary(min_size=1, max_size=64), st.data())
def test_one_wrong_letter_is_noticed(data: bytes, choose: st.DataObject) -> None:
    text = bech32.encode("age", data)
    place = choose.draw(st.integers(len("age1"), len(text) - 1))
    letter = choose.draw(st.sampled_from(sorted(set("qpzry9x8gf2tvdw0s3jn54khce6mua7l"))))
    mistyped = text[:place] + letter + text[place + 1 :]
    if mistyped != text:
        with pytest.raises(KeyFormatError):
            bech32.decode(mistyped, prefix="age")


@given(st.text(max_size=200) | st.text(alphabet="age1qpzry9x8", max_size=200))
def test_no_text_raises_anything_else(untrusted: str) -> None:
    with suppress(KeyFormatError):
        bech32.decode(untrusted, prefix="age")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (IDENTITY[:-1] + "x", "mixes"),
        (IDENTITY.lower().replace("age-secret-key-1", "age1"), "prefix"),
        ("1" * 5000, "too long"),
        ("age1qq", "too short"),
        ("", "prefix"),
        ("age1" + "b" * 20, "alphabet"),
    ],
)
def test_a_refusal_says_what_is_wrong(text: str, reason: str) -> None:
    prefix = "age" if text.startswith("age1") and "gfpyy" not in text else "age-secret-key-"
    with pytest.raises(KeyFormatError, match=reason):
        bech32.decode(text, prefix=prefix)


def test_text_with_stray_last_bits_is_refused() -> None:
    """Two spellings of one key would defeat every comparison of keys as text."""
    values = [0, 1]  # Ten bits: one byte of zeros, and two bits of which the last is set.
    residue = bech32._checksum("age", [*values, 0, 0, 0, 0, 0, 0]) ^ 1  # noqa: SLF001 (a forger's tool)
    letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    forged = [*values, *(residue >> 5 * (5 - place) & 31 for place in range(6))]
    with pytest.raises(KeyFormatError, match="canonical"):
        bech32.decode("age1" + "".join(letters[value] for value in forged), prefix="age")
