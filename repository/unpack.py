"""Take a package out of its seal: the whole inner bag, or one item.

This is where material lies in the clear again, so only who may read it calls it. Nothing has a
name until the whole package was verified to its last byte. Payload names are ours; a provider's
name is never made a path. Format: docs/format/20-package.md section 2.
"""

import os
import secrets
import shutil
from pathlib import Path
from typing import BinaryIO, Final

from amana.durable import PART, durable, sync_folder
from amana.wire.ends import QuarantineEnd
from amana.wire.package import ObjectPath, PackageRecord, RegistrationNumber
from repository.errors import UnknownItemError, UnusableError
from repository.keys import RepositoryKeys
from repository.opened import opened

_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


def unpack(folder: Path, keys: RepositoryKeys, end: QuarantineEnd, out: Path) -> PackageRecord:
    """Write the inner bag into a new folder, as any reader of BagIt takes it.

    UnusableError: something has that name. RefusedError: the package is not in order; then nothing
    is left.
    """
    if os.path.lexists(out):
        raise UnusableError("name-in-use", path=str(out))
    part = out.with_name(f".{secrets.token_hex(8)}{PART}")
    part.mkdir(mode=0o700)
    try:
        with opened(folder, keys, end, _Unpacking(part)) as reader:
            for _ in reader.items():
                pass
            reader.material()
            record = reader.record
        for place, _, _ in os.walk(part):
            sync_folder(Path(place))
        part.rename(out)
        sync_folder(out.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return record


def extract(
    folder: Path,
    keys: RepositoryKeys,
    end: QuarantineEnd,
    *,
    number: RegistrationNumber,
    out: Path,
) -> None:
    """Write the bytes of one item into a new file.

    UnknownItemError: the package has no such item, or it is an empty folder or a link.
    UnusableError, RefusedError: as unpack().
    """
    if os.path.lexists(out):
        raise UnusableError("name-in-use", path=str(out))
    with durable(out) as target:
        witness = _Extracting(target)
        with opened(folder, keys, end, witness) as reader:
            for item in reader.items():
                if item.packaged.registration == number:
                    witness.wanted = item.packaged.path
            if witness.wanted is None:
                raise UnknownItemError("no-such-item", count=1)
            reader.material()


class _Unpacking:
    """Writes every file of the inner bag below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._targets: list[BinaryIO] = []

    def begin(self, path: str) -> None:
        """Begin a file: its path was compared with the one that the format has here."""
        place = self._folder / path
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._targets = [os.fdopen(os.open(place, _FLAGS, 0o600), "wb")]

    def write(self, piece: bytes) -> None:
        """Write the next bytes."""
        for target in self._targets:
            target.write(piece)

    def end(self) -> None:
        """Bring the file to the disk."""
        for target in self._targets:
            target.flush()
            os.fsync(target.fileno())
            target.close()


class _Extracting:
    """Writes one file of the inner bag."""

    def __init__(self, target: BinaryIO) -> None:
        self.wanted: ObjectPath | None = None
        self._target = target
        self._is_there = False

    def begin(self, path: str) -> None:
        """Note whether this is the one."""
        self._is_there = path == self.wanted

    def write(self, piece: bytes) -> None:
        """Write the next bytes, if it is."""
        if self._is_there:
            self._target.write(piece)

    def end(self) -> None:
        """Note that it has ended."""
        self._is_there = False
