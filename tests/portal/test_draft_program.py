"""The portal is killed in the midst of drafts, switched off and carried away."""

import hashlib
import os
import signal
import socket
import sqlite3
from collections.abc import Callable, Iterator

import pytest

from amana.clock import SystemClock, today
from crypto.phrase import ReturnPhrase
from crypto.wordlist import Language
from tests.portal.body import CONTENT_TYPE, field, file, spellings
from tests.portal.conftest import House
from tests.portal.drafting import Traveller
from tests.portal.opened import opened
from tests.portal.test_program import MEGABYTE, Program

NAME = "شهادة-CANARY-NAME.mov"
TEXT = "CANARY-TEXT ما رأيت بعيني"
CONTENT = b"CANARY-CONTENT-" * 9_000


@pytest.fixture
def program(house: House) -> Iterator[Callable[[], Program]]:
    running: list[Program] = []

    def start() -> Program:
        running.append(Program(house, None))
        running[-1].wait()
        return running[-1]

    house.write_card(house.card(today(SystemClock())))
    yield start
    for each in running:
        if each.process.poll() is None:
            each.end()


def go_on(running: Program, cookie: str) -> Traveller:
    running.client.cookies.set("draft", cookie)
    return Traveller(running.client)


def upload_until_killed(running: Program, traveller: Traveller) -> None:
    """Send a whole file and most of another; then the power goes."""
    whole = traveller.whole(file("whole", b"W"), file("film.mp4", os.urandom(8 * MEGABYTE)))
    head = f"POST /en/files HTTP/1.1\r\nHost: x\r\nContent-Type: {CONTENT_TYPE}\r\n"
    head += f"Cookie: draft={traveller.cookie}\r\nContent-Length: {len(whole)}\r\n\r\n"
    drafts = running.home / "portal" / "drafts"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(str(running.home / "portal.sock"))
        connection.sendall(head.encode() + whole[:-9])
        while sum(path.stat().st_size for path in drafts.rglob("*.age")) < 4 * MEGABYTE:
            pass
        running.end(signal.SIGKILL)


@pytest.mark.threat("T-06")
def test_a_kill_loses_no_finished_file_of_a_living_draft(
    house: House, program: Callable[[], Program]
) -> None:
    running = program()
    traveller = Traveller(running.client)
    traveller.begin(PRESERVE="YES")
    traveller.add(file("first", b"1" * MEGABYTE))
    cookie = traveller.cookie
    upload_until_killed(running, traveller)
    again = go_on(program(), cookie)
    assert again.shown == ["File 1: 1.0 MB", "File 2: 1 KB"]
    assert again.add(file("last", b"L")).status_code == 303
    assert again.hand_over().headers["location"] == "/en/thanks"
    (folder,) = house.places.received.iterdir()
    came = opened(folder, house.identity, house.keys.public)
    assert [item.name.raw for item in came.items] == [b"first", b"whole", b"last"]
    assert came.contents == (b"1" * MEGABYTE, b"W", b"L")


@pytest.mark.threat("T-06")
@pytest.mark.parametrize("committed", [0, 1])
def test_a_kill_while_handing_over_leaves_a_draft_or_a_submission(
    house: House, program: Callable[[], Program], committed: int
) -> None:
    """The disk as a kill leaves it just before the rows are written, and just after."""
    running = program()
    traveller = Traveller(running.client)
    traveller.begin()
    traveller.add(file("a", b"A"))
    cookie = traveller.cookie
    (drafted,) = house.places.drafts.iterdir()
    with sqlite3.connect(house.settings.data_directory / "portal.db") as database:
        before = database.execute("SELECT lookup_sha256, box FROM draft").fetchone()
    traveller.hand_over()
    (bundle,) = house.places.received.iterdir()
    running.end(signal.SIGKILL)
    if not committed:
        _undo_rows(house, before)
        (drafted / "objects").mkdir(parents=True)
        for path in (bundle / "objects").iterdir():
            os.link(path, drafted / "objects" / path.name)
    again = go_on(program(), cookie)
    assert len(list(house.places.received.iterdir())) == committed
    if not committed:
        assert again.shown == ["File 1: 1 KB"]
        assert again.hand_over().headers["location"] == "/en/thanks"
    assert again.page("thanks").status_code == 200
    (folder,) = house.places.received.iterdir()
    assert opened(folder, house.identity, house.keys.public).contents == (b"A",)


def _undo_rows(house: House, draft: tuple[str, bytes]) -> None:
    with sqlite3.connect(house.settings.data_directory / "portal.db") as database:
        for table in ("sealed_object", "waiting_leaf", "submission"):
            database.execute(f"DELETE FROM {table}")  # noqa: S608 - names of this file
        database.execute("UPDATE draft SET box = ? WHERE lookup_sha256 = ?", draft[::-1])


@pytest.mark.threat("T-16")
@pytest.mark.parametrize("end", ["living", "left", "handed over"])
def test_no_file_and_no_row_holds_what_was_given(
    house: House, program: Callable[[], Program], end: str
) -> None:
    phrase = ReturnPhrase.generate()
    running = program()
    traveller = Traveller(running.client, "ar")
    traveller.begin(" ".join(phrase.words(Language.ARABIC)), PRESERVE="ASK_ME_FIRST")
    traveller.add(field("text", TEXT), file(f"CANARY-FOLDER/{NAME}", CONTENT, "video/quicktime"))
    assert traveller.page("review").status_code == 200
    cookie = traveller.cookie
    if end == "left":
        running.client.post("/leave")
    if end == "handed over":
        traveller.hand_over()
        traveller.page("thanks")
    running.client.close()
    running.process.send_signal(signal.SIGKILL)
    printed, _ = running.process.communicate()
    root = house.settings.data_directory
    files = {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    files["log"] = printed.encode()
    given = (CONTENT, TEXT.encode())
    found = [b"CANARY", NAME.encode(), TEXT.encode(), b"ASK_ME_FIRST", b"video/quicktime"]
    found += [hashlib.new(name, each).digest() for name in ("sha256", "sha512") for each in given]
    found += [f" {word} ".encode() for word in phrase.words(Language.ARABIC)]
    found += ["".join(phrase.groups).encode(), cookie.encode(), cookie[:32].encode()]
    for secret in found:
        written = spellings(secret) if len(secret) >= 16 else [secret]
        for path, kept in files.items():
            assert not [each for each in written if each in kept], path
    with sqlite3.connect(root / "portal.db") as database:
        assert database.execute("SELECT count(*) FROM draft").fetchone() == (end != "left",)
    assert any(house.places.drafts.iterdir()) == (end == "living")
