"""A post that was made once is still believed and opened, by a program of others as well."""

import json

import pytest

from amana.wire.errors import WireError
from amana.wire.feedback import (
    FeedbackBatch,
    FeedbackContent,
    FeedbackEntry,
    PostReader,
    require_entry,
)
from amana.wire.signers import read_signed
from tests.crypto import stock
from tests.vectors import tables
from tests.vectors.make_feedback import CONTENTS, POST, REFUSED, contents, read_post
from tests.wire.feedbacks import IDENTITIES
from tests.wire.givens import QUARANTINE

WHOLE = POST.read_bytes()
ENTRIES = read_post(WHOLE)
KNOWN = [str(each) for each in json.loads(CONTENTS.read_text("utf-8"))]
REFUSALS = json.loads(REFUSED.read_text("utf-8"))


def note() -> bytes:
    reader = PostReader()
    list(reader.take(WHOLE))
    return reader.whole()[1]


def read(kind: str, untrusted: bytes) -> None:
    """Read what is of this class, as its readers do."""
    if kind == "content":
        FeedbackContent.from_bytes(untrusted)
        return
    batch = read_signed(FeedbackBatch, note(), QUARANTINE.key)
    require_entry(batch, FeedbackEntry.from_bytes(untrusted))


def test_the_pinned_post_is_still_believed_and_opened() -> None:
    batch = read_signed(FeedbackBatch, note(), QUARANTINE.key)
    for entry in ENTRIES:
        require_entry(batch, entry)
    assert contents(ENTRIES) == KNOWN
    assert [len(FeedbackContent.from_bytes(each.encode()).statuses) for each in KNOWN] == [3, 0, 0]


def test_typage_opens_the_objects_to_the_same_content() -> None:
    for entry, identity, known in zip(ENTRIES, IDENTITIES, KNOWN, strict=True):
        payload = stock.run("age.mjs", "decrypt", identity.to_text(), data=entry.sealed)
        assert payload.startswith(known.encode() + b"\0")
        assert payload.endswith(b"amana/1")


@pytest.mark.threat("T-13")
def test_every_pinned_refusal_is_still_refused() -> None:
    for row in REFUSALS:
        with pytest.raises(WireError):
            read(row["class"], row["bytes"].encode())


def test_the_chapter_counts_the_vectors() -> None:
    read = [("post", "read")] + [("content", "read") for _ in KNOWN]
    read += [("entry", "read") for _ in ENTRIES]
    counted = tables.counted([*read, *((row["class"], "refused") for row in REFUSALS)])
    assert tables.stated("24-feedback.md") == counted
