"""When the fault is ours there is no verdict, and the item is examined again."""

import pathlib
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta

import pytest

from amana.wire.vocabulary import Deployment
from tests.worker.scan.ground import (
    TODAY,
    Desk,
    described,
    inspector_settings,
    item,
    service_settings,
    texts,
)
from worker.canary import EICAR
from worker.clamd_service import ClamdService, ClamdSettings
from worker.clamd_wire import ClamdClient
from worker.demo_signatures import MARKER
from worker.errors import RetryError, RetryReason
from worker.inspector import Again, Mismatched
from worker.memory import Content, MemoryBudget, SealedMemory
from worker.verdict import Verdict

pytestmark = pytest.mark.threat("T-21")


@pytest.fixture
def own(ground: pathlib.Path, signatures: pathlib.Path) -> Iterator[ClamdSettings]:
    """A clamd that a test may ill-treat."""
    settings = service_settings(ground, "own", signatures)
    with ClamdService(settings):
        yield settings


def processes_of(settings: ClamdSettings) -> list[int]:
    listed = subprocess.run(
        ["pgrep", "-f", "--", str(settings.configuration)], capture_output=True, check=False
    )
    return [int(line) for line in listed.stdout.split()]


def send(settings: ClamdSettings, number: signal.Signals) -> None:
    (process,) = processes_of(settings)
    subprocess.run(["kill", f"-{number.name.removeprefix('SIG')}", str(process)], check=True)


def memory_of(content: bytes) -> SealedMemory:
    allotment = MemoryBudget(len(content)).allot(len(content))
    ((memory, _),) = allotment.cut([content], window_bytes=len(content), overlap_bytes=0)
    return memory


def why(desk: Desk) -> RetryReason:
    return desk.again(b"anything").reason


def test_a_clamd_that_is_gone_gives_no_verdict(
    own: ClamdSettings, signatures: pathlib.Path
) -> None:
    send(own, signal.SIGKILL)
    desk = Desk(ClamdClient(own.socket), inspector_settings(signatures))
    # Its socket takes callers until the kernel has buried it.
    assert why(desk) in {RetryReason.SCANNER_UNREACHABLE, RetryReason.SCANNER_SILENT}


def test_a_socket_that_is_gone_gives_no_verdict(
    own: ClamdSettings, signatures: pathlib.Path
) -> None:
    own.socket.unlink()
    desk = Desk(ClamdClient(own.socket), inspector_settings(signatures))
    assert why(desk) is RetryReason.SCANNER_UNREACHABLE


def test_a_clamd_that_stands_still_gives_no_verdict(
    own: ClamdSettings, signatures: pathlib.Path
) -> None:
    send(own, signal.SIGSTOP)
    desk = Desk(ClamdClient(own.socket, least_seconds=0.3), inspector_settings(signatures))
    assert why(desk) is RetryReason.SCANNER_TIMEOUT
    send(own, signal.SIGCONT)


def test_a_clamd_that_is_killed_while_it_scans_gives_no_verdict(own: ClamdSettings) -> None:
    """The package itself returns None here, which reads as "nothing found"."""
    client, found = ClamdClient(own.socket), list[RetryReason]()
    send(own, signal.SIGSTOP)

    def scan() -> None:
        with memory_of(b"clean") as memory, pytest.raises(RetryError) as caught:
            client.scan(memory)
        found.append(caught.value.reason)

    scanning = threading.Thread(target=scan)
    scanning.start()
    scanning.join(1)
    assert scanning.is_alive()
    send(own, signal.SIGKILL)
    scanning.join()
    assert found == [RetryReason.SCANNER_SILENT]


def test_a_clamd_without_room_to_unpack_gives_no_verdict(
    own: ClamdSettings, signatures: pathlib.Path
) -> None:
    """clamd 1.4.6 then says OK to pages with malware in them, and still finds EICAR as it is."""
    desk = Desk(ClamdClient(own.socket), inspector_settings(signatures))
    with without_room(own.temporary):
        reason = desk.again(b"<html><body>" + MARKER + b"</body></html>").reason
    assert reason in {RetryReason.SCANNER_FAULT, RetryReason.CANARY_MISJUDGED}
    assert desk.report(b"with room again").verdict is Verdict.CLEAN


@contextmanager
def without_room(folder: pathlib.Path) -> Iterator[None]:
    """Fill the folder as root can, by mounting a small one over it; else close it to all."""
    size = "size=64k,mode=0777"
    mounting = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)]
    mounted = subprocess.run(mounting, capture_output=True, check=False).returncode == 0
    if mounted:
        (folder / "fill").write_bytes(bytes(64 * 1024))
    else:
        folder.chmod(0o500)
    yield
    if mounted:
        subprocess.run(["umount", str(folder)], check=True)
    folder.chmod(0o700)


def test_a_clamd_without_the_signature_of_the_canary_gives_no_verdict(
    ground: pathlib.Path,
) -> None:
    useless = {"test.ndb": f"Nothing:0:*:{b'no file holds this'.hex()}\n"}
    folder = described(ground / "useless", TODAY, useless)
    with ClamdService(service_settings(ground, "blind", folder)) as client:
        assert why(Desk(client, inspector_settings(folder))) is RetryReason.CANARY_MISJUDGED


def test_a_clamd_that_reports_everything_gives_no_verdict(ground: pathlib.Path) -> None:
    eager = {"test.ndb": f"Eicar:0:*:{EICAR.hex()}\nAll:0:*:{b'there is nothing'.hex()}\n"}
    folder = described(ground / "eager", TODAY, eager)
    with ClamdService(service_settings(ground, "eager-clamd", folder)) as client:
        assert why(Desk(client, inspector_settings(folder))) is RetryReason.CANARY_MISJUDGED


def test_a_canary_that_fails_at_the_end_undoes_the_round(
    ground: pathlib.Path, signatures: pathlib.Path
) -> None:
    """The scanner is replaced by a blind one while the items are read."""
    useless = {"test.ndb": f"Nothing:0:*:{b'no file holds this'.hex()}\n"}
    blind = described(ground / "blind", TODAY, useless)
    seeing = service_settings(ground, "swapped", signatures)
    service = ClamdService(seeing)
    desk = Desk(service.start(), inspector_settings(signatures))
    second = ClamdService(replace(seeing, signatures=blind))

    def swap() -> Iterator[bytes]:
        service.stop()
        swapped.set()
        assert ready.wait(30)
        yield b"nothing"

    swapped, ready = threading.Event(), threading.Event()
    one = replace(item(b"nothing"), read=swap)
    outcomes: list[object] = []
    working = threading.Thread(target=lambda: outcomes.extend(desk.round(one)))
    working.start()
    assert swapped.wait(30)
    second.start()
    ready.set()
    working.join()
    second.stop()
    assert outcomes == [Again(one.item_id, RetryReason.CANARY_MISJUDGED)]


@pytest.mark.parametrize("days", [-15, 2])
def test_an_old_database_or_one_from_the_future_passes_nothing(
    desk: Desk, ground: pathlib.Path, days: int
) -> None:
    dated: date = TODAY + timedelta(days=days)
    folder = described(ground / "dated", dated, texts())
    assert why(desk.within(signatures=folder)) is RetryReason.SIGNATURES_OLD


def test_an_empty_or_changed_database_passes_nothing(desk: Desk, ground: pathlib.Path) -> None:
    (ground / "none").mkdir()
    assert why(desk.within(signatures=ground / "none")) is RetryReason.SIGNATURES_UNUSABLE
    changed = described(ground / "changed", TODAY, texts())
    (changed / "test.ndb").write_text("", encoding="ascii")
    assert why(desk.within(signatures=changed)) is RetryReason.SIGNATURES_UNUSABLE


def test_production_refuses_demo_signatures(desk: Desk) -> None:
    strict = desk.within(deployment=Deployment.PRODUCTION)
    assert why(strict) is RetryReason.SIGNATURES_UNUSABLE


def test_without_the_sandbox_there_is_no_verdict(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert why(desk) is RetryReason.SANDBOX_UNAVAILABLE
    (tmp_path / "bwrap").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    assert why(desk) is RetryReason.SANDBOX_UNAVAILABLE


def test_bytes_that_are_not_the_manifests_are_not_judged(desk: Desk) -> None:
    right = item(b"twelve bytes")
    for content in (b"twelve Bytes", b"twelve byte", b"twelve bytes!"):
        wrong = replace(right, read=item(content).read)
        assert desk.round(wrong) == (Mismatched(right.item_id),)
    longer = replace(right, content=Content(size_bytes=13, sha256=right.content.sha256))
    assert desk.round(longer) == (Mismatched(right.item_id),)


def test_one_item_without_a_verdict_does_not_take_the_others_along(desk: Desk) -> None:
    good, bad = item(b"good"), replace(item(b"bad"), read=item(b"other").read)
    first, second, third = desk.round(good, bad, good)
    assert isinstance(second, Mismatched)
    assert first == third


def test_what_a_reader_of_the_item_raises_is_not_swallowed(desk: Desk) -> None:
    def broken() -> Iterator[bytes]:
        yield b"a"
        raise OSError("the object is gone")

    with pytest.raises(OSError, match="gone"):
        desk.round(replace(item(b"ab"), read=broken))
