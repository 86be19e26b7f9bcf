"""The one rule: clean only if everything that could have gone wrong is known not to have."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amana.wire.ids import Digest
from tests.worker.scan.ground import TODAY
from worker.clamd_wire import ScannerVersion, UntrustedReply
from worker.errors import RetryError, RetryReason
from worker.signatures import SignatureBase, SignatureProfile
from worker.verdict import (
    FINDINGS,
    Evidence,
    Judgement,
    Reason,
    Round,
    Verdict,
    Window,
    conclude,
    judge_reply,
    worst,
)

pytestmark = pytest.mark.threat("T-21")

CLEAN = Judgement(verdict=Verdict.CLEAN)
VERSION = ScannerVersion(engine="ClamAV 1.4.6", database="27812")
ROUND = Round(
    day=TODAY,
    signatures=SignatureBase(
        profile=SignatureProfile.OFFICIAL,
        version="27812",
        dated=TODAY,
        count=9,
        sha256=Digest("0" * 64),
    ),
    most_days=7,
    version_before=VERSION,
    version_after=VERSION,
    canary_before=True,
    canary_after=True,
)
EVIDENCE = Evidence(
    size_bytes=100,
    windows=(Window(offset=0, size_bytes=100, judgement=CLEAN),),
    overlap_bytes=10,
    inside=frozenset(),
    refusals=frozenset(),
    round=ROUND,
)

JUDGEMENTS = st.one_of(
    st.just(CLEAN),
    st.builds(
        Judgement,
        verdict=st.just(Verdict.NOT_SCANNED),
        reason=st.sampled_from(Reason),
        signature=st.none(),
    ),
    st.builds(
        Judgement,
        verdict=st.sampled_from([Verdict.FLAGGED, Verdict.INFECTED]),
        reason=st.none(),
        signature=st.just("Some.Name"),
    ),
)


def reply(status: str, finding: str | None) -> UntrustedReply:
    return UntrustedReply(sent_bytes=5, status=status, finding=finding)


def test_evidence_without_a_flaw_is_clean() -> None:
    assert conclude(EVIDENCE).verdict is Verdict.CLEAN


@pytest.mark.parametrize(
    ("finding", "verdict", "reason"),
    [
        ("Eicar-Signature", Verdict.INFECTED, None),
        ("YARA.Rule.UNOFFICIAL", Verdict.INFECTED, None),
        ("PUA.Win.Tool", Verdict.FLAGGED, None),
        ("Heuristics.Phishing.Email.SpoofedDomain", Verdict.FLAGGED, None),
        ("Heuristics.Encrypted.Zip", Verdict.NOT_SCANNED, Reason.ENCRYPTED),
        ("Heuristics.Encrypted.PDF", Verdict.NOT_SCANNED, Reason.ENCRYPTED),
        *(
            (f"Heuristics.Limits.Exceeded.{name}", Verdict.NOT_SCANNED, reason)
            for name, reason in {
                "MaxFileSize": Reason.SCANNER_FILE_SIZE,
                "MaxScanSize": Reason.SCANNER_SCAN_SIZE,
                "MaxFiles": Reason.SCANNER_FILES,
                "MaxRecursion": Reason.SCANNER_RECURSION,
                "MaxScanTime": Reason.SCANNER_TIME,
                "EmailLineFoldcnt": Reason.SCANNER_LIMIT,
            }.items()
        ),
    ],
)
def test_a_finding_means_what_the_table_says(
    finding: str, verdict: Verdict, reason: Reason | None
) -> None:
    assert judge_reply(reply("FOUND", finding), 5) == Judgement(
        verdict=verdict, reason=reason, signature=finding
    )


def test_the_table_says_something_of_every_name_and_clean_of_none() -> None:
    assert FINDINGS[-1][0] == ""
    assert Verdict.CLEAN not in {row[1] for row in FINDINGS}


@pytest.mark.parametrize(
    ("status", "finding"),
    [
        ("OK", "Something"), ("FOUND", None), ("FOUND", ""), ("FOUND", "two words"),
        ("FOUND", "x" * 201), ("ERROR", "Can't write to file"), ("ERROR", None), ("ok", None),
        ("", None),
    ],
)  # fmt: skip
def test_any_other_reply_is_no_verdict(status: str, finding: str | None) -> None:
    with pytest.raises(RetryError) as caught:
        judge_reply(reply(status, finding), 5)
    assert caught.value.reason is RetryReason.SCANNER_FAULT


def test_a_reply_to_other_bytes_is_no_verdict() -> None:
    with pytest.raises(RetryError) as caught:
        judge_reply(reply("OK", None), 6)
    assert caught.value.reason is RetryReason.BYTES_MISCOUNTED


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"canary_before": False}, RetryReason.CANARY_MISJUDGED),
        ({"canary_after": False}, RetryReason.CANARY_MISJUDGED),
        (
            {"version_after": ScannerVersion(engine="ClamAV 1.4.7", database="27812")},
            RetryReason.SIGNATURES_CHANGED,
        ),
        ({"day": TODAY + timedelta(days=8)}, RetryReason.SIGNATURES_OLD),
        ({"day": TODAY - timedelta(days=2)}, RetryReason.SIGNATURES_OLD),
    ],
)
def test_a_round_out_of_order_gives_no_verdict_not_even_infected(
    change: dict[str, object], reason: RetryReason
) -> None:
    facts = replace(ROUND, **change)  # type: ignore[arg-type]
    infected = frozenset({Judgement(verdict=Verdict.INFECTED, signature="X")})
    for evidence in (EVIDENCE, replace(EVIDENCE, inside=infected)):
        with pytest.raises(RetryError) as caught:
            conclude(replace(evidence, round=facts))
        assert caught.value.reason is reason


def test_a_clamd_with_another_database_than_the_folders_gives_no_verdict() -> None:
    other = ScannerVersion(engine="ClamAV 1.4.6", database="27000")
    with pytest.raises(RetryError):
        conclude(replace(EVIDENCE, round=replace(ROUND, version_before=other, version_after=other)))


@pytest.mark.parametrize(
    "windows",
    [
        (),
        ((0, 99),),
        ((0, 101),),
        ((1, 99),),
        ((0, 60), (60, 40)),
        ((0, 60), (40, 60)),
        ((0, 60), (50, 49)),
        ((0, 60), (50, 5), (45, 55)),
    ],
)
def test_windows_that_do_not_cover_the_item_give_no_verdict(
    windows: tuple[tuple[int, int], ...],
) -> None:
    cut = tuple(Window(offset=at, size_bytes=size, judgement=CLEAN) for at, size in windows)
    with pytest.raises(RetryError) as caught:
        conclude(replace(EVIDENCE, windows=cut))
    assert caught.value.reason is RetryReason.BYTES_MISCOUNTED


def test_windows_that_cover_the_item_are_less_than_clean() -> None:
    cut = tuple(Window(offset=at, size_bytes=60, judgement=CLEAN) for at in (0, 50))
    found = conclude(replace(EVIDENCE, windows=cut, size_bytes=110))
    assert (found.verdict, found.reasons) == (Verdict.SCANNED_IN_WINDOWS, ())


@given(
    own=JUDGEMENTS,
    inside=st.frozensets(JUDGEMENTS, max_size=4),
    refusals=st.frozensets(st.sampled_from(Reason), max_size=3),
)
def test_the_worst_counts_and_every_reason_stands_beside_it(
    own: Judgement, inside: frozenset[Judgement], refusals: frozenset[Reason]
) -> None:
    window = Window(offset=0, size_bytes=100, judgement=own)
    evidence = replace(EVIDENCE, windows=(window,), inside=inside, refusals=refusals)
    found = conclude(evidence)
    every = {own.verdict, *(each.verdict for each in inside)}
    every |= {Verdict.NOT_SCANNED} if refusals else set()
    assert found.verdict is worst(every)
    assert set(found.reasons) == refusals | {
        each.reason for each in (own, *inside) if each.reason is not None
    }
    assert (found.verdict is Verdict.CLEAN) == (every == {Verdict.CLEAN})
