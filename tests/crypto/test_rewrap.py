"""Another recipient, the same payload."""

import hashlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import CryptoError, HeaderError, HeaderMacError, NoMatchError
from crypto.filekey import FileKey
from crypto.header import Header
from crypto.opening import HybridIdentity, Key, X25519Identity, open_object, unwrap
from crypto.padding import HYBRID_HEADER_SIZE, Kind
from crypto.rewrap import rewrap
from crypto.seal import seal
from tests.crypto import stock

TRIAGE, CLEARED, STRANGER = (HybridIdentity.generate() for _ in range(3))
CONTENT = b"testimony " * 9000
SEALED = b"".join(seal([CONTENT], TRIAGE.recipient, Kind.RAW))
CHANGE = rewrap(SEALED, TRIAGE, CLEARED.recipient)
REWRAPPED = CHANGE.new + SEALED[HYBRID_HEADER_SIZE:]


def opened(sealed: bytes, key: Key) -> bytes:
    return b"".join(open_object(io.BytesIO(sealed), key))


@pytest.mark.threat("T-07")
def test_the_new_recipient_opens_it_and_the_old_one_no_longer() -> None:
    target = io.BytesIO(SEALED)
    CHANGE.apply(target)
    assert target.getvalue() == REWRAPPED
    assert opened(REWRAPPED, CLEARED) == CONTENT
    with pytest.raises(NoMatchError):
        opened(REWRAPPED, TRIAGE)


@pytest.mark.threat("T-07")
def test_the_payload_and_the_file_key_stay_and_the_header_keeps_its_size() -> None:
    assert REWRAPPED[HYBRID_HEADER_SIZE:] == SEALED[HYBRID_HEADER_SIZE:]
    assert unwrap(Header.parse(REWRAPPED), CLEARED) == unwrap(Header.parse(SEALED), TRIAGE)
    assert len(CHANGE.old) == len(CHANGE.new) == HYBRID_HEADER_SIZE
    assert CHANGE.old != CHANGE.new


def test_both_headers_have_their_digests_for_the_custody_event() -> None:
    assert CHANGE.old_digest == hashlib.sha256(SEALED[:HYBRID_HEADER_SIZE]).digest()
    assert CHANGE.new_digest == hashlib.sha256(REWRAPPED[:HYBRID_HEADER_SIZE]).digest()


def test_a_key_agents_file_key_is_enough() -> None:
    file_key = unwrap(Header.parse(SEALED), TRIAGE)
    change = rewrap(SEALED[:HYBRID_HEADER_SIZE], file_key, CLEARED.recipient)
    assert opened(change.new + SEALED[HYBRID_HEADER_SIZE:], CLEARED) == CONTENT


@given(st.integers(0, HYBRID_HEADER_SIZE), st.booleans())
def test_a_killed_change_is_mended_by_doing_it_again(cut: int, is_front_first: bool) -> None:  # noqa: FBT001 (Hypothesis draws it)
    """Whichever part of the header reached the disk, the second run ends with the new one."""
    first, second = (CHANGE.new, CHANGE.old) if is_front_first else (CHANGE.old, CHANGE.new)
    target = io.BytesIO(first[:cut] + second[cut:] + SEALED[HYBRID_HEADER_SIZE:])
    CHANGE.apply(target)
    assert target.getvalue() == REWRAPPED


@pytest.mark.parametrize("size", [0, 100, HYBRID_HEADER_SIZE - 1])
def test_a_file_without_its_header_is_left_alone(size: int) -> None:
    target = io.BytesIO(SEALED[:size])
    with pytest.raises(HeaderError):
        CHANGE.apply(target)
    assert target.getvalue() == SEALED[:size]


@pytest.mark.threat("T-07")
def test_another_objects_header_is_never_overwritten() -> None:
    other = b"".join(seal([b"another"], TRIAGE.recipient, Kind.RAW))
    target = io.BytesIO(other)
    with pytest.raises(HeaderError):
        CHANGE.apply(target)
    assert target.getvalue() == other
    with pytest.raises(HeaderError):
        list(CHANGE.copy([other]))


@given(st.integers(1, 5000))
def test_a_store_that_never_changes_files_gets_a_copy(cut: int) -> None:
    pieces = [SEALED[start : start + cut] for start in range(0, 20_000, cut)]
    assert b"".join(CHANGE.copy(pieces)) == (CHANGE.new + b"".join(pieces)[HYBRID_HEADER_SIZE:])
    with pytest.raises(HeaderError, match="shorter"):
        list(CHANGE.copy([SEALED[:1000]]))


@pytest.mark.threat("T-07")
@pytest.mark.parametrize(
    ("header", "key", "error"),
    [
        (SEALED, STRANGER, NoMatchError),
        (SEALED, FileKey(secret=bytes(16)), HeaderMacError),
        (SEALED[:1000], TRIAGE, HeaderError),
        (stock.age_file(b"", TRIAGE.recipient, STRANGER.recipient), TRIAGE, HeaderError),
        (
            stock.age_file(b"", X25519Identity(secret=bytes([7] * 32)).recipient),
            X25519Identity(secret=bytes([7] * 32)),
            HeaderError,
        ),
    ],
    ids=["foreign", "wrong-file-key", "cut", "two-stanzas", "classic"],
)
def test_only_a_whole_header_of_our_own_is_rewrapped(
    header: bytes, key: Key, error: type[CryptoError]
) -> None:
    with pytest.raises(error):
        rewrap(header, key, CLEARED.recipient)
