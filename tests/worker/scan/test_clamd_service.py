"""Our own clamd: started ready or not at all, in memory, and never left behind."""

import os
import pathlib
import pwd
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from tests.worker.scan.ground import TODAY, described, service_settings
from worker.clamd_service import (
    INSTALL,
    SERVICE_USER,
    ClamdService,
    ClamdSettings,
    configuration_text,
)
from worker.clamd_wire import ClamdClient
from worker.errors import RetryError, ScannerStartError
from worker.tmpfs import file_system_of

# Starts a clamd and sleeps, as a worker that is about to be killed.
WORKER = """
import pathlib, sys, time
from worker.clamd_service import ClamdService, ClamdSettings
ground, signatures = map(pathlib.Path, sys.argv[1:])
service = ClamdService(ClamdSettings(
    folder=ground / "run", signatures=signatures, temporary=ground / "tmp", threads=1))
service.start()
print("ready", flush=True)
time.sleep(60)
"""


def running(settings: ClamdSettings) -> bool:
    listed = subprocess.run(
        ["pgrep", "-f", "--", str(settings.configuration)], capture_output=True, check=False
    )
    return listed.returncode == 0


def test_it_answers_when_started_and_is_gone_when_stopped(
    ground: pathlib.Path, signatures: pathlib.Path
) -> None:
    settings = service_settings(ground, "one", signatures)
    service = ClamdService(settings)
    client = service.start()
    client.ping()
    assert settings.socket.stat().st_mode & 0o777 == 0o600
    service.stop()
    service.stop()
    assert not running(settings)
    with pytest.raises(RetryError):
        client.ping()


def test_it_does_not_run_as_root(ground: pathlib.Path, signatures: pathlib.Path) -> None:
    settings = service_settings(ground, "user", signatures)
    with ClamdService(settings):
        owner = settings.socket.stat().st_uid
    expected = pwd.getpwnam(SERVICE_USER).pw_uid if os.geteuid() == 0 else os.geteuid()
    assert owner == expected != 0


def test_what_an_earlier_run_left_in_its_temporary_folder_is_gone(
    ground: pathlib.Path, signatures: pathlib.Path
) -> None:
    settings = service_settings(ground, "left", signatures)
    (settings.temporary / "folder").mkdir(parents=True)
    for left in (settings.temporary / "plaintext", settings.temporary / "folder" / "plaintext"):
        left.write_bytes(b"secret")
    with ClamdService(settings):
        assert list(settings.temporary.iterdir()) == []
        assert settings.temporary.stat().st_mode & 0o777 == 0o700


def test_a_temporary_folder_on_a_disk_is_refused(
    ground: pathlib.Path, signatures: pathlib.Path, root: pathlib.Path
) -> None:
    assert file_system_of(root) != "tmpfs"
    settings = service_settings(ground, "disk", signatures)
    with pytest.raises(ScannerStartError, match="tmpfs"):
        ClamdService(replace(settings, temporary=root / "var" / "never-made")).start()
    assert not (root / "var" / "never-made").exists()
    (ground / "link").symlink_to(root)
    with pytest.raises(ScannerStartError, match="link"):
        ClamdService(replace(settings, temporary=ground / "link")).start()


def test_it_does_not_start_without_signatures(ground: pathlib.Path) -> None:
    (ground / "none").mkdir(mode=0o755)
    with pytest.raises(ScannerStartError, match="signatures"):
        ClamdService(service_settings(ground, "empty", ground / "none")).start()
    broken = described(ground / "broken", TODAY, {"test.ndb": "not a signature\n"})
    with pytest.raises(ScannerStartError, match="signatures"):
        ClamdService(service_settings(ground, "broken-clamd", broken)).start()


def test_a_machine_without_clamd_says_what_to_install(
    ground: pathlib.Path, signatures: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.clamd_service.PROGRAM_PATH", str(ground))
    with pytest.raises(ScannerStartError) as caught:
        ClamdService(service_settings(ground, "absent", signatures)).start()
    assert str(caught.value) == INSTALL


def test_a_worker_that_is_killed_leaves_no_clamd_behind(
    ground: pathlib.Path, signatures: pathlib.Path, root: pathlib.Path
) -> None:
    settings = replace(service_settings(ground, "run", signatures), temporary=ground / "tmp")
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(ground), str(signatures)],
        stdout=subprocess.PIPE,
        cwd=root,
    )
    with worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"ready\n"
        assert running(settings)
        worker.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while running(settings) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not running(settings)
    with pytest.raises(RetryError):
        ClamdClient(settings.socket).ping()


def test_no_scan_may_take_more_than_its_share_of_the_temporary_folder(
    ground: pathlib.Path, signatures: pathlib.Path
) -> None:
    settings = service_settings(ground, "share", signatures)
    lines = configuration_text(settings, 4_000).splitlines()
    assert "MaxScanSize 1000" in lines
    assert "MaxScanSize 50" in configuration_text(replace(settings, max_scan_bytes=50), 4_000)
    assert {"AlertExceedsMax yes", "AlertEncrypted yes", "DisableCache yes"} < set(lines)
