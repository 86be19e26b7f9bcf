"""Where packages are kept: sealed, each with the acknowledgement that was given for it.

A package and its acknowledgement get their name together, when both are on the disk, so a kill at
any moment leaves neither or both. What was never named is swept away at the next opening.
Format: docs/format/21-answers.md section 3.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from amana.durable import sync_folder
from amana.wire.package import PackageId

BAG: Final = "bag"
ACKNOWLEDGEMENT: Final = "acknowledgement.note"

_PACKAGES: Final = "packages"
_INCOMING: Final = "incoming"
_LOCK: Final = "lock"


class Store:
    """A folder of packages. Use it inside `with open_store(...)`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def place(self, package_id: PackageId) -> Path:
        """Give the place of a package, whether it is there or not."""
        return self._folder / _PACKAGES / package_id

    def has(self, package_id: PackageId) -> bool:
        """Tell whether a package is kept; then all of it is."""
        return self.place(package_id).exists()

    @contextmanager
    def incoming(self) -> Iterator[Path]:
        """Give a new folder for what arrives; it is removed again unless keep() took it."""
        folder = self._folder / _INCOMING / secrets.token_hex(8)
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def keep(self, folder: Path, package_id: PackageId) -> None:
        """Name a folder that incoming() gave, all of whose files are on the disk."""
        for place in (folder / BAG, folder):
            sync_folder(place)
        folder.rename(self.place(package_id))
        sync_folder(self._folder / _PACKAGES)


@contextmanager
def open_store(folder: Path) -> Iterator[Store]:
    """Open a store for one receiver at a time. BlockingIOError: another one has it open."""
    for place in (folder, folder / _PACKAGES, folder / _INCOMING):
        place.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for left in (folder / _INCOMING).iterdir():
            shutil.rmtree(left)
        yield Store(folder)
    finally:
        os.close(handle)
