"""Judge a package from outside: its bag, its note, and the sealed bytes; nothing is opened.

Everything but the sealed object follows from the signed note, so it is made again and compared.
Step numbers: docs/format/21-answers.md section 2.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Final

from amana.wire import bag
from amana.wire import package_paths as paths
from amana.wire.acknowledgement import RefusalReason
from amana.wire.ends import QuarantineEnd
from amana.wire.errors import UnsignedError, WireError
from amana.wire.outer_bag import outer_tags
from amana.wire.package import SealedPackage
from amana.wire.signers import SIGNATURES_LIMIT_BYTES, read_signed_by_some
from repository.errors import RefusedError

_FOLDERS: Final = frozenset({"data", "seal"})
_TAG_LIMIT_BYTES: Final = SealedPackage.LIMIT_BYTES + SIGNATURES_LIMIT_BYTES
_PIECE_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """A package whose outside is in order: what its note says, and its tag files."""

    sealed: SealedPackage
    tags: Mapping[str, bytes]


def judge_outside(folder: Path, end: QuarantineEnd) -> Outside:
    """Do steps 1 to 4: everything but the sealed bytes. RefusedError names what is wrong."""
    _require_names(folder)  # Step 1.
    tags = {name: _read_tag(folder / name) for name in paths.OUTER_TAGS}
    sealed = _believed(tags[paths.SEAL_NOTE], end)  # Steps 2 and 3.
    for name, wanted in outer_tags(sealed, tags[paths.SEAL_NOTE]).items():  # Step 4.
        if tags[name] != wanted:
            raise RefusedError(RefusalReason.FILE_CHANGED)
    return Outside(sealed=sealed, tags=tags)


def judge_sealed(
    source: BufferedReader, sealed: SealedPackage, take: Callable[[bytes], object] | None = None
) -> None:
    """Do step 5: the sealed bytes are those of the note. RefusedError: they are not.

    take: gets them as they are hashed; whoever keeps them keeps what was judged, though the file
    may change meanwhile. Never more is read than the signed note names.
    """
    if os.fstat(source.fileno()).st_size != sealed.sealed_size:
        raise RefusedError(RefusalReason.FILE_CHANGED)
    digest, left = hashlib.sha256(), sealed.sealed_size
    while left and (piece := source.read(min(left, _PIECE_BYTES))):
        left -= len(piece)
        digest.update(piece)
        if take is not None:
            take(piece)
    if left or digest.hexdigest() != sealed.sealed_sha256:
        raise RefusedError(RefusalReason.FILE_CHANGED)


def read_seal(folder: Path, end: QuarantineEnd) -> SealedPackage:
    """Give what the note on a package says. RefusedError: there is none that is believed."""
    return _believed(_read_tag(folder / paths.SEAL_NOTE), end)


def open_plain(path: Path) -> BufferedReader:
    """Open a plain file, and nothing that only looks like one. RefusedError: it is none."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as failure:
        raise RefusedError(RefusalReason.FILE_MISSING) from failure
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise RefusedError(RefusalReason.BAG_MALFORMED)
    return os.fdopen(handle, "rb")


def sealed_digest(folder: Path) -> str | None:
    """Give the SHA-256 of the sealed object that lies there; None where there is none."""
    try:
        with open_plain(folder / paths.SEALED) as source:
            return hashlib.file_digest(source, "sha256").hexdigest()
    except RefusedError:
        return None


def _require_names(folder: Path) -> None:
    found = set()
    try:
        for place, folders, files in os.walk(folder, onerror=_raise):
            below = Path(place).relative_to(folder)
            found |= {(below / name).as_posix() for name in (*folders, *files)}
    except OSError as failure:
        raise RefusedError(RefusalReason.BAG_MALFORMED) from failure
    if bag.FETCH_NAME in found:
        raise RefusedError(RefusalReason.FETCH_FORBIDDEN)
    expected = {*paths.OUTER_TAGS, *_FOLDERS, paths.SEALED}
    if found - expected:
        raise RefusedError(RefusalReason.FILE_NOT_LISTED)
    if expected - found:
        raise RefusedError(RefusalReason.FILE_MISSING)


def _raise(failure: OSError) -> None:
    raise failure


def _read_tag(path: Path) -> bytes:
    with open_plain(path) as source:
        untrusted = source.read(_TAG_LIMIT_BYTES + 1)
    if len(untrusted) > _TAG_LIMIT_BYTES:
        raise RefusedError(RefusalReason.BAG_MALFORMED)
    return untrusted


def _believed(untrusted: bytes, end: QuarantineEnd) -> SealedPackage:
    try:
        sealed = read_signed_by_some(SealedPackage, untrusted, end.signers, 1)
    except UnsignedError as failure:
        raise RefusedError(RefusalReason.NOTE_NOT_BELIEVED) from failure
    except WireError as failure:
        raise RefusedError(RefusalReason.BAG_MALFORMED) from failure
    if sealed.deployment is not end.deployment:
        raise RefusedError(RefusalReason.OTHER_DEPLOYMENT)
    return sealed
