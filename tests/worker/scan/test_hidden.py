"""What lies where a reader does not look: behind a kind that has no data, and behind an end."""

import bz2
import gzip
import io
import lzma
import stat
import zipfile

import pytest

from tests.worker.scan import hostile
from tests.worker.scan.ground import Desk, samples
from worker.canary import EICAR
from worker.verdict import Reason, Verdict

pytestmark = pytest.mark.threat("T-21")

HIDDEN = hostile.zipped({"x": EICAR}, zip64=True)
HIDDEN32 = hostile.zipped({"x": EICAR})
TAR = hostile.tarred({"a": b"harmless"})
ZIP = hostile.zipped({"a": b"harmless", "b": b"too"})


def zip_of_kind(kind: int, name: str) -> bytes:
    """A ZIP64 of one member with data whose unix mode says that it has none."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.create_system = 3
        info.external_attr = (kind | 0o644) << 16
        info.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(info, "w", force_zip64=True) as member:
            member.write(EICAR)
    return file.getvalue()


def with_comment(comment: bytes) -> bytes:
    file = io.BytesIO(ZIP)
    with zipfile.ZipFile(file, "a") as archive:
        archive.comment = comment
    return file.getvalue()


def newc(mode: int, name: bytes, data: bytes) -> bytes:
    """One entry of a cpio archive in the `newc` form."""
    fields = [1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
    head = b"070701" + b"".join(b"%08X" % each for each in fields) + name + b"\0"
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (stat.S_IFCHR, "d"),
        (stat.S_IFBLK, "d"),
        (stat.S_IFIFO, "d"),
        (stat.S_IFSOCK, "d"),
        (stat.S_IFDIR, "d"),
        (stat.S_IFREG, "d/"),
        (stat.S_IFDIR, "d/"),
    ],
)
def test_a_member_with_data_is_read_whatever_it_says_that_it_is(
    desk: Desk, kind: int, name: str
) -> None:
    report = desk.report(zip_of_kind(kind, name))
    assert report.verdict in {Verdict.INFECTED, Verdict.NOT_SCANNED}
    assert report.verdict is Verdict.INFECTED or Reason.UNREADABLE in report.reasons


def test_a_link_whose_target_is_its_data_is_not_scanned(desk: Desk) -> None:
    linked = newc(stat.S_IFLNK, b"l", b"target") + newc(0, b"TRAILER!!!", b"")
    for content in (zip_of_kind(stat.S_IFLNK, "l"), linked):
        assert Reason.UNREADABLE in desk.report(content).reasons


def test_a_device_with_data_in_a_cpio_is_not_clean(desk: Desk) -> None:
    content = newc(stat.S_IFCHR, b"d", gzip.compress(EICAR)) + newc(0, b"TRAILER!!!", b"")
    assert desk.report(content).verdict in {Verdict.INFECTED, Verdict.NOT_SCANNED}


BEHIND = {
    "tar, zip64": TAR + HIDDEN,
    "tar, zeros, zip64": TAR + bytes(1 << 20) + HIDDEN,
    "tar, gzip": TAR + gzip.compress(EICAR),
    "gzip, zip64": gzip.compress(b"hello") + HIDDEN,
    "bzip2, zip64": bz2.compress(b"hello") + HIDDEN,
    "xz, zip64": lzma.compress(b"hello") + HIDDEN,
    "gzip of tar, zip64": gzip.compress(TAR + HIDDEN),
    "gzip of tar, zip32": gzip.compress(TAR + HIDDEN32),
    "gzip of gzip, zip64": gzip.compress(gzip.compress(b"hello") + HIDDEN),
    "gzip of tar; zip64": gzip.compress(TAR) + HIDDEN,
    "gzip of zip, zip64": gzip.compress(ZIP + HIDDEN),
    "zip64, zip": HIDDEN + ZIP,
    "zip, gzip": ZIP + gzip.compress(EICAR),
    "gzip in a comment": with_comment(gzip.compress(EICAR)),
}


@pytest.mark.parametrize("content", BEHIND.values(), ids=BEHIND.keys())
def test_what_lies_behind_an_end_is_never_clean(desk: Desk, content: bytes) -> None:
    for whole in (content, hostile.tarred({"in": content})):
        report = desk.report(whole)
        assert report.verdict in {Verdict.INFECTED, Verdict.NOT_SCANNED}


@pytest.mark.parametrize("name", ["tar, zip64", "gzip, zip64", "gzip of tar, zip32"])
def test_harmless_or_not_what_lies_behind_an_end_is_named(desk: Desk, name: str) -> None:
    harmless = {"tar, zip64": TAR + b"x", "gzip, zip64": gzip.compress(b"hello") + b"x"}
    report = desk.report(harmless.get(name, gzip.compress(TAR + b"x")))
    assert (report.verdict, report.reasons) == (Verdict.NOT_SCANNED, (Reason.TRAILING_DATA,))


def test_containers_that_end_where_they_should_are_clean(desk: Desk) -> None:
    whole = [ZIP, TAR, with_comment(b"a remark"), hostile.zipped({}), TAR + bytes(1 << 20)]
    whole += [hostile.zipped({"a": b"x", "b": b"y"}, zip64=True)]
    whole += [gzip.compress(b"hello") * 2, gzip.compress(TAR), lzma.compress(TAR)]
    whole += [
        bz2.compress(TAR),
        gzip.compress(b"hello") + bytes(9),
        gzip.compress(b"h" * 1_000_000),
    ]
    whole += [newc(stat.S_IFREG, b"f", b"data") + newc(0, b"TRAILER!!!", b"") + bytes(512)]
    assert [desk.report(each).reasons for each in whole] == [()] * len(whole)


def test_a_compressed_file_of_nothing_is_unreadable_and_breaks_nothing(desk: Desk) -> None:
    assert desk.report(gzip.compress(b"")).reasons == (Reason.UNREADABLE,)


def test_whole_files_of_the_usual_formats_have_nothing_behind_their_end(desk: Desk) -> None:
    names = {"clam.7z", "clam.cab", "clam.tar.gz", "clam.zip", "clam.exe.bz2"}
    found = [path for path in samples() if path.name in names]
    assert len(found) == len(names)
    for path in found:
        assert Reason.TRAILING_DATA not in desk.report(path.read_bytes()).reasons, path.name
