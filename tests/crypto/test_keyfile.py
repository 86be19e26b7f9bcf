"""A secret under a passphrase."""

import base64
import json

import nacl.bindings
import nacl.pwhash.argon2id
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.errors import CryptoError, KeyFormatError, NoMatchError
from crypto.private.keyfile import LEAST_MEMORY_BYTES, PEOPLE, Cost, lock, unlock

QUICK = Cost(memory_bytes=LEAST_MEMORY_BYTES, operations=1)
SECRET = b"thirty-two bytes that open much."
LOCKED = lock(SECRET, "passphrase", QUICK)


@pytest.mark.threat("T-19")
def test_the_passphrase_gives_the_secret_back() -> None:
    assert unlock(LOCKED, "passphrase") == SECRET


@pytest.mark.threat("T-19")
def test_people_get_argon2id_with_256_mebibytes() -> None:
    fields = json.loads(lock(SECRET, "passphrase"))
    assert (fields["memory_bytes"], fields["operations"]) == (256 << 20, 3)
    assert Cost(memory_bytes=256 << 20, operations=3) == PEOPLE


@pytest.mark.threat("T-19")
def test_another_passphrase_opens_nothing() -> None:
    with pytest.raises(NoMatchError):
        unlock(LOCKED, "Passphrase")


def test_the_same_secret_is_never_locked_alike() -> None:
    assert lock(SECRET, "passphrase", QUICK) != LOCKED


@pytest.mark.parametrize("field", ["box", "nonce", "salt"])
def test_a_changed_byte_opens_nothing(field: str) -> None:
    fields = json.loads(LOCKED)
    fields[field] = ("B" if fields[field][0] == "A" else "A") + fields[field][1:]
    with pytest.raises(NoMatchError):
        unlock(_line(fields), "passphrase")


def test_a_cheaper_cost_written_into_the_file_opens_nothing() -> None:
    fields = json.loads(lock(SECRET, "passphrase", Cost(memory_bytes=16384, operations=1)))
    fields["memory_bytes"] = LEAST_MEMORY_BYTES
    with pytest.raises(NoMatchError):
        unlock(_line(fields), "passphrase")


@pytest.mark.parametrize(
    "change",
    [
        {"memory_bytes": 1 << 40},
        {"memory_bytes": 0},
        {"operations": 1000},
        {"operations": 0},
        {"operations": True},
        {"operations": "1"},
        {"format": "amana/key-file/v2"},
        {"salt": "AA"},
        {"salt": "A" * 21 + "B"},
        {"salt": 7},
        {"nonce": "*"},
        {"box": ""},
        {"box": "A" * 20},
        {"comment": "unknown"},
    ],
)
def test_what_the_format_does_not_allow_is_refused_before_memory_is_taken(
    change: dict[str, object],
) -> None:
    with pytest.raises(KeyFormatError):
        unlock(_line(json.loads(LOCKED) | change), "passphrase")


@pytest.mark.threat("T-19")
def test_what_stands_in_clear_is_bound_to_the_box() -> None:
    """The box is made here by hand, as docs/format/15-key-file.md says, and without the binding."""
    fields = json.loads(LOCKED)
    clear = {name: fields[name] for name in ("format", "memory_bytes", "operations", "salt")}
    bound = json.dumps(clear, sort_keys=True, separators=(",", ":")).encode()
    assert unlock(_line(fields | {"box": _box(fields, bound)}), "passphrase") == SECRET
    for other in (b"", bound + b"\n", bound.replace(b"/v1", b"/v2")):
        with pytest.raises(NoMatchError):
            unlock(_line(fields | {"box": _box(fields, other)}), "passphrase")


@pytest.mark.threat("T-19")
def test_a_passphrase_that_utf8_cannot_write_is_refused_and_never_told() -> None:
    with pytest.raises(KeyFormatError) as refusal_to_lock:
        lock(SECRET, "olive \udc80", QUICK)
    with pytest.raises(KeyFormatError) as refusal_to_unlock:
        unlock(LOCKED, "olive \udc80")
    for refusal in (refusal_to_lock.value, refusal_to_unlock.value):
        assert refusal.__context__ is None
        assert "olive" not in str(refusal)


@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_refused_by_name(untrusted: bytes) -> None:
    with pytest.raises(KeyFormatError):
        unlock(untrusted, "passphrase")


@settings(max_examples=50)
@given(at=st.integers(0, len(LOCKED) - 1), byte=st.integers(0, 255))
def test_a_file_with_one_byte_replaced_never_gives_another_secret(at: int, byte: int) -> None:
    changed = LOCKED[:at] + bytes([byte]) + LOCKED[at + 1 :]
    try:
        assert unlock(changed, "passphrase") == SECRET
        assert changed == LOCKED
    except CryptoError:
        assert changed != LOCKED


def _line(fields: dict[str, object]) -> bytes:
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _box(fields: dict[str, object], bound: bytes) -> str:
    salt, nonce = (_unb64(str(fields[name])) for name in ("salt", "nonce"))
    key = nacl.pwhash.argon2id.kdf(
        32, b"passphrase", salt, opslimit=QUICK.operations, memlimit=QUICK.memory_bytes
    )
    box = nacl.bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(SECRET, bound, nonce, key)
    return base64.urlsafe_b64encode(box).rstrip(b"=").decode("ascii")


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
