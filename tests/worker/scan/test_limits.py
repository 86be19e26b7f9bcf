"""Where clamd stops at a limit, it says so, and what it says is "not scanned", never "infected"."""

import pathlib
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.worker.scan import hostile
from tests.worker.scan.ground import MEBIBYTE, Desk, inspector_settings, service_settings
from worker.canary import EICAR
from worker.clamd_service import ClamdService
from worker.demo_signatures import MARKER
from worker.verdict import Reason, Verdict
from worker.walk import WalkLimits

pytestmark = pytest.mark.threat("T-21")


@pytest.fixture(scope="module")
def tight(shared_ground: pathlib.Path, signatures: pathlib.Path) -> Iterator[Desk]:
    """A clamd with small limits."""
    settings = replace(
        service_settings(shared_ground, "tight", signatures),
        max_file_bytes=MEBIBYTE,
        max_scan_bytes=4 * MEBIBYTE,
        max_files=100,
        max_recursion=4,
    )
    with ClamdService(settings) as client:
        yield Desk(client, inspector_settings(signatures))


def test_a_file_over_max_file_size_is_not_scanned(tight: Desk) -> None:
    report = tight.report(bytes(MEBIBYTE + 1) + MARKER)
    assert (report.verdict, report.reasons) == (Verdict.NOT_SCANNED, (Reason.SCANNER_FILE_SIZE,))


def test_a_member_that_clamd_leaves_out_in_silence_is_not_scanned(tight: Desk) -> None:
    """clamd says OK to the archive, even with its alerts on; the walk asks it for the member."""
    report = tight.report(hostile.zeros_then(MARKER, 3))
    assert report.verdict is Verdict.NOT_SCANNED
    assert report.reasons == (Reason.SCANNER_FILE_SIZE,)
    assert [each.number for each in report.findings] == [1]


def test_the_same_member_is_infected_where_the_limit_allows_it(desk: Desk) -> None:
    assert desk.report(hostile.zeros_then(MARKER, 3)).verdict is Verdict.INFECTED


def test_the_other_limits_of_clamd_are_told_apart(tight: Desk) -> None:
    short = tight.within(limits=WalkLimits(members=10))
    members = {str(number): bytes([number]) * 400 for number in range(200)}
    assert Reason.SCANNER_FILES in short.report(hostile.zipped(members)).reasons
    assert Reason.SCANNER_RECURSION in tight.report(hostile.nested(b"x", 7)).reasons
    parts = {str(number): bytes(MEBIBYTE - 9) + bytes([number]) for number in range(6)}
    assert Reason.SCANNER_SCAN_SIZE in tight.report(hostile.zipped(parts)).reasons


def test_what_is_found_counts_more_than_what_was_not_scanned(tight: Desk) -> None:
    report = tight.report(hostile.zipped({"a": bytes(2 * MEBIBYTE), "b": EICAR}, zip64=True))
    assert (report.verdict, report.reasons) == (Verdict.INFECTED, (Reason.SCANNER_FILE_SIZE,))


def test_what_is_too_long_for_one_memory_is_scanned_in_windows(desk: Desk) -> None:
    cut = desk.within(window_bytes=2 * MEBIBYTE, overlap_bytes=1_024)
    content = b"\x00\x01" * (3 * MEBIBYTE)
    report = cut.report(content)
    assert (report.verdict, report.windows) == (Verdict.SCANNED_IN_WINDOWS, 4)
    assert report.reasons == ()


def test_what_lies_across_two_windows_is_found_by_their_overlap(desk: Desk) -> None:
    cut = desk.within(window_bytes=2 * MEBIBYTE, overlap_bytes=1_024)
    before = 2 * MEBIBYTE - len(MARKER) // 2
    report = cut.report(bytes(before) + MARKER + bytes(MEBIBYTE))
    assert (report.verdict, report.windows) == (Verdict.INFECTED, 2)


def test_a_container_in_windows_is_not_scanned(desk: Desk) -> None:
    cut = desk.within(window_bytes=MEBIBYTE, overlap_bytes=1_024)
    tar = hostile.tarred({"a": bytes(2 * MEBIBYTE)})
    report = cut.report(tar)
    assert report.verdict is Verdict.NOT_SCANNED
    assert report.reasons == (Reason.CONTAINER_IN_WINDOWS,)
    behind = cut.report(b"\x01" * (2 * MEBIBYTE) + hostile.zipped({"end": b"x"}))
    assert behind.reasons == (Reason.CONTAINER_IN_WINDOWS,)


def test_a_member_in_windows_is_less_than_clean(desk: Desk) -> None:
    cut = desk.within(window_bytes=MEBIBYTE, overlap_bytes=1_024)
    report = cut.report(hostile.zeros_then(b"", 3))
    assert (report.verdict, report.reasons) == (Verdict.SCANNED_IN_WINDOWS, ())
    found = cut.report(hostile.zeros_then(MARKER, 3))
    assert found.verdict is Verdict.INFECTED
    inside = cut.report(hostile.zipped({"t.tar": hostile.tarred({"a": bytes(2 * MEBIBYTE)})}))
    assert Reason.CONTAINER_IN_WINDOWS in inside.reasons


def test_members_beyond_the_memory_of_a_container_are_not_scanned(desk: Desk) -> None:
    poor = desk.within(container_bytes=2 * MEBIBYTE)
    inner = hostile.zipped_stored("b", bytes(3 * MEBIBYTE // 2))
    report = poor.report(hostile.zipped({"inner.zip": inner}))
    assert (report.verdict, report.reasons) == (Verdict.NOT_SCANNED, (Reason.TOO_LARGE_MEMBER,))
