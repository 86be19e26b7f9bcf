"""What somebody has a receipt for survives an old database, and the day's work a failing disk."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from portal.limits import UploadLimits
from portal.objects import EVENT
from tests.portal.body import CONTENT_TYPE, body, field, file
from tests.portal.conftest import House, Site
from tests.portal.members import Uploader, enrol, kept, organisation

pytestmark = pytest.mark.threat("T-23")


def test_what_an_older_database_does_not_know_is_set_aside_and_not_removed(
    serve: Callable[..., Site], house: House, tmp_path: Path
) -> None:
    database, old = tmp_path / "portal.db", tmp_path / "old.db"
    shutil.copyfile(database, old)
    cso = organisation(house)
    enrol(house, cso)
    site = serve(upload_limits=UploadLimits(witness_bytes=0))
    whole = body(field("token", site.token()), file("a", b"A"))
    answer = site.client.post("/en/give", content=whole, headers={"content-type": CONTENT_TYPE})
    assert answer.status_code == 200
    uploader, given = Uploader(site.client, cso), cso.consign(b"a photograph")
    for sealed in given.objects.values():
        uploader.put(sealed)
    assert uploader.submit(given.signed).status_code == 200
    site.end()
    before = {path.name: kept(path) for path in house.places.received.iterdir()}
    assert len(before) == 2
    for path in tmp_path.glob("portal.db*"):
        path.unlink()
    old.rename(database)
    database.chmod(0o600)
    site = serve(upload_limits=UploadLimits(witness_bytes=0))
    assert list(house.places.received.iterdir()) == []
    after = {path.stem: kept(path) for path in house.places.set_aside.iterdir()}
    assert [each.pop(EVENT, b"") != b"" for each in after.values()] == [True, True]
    assert after == before
    assert "2026-10-02 leftovers-removed submissions=2" in house.log
    # Who hands it over again needs the first copy no more.
    uploader = Uploader(site.client, cso)
    for sealed in given.objects.values():
        uploader.put(sealed)
    assert uploader.submit(given.signed).status_code == 200
    site.end()
    serve().end()
    names = {path.stem for path in house.places.set_aside.iterdir()}
    assert names == before.keys() - {given.note.submission_id}


def test_a_disk_that_fails_once_does_not_end_the_daily_work(
    serve: Callable[..., Site], house: House
) -> None:
    obstacle = house.places.feedback / "1.objects"
    obstacle.mkdir()  # a file could be removed
    site = serve()
    until = time.monotonic() + 20
    while "2026-10-02 leaves-not-merged" not in house.log and time.monotonic() < until:
        time.sleep(0.02)
    assert "2026-10-02 leaves-not-merged" in house.log
    site.end()
    assert house.log[-1] == "2026-10-02 stopped"
