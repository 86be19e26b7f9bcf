"""Remove the sealed bytes that the quarantine has, when their days are over. Never anything else.

The rows stay, so a submission cannot come twice and an acknowledgement is answered for good. A
kill in the middle leaves what the next turn removes. Format: docs/format/22-pull.md section 4.
"""

import asyncio
import shutil
from datetime import date

from amana.durable import sync_folder
from amana.store.engine import Database
from amana.wire.bundle import NOTE
from amana.wire.ids import SubmissionId
from portal.places import Places
from portal.pull_records import mark_removed, removable


async def remove_due(database: Database, places: Places, today: date) -> int:
    """Remove what was acknowledged and is kept no longer; give how many submissions."""
    due = await removable(database, today)
    for submission in due:
        await asyncio.to_thread(_remove, places, submission)
        await mark_removed(database, submission, today)
    return len(due)


def _remove(places: Places, submission: SubmissionId) -> None:
    folder = places.bundle(submission)
    # The note goes first: a folder without one is no bundle, and nobody takes a part for the whole.
    (folder / NOTE).unlink(missing_ok=True)
    places.event(submission).unlink(missing_ok=True)
    if folder.exists():
        shutil.rmtree(folder)
    for parent in (places.received, places.events):
        sync_folder(parent)
