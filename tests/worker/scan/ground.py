"""What the scan tests stand on: a real clamd, its signatures, and items made from bytes."""

import hashlib
import pathlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from amana.clock import FixedClock
from amana.wire.ids import ContentSha256, ItemId, random_id
from amana.wire.vocabulary import Deployment
from worker.canary import EICAR
from worker.clamd_service import ClamdSettings
from worker.clamd_wire import ClamdClient
from worker.demo_signatures import MARKER, UNWANTED_MARKER, write_described
from worker.inspector import Again, Examined, Inspector, InspectorSettings, Item, Outcome
from worker.memory import Content
from worker.scan_report import ScanReport

TODAY = date(2026, 11, 21)
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
SAMPLES = pathlib.Path("/usr/share/clamav-testfiles")
MEBIBYTE = 1 << 20


def samples() -> list[pathlib.Path]:
    """ClamAV's own harmless test files."""
    found = sorted(SAMPLES.glob("clam*"))
    if not found:
        pytest.fail("apt-get install --no-install-recommends clamav-testfiles")
    return found


def texts() -> dict[str, str]:
    """The demo signatures, and the one file that lies in each of ClamAV's test files."""
    sample = (SAMPLES / "clam.exe").read_bytes()
    md5 = hashlib.md5(sample, usedforsecurity=False).hexdigest()
    bodies = {"Demo.Eicar": EICAR, "Demo.Marker": MARKER, "PUA.Demo.Marker": UNWANTED_MARKER}
    return {
        "test.hdb": f"{md5}:{len(sample)}:Clam.Test\n",
        "test.ndb": "".join(f"{name}:0:*:{body.hex()}\n" for name, body in bodies.items()),
    }


def described(folder: pathlib.Path, dated: date, files: dict[str, str]) -> pathlib.Path:
    """A new signature database in a folder of its own."""
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    write_described(folder, files, "test-1", dated)
    return folder


def service_settings(ground: pathlib.Path, name: str, signatures: pathlib.Path) -> ClamdSettings:
    """A clamd of its own name, in the ground."""
    return ClamdSettings(
        folder=ground / name,
        signatures=signatures,
        temporary=ground / f"{name}-tmp",
        threads=2,
        start_seconds=60,
    )


def inspector_settings(signatures: pathlib.Path) -> InspectorSettings:
    """Small budgets."""
    return InspectorSettings(
        deployment=Deployment.TRAINING,
        signatures=signatures,
        in_flight=2,
        items_bytes=128 * MEBIBYTE,
        members_bytes=128 * MEBIBYTE,
        window_bytes=64 * MEBIBYTE,
        overlap_bytes=MEBIBYTE,
        container_bytes=128 * MEBIBYTE,
    )


def item(content: bytes) -> Item:
    """An item of these bytes, read in pieces."""
    digest = ContentSha256(hashlib.sha256(content).hexdigest())
    return Item(
        item_id=random_id(ItemId),
        content=Content(size_bytes=len(content), sha256=digest),
        read=lambda: pieces(content),
    )


def pieces(content: bytes, size: int = 65_536) -> Iterator[bytes]:
    """The bytes in the pieces in which an opener gives them."""
    return (content[begin : begin + size] for begin in range(0, len(content), size))


class Desk:
    """Examines contents with one clamd, the clock standing at NOW."""

    def __init__(self, client: ClamdClient, settings: InspectorSettings) -> None:
        self.client = client
        self.settings = settings

    def outcomes(self, *contents: bytes) -> tuple[Outcome, ...]:
        """One outcome for each content."""
        return self.round(*(item(content) for content in contents))

    def round(self, *items: Item) -> tuple[Outcome, ...]:
        """One round over items."""
        return Inspector(self.client, self.settings, FixedClock(NOW)).examine(items)

    def report(self, content: bytes) -> ScanReport:
        """The report on one content; there must be one."""
        (outcome,) = self.outcomes(content)
        assert isinstance(outcome, Examined), outcome
        return outcome.report

    def again(self, content: bytes) -> Again:
        """Why there is no verdict on one content; there must be none."""
        (outcome,) = self.outcomes(content)
        assert isinstance(outcome, Again), outcome
        return outcome

    def within(self, **changes: object) -> "Desk":
        """The same with other settings."""
        return Desk(self.client, replace(self.settings, **changes))  # type: ignore[arg-type]
