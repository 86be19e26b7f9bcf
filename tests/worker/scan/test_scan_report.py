"""The report: one spelling, no contradiction, and nothing in it for a provider or a log."""

import pathlib
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amana.wire.errors import FieldError, WireError
from amana.wire.fields import RawBytes
from amana.wire.ids import ContentSha256, Digest, ItemId
from amana.wire.vocabulary import Deployment
from tests.wire import chapters
from tests.worker.scan.ground import NOW, TODAY
from worker.scan_report import ReportedFinding, ScanReport
from worker.signatures import (
    SignatureBase,
    SignatureDescription,
    SignatureFile,
    SignatureProfile,
)
from worker.verdict import FINDINGS, Reason, Verdict

BASE = SignatureBase(
    profile=SignatureProfile.DEMO,
    version="demo-1",
    dated=TODAY,
    count=4,
    sha256=Digest("1" * 64),
)
CLEAN = ScanReport(
    item_id=ItemId("2" * 32),
    content_sha256=ContentSha256("3" * 64),
    content_size=12,
    deployment=Deployment.TRAINING,
    engine="ClamAV 1.4.6",
    signatures=BASE,
    begun_at=NOW,
    ended_at=NOW,
    verdict=Verdict.CLEAN,
    reasons=(),
    windows=1,
    media_type=None,
    is_container=False,
    members=0,
    member_bytes=0,
    findings=(),
    findings_left_out=0,
)
FOUND = ReportedFinding(
    number=3,
    parent=1,
    name=RawBytes(b"../\xff\x00"),
    verdict=Verdict.INFECTED,
    reason=None,
    signature="Demo.Marker.UNOFFICIAL",
)


def infected() -> ScanReport:
    return replace(CLEAN, verdict=Verdict.INFECTED, findings=(FOUND,))


def test_a_report_is_read_back_as_it_was_written() -> None:
    for report in (CLEAN, infected()):
        assert ScanReport.from_bytes(report.to_bytes()) == report


@pytest.mark.parametrize(
    "change",
    [
        lambda: replace(CLEAN, findings=(FOUND,)),
        lambda: replace(CLEAN, findings_left_out=1),
        lambda: replace(CLEAN, windows=2),
        lambda: replace(CLEAN, reasons=(Reason.ENCRYPTED,)),
        lambda: replace(CLEAN, verdict=Verdict.NOT_SCANNED),
        lambda: replace(infected(), verdict=Verdict.FLAGGED),
        lambda: replace(infected(), reasons=(Reason.UNREADABLE, Reason.ENCRYPTED)),
        lambda: replace(infected(), reasons=(Reason.ENCRYPTED, Reason.ENCRYPTED)),
        lambda: replace(CLEAN, deployment=Deployment.PRODUCTION),
        lambda: replace(CLEAN, ended_at=NOW - timedelta(seconds=1)),
        lambda: replace(FOUND, verdict=Verdict.CLEAN),
        lambda: replace(FOUND, verdict=Verdict.NOT_SCANNED),
        lambda: replace(FOUND, reason=Reason.ENCRYPTED),
        lambda: replace(FOUND, signature=None),
        lambda: replace(FOUND, number=0),
    ],
)
def test_a_report_that_contradicts_itself_cannot_be_made(change: Callable[[], object]) -> None:
    with pytest.raises(FieldError):
        change()


@pytest.mark.threat("T-13")
@settings(max_examples=300)
@given(position=st.integers(min_value=0), byte=st.integers(0, 255))
def test_a_changed_report_is_another_or_refused(position: int, byte: int) -> None:
    data = bytearray(infected().to_bytes())
    before, data[position % len(data)] = data[position % len(data)], byte
    try:
        assert (ScanReport.from_bytes(bytes(data)) == infected()) == (before == byte)
    except WireError:
        return


@given(untrusted=st.binary(max_size=300))
def test_arbitrary_bytes_are_no_report(untrusted: bytes) -> None:
    with pytest.raises(WireError):
        ScanReport.from_bytes(untrusted)


CHAPTER = pathlib.Path(__file__).parents[3] / "docs" / "format" / "19-scan-report.md"
RECORDS = (ReportedFinding, ScanReport, SignatureBase, SignatureDescription, SignatureFile)
LISTS: tuple[type[StrEnum], ...] = (Reason, SignatureProfile, Verdict)


def table(match: re.Match[str]) -> str:
    """The table that a mark in the chapter asks for."""
    what, name = match["what"], match["name"]
    if what == "words":
        (words,) = (each for each in LISTS if each.__name__ == name)
        rows = "".join(f"* `{word.value}`\n" for word in words)
    else:
        (kind,) = (each for each in RECORDS if each.__name__ == name)
        rows = "".join(f"| {' | '.join(row)} |\n" for row in chapters.field_rows(kind))
    return f"<!-- {what}: {name} -->\n{rows}<!-- end -->"


def test_the_chapter_has_every_field_and_every_word() -> None:
    """If this fails: run this file as a program, and say in the chapter what is new."""
    text = CHAPTER.read_text("utf-8")
    assert chapters.MARKED.sub(table, text) == text
    marked = {match["name"] for match in chapters.MARKED.finditer(text)}
    assert marked == {each.__name__ for each in (*RECORDS, *LISTS)}


def test_the_chapter_has_the_table_of_findings() -> None:
    text = CHAPTER.read_text("utf-8")
    for begins, verdict, reason in FINDINGS:
        what = f"`{begins}`" if begins else "anything else"
        why = f"`{reason}` " if reason else ""
        assert f"| {what} | `{verdict}` | {why}|\n" in text


if __name__ == "__main__":
    CHAPTER.write_text(chapters.MARKED.sub(table, CHAPTER.read_text("utf-8")), "utf-8")
