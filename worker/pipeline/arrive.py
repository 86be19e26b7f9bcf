"""A submission arrives: once all of it is on the disk, and not before, the books know it.

Nothing is judged here but that there is a note; who signed it is the opener's question. Format:
docs/format/26-quarantine.md.
"""

import re
from contextlib import suppress
from pathlib import Path
from typing import Final

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from amana.wire.bundle import NOTE
from amana.wire.errors import WireError
from amana.wire.event import EventType, Thing, ThingKind
from amana.wire.ids import SubmissionId, ThingId
from amana.wire.note import Attestation, PackageNote
from amana.wire.signers import SIGNATURES_LIMIT_BYTES
from crypto.errors import NoteError
from crypto.note import SignedNote
from worker.custody import Custodian, Deed, about, witness
from worker.errors import PipelineError
from worker.pipeline.rows import find_submission, submissions
from worker.pipeline.states import SubmissionState
from worker.places import Places
from worker.records.books import Books
from worker.records.tables import SUBMISSION

_NAME: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_LIMIT_BYTES: Final = PackageNote.LIMIT_BYTES + SIGNATURES_LIMIT_BYTES


def arrive(books: Books, places: Places, custodian: Custodian, submission: SubmissionId) -> bool:
    """Write down that a submission lies here whole; False if that was known.

    PipelineError: what lies in its folder is not its note.
    """
    note = note_in(places.bundle(submission), submission)

    async def arrived(connection: AsyncConnection) -> bool:
        if await find_submission(connection, submission) is not None:
            return False
        await connection.execute(insert(SUBMISSION).values(_row(note, custodian)))
        await witness(connection, custodian, submission, [arrival_of(note)])
        return True

    return books.write(arrived)


def arrive_all(books: Books, places: Places, custodian: Custodian) -> int:
    """Write down every submission that lies here whole and is not known; give how many.

    After a kill between the two, nobody but the portal would know that it is here.
    """
    known = {row.submission_id for row in books.read(submissions)}
    found = {each.name for each in places.submissions.iterdir() if _NAME.fullmatch(each.name)}
    fresh = 0
    for each in sorted(found - known):
        # What is no submission keeps no other from being known.
        with suppress(PipelineError, OSError):
            fresh += arrive(books, places, custodian, SubmissionId(each))
    return fresh


async def mark_told(submission: SubmissionId, connection: AsyncConnection) -> None:
    """Write down that the portal speaks of a submission, so that it takes receipts for it."""
    mine = SUBMISSION.c.submission_id == submission
    await connection.execute(update(SUBMISSION).where(mine).values(is_told=1))


def note_in(folder: Path, submission: SubmissionId) -> PackageNote:
    """Give what the note in a folder says, as nobody's word. PipelineError: it is not its note."""
    with (folder / NOTE).open("rb") as source:
        untrusted = source.read(_LIMIT_BYTES + 1)
    try:
        text = SignedNote.parse(untrusted, limit_bytes=_LIMIT_BYTES).text
        note = PackageNote.from_bytes(text.encode("utf-8"))
    except (NoteError, WireError) as failure:
        raise PipelineError("what was fetched has no note") from failure
    if note.submission_id != submission:
        raise PipelineError("what was fetched has another submission's note")
    return note


def _row(note: PackageNote, custodian: Custodian) -> dict[str, str | int | None]:
    return {
        "submission_id": note.submission_id,
        "account": note.account,
        "card": note.card,
        "note_sha256": note.digest,
        "state": SubmissionState.FETCHED.value,
        "fetched_on": custodian.today.isoformat(),
        "is_observed": int(note.attestation is Attestation.OBSERVED),
        "is_told": 0,
        # The word of a manifest does not count here: every card that the register takes in serves
        # many, and destroying its identity would destroy what others gave.
        "is_one_time": 0,
        "visit": 0,
        "cycle": 0,
        "run": 0,
    }


def arrival_of(note: PackageNote) -> Deed:
    """Give the transfer to us. It names the note, which the portal's own event of it does not."""
    return Deed(
        type=EventType.TRANSFER,
        thing=about(note.submission_id),
        others=(Thing(kind=ThingKind.NOTE, id=ThingId(note.digest)),),
        digest_after=note.digest,
    )
