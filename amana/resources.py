"""Where templates and static files lie, in a source tree and in an installed wheel.

In the source tree they are folders at the top; deploy/wheels.py puts those of one zone under
`amana/` in that zone's wheel. Nothing else in the project looks for files of its own.
"""

import enum
import pathlib
from typing import Final

_PACKAGE: Final = pathlib.Path(__file__).resolve().parent


class ResourceError(Exception):
    """A template or static file that the program needs is not installed."""


class Kind(enum.StrEnum):
    """What can be looked up. The value is the name of the folder."""

    TEMPLATES = "templates"
    STATIC = "static"


def folder(kind: Kind) -> pathlib.Path:
    """Return the folder that holds this kind of file. ResourceError if there is none.

    The installed one is looked for first: an installed wheel has nothing of ours beside it, and
    what may lie there by chance is not ours.
    """
    for candidate in (_PACKAGE / kind, _PACKAGE.parent / kind):
        if candidate.is_dir():
            return candidate
    raise ResourceError(f"the folder for {kind.value} is not installed")


def read(kind: Kind, name: str) -> bytes:
    """Return a file's bytes by its name below the folder, such as `shared/base.html`.

    ResourceError if it is not there, or if the name leads out of the folder.
    """
    root = folder(kind).resolve()
    path = (root / name).resolve()
    if not path.is_relative_to(root) or not path.is_file():
        raise ResourceError(f"a file of {kind.value} is not installed")
    return path.read_bytes()
