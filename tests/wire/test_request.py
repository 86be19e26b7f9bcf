"""A signed request is one request, for one portal, with one body, by one signer."""

import base64
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amana.wire.errors import FieldError, FormatError, UnsignedError, WireError
from amana.wire.ids import Digest, LogOrigin
from amana.wire.request import (
    HEADER_LIMIT_CHARACTERS,
    SignedRequest,
    claimed_signer,
    read_head,
    read_request,
    request_of,
    to_header,
)
from amana.wire.vocabulary import Deployment
from crypto.sign import NoteSigner

SIGNER = NoteSigner.generate("training.invalid/quarantine/pull")
OTHER = NoteSigner.generate("training.invalid/quarantine/pull")
ORIGIN = LogOrigin("training.invalid/portal")
BODY = b"a body"
MEANT: Final[dict[str, Any]] = {
    "method": "POST",
    "path": "/pull/v1/feedback?x=1",
    "audience": ORIGIN,
    "deployment": Deployment.TRAINING,
}
REQUEST = request_of(body=BODY, counter=5, **MEANT)
HEADER = to_header(SIGNER.sign(REQUEST.to_bytes().decode()))


def test_a_request_is_read_by_whoever_it_is_for() -> None:
    assert read_head(HEADER, SIGNER.key, **MEANT) == REQUEST
    assert read_request(HEADER, SIGNER.key, body_sha256=REQUEST.body_sha256, **MEANT) == REQUEST
    assert claimed_signer(HEADER) == SIGNER.key.name
    assert len(HEADER) < HEADER_LIMIT_CHARACTERS / 2


@pytest.mark.threat("T-08")
@pytest.mark.parametrize(
    "other",
    [
        {"method": "GET"},
        {"path": "/pull/v1/feedback"},
        {"path": "/pull/v1/feedback?x=2"},
        {"audience": LogOrigin("training.invalid/other")},
        {"deployment": Deployment.PRODUCTION},
    ],
    ids=str,
)
def test_another_request_is_not_signed_by_it(other: dict[str, Any]) -> None:
    with pytest.raises(UnsignedError):
        read_head(HEADER, SIGNER.key, **(MEANT | other))


@pytest.mark.threat("T-08")
def test_another_body_or_signer_is_not_signed_by_it() -> None:
    with pytest.raises(UnsignedError):
        read_request(HEADER, SIGNER.key, body_sha256=Digest("0" * 64), **MEANT)
    with pytest.raises(UnsignedError):
        read_head(HEADER, OTHER.key, **MEANT)
    both = to_header(OTHER.cosign(SIGNER.sign(REQUEST.to_bytes().decode())))
    with pytest.raises(UnsignedError):
        read_head(both, SIGNER.key, **MEANT)


@pytest.mark.parametrize(
    "wrong",
    [
        {"path": "pull"},
        {"path": "/a b"},
        {"path": "/%41"},
        {"path": "/" + "a" * 800},
        {"path": "/a?b?c"},
        {"path": "/\u0663"},
        {"method": "get"},
        {"method": "G"},
        {"counter": 0},
        {"counter": 1 << 53},
    ],
    ids=lambda wrong: str(wrong)[:40],
)
def test_what_could_be_read_in_two_ways_is_not_written(wrong: dict[str, Any]) -> None:
    asked: dict[str, Any] = {"body": BODY, "counter": 1} | MEANT | wrong
    with pytest.raises(FieldError):
        request_of(**asked).to_bytes()


@pytest.mark.parametrize(
    "header",
    [
        "",
        "=",
        HEADER + "=",
        HEADER + "\n",
        HEADER.replace("A", "+", 1),
        HEADER[:-1],
        "\u0663" * 8,
        "A" * (HEADER_LIMIT_CHARACTERS + 1),
        base64.b64encode(b"no note at all").decode(),
    ],
    ids=range(9),
)
def test_a_header_that_is_no_note_is_refused(header: str) -> None:
    with pytest.raises(WireError):
        read_head(header, SIGNER.key, **MEANT)
    with pytest.raises(FormatError):
        claimed_signer(header)


@settings(max_examples=150, deadline=None)
@given(place=st.integers(0, len(HEADER) - 1), letter=st.sampled_from("AZaz09-_=+/\n é"))
def test_a_header_with_one_other_letter_is_refused(place: int, letter: str) -> None:
    changed = HEADER[:place] + letter + HEADER[place + 1 :]
    if changed != HEADER:
        with pytest.raises(WireError):
            read_head(changed, SIGNER.key, **MEANT)


@settings(max_examples=150, deadline=None)
@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_no_header_makes_the_reader_stumble(header: str) -> None:
    for read in (claimed_signer, lambda text: read_head(text, SIGNER.key, **MEANT)):
        with pytest.raises(WireError):
            read(header)


@settings(max_examples=150, deadline=None)
@given(st.binary())
def test_no_statement_makes_the_reader_stumble(raw: bytes) -> None:
    for untrusted in (raw, b"amana/request/v1\n" + raw + b"\n"):
        with pytest.raises(WireError):
            SignedRequest.from_bytes(untrusted)
