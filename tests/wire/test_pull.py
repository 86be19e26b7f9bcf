"""The messages of a pull: each both ways, each within its limit, each refused when it is not."""

import dataclasses
import json
from datetime import date
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amana.wire.documents import Document, Statement
from amana.wire.errors import FieldError, WireError
from amana.wire.ids import Digest, LogOrigin, ObjectId, SubmissionId
from amana.wire.pull import (
    CHECKPOINT_LIMIT_BYTES,
    PAGE_ENTRIES,
    Acknowledged,
    CheckpointAnswer,
    HashText,
    Listed,
    PullAcknowledgement,
    PullList,
    acknowledge_path,
    checkpoint_path,
    event_path,
    list_path,
    note_path,
    receipt_path,
    sealed_path,
)
from amana.wire.request import request_of
from amana.wire.sealed import OBJECTS_LIMIT, SealedObject
from amana.wire.vocabulary import Deployment
from crypto.canonical import MAX_INTEGER, JsonValue
from crypto.merkle import MAX_PROOF_HASHES

TODAY: Final = date(2026, 10, 2)
WRONG: Final[tuple[JsonValue, ...]] = (-1, [None], {})


def digest(number: int) -> Digest:
    return Digest(f"{number:064x}")


def listed(number: int) -> Listed:
    return Listed(
        submission_id=SubmissionId(digest(number)),
        note_sha256=digest(number + 1),
        received_on=TODAY,
        objects=OBJECTS_LIMIT + 1,
        sealed_bytes=(1 << 53) - 1,
        event=SealedObject(
            object_id=ObjectId(f"{number:032x}"), sealed_size=1 << 47, sealed_sha256=digest(number)
        ),
    )


PAGE: Final = PullList(entries=tuple(map(listed, range(PAGE_ENTRIES))), more=True)
WORD: Final = PullAcknowledgement(
    submission_id=SubmissionId(digest(1)),
    note_sha256=digest(2),
    sealed_sha256=tuple(map(digest, range(OBJECTS_LIMIT + 2))),
    audience=LogOrigin("a" * 128),
    deployment=Deployment.PRODUCTION,
)
ANSWER: Final = Acknowledged(
    submission_id=SubmissionId(digest(1)), acknowledged_on=TODAY, kept_until=TODAY
)
CHECKPOINT: Final = CheckpointAnswer(
    old_size=MAX_INTEGER,
    checkpoint="\n" * CHECKPOINT_LIMIT_BYTES,
    proof=MAX_PROOF_HASHES * (HashText(digest(1)),),
)
LONGEST: Final[tuple[Document, ...]] = (PAGE, WORD, ANSWER, CHECKPOINT)
SHORT: Final[tuple[Document, ...]] = (
    dataclasses.replace(PAGE, entries=(listed(1), listed(2))),
    dataclasses.replace(WORD, sealed_sha256=(digest(1), digest(2))),
    ANSWER,
    dataclasses.replace(CHECKPOINT, checkpoint="text\n", proof=()),
)


@pytest.mark.parametrize("document", [*LONGEST, *SHORT], ids=lambda each: type(each).__name__)
def test_a_message_is_read_back_as_it_was_meant(document: Document) -> None:
    """The longest fits into its limit."""
    assert type(document).from_bytes(document.to_bytes()) == document


@pytest.mark.threat("T-13")
@pytest.mark.parametrize("document", SHORT, ids=lambda each: type(each).__name__)
def test_a_field_more_less_or_unknown_is_refused(document: Document) -> None:
    raw = document.to_bytes()
    text = raw.split(b"\n")[1] if isinstance(document, Statement) else raw
    fields = json.loads(text)
    spoiled = [
        *({name: value for name, value in fields.items() if name != gone} for gone in fields),
        fields | {"more_": True},
        fields | {"format": document.FORMAT + "1"},
        *(fields | {name: wrong} for name in fields for wrong in WRONG),
    ]
    for each in spoiled:
        body = json.dumps(each, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        with pytest.raises(WireError):
            type(document).from_bytes(raw.replace(text, body.encode()))


@settings(max_examples=200, deadline=None)
@given(data=st.data(), raw=st.binary(max_size=300))
def test_no_bytes_make_a_reader_stumble(data: st.DataObject, raw: bytes) -> None:
    document = data.draw(st.sampled_from(SHORT))
    whole = document.to_bytes()
    place = data.draw(st.integers(0, len(whole)))
    for untrusted in (raw, whole[:place] + raw, whole[:place] + raw + whole[place:]):
        if untrusted != whole:
            try:
                read = type(document).from_bytes(untrusted)
            except WireError:
                continue
            assert read.to_bytes() == untrusted


def test_what_contradicts_itself_is_refused() -> None:
    with pytest.raises(FieldError):
        PullList(entries=(listed(1), listed(1)), more=False)
    with pytest.raises(FieldError):
        PullList(entries=(), more=True)
    with pytest.raises(FieldError):
        dataclasses.replace(WORD, sealed_sha256=(digest(1), digest(1)))


def test_every_path_can_be_signed_as_it_is_sent() -> None:
    submission, object_id = SubmissionId(digest(1)), ObjectId("0" * 32)
    paths = (
        list_path(),
        list_path(submission),
        note_path(submission),
        event_path(submission),
        sealed_path(submission, object_id),
        acknowledge_path(submission),
        receipt_path(submission),
        checkpoint_path(MAX_INTEGER),
    )
    assert len(set(paths)) == len(paths)
    for path in paths:
        request = request_of(
            method="GET",
            path=path,
            body=b"",
            counter=1,
            audience=LogOrigin("portal"),
            deployment=Deployment.TRAINING,
        )
        assert request.to_bytes()
