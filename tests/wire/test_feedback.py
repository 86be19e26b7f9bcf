"""Feedback: of one size, proven to be in a signed batch, and carrying only what its code may."""

import dataclasses
import hashlib
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amana.wire.errors import FieldError, FormatError, UnprovenError, UnsignedError, WireError
from amana.wire.feedback import (
    CONTENT_LIMIT_BYTES,
    ENTRIES_LIMIT,
    SEALED_BYTES,
    STATUSES_LIMIT,
    TEXT_LIMIT_BYTES,
    FeedbackAnswer,
    FeedbackBatch,
    FeedbackContent,
    FeedbackEntry,
    FeedbackHead,
    FeedbackStatus,
    PostReader,
    read_batch_unsigned,
    require_entry,
    write_post,
)
from amana.wire.fields import RawBytes
from amana.wire.ids import AccountId, Digest
from amana.wire.signers import read_signed
from crypto import canonical, merkle
from crypto.padding import Kind, layout
from terms.feedback import FREE_TEXT, PARAMETERS, FeedbackCode, NotKeptReason
from tests.wire.feedbacks import ACCOUNTS, DAY, a_batch, a_status
from tests.wire.givens import PORTAL, QUARANTINE

MADE = a_batch(QUARANTINE, a_status())
BATCH = read_signed(FeedbackBatch, MADE.note, QUARANTINE.key)
ENTRY = MADE.entries[0]
POST = b"".join(MADE.lines())
CONTENT = FeedbackContent(account=ACCOUNTS[0], number=7, statuses=(a_status(),), more=False)
ANSWER = FeedbackAnswer(note=MADE.note.decode(), entries=MADE.entries[:1], signers=())


def taken(untrusted: bytes, cut: int = 1 << 20) -> list[FeedbackEntry]:
    """The entries of a post that comes in pieces; whatever is wrong raises."""
    reader = PostReader()
    pieces = (untrusted[start : start + cut] for start in range(0, len(untrusted), cut))
    entries = [entry for piece in pieces for entry in reader.take(piece)]
    batch, note = reader.whole()
    assert (batch, note) == (BATCH, MADE.note)
    return entries


@pytest.mark.threat("T-03")
def test_whatever_is_said_seals_to_the_one_size() -> None:
    assert layout(0, Kind.RECORD).sealed_size == SEALED_BYTES
    assert layout(CONTENT_LIMIT_BYTES, Kind.RECORD).sealed_size == SEALED_BYTES
    assert layout(CONTENT_LIMIT_BYTES + 1, Kind.RECORD).sealed_size > SEALED_BYTES


@pytest.mark.parametrize("code", FeedbackCode)
def test_a_status_carries_exactly_what_its_code_does(code: FeedbackCode) -> None:
    status = a_status(code)
    content = dataclasses.replace(CONTENT, statuses=(status,))
    assert FeedbackContent.from_bytes(content.to_bytes()) == content
    with pytest.raises(FieldError, match="reason"):
        dataclasses.replace(status, reason=None if status.reason else NotKeptReason.YOU_ASKED)
    with pytest.raises(FieldError, match="date"):
        dataclasses.replace(status, date=None if status.date else DAY)
    with pytest.raises(FieldError, match="text"):
        dataclasses.replace(status, text=None if status.text else "Somebody used it.")


@pytest.mark.parametrize("code", [code for code in FeedbackCode if PARAMETERS[code] & FREE_TEXT])
@pytest.mark.parametrize("letter", ["a", "ش", '"', "\x01"])
def test_the_longest_text_fits_alone_however_json_writes_it(
    code: FeedbackCode, letter: str
) -> None:
    written = len(canonical.encode(letter)) - 2
    longest = letter * ((TEXT_LIMIT_BYTES - 2) // written)
    content = dataclasses.replace(
        CONTENT, number=1_000_000, statuses=(a_status(code, text=longest),)
    )
    assert len(content.to_bytes()) <= CONTENT_LIMIT_BYTES
    with pytest.raises(FieldError, match="text"):
        a_status(code, text=longest + letter + letter)


def test_the_general_update_is_about_no_submission() -> None:
    general = a_status(FeedbackCode.GENERAL_UPDATE)
    with pytest.raises(FieldError, match="alike"):
        dataclasses.replace(general, submission_id=a_status().submission_id)


def test_statuses_stand_newest_first_and_are_bounded() -> None:
    older = a_status(on=DAY - timedelta(days=1))
    assert dataclasses.replace(CONTENT, statuses=(a_status(), older)).to_bytes()
    with pytest.raises(FieldError, match="order"):
        dataclasses.replace(CONTENT, statuses=(older, a_status()))
    many = (a_status(submission=None),) * (STATUSES_LIMIT + 1)
    with pytest.raises(FieldError):
        dataclasses.replace(CONTENT, statuses=many).to_bytes()


def test_a_batch_says_when_the_next_one_comes() -> None:
    with pytest.raises(FieldError, match="next_on"):
        dataclasses.replace(BATCH, next_on=BATCH.published_on)
    with pytest.raises(FieldError, match="root"):
        dataclasses.replace(BATCH, size=0)
    empty = dataclasses.replace(BATCH, size=0, root=Digest(merkle.EMPTY_ROOT.hex()))
    assert FeedbackBatch.from_bytes(empty.to_bytes()) == empty


@pytest.mark.threat("T-08")
def test_a_batch_counts_with_both_signatures_of_the_quarantine() -> None:
    with pytest.raises(UnsignedError):
        read_signed(FeedbackBatch, MADE.note, PORTAL.key)
    one_line = b"".join(MADE.note.splitlines(keepends=True)[:-1])
    with pytest.raises(UnsignedError):
        read_signed(FeedbackBatch, one_line, QUARANTINE.key)
    assert read_batch_unsigned(one_line) == BATCH


def test_every_entry_is_shown_to_be_in_its_batch() -> None:
    for entry in MADE.entries:
        require_entry(BATCH, FeedbackEntry.from_bytes(entry.to_bytes()))


def forged() -> Iterator[FeedbackEntry]:
    """Entries that are not what the quarantine signed."""
    other = MADE.entries[1]
    yield dataclasses.replace(ENTRY, account=other.account)
    yield dataclasses.replace(ENTRY, sealed=other.sealed)
    yield dataclasses.replace(
        ENTRY, sealed=RawBytes(bytes([ENTRY.sealed[0] ^ 1]) + ENTRY.sealed[1:])
    )
    yield dataclasses.replace(ENTRY, index=1)
    yield dataclasses.replace(ENTRY, index=ENTRIES_LIMIT - 1)
    yield dataclasses.replace(ENTRY, number=8)
    yield dataclasses.replace(ENTRY, hashes=ENTRY.hashes[:-1])
    yield dataclasses.replace(ENTRY, hashes=(*ENTRY.hashes, ENTRY.hashes[0]))
    yield dataclasses.replace(ENTRY, hashes=other.hashes)


@pytest.mark.threat("T-09")
@pytest.mark.parametrize("entry", tuple(forged()))
def test_an_entry_of_another_account_place_batch_or_object_is_refused(entry: FeedbackEntry) -> None:
    with pytest.raises(UnprovenError):
        require_entry(BATCH, entry)


@pytest.mark.threat("T-03")
def test_an_object_of_another_size_is_no_entry() -> None:
    for size in (SEALED_BYTES - 1, SEALED_BYTES + 1):
        with pytest.raises(FieldError):
            dataclasses.replace(ENTRY, sealed=RawBytes(b"x" * size)).to_bytes()


@pytest.mark.parametrize("cut", [1, 100, 8_192, 1 << 20])
def test_a_post_is_read_however_it_is_cut(cut: int) -> None:
    assert tuple(taken(POST, cut)) == MADE.entries


def test_a_post_that_is_cut_reordered_or_doubled_is_refused() -> None:
    head, *lines = POST.splitlines(keepends=True)
    for wrong in (
        b"",
        head,
        POST[:-1],
        POST + lines[0],
        b"".join(lines),
        head + b"".join(reversed(lines)),
        head + head + b"".join(lines),
        POST + b"\n",
        b"x" * 60_000,
    ):
        with pytest.raises((FormatError, FieldError, UnprovenError)):
            taken(wrong)


@pytest.mark.threat("T-13")
@settings(max_examples=150)
@given(
    st.sampled_from([FeedbackContent, FeedbackBatch, FeedbackEntry, FeedbackHead, FeedbackAnswer]),
    st.data(),
)
def test_a_reader_refuses_bytes_with_our_errors_only(
    kind: type[FeedbackContent | FeedbackEntry], data: st.DataObject
) -> None:
    whole = next(
        each.to_bytes()
        for each in (CONTENT, BATCH, ENTRY, FeedbackHead(note="n\n"), ANSWER)
        if type(each) is kind
    )
    at = data.draw(st.integers(0, len(whole) - 1))
    changed = whole[:at] + data.draw(st.binary(max_size=4)) + whole[at + 1 :]
    for untrusted in (changed, data.draw(st.binary(max_size=64))):
        try:
            read = kind.from_bytes(untrusted)
        except WireError:
            continue
        assert read.to_bytes() == untrusted


@pytest.mark.threat("T-13")
@settings(max_examples=60)
@given(st.integers(0, len(POST) - 1), st.binary(max_size=3), st.integers(1, 9_000))
def test_a_post_changed_outside_its_signatures_is_refused_with_our_errors(
    at: int, put: bytes, cut: int
) -> None:
    changed = POST[:at] + put + POST[at + 1 :]
    reader = PostReader()
    try:
        for start in range(0, len(changed), cut):
            list(reader.take(changed[start : start + cut]))
        _batch, note = reader.whole()
    except WireError:
        return
    # Whose signature it has is its readers' to judge: only there may something be changed.
    assert changed == POST or note != MADE.note


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from(list(FeedbackCode)), st.dates(date(1900, 1, 1))), max_size=4)
)
def test_whatever_is_written_is_read_back(told: list[tuple[FeedbackCode, date]]) -> None:
    statuses: tuple[FeedbackStatus, ...] = tuple(
        a_status(code, on) for code, on in sorted(told, key=lambda each: each[1], reverse=True)
    )
    content = dataclasses.replace(CONTENT, statuses=statuses)
    assert FeedbackContent.from_bytes(content.to_bytes()) == content


def test_the_answer_for_a_member_is_read_back() -> None:
    assert FeedbackAnswer.from_bytes(ANSWER.to_bytes()) == ANSWER


def test_a_leaf_is_the_hash_of_account_number_and_sealed_bytes() -> None:
    digest = hashlib.sha256(ENTRY.sealed).hexdigest()
    text = (
        f'{{"account":"{ENTRY.account}","format":"amana/feedback-leaf/v1","number":7,'
        f'"sealed_sha256":"{digest}"}}'
    )
    assert hashlib.sha256(b"\0" + text.encode()).digest() == ENTRY.leaf.hash


def test_a_post_is_text_or_it_is_not_written() -> None:
    with pytest.raises(FieldError, match="note"):
        list(write_post(b"\xff", ()))
    assert AccountId(ENTRY.account) in ACCOUNTS
