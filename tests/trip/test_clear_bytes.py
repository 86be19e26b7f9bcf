"""A photograph and a broken archive make the trip by both ways, and nothing clear is left."""

import base64
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from drills.canaries import Canary, Watch, arabic, digests, latin
from drills.clear_bytes import Judgement, Place, Zone, judge, make_trip, place_of, who
from drills.ground import ground
from drills.tracing import acts, run_traced

VALIDATE = "import bagit, sys; bagit.Bag(sys.argv[1]).validate()"

SPEAKS = """
import os, sys
from pathlib import Path
Path(sys.argv[1], "kept").write_bytes(b"kept")
gone = Path(sys.argv[1], "gone")
gone.write_bytes(b"removed again")
gone.rename(gone.with_suffix(".new"))
if os.fork() == 0:
    gone.with_suffix(".new").unlink()
    os.write(os.memfd_create("amana"), b"in memory")
    os._exit(0)
os.wait()
"""


@pytest.fixture(scope="module")
def trip(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Judgement]:
    folder = tmp_path_factory.mktemp("clear")
    made = make_trip(folder, "--few")
    return made, judge(made, folder / "traces")


@pytest.mark.threat("T-16")
@pytest.mark.timeout(600)
def test_no_clear_byte_of_a_whole_trip_rests_on_a_disk(trip: tuple[Path, Judgement]) -> None:
    _, judgement = trip
    assert judgement.findings == ()
    places = {place for _, place, _, size in judgement.rows if size}
    assert places >= {Place.PORTAL, Place.QUARANTINE, Place.REPOSITORY, Place.HANDED, Place.LOG}
    assert judgement.canaries > 40


@pytest.mark.timeout(600)
def test_what_an_opened_package_holds_is_a_bag_to_bagit_python(
    trip: tuple[Path, Judgement],
) -> None:
    made, _ = trip
    bags = sorted((made / "opened").iterdir())
    assert len(bags) >= 2
    for bag in bags:
        subprocess.run([sys.executable, "-c", VALIDATE, bag], check=True)


@pytest.mark.timeout(600)
def test_a_canary_that_is_left_in_a_file_is_found(trip: tuple[Path, Judgement]) -> None:
    made, _ = trip
    left = made / "data" / "portal" / "left.log"
    mark = next(iter((made / "Material").iterdir())).name.partition(".")[0]
    left.write_text(f"cannot read {mark}\n")
    try:
        found = judge(made, made.parent / "traces").findings
    finally:
        left.unlink()
    assert {(each.who, each.where) for each in found} == {("at rest", str(left))}


def test_a_trace_shows_what_was_written_and_removed_again(tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    with ground() as environment:
        command = [sys.executable, "-c", SPEAKS, str(tmp_path / "place")]
        assert run_traced(command, tmp_path / "traces", environment) == 0
    found = {
        (act.how, act.path.rpartition(b"/")[2]): act.content for act in acts(tmp_path / "traces")
    }
    assert found["write", b"kept"] == b"kept"
    assert found["write", b"gone"] == b"removed again"
    assert found["write", b"memfd:amana"] == b"in memory"
    assert ("rename", b"gone.new") in found


SPELLINGS: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda mark: mark,
    "hexadecimal": lambda mark: mark.hex().upper().encode(),
    "base64": lambda mark: base64.b64encode(mark + b"b"),
    "base64 behind one byte": lambda mark: base64.b64encode(b"a" + mark),
    "base64 behind two bytes": lambda mark: base64.urlsafe_b64encode(b"ab" + mark + b"bc"),
    "UTF-16, high byte first": lambda mark: mark.decode().encode("utf-16-be"),
    "UTF-16, low byte first": lambda mark: mark.decode().encode("utf-16-le"),
    "JSON": lambda mark: json.dumps(mark.decode()).encode(),
    "an address": lambda mark: quote(mark.decode()).encode(),
    "HTML": lambda mark: mark.decode().encode("ascii", "xmlcharrefreplace"),
    "Python": lambda mark: repr(mark).encode(),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("kind", [latin, arabic])
def test_a_mark_is_found_however_it_is_written(spelling: str, kind: Callable[[], str]) -> None:
    write, mark = SPELLINGS[spelling], kind().encode()
    watch = Watch([Canary(what="a mark", mark=mark)])
    assert list(watch.sightings(b"before" + write(mark) + b"behind"))
    assert not list(watch.sightings(write(kind().encode())))


def test_a_digest_of_a_content_is_found() -> None:
    watch = Watch(digests("a file", b"content"))
    told = hashlib.sha256(b"content").hexdigest()
    assert [each.spelling for each in watch.sightings(f"sha256: {told}".encode())] == ["hex"]


@pytest.mark.parametrize(
    ("words", "zone"),
    [
        (("python", "-P", "-m", "amana.cli", "portal", "serve"), Zone.PORTAL),
        (("python", "/usr/bin/amana", "key", "init"), Zone.QUARANTINE),
        (("python", "-P", "-m", "amana.up.guard", "1", "9", "amana", "portal"), Zone.SUPERVISOR),
        (("/usr/sbin/clamd", "--config-file=x"), Zone.QUARANTINE),
        (("amana/bin/amana", "seal", "Material"), Zone.PROVIDER),
        (("/usr/bin/curl", "x"), None),
    ],
)
def test_a_process_is_known_by_its_words(words: tuple[str, ...], zone: Zone | None) -> None:
    assert who(words)[1] is zone


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("data/portal.db-wal", Place.PORTAL),
        ("data/portal/received/x", Place.PORTAL),
        ("data/worker/enrolled/x", Place.REGISTER),
        ("data/worker/engine.db", Place.QUARANTINE),
        ("data/.0.part", Place.PUBLIC),
        ("Material/x", Place.OWN),
        ("/var/tmp/etilqs_1", Place.ELSEWHERE),  # noqa: S108 - a name, never opened
        ("/dev/shm/x", Place.MEMORY),  # noqa: S108 - likewise
    ],
)
def test_a_place_is_known_by_its_path(path: str, place: Place, tmp_path: Path) -> None:
    assert place_of(bytes(tmp_path / path), tmp_path) is place
