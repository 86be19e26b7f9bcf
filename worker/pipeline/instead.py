"""Another bundle in the place of a submission that is held and was never opened.

Whoever controls a portal can send a note that nobody signed, or other bytes, under the id of what
an organisation gave, before that comes. What came first keeps its place by itself; an officer who
has the organisation's disk gives the place to it. Nothing is deleted: what came first lies aside,
and the custody event names both notes. Format: docs/format/26-quarantine.md section 7.
"""

from dataclasses import replace
from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from amana.durable import sync_folder
from amana.wire.event import Role
from amana.wire.ids import KeyId, SubmissionId
from amana.wire.note import Attestation
from worker.custody import Custodian, Value, move
from worker.errors import MoveError
from worker.pipeline.arrive import arrival_of, note_in
from worker.pipeline.rows import find_submission, items_of, the_submission
from worker.pipeline.states import SubmissionState
from worker.places import Places
from worker.records.books import Books

ASIDE: Final = ".aside"
"""How the name of a folder ends that gave way."""


def take_instead(
    books: Books,
    places: Places,
    custodian: Custodian,
    *,
    bundle: Path,
    submission: SubmissionId,
    officer: KeyId,
) -> None:
    """Give a submission's place to the bundle in a folder, which is moved there.

    Done again after a kill, with the same bundle, it is finished. MoveError: the submission is not
    held, or was opened once. PipelineError: the bundle has no note of this submission.
    """
    note = note_in(bundle, submission)
    row = books.read(lambda _: find_submission(_, submission))
    items = books.read(lambda _: items_of(_, submission))
    if row is None or row.state is not SubmissionState.HELD or items:
        raise MoveError("only what is held and was never opened gives way")
    _put_aside(places, submission)
    bundle.rename(places.bundle(submission))
    sync_folder(places.submissions)

    async def replaced(connection: AsyncConnection) -> None:
        held = await the_submission(connection, submission)
        deed = replace(
            arrival_of(note),
            role=Role.INTAKE_OFFICER,
            by=officer,
            occurrence=held.visit + 1,
            digest_before=held.note_sha256,
        )
        values: dict[str, Value] = {
            "account": note.account,
            "card": note.card,
            "note_sha256": note.digest,
            "is_observed": int(note.attestation is Attestation.OBSERVED),
            "reason": None,
            "visit": held.visit + 1,
        }
        to = SubmissionState.FETCHED
        await move(connection, custodian, submission, to=to, values=values, deeds=[deed])

    books.write(replaced)


def _put_aside(places: Places, submission: SubmissionId) -> None:
    place = places.bundle(submission)
    if place.exists():
        number = len(list(places.submissions.glob(f".{submission}.*{ASIDE}")))
        place.rename(place.with_name(f".{submission}.{number}{ASIDE}"))
