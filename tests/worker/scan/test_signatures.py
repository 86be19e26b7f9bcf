"""A database is used when it is described, whole, young and allowed; else nothing passes."""

import pathlib
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amana.wire.errors import WireError
from amana.wire.vocabulary import Deployment
from tests.worker.scan.ground import TODAY
from worker.demo_signatures import MARKER, write_demo
from worker.errors import SignatureBaseError
from worker.signatures import (
    DESCRIPTION_NAME,
    SignatureDescription,
    SignatureProfile,
    describe,
    require_allowed,
)

HEAD = "ClamAV-VDB:{day} 09-11 +0000:{version}:{count}:90:md5:dsig:builder:1795252260"


def official(folder: pathlib.Path, **files: str) -> pathlib.Path:
    for name, head in files.items():
        data = head.encode().ljust(512) + b"\x1f\x8bsignatures"
        (folder / name.replace("_", ".")).write_bytes(data)
    return folder


def test_the_demo_database_says_what_it_is_and_is_the_same_on_the_same_day(
    tmp_path: pathlib.Path,
) -> None:
    write_demo(tmp_path, TODAY)
    first = describe(tmp_path)
    write_demo(tmp_path, TODAY)
    assert describe(tmp_path) == first
    assert (first.profile, first.dated, first.count) == (SignatureProfile.DEMO, TODAY, 4)
    assert MARKER.hex().encode() in (tmp_path / "amana-demo.ndb").read_bytes()


def test_production_refuses_the_demo_and_takes_the_official_database(
    tmp_path: pathlib.Path,
) -> None:
    (tmp_path / "demo").mkdir()
    write_demo(tmp_path / "demo", TODAY)
    demo = describe(tmp_path / "demo")
    require_allowed(demo, Deployment.TRAINING)
    with pytest.raises(SignatureBaseError):
        require_allowed(demo, Deployment.PRODUCTION)
    (tmp_path / "real").mkdir()
    daily = HEAD.format(day="21 Nov 2026", version=27812, count=2_000_000)
    folder = official(tmp_path / "real", daily_cvd=daily)
    require_allowed(describe(folder), Deployment.PRODUCTION)


def test_the_official_database_is_as_old_as_its_daily_part(tmp_path: pathlib.Path) -> None:
    base = describe(
        official(
            tmp_path,
            main_cvd=HEAD.format(day="16 Sep 2021", version=62, count=6_647_427),
            daily_cld=HEAD.format(day="20 Nov 2026", version=27811, count=2_000_000),
        )
    )
    assert (base.version, base.dated, base.count) == ("27811", date(2026, 11, 20), 8_647_427)
    assert base.is_usable_on(TODAY, 1)
    assert not base.is_usable_on(TODAY, 0)
    assert base.is_usable_on(base.dated - timedelta(days=1), 9)
    assert not base.is_usable_on(base.dated - timedelta(days=2), 9)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"main_cvd": HEAD.format(day="16 Sep 2021", version=62, count=6)},
        {"daily_cvd": "not a database"},
        {"daily_cvd": HEAD.format(day="99 Nov 2026", version=62, count=6)},
        {"daily_cvd": HEAD.format(day="16 Sep 2021", version="x", count=6)},
        {"daily_cvd": HEAD.format(day="16 Sep 2021", version=62, count=0)},
        {"daily_cvd": HEAD.format(day="16 Sep 2021", version=62, count=6), "own_ndb": "x"},
        {"daily_cvd": "\u00e9" * 20},
    ],
)
def test_a_folder_that_is_not_one_whole_official_database_is_refused(
    tmp_path: pathlib.Path, files: dict[str, str]
) -> None:
    with pytest.raises(SignatureBaseError):
        describe(official(tmp_path, **files))


def test_a_database_of_our_own_is_exactly_the_files_that_are_described(
    tmp_path: pathlib.Path,
) -> None:
    write_demo(tmp_path, TODAY)
    (tmp_path / "more.ndb").write_text("A:0:*:00\n")
    with pytest.raises(SignatureBaseError):
        describe(tmp_path)
    (tmp_path / "more.ndb").unlink()
    (tmp_path / "amana-demo.hdb").unlink()
    with pytest.raises(SignatureBaseError):
        describe(tmp_path)
    with pytest.raises(SignatureBaseError):
        describe(tmp_path / "missing")


@given(untrusted=st.binary(max_size=200))
def test_arbitrary_bytes_are_no_description(untrusted: bytes) -> None:
    with pytest.raises(WireError):
        SignatureDescription.from_bytes(untrusted)


def test_a_description_is_read_back_and_a_changed_one_is_another_or_refused(
    tmp_path: pathlib.Path,
) -> None:
    write_demo(tmp_path, TODAY)
    data = (tmp_path / DESCRIPTION_NAME).read_bytes()
    description = SignatureDescription.from_bytes(data)
    assert description.to_bytes() == data
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 1
        try:
            assert SignatureDescription.from_bytes(bytes(changed)) != description
        except WireError:
            continue
