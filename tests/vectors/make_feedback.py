"""Write tests/vectors/feedback: a post, what its readers find in it, and what must be refused.

Sealing and ML-DSA signing are random: a post that is there already and is still read is left as it
is, so the vectors pin opening and verifying. Format: docs/format/24-feedback.md.
"""

import dataclasses
import io
import json
from collections.abc import Iterator
from pathlib import Path

from amana.wire.errors import WireError
from amana.wire.feedback import FeedbackContent, FeedbackEntry, PostReader
from amana.wire.fields import RawBytes
from crypto.opening import open_object
from crypto.padding import Kind
from terms.feedback import FeedbackCode
from tests.vectors.make_wire import refused as nearly
from tests.wire.feedbacks import DAY, IDENTITIES, a_batch, a_status
from tests.wire.givens import QUARANTINE

FEEDBACK = Path(__file__).parent / "feedback"
POST, CONTENTS, REFUSED = (FEEDBACK / n for n in ("post.lines", "contents.json", "refused.json"))


def read_post(untrusted: bytes) -> tuple[FeedbackEntry, ...]:
    """Give the entries of a whole post. WireError: it is none."""
    reader = PostReader()
    entries = tuple(reader.take(untrusted))
    reader.whole()
    return entries


def contents(entries: tuple[FeedbackEntry, ...]) -> list[str]:
    """Give what each reader finds, in the order of entries."""
    return [
        b"".join(open_object(io.BytesIO(entry.sealed), identity, kind=Kind.RECORD)).decode()
        for entry, identity in zip(entries, IDENTITIES, strict=True)
    ]


def forged(entries: tuple[FeedbackEntry, ...]) -> Iterator[FeedbackEntry]:
    """Entries that are in the right form and not in the batch."""
    entry, other = entries[:2]
    flipped = bytes([entry.sealed[0] ^ 1]) + entry.sealed[1:]
    yield dataclasses.replace(entry, account=other.account)
    yield dataclasses.replace(entry, sealed=other.sealed)
    yield dataclasses.replace(entry, sealed=RawBytes(flipped))
    yield dataclasses.replace(entry, index=1)
    yield dataclasses.replace(entry, number=8)
    yield dataclasses.replace(entry, hashes=entry.hashes[:-1])
    yield dataclasses.replace(entry, hashes=(*entry.hashes, entry.hashes[0]))
    yield dataclasses.replace(entry, hashes=other.hashes)


def rows(entries: tuple[FeedbackEntry, ...], content: FeedbackContent) -> Iterator[dict[str, str]]:
    """One row for each thing that a reader must refuse."""
    for entry in forged(entries):
        yield {"class": "entry", "bytes": entry.to_bytes().decode()}
    for name, untrusted in nearly(content):
        yield {"class": "content", "why": name, "bytes": untrusted.decode()}


def is_read(path: Path) -> bool:
    """Tell whether a post is there that is still read."""
    try:
        return path.exists() and bool(read_post(path.read_bytes()))
    except WireError:
        return False


def main() -> None:
    """Write the three files."""
    FEEDBACK.mkdir(exist_ok=True)
    if not is_read(POST):
        asked = a_status(FeedbackCode.QUESTION, text="في أي يوم كان ذلك؟")
        told = (a_status(), asked, a_status(FeedbackCode.PARTLY_KEPT, on=DAY.replace(day=1)))
        POST.write_bytes(b"".join(a_batch(QUARANTINE, *told).lines()))
    entries = read_post(POST.read_bytes())
    found = contents(entries)
    CONTENTS.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n")
    refused = list(rows(entries, FeedbackContent.from_bytes(found[0].encode())))
    REFUSED.write_text(json.dumps(refused, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
