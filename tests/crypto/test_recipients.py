"""Public keys: read strictly, and wrapping for them never repeats itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import HeaderError, KeyFormatError, NoMatchError
from crypto.filekey import FileKey
from crypto.header import Header, Stanza
from crypto.opening import HybridIdentity, Identity, ScryptIdentity, X25519Identity, unwrap
from crypto.recipients import HybridRecipient, Recipient, ScryptRecipient, X25519Recipient

FILE_KEY = FileKey.generate()
OFFICE = HybridIdentity.generate()
CLASSIC = X25519Identity(secret=bytes(range(32)))
WORDS = "correct horse"
PHRASE = ScryptIdentity(passphrase=WORDS)
LOCK = ScryptRecipient(passphrase=WORDS, log_work_factor=4)
SPECIFIED = HybridIdentity.from_text(
    "AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3SK3ZQFR"
)


def header_for(*recipients: Recipient) -> Header:
    return Header.make(tuple(one.wrap(FILE_KEY) for one in recipients), FILE_KEY)


def test_the_example_identity_of_the_specification_has_the_example_recipient() -> None:
    text = SPECIFIED.recipient.to_text()
    assert text.startswith("age1pq1x34nzsvr0rxjsgdn8zgyhfe8j7ceq5r9rdelkjuh3y235jzxshfg87pzf5zrqtz")
    assert text.endswith("zfnegrm9efhxpfqdkmhh6gjtqmwze9pyyzk3tlhl53k2ykx3qheyty7saeq0d3fzv49zc0k")
    assert len(text) == 1959


@pytest.mark.parametrize(
    ("recipient", "identity"),
    [(OFFICE.recipient, OFFICE), (CLASSIC.recipient, CLASSIC), (LOCK, PHRASE)],
)
def test_only_the_private_half_finds_the_file_key(recipient: Recipient, identity: Identity) -> None:
    header = header_for(recipient)
    assert unwrap(header, identity) == FILE_KEY
    strangers: list[Identity] = [
        HybridIdentity.generate(),
        X25519Identity(secret=bytes([9] * 32)),
        ScryptIdentity(passphrase=WORDS.upper()),
    ]
    for stranger in strangers:
        with pytest.raises(NoMatchError):
            unwrap(header, stranger)


def test_the_same_key_is_never_wrapped_the_same_way_twice() -> None:
    for recipient in (OFFICE.recipient, CLASSIC.recipient, LOCK):
        assert recipient.wrap(FILE_KEY) != recipient.wrap(FILE_KEY)


def test_key_texts_read_back() -> None:
    assert HybridRecipient.from_text(OFFICE.recipient.to_text()) == OFFICE.recipient
    assert HybridIdentity.from_text(OFFICE.to_text()) == OFFICE
    assert X25519Recipient.from_text(CLASSIC.recipient.to_text()) == CLASSIC.recipient
    assert X25519Identity.from_text(CLASSIC.to_text()) == CLASSIC


def test_no_private_key_shows_when_it_is_printed() -> None:
    shown = f"{OFFICE!r} {CLASSIC!r} {PHRASE!r} {LOCK!r} {FILE_KEY!r} {FILE_KEY}"
    secrets = (OFFICE.seed, CLASSIC.secret, FILE_KEY.secret)
    assert not any(repr(secret)[2:-1] in shown or secret.hex() in shown for secret in secrets)
    assert "horse" not in shown


@given(st.binary(max_size=40) | st.binary(min_size=1210, max_size=1220))
def test_bytes_that_are_no_key_raise_only_a_key_format_error(untrusted: bytes) -> None:
    for kind in (HybridRecipient, X25519Recipient):
        try:
            key = kind(public_key=untrusted)
        except KeyFormatError:
            continue
        assert key.wrap(FILE_KEY).body


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_private_key_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(KeyFormatError):
        HybridIdentity(seed=bytes(size))
    with pytest.raises(KeyFormatError):
        X25519Identity(secret=bytes(size))
    with pytest.raises(KeyFormatError):
        FileKey(secret=bytes(size))


@pytest.mark.threat("T-04")
def test_a_key_that_would_share_its_secret_with_everybody_is_refused() -> None:
    weak_points = [bytes(32), bytes([1]) + bytes(31)]
    for point in weak_points:
        with pytest.raises(KeyFormatError, match="low order"):
            X25519Recipient(public_key=point)
        with pytest.raises(KeyFormatError, match="low order"):
            HybridRecipient(public_key=OFFICE.recipient.public_key[:1184] + point)


def test_an_ml_kem_key_out_of_range_is_refused() -> None:
    with pytest.raises(KeyFormatError, match="ML-KEM"):
        HybridRecipient(public_key=b"\xff" * 1184 + OFFICE.recipient.public_key[1184:])


def test_a_passphrase_stanza_must_be_alone() -> None:
    with pytest.raises(HeaderError, match="only one"):
        unwrap(header_for(LOCK, CLASSIC.recipient), PHRASE)


@pytest.mark.parametrize("factor", ["19", "99", "100", "0", "04", "+4", "4 ", "٤", "1e1"])
def test_a_passphrase_costs_no_work_over_the_limit(factor: str) -> None:
    name, salt, _ = LOCK.wrap(FILE_KEY).arguments
    stanza = Stanza(arguments=(name, salt, factor), body=bytes(32))
    with pytest.raises(HeaderError, match="work factor"):
        PHRASE.unwrap([stanza])


def test_file_keys_compare_by_value_and_are_no_dictionary_keys() -> None:
    assert FileKey(secret=bytes(16)) == FileKey(secret=bytes(16))
    assert FileKey(secret=bytes(16)) != FileKey.generate()
    assert FileKey(secret=bytes(16)) != bytes(16)
    with pytest.raises(TypeError):
        hash(FILE_KEY)
