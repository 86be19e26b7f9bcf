"""A submission arrives: once all of it is on the disk, and not before, the books know it.

Nothing is judged here but that there is a note; who signed it is the opener's question. Format:
docs/format/26-quarantine.md.
"""

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
from worker.pipeline.rows import find_submission
from worker.pipeline.states import SubmissionState
from worker.places import Places
from worker.records.books import Books
from worker.records.tables import SUBMISSION

_LIMIT_BYTES = PackageNote.LIMIT_BYTES + SIGNATURES_LIMIT_BYTES


def arrive(books: Books, places: Places, custodian: Custodian, submission: SubmissionId) -> bool:
    """Write down that a submission lies here whole; False if that was known.

    PipelineError: what lies in its folder is not its note.
    """
    note = _note(places, submission)

    async def arrived(connection: AsyncConnection) -> bool:
        if await find_submission(connection, submission) is not None:
            return False
        await connection.execute(insert(SUBMISSION).values(_row(note, custodian)))
        await witness(connection, custodian, submission, [_deed(note)])
        return True

    return books.write(arrived)


async def mark_told(submission: SubmissionId, connection: AsyncConnection) -> None:
    """Write down that the portal knows that a submission is here."""
    mine = SUBMISSION.c.submission_id == submission
    await connection.execute(update(SUBMISSION).where(mine).values(is_told=1))


def _note(places: Places, submission: SubmissionId) -> PackageNote:
    with (places.bundle(submission) / NOTE).open("rb") as source:
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
        "state": SubmissionState.FETCHED.value,
        "fetched_on": custodian.today.isoformat(),
        "is_observed": int(note.attestation is Attestation.OBSERVED),
        "is_told": 0,
        "is_one_time": 0,
        "visit": 0,
        "cycle": 0,
        "run": 0,
    }


def _deed(note: PackageNote) -> Deed:
    """Give the transfer to us. It names the note, which the portal's own event of it does not."""
    return Deed(
        type=EventType.TRANSFER,
        thing=about(note.submission_id),
        others=(Thing(kind=ThingKind.NOTE, id=ThingId(note.digest)),),
        digest_after=note.digest,
    )
