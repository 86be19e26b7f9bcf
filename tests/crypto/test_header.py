"""The head of an object, read strictly and without a key."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import HeaderError, HeaderMacError
from crypto.filekey import FileKey
from crypto.header import MAX_HEADER_SIZE, Header, Inspected, Refusal, Stanza, inspect
from crypto.opening import HybridIdentity, X25519Identity
from crypto.padding import HYBRID_HEADER_SIZE, Kind, layout
from crypto.recipients import Recipient, ScryptRecipient

FILE_KEY = FileKey.generate()
OFFICE = HybridIdentity.generate().recipient
STRANGER = HybridIdentity.generate().recipient
CLASSIC = X25519Identity(secret=bytes([7] * 32)).recipient
WORDS = "correct horse"
PASSPHRASE = ScryptRecipient(passphrase=WORDS, log_work_factor=2)
SEALED_SIZE = layout(1000, Kind.RECORD).sealed_size

ARGUMENTS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=20)
STANZAS = st.builds(
    lambda arguments, body: Stanza(arguments=tuple(arguments), body=body),
    st.lists(ARGUMENTS, min_size=1, max_size=4),
    st.binary(max_size=200),
)


def header_for(*recipients: Recipient) -> bytes:
    return Header.make(tuple(one.wrap(FILE_KEY) for one in recipients), FILE_KEY).to_bytes()


VALID = header_for(OFFICE)


def look(header: bytes, sealed_size: int = SEALED_SIZE) -> Inspected | Refusal:
    return inspect(header + bytes(100), sealed_size=sealed_size, kind=Kind.RECORD)


@given(st.lists(STANZAS, min_size=1, max_size=5), st.binary(max_size=50))
def test_a_header_reads_back_whatever_follows_it(stanzas: list[Stanza], payload: bytes) -> None:
    header = Header.make(tuple(stanzas), FILE_KEY)
    assert Header.parse(header.to_bytes() + payload) == header
    header.require_mac(FILE_KEY)


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_a_header_error(untrusted: bytes) -> None:
    for prefix in (b"", b"age-encryption.org/v1\n", b"age-encryption.org/v1\n-> a\n"):
        with suppress(HeaderError):
            Header.parse(prefix + untrusted)


@pytest.mark.threat("T-13")
@given(st.integers(0, len(VALID) - 1), st.integers(0, 255))
def test_a_changed_header_is_refused_or_read_as_it_stands(place: int, byte: int) -> None:
    """What parses is exactly what is there: no second spelling of one header."""
    changed = VALID[:place] + bytes([byte]) + VALID[place + 1 :]
    try:
        header = Header.parse(changed)
    except HeaderError:
        return
    assert changed.startswith(header.to_bytes())
    if changed != VALID:
        with pytest.raises(HeaderMacError):
            header.require_mac(FILE_KEY)


def test_a_header_over_the_limit_is_refused_before_it_is_believed() -> None:
    stanza = Stanza(arguments=("x",), body=bytes(MAX_HEADER_SIZE))
    with pytest.raises(HeaderError, match="limit"):
        Header.parse(Header.make((stanza,), FILE_KEY).to_bytes())


def test_another_file_key_does_not_fit_the_header() -> None:
    with pytest.raises(HeaderMacError):
        Header.parse(VALID).require_mac(FileKey.generate())


def test_every_object_has_a_header_of_the_same_size() -> None:
    assert {len(header_for(to)) for to in (OFFICE, STRANGER, OFFICE)} == {HYBRID_HEADER_SIZE}


def test_an_object_passes_the_structural_check() -> None:
    found = look(VALID)
    assert isinstance(found, Inspected)
    assert found.payload_size == layout(1000, Kind.RECORD).payload_size
    assert found.header.hybrid_share() == Header.parse(VALID).hybrid_share()


@pytest.mark.threat("T-04")
@pytest.mark.parametrize(
    ("header", "refusal"),
    [
        (header_for(OFFICE, STRANGER), Refusal.NOT_ONE_STANZA),
        (header_for(OFFICE, CLASSIC), Refusal.NOT_ONE_STANZA),
        (header_for(CLASSIC), Refusal.NOT_HYBRID),
        (header_for(PASSPHRASE), Refusal.NOT_HYBRID),
        (VALID[:-10], Refusal.NOT_AGE),
        (VALID.replace(b"/v1\n", b"/v2\n"), Refusal.NOT_AGE),
        (b"%PDF-1.7\n", Refusal.NOT_AGE),
        (b"", Refusal.NOT_AGE),
    ],
)
def test_what_is_not_sealed_to_one_hybrid_key_is_refused_by_name(
    header: bytes, refusal: Refusal
) -> None:
    assert look(header) is refusal


@pytest.mark.threat("T-04")
@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        (("mlkem768x25519",), bytes(32)),
        (("mlkem768x25519", "A" * 1494, "more"), bytes(32)),
        (("mlkem768x25519", "A" * 1494), bytes(33)),
        (("mlkem768x25519", "A" * 1493), bytes(32)),
        (("mlkem768x25519", "A" * 1492), bytes(32)),
        (("mlkem768x25519", "A" * 1493 + "!"), bytes(32)),
        (("mlkem768x25519", "A" * 1493 + "B"), bytes(32)),
    ],
)
def test_a_malformed_hybrid_stanza_is_refused(arguments: tuple[str, ...], body: bytes) -> None:
    header = Header.make((Stanza(arguments=arguments, body=body),), FILE_KEY)
    assert look(header.to_bytes()) is Refusal.MALFORMED_STANZA
    with pytest.raises(HeaderError, match="malformed-stanza"):
        header.hybrid_share()


@pytest.mark.threat("T-03")
@pytest.mark.parametrize("size", [0, 1627, 1675, 4095, 4097, SEALED_SIZE + 1, 27_648_851_968, -1])
def test_a_size_that_no_padded_object_has_is_refused(size: int) -> None:
    assert look(VALID, size) is Refusal.IMPOSSIBLE_SIZE


def test_material_must_lie_on_coarser_steps_than_records() -> None:
    assert isinstance(look(VALID, 4096), Inspected)
    for kind, size in ((Kind.RAW, 4096), (Kind.PACK, 65_536 + 4096)):
        assert inspect(VALID, sealed_size=size, kind=kind) is Refusal.IMPOSSIBLE_SIZE
    assert isinstance(inspect(VALID, sealed_size=65_536, kind=Kind.RAW), Inspected)


@given(st.binary(max_size=400), st.integers(-(2**70), 2**70), st.sampled_from(Kind))
def test_the_structural_check_never_raises(untrusted: bytes, size: int, kind: Kind) -> None:
    assert isinstance(inspect(untrusted, sealed_size=size, kind=kind), Refusal)
    inspect(VALID, sealed_size=size, kind=kind)
