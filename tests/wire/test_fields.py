"""What each kind of value refuses, and how little it says about it."""

import contextlib
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amana.wire.conditions import UID
from amana.wire.errors import FieldError
from amana.wire.fields import (
    Base64,
    Choice,
    Day,
    Flag,
    Instant,
    Many,
    Nullable,
    RawBytes,
    Text,
    Whole,
)
from amana.wire.ids import DIGEST, RECIPIENT
from amana.wire.names import FILE_TIME, FileTime, FileTimes, file_time, posix_nanoseconds
from amana.wire.signers import SIGNER
from amana.wire.vocabulary import Deployment
from amana.wire.words import LANGUAGE, MEDIA_TYPE
from crypto.canonical import JsonValue
from tests.wire import cards, givens

Reader = Callable[[JsonValue], object]

READERS: list[Reader] = [
    Text(9).read,
    Base64(RawBytes, 0, 9).read,
    Whole(1, 9).read,
    Flag().read,
    Choice(Deployment).read,
    Day().read,
    Instant().read,
    Nullable(Text(9)).read,
    Many(Whole(1, 9), 3).read,
    DIGEST.read,
    UID.read,
    SIGNER.read,
]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)

REFUSED: list[tuple[Reader, JsonValue]] = [
    (Text(4).read, ""),
    (Text(4).read, "ستة"),  # three letters, six bytes
    (Text(4).read, "\ud800"),
    (Base64(RawBytes, 2, 4).read, "AA"),
    (Base64(RawBytes, 2, 4).read, "AAAAAAA"),
    (Base64(RawBytes, 2, 4).read, "AAAA="),
    (Base64(RawBytes, 2, 4).read, "AAB"),  # loose bits after the second byte
    (Base64(RawBytes, 2, 4).read, "A+/A"),
    (Base64(RawBytes, 2, 4).read, "A A A"),
    (Base64(RawBytes, 2, 4).read, "AAAAA"),
    (Whole(1, 9).read, True),
    (Whole(1, 9).read, 0),
    (Whole(1, 9).read, 10),
    (Choice(Deployment).read, "training"),
    (Day().read, "2026-02-30"),
    (Day().read, "20261002"),
    (Day().read, "2026-W40-5"),
    (Day().read, "1899-12-31"),
    (Day().read, "2026-10-0\u0662"),
    (Instant().read, "2026-10-02T09:00:00+00:00"),
    (Instant().read, "2026-10-02T09:00:00.5Z"),
    (Instant().read, "2026-10-02T09:00:60Z"),
    (Instant().read, "1899-12-31T23:59:59Z"),
    (Many(Whole(1, 9), 3).read, [1, 2, 3, 4]),
    (Many(Whole(1, 9), 3, least=1).read, []),
    (DIGEST.read, "A" * 64),
    (DIGEST.read, "a" * 64 + "\n"),
    (RECIPIENT.read, cards.CARD.recipient.upper()),
    (UID.read, "مذكرة"),
    (LANGUAGE.read, "ar_SY"),
    (MEDIA_TYPE.read, "text/html; charset=x"),
    (FILE_TIME.read, "2026-13-02T09:00:00.000000000Z"),
    (SIGNER.read, {"ed25519": "x", "mldsa44": "y"}),
    (SIGNER.read, {"ed25519": 1, "mldsa44": None}),
]


@pytest.mark.parametrize(("read", "wrong"), REFUSED, ids=lambda value: repr(value)[:40])
def test_a_value_over_a_limit_or_of_another_shape_is_refused(
    read: Reader, wrong: JsonValue
) -> None:
    with pytest.raises(FieldError):
        read(wrong)


@given(read=st.sampled_from(READERS), junk=JUNK)
def test_any_json_is_read_or_refused_in_our_own_words(read: Reader, junk: JsonValue) -> None:
    with contextlib.suppress(FieldError):
        read(junk)


@given(st.binary(max_size=60))
def test_bytes_have_one_spelling(raw: bytes) -> None:
    codec = Base64(RawBytes, 0, 60)
    assert codec.read(codec.write(RawBytes(raw))) == raw


@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 10, 2, 9, 0, 0, 1, tzinfo=UTC),
        datetime(2026, 10, 2, 9, 0, 0, tzinfo=timezone(timedelta(hours=3))),
    ],
)
def test_a_time_that_is_not_a_whole_second_in_utc_is_not_written(at: datetime) -> None:
    with pytest.raises(FieldError):
        Instant().write(at)


def test_times_are_written_as_everyone_writes_them() -> None:
    assert Instant().write(givens.NOON) == "2026-10-02T12:00:00Z"
    assert Day().write(date(2026, 10, 2)) == "2026-10-02"


def test_the_member_of_a_list_at_fault_is_named() -> None:
    with pytest.raises(FieldError) as refusal:
        Many(Whole(1, 9), 3).read([1, 99])
    assert refusal.value.path == "[1]"


@pytest.mark.parametrize("day", ["2013-02-31", "2013-04-31", "0000-01-01"])
def test_a_file_time_on_a_day_that_never_was_is_refused(day: str) -> None:
    with pytest.raises(FieldError):
        FileTimes(modified=FileTime(f"{day}T00:00:00.000000000Z"), created=None, accessed=None)


def test_a_file_time_keeps_every_nanosecond() -> None:
    assert file_time(1_377_054_765_123_456_789) == "2013-08-21T03:12:45.123456789Z"
    assert file_time(-1) == "1969-12-31T23:59:59.999999999Z"
    assert file_time(2**80) is None


@given(st.integers(-(2**63), 2**63 - 1))
def test_any_file_time_comes_back_to_the_nanosecond(nanoseconds: int) -> None:
    text = file_time(nanoseconds)
    assert text is not None
    assert FILE_TIME.read(text) == text
    assert posix_nanoseconds(text) == nanoseconds
