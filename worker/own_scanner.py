"""The quarantine's own clamd while it works: started, watched, started again.

A scanner that is gone is nothing to fail for: items wait, and are examined when it is back. The
signatures are copied into memory where clamd's own user could not reach them otherwise. Settings:
docs/settings.md.
"""

import shutil
from pathlib import Path
from typing import Final

from amana.durable import make_folders
from worker.clamd_service import ClamdService, ClamdSettings
from worker.clamd_wire import ClamdClient
from worker.errors import RetryError, ScannerStartError

_FOLDER_MODE: Final = 0o755


class OwnScanner:
    """One clamd that is kept running. Use it from one thread, which must live as long."""

    def __init__(self, scratch: Path, signatures: Path, threads: int) -> None:
        self._scratch = scratch
        self._source = signatures
        self._settings = ClamdSettings(
            folder=scratch / "clamd",
            signatures=scratch / "signatures",
            temporary=scratch / "tmp",
            threads=threads,
        )
        self._service: ClamdService | None = None
        self.client = ClamdClient(self._settings.socket)

    @property
    def signatures(self) -> Path:
        """The signatures that it works with: those of its start."""
        return self._settings.signatures

    def keep(self) -> bool:
        """Start it if it does not run; False if it cannot be started now."""
        if self._service is not None:
            try:
                self.client.ping()
            except RetryError:
                self.stop()
            else:
                return True
        try:
            self._copy_signatures()
            service = ClamdService(self._settings)
            service.start()
        except (ScannerStartError, OSError):
            return False
        self._service = service
        return True

    def stop(self) -> None:
        """End it; a second call does nothing."""
        if self._service is not None:
            self._service.stop()
            self._service = None

    def _copy_signatures(self) -> None:
        make_folders(self._scratch)
        self._scratch.chmod(_FOLDER_MODE)
        shutil.rmtree(self.signatures, ignore_errors=True)
        self.signatures.mkdir(mode=_FOLDER_MODE)
        self.signatures.chmod(_FOLDER_MODE)
        for each in self._source.iterdir():
            if each.is_file() and not each.is_symlink():
                shutil.copyfile(each, self.signatures / each.name)
                (self.signatures / each.name).chmod(0o644)
