"""A bundle: a submission as a folder, to be carried or kept. One note, and the sealed objects.

The note comes last: a folder without one is not a bundle. Names tell nothing, the note says which
object is what. What does not fit on one disk lies on several, each with the same note and a number.
Format: docs/format/17-bundle.md.
"""

from pathlib import PurePosixPath
from typing import ClassVar, Final

from amana.wire.documents import Document, carries, record
from amana.wire.errors import FieldError
from amana.wire.fields import Whole
from amana.wire.ids import SUBMISSION_ID, ObjectId, SubmissionId

NOTE: Final = "package.note"
OBJECTS: Final = "objects"
DISK: Final = "disk.json"

DISKS: Final = 1_000
"""Most disks of one bundle. Ours: 65,536 objects come to 66 on each."""


@record
class Disk(Document):
    """Which disk of a bundle this is. Not signed: it helps to find, and what counts is the note.

    FieldError: a number beyond the last.
    """

    FORMAT: ClassVar = "amana/disk/v1"
    LIMIT_BYTES: ClassVar = 1_024

    submission_id: SubmissionId = carries(SUBMISSION_ID, "The submission that the bundle is.")
    number: int = carries(Whole(1, DISKS), "Which disk this is, from 1.")
    disks: int = carries(Whole(2, DISKS), "How many disks there are.")

    def __post_init__(self) -> None:
        if self.number > self.disks:
            raise FieldError("is beyond the last disk", "number")


def object_path(object_id: ObjectId) -> PurePosixPath:
    """Give the place of a sealed object below the bundle's folder."""
    return PurePosixPath(OBJECTS) / f"{object_id}.age"
