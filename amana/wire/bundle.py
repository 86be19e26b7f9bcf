"""A bundle: a submission as a folder, to be carried or kept. One note, and the sealed objects.

The note comes last: a folder without one is not a bundle. Names tell nothing, the note says which
object is what. Format: docs/format/17-bundle.md.
"""

from pathlib import PurePosixPath
from typing import Final

from amana.wire.ids import ObjectId

NOTE: Final = "package.note"
OBJECTS: Final = "objects"


def object_path(object_id: ObjectId) -> PurePosixPath:
    """Give the place of a sealed object below the bundle's folder."""
    return PurePosixPath(OBJECTS) / f"{object_id}.age"
