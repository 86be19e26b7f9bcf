"""Our own clamd: its configuration, start, readiness and end.

It is a child of ours on a socket of ours, with no network and nothing of the machine's own clamd.
As root it runs as the user that Debian's package made for it, and never for one moment as root. It
must never write plaintext to a disk (its temporary folder is a tmpfs, checked) nor a file's or a
signature's name into a log (its output goes nowhere). What the settings are for:
docs/format/19-scan-report.md.
"""

import os
import pwd
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

from worker.clamd_wire import ClamdClient
from worker.errors import RetryError, ScannerStartError
from worker.tmpfs import emptied_tmpfs_folder

MOST_FILE_BYTES: Final = (2 << 30) - 1
"""clamd scans no file that is longer, whatever MaxFileSize says (measured with 1.4.6)."""

SERVICE_USER: Final = "clamav"
"""The user that Debian's clamav-base makes."""

INSTALL: Final = "clamd is missing: apt-get install --no-install-recommends clamav-daemon"
"""What an operator, or whoever runs the tests, has to do."""

PROGRAM_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
"""Where clamd may lie: Debian has it in /usr/sbin, which is in no user's PATH."""

_STOP_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.02
_PRIVATE: Final = 0o700
_READABLE: Final = 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class ClamdSettings:
    """Where our clamd works, and within which limits.

    folder: for its configuration and socket; a socket's path holds at most 107 bytes (unix(7)).
    temporary: on a tmpfs of its own or one that nobody else fills, emptied at each start. All of
    them, and signatures, must be within reach of SERVICE_USER when we are root. max_*:
    clamd.conf(5); at a limit clamd says so, and what it said so of counts as not scanned.
    max_scan_bytes is lowered to what the temporary folder has room for.
    """

    folder: Path
    signatures: Path
    temporary: Path
    threads: int
    start_seconds: float = 120.0
    max_file_bytes: int = MOST_FILE_BYTES
    max_scan_bytes: int = 16 << 30
    max_files: int = 200_000
    max_recursion: int = 17

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.folder / "clamd.sock"

    @property
    def configuration(self) -> Path:
        """The file that it is started with."""
        return self.folder / "clamd.conf"


def configuration_text(settings: ClamdSettings, room_bytes: int) -> str:
    """Give the clamd.conf of these settings: only what differs from clamd's defaults.

    room_bytes: what is free in the temporary folder. Where it is full clamd says OK to pages and
    scripts that it could not unfold, so no scan may take more than its share; half is kept, for
    what it writes beside the members that it counts.
    """
    options: dict[str, object] = {
        "Foreground": "yes",
        "LocalSocket": settings.socket,
        "LocalSocketMode": 600,
        "FixStaleSocket": "yes",
        "DatabaseDirectory": settings.signatures,
        "TemporaryDirectory": settings.temporary,
        "MaxThreads": settings.threads,
        "ReadTimeout": 300,
        # Limits, and an alert for each: without the alert clamd says OK to what it has not read.
        "StreamMaxLength": settings.max_file_bytes,
        "MaxFileSize": settings.max_file_bytes,
        "MaxScanSize": min(settings.max_scan_bytes, room_bytes // (2 * settings.threads)),
        "MaxFiles": settings.max_files,
        "MaxRecursion": settings.max_recursion,
        "MaxScanTime": 0,  # ours is the time limit: it grows with the size
        "AlertExceedsMax": "yes",
        "AlertEncrypted": "yes",
        "AlertEncryptedArchive": "yes",
        "AlertEncryptedDoc": "yes",
        # A cache by hash would answer for a file that new signatures have not seen.
        "DisableCache": "yes",
        # A quarter of the speed on photographs, for a database of known logos.
        "ScanImageFuzzyHash": "no",
        # Signatures change when we restart it, and at no other time.
        "SelfCheck": 0,
        "ConcurrentDatabaseReload": "no",
    }
    return "".join(f"{name} {value}\n" for name, value in options.items())


class ClamdService:
    """A running clamd of our own: `with ClamdService(settings) as client:`.

    Start it in a thread that lives as long as it should: the kernel ends it with the thread that
    started it (prctl(2), PR_SET_PDEATHSIG), so that not even a kill -9 of ours leaves it behind.
    """

    def __init__(self, settings: ClamdSettings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> ClamdClient:
        """Start clamd and return when it answers. ScannerStartError: it does not, in time."""
        program = shutil.which("clamd", path=PROGRAM_PATH)
        if program is None:
            raise ScannerStartError(INSTALL)
        user = _service_user()
        self._prepare(user)
        command = ["setpriv", "--pdeathsig", "TERM"]
        if user is not None:
            command += [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        self._process = subprocess.Popen(  # noqa: S603 - fixed programs, our own paths
            [*command, program, f"--config-file={self._settings.configuration}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": PROGRAM_PATH, "LC_ALL": "C"},
            start_new_session=True,
        )
        client = ClamdClient(self._settings.socket)
        try:
            self._await(client)
        except BaseException:
            self.stop()
            raise
        return client

    def stop(self) -> None:
        """End clamd and wait for its end; a second call does nothing."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
        self._settings.socket.unlink(missing_ok=True)

    def _prepare(self, user: pwd.struct_passwd | None) -> None:
        owner = (os.geteuid(), os.getegid()) if user is None else (user.pw_uid, user.pw_gid)
        settings = self._settings
        emptied_tmpfs_folder(settings.temporary, owner)
        settings.folder.mkdir(mode=_PRIVATE, exist_ok=True)
        settings.folder.chmod(_PRIVATE)
        if user is not None:
            os.chown(settings.folder, *owner)
        space = os.statvfs(settings.temporary)
        text = configuration_text(settings, space.f_bavail * space.f_frsize)
        settings.configuration.write_text(text, encoding="utf-8")
        # Ours; but clamd reads it as its own user, whatever our umask says of others.
        settings.configuration.chmod(_READABLE)
        settings.socket.unlink(missing_ok=True)

    def _await(self, client: ClamdClient) -> None:
        deadline = time.monotonic() + self._settings.start_seconds
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                raise ScannerStartError("clamd ended at its start: its signatures or settings")
            try:
                client.ping()
            except RetryError:
                time.sleep(_POLL_SECONDS)
            else:
                return
        raise ScannerStartError("clamd did not answer in time")

    def __enter__(self) -> ClamdClient:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _service_user() -> pwd.struct_passwd | None:
    """Give the user to run as, when we are root; otherwise it runs as we do."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(SERVICE_USER)
    except KeyError as failure:
        raise ScannerStartError(INSTALL) from failure
