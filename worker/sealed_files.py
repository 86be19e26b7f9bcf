"""The sealed objects of a submission as files: opened as plain files or not at all, hashed, headed.

Whoever brought a disk chose what is on it, and a portal chose what it sent: no link is followed, no
pipe waited for, no length believed. Nothing is opened with a key here.
Format: docs/format/17-bundle.md.
"""

import errno
import hashlib
import os
import stat
from io import BufferedRandom, BufferedReader
from pathlib import Path
from typing import BinaryIO, Final

from amana.durable import PART
from amana.wire.bundle import OBJECTS, object_path
from amana.wire.ids import Digest, ObjectId
from amana.wire.reasons import ReasonCode
from amana.wire.sealed import SealedObject
from crypto.errors import HeaderError
from crypto.header import Header
from crypto.padding import HYBRID_HEADER_SIZE
from worker.errors import DisagreementError

EVENT: Final = "event.age"
"""The sealed custody event of a submission's arrival, beside its note."""

_NOT_THERE: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO})
"""What open(2) answers for what is missing, is a link, or is a socket."""


def open_plain(path: Path) -> BufferedReader | None:
    """Open a file to read; None when there is none, or it is no plain file."""
    descriptor = _descriptor(path, os.O_RDONLY)
    return None if descriptor is None else os.fdopen(descriptor, "rb")


def open_to_rewrite(path: Path) -> BufferedRandom | None:
    """Open a file to change bytes in its place; None as open_plain()."""
    descriptor = _descriptor(path, os.O_RDWR)
    return None if descriptor is None else os.fdopen(descriptor, "r+b")


def open_object(folder: Path, object_id: ObjectId) -> BufferedReader:
    """Open a sealed object to read. DisagreementError: it is missing (OBJECT_MISSING)."""
    source = open_plain(folder / object_path(object_id))
    if source is None:
        raise DisagreementError(ReasonCode.OBJECT_MISSING, object_id=object_id)
    return source


def object_names(folder: Path) -> frozenset[str]:
    """Give the names in `objects/`, without parts that a kill left behind."""
    objects = folder / OBJECTS
    if objects.is_symlink() or not objects.is_dir():
        return frozenset()
    with os.scandir(objects) as entries:
        return frozenset(each.name for each in entries if not each.name.endswith(PART))


def require_bytes(folder: Path, stated: SealedObject, *, whole: bool = True) -> None:
    """Hold one object against what is stated of it, in one pass and without a key.

    whole: its digest too; else its size and header alone. DisagreementError: missing, of another
    size or digest (OBJECT_DISAGREES), or without the one hybrid header that every object has
    (OBJECT_MALFORMED).
    """
    with open_object(folder, stated.object_id) as source:
        agrees = os.fstat(source.fileno()).st_size == stated.sealed_size
        if whole and agrees:
            agrees = sha256_of(source) == stated.sealed_sha256
            source.seek(0)
        if not agrees:
            raise DisagreementError(ReasonCode.OBJECT_DISAGREES, object_id=stated.object_id)
        read_header(source, stated.object_id)


def sha256_of(source: BufferedReader) -> Digest:
    """Give the SHA-256 of what is left of a file."""
    return Digest(hashlib.file_digest(source, "sha256").hexdigest())


def read_header(source: BinaryIO, object_id: ObjectId | None) -> bytes:
    """Give the header at the start of an object.

    DisagreementError: it is not the 1,627 bytes of one hybrid stanza (OBJECT_MALFORMED).
    """
    untrusted = source.read(HYBRID_HEADER_SIZE)
    try:
        header = Header.parse(untrusted)
        header.hybrid_share()
    except HeaderError as failure:
        raise DisagreementError(ReasonCode.OBJECT_MALFORMED, object_id=object_id) from failure
    if header.to_bytes() != untrusted:
        raise DisagreementError(ReasonCode.OBJECT_MALFORMED, object_id=object_id)
    return untrusted


def _descriptor(path: Path, mode: int) -> int | None:
    try:
        descriptor = os.open(path, mode | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except IsADirectoryError:
        return None
    except OSError as failure:
        if failure.errno in _NOT_THERE:
            return None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    return descriptor
