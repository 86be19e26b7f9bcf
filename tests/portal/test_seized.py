"""A portal is switched off and carried away: what its disk yields, after use by several people.

Everything that a thief finds in the data directory is read byte by byte, the database's free pages
and its write-ahead log included, and what the portal ever printed.
"""

import hashlib
import re
import signal
import sqlite3
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from amana.clock import SystemClock, today
from crypto.phrase import ReturnPhrase, derive
from crypto.wordlist import Language
from tests.portal import body
from tests.portal.body import CONTENT_TYPE, spellings
from tests.portal.conftest import House
from tests.portal.test_program import Program

CONTENT = b"CANARY-CONTENT-" * 9_000
NAME = "شهادة-CANARY-NAME.mov"
TEXT = "CANARY-TEXT ما رأيت بعيني"
CLIENT = "CANARY-BROWSER/1.0"
LONG = 16
# A time of the day, as any of our formats or a library's would write it.
CLOCK_TIME = re.compile(rb"20[0-9]{2}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seized:
    """What a thief has: every file, and the log; and what the visitors had."""

    files: dict[Path, bytes]
    log: bytes
    phrases: tuple[ReturnPhrase, ...]
    root: bytes = field(repr=False)

    @property
    def everything(self) -> dict[str, bytes]:
        return {str(path): kept for path, kept in self.files.items()} | {"log": self.log}


def post(running: Program, path: str, whole: bytes) -> int:
    headers = {"content-type": CONTENT_TYPE, "user-agent": CLIENT}
    return running.client.post(path, content=whole, headers=headers).status_code


def visit(running: Program, words: str) -> None:
    """Give a text and a film, come back with the ten words, and mistype them once."""
    parts = [
        body.field("PRESERVE", "ASK_ME_FIRST"),
        body.field("words", words),
        body.field("text", TEXT),
        body.file(f"CANARY-FOLDER/{NAME}", CONTENT, "video/quicktime"),
    ]
    assert post(running, "/ar/give", body.body(running.token(), *parts)) == 200
    for typed in (words, f"{words} CANARY-TYPED"):
        page = running.client.get("/ar/return").text
        token = page.partition('name="token" value="')[2].partition('"')[0]
        form = {"token": token, "words": typed}
        answer = running.client.post("/ar/return", data=form, headers={"user-agent": CLIENT})
        assert answer.status_code == 200
    running.client.get("/ar/give?q=CANARY-QUERY", headers={"user-agent": CLIENT})
    post(running, "/ar/give", body.body(body.field("token", "CANARY-TOKEN"), *parts))


EITHER_WAY = pytest.mark.parametrize(
    "seized", [signal.SIGINT, signal.SIGKILL], ids=["ended", "killed"], indirect=True
)


@pytest.fixture
def seized(house: House, request: pytest.FixtureRequest) -> Seized:
    """A portal that two people used, switched off in order or by pulling the plug."""
    house.write_card(house.card(today(SystemClock())))
    phrases = (ReturnPhrase.generate(), ReturnPhrase.generate())
    running = Program(house, None)
    running.wait()
    for phrase, language in zip(phrases, (Language.ARABIC, Language.ENGLISH), strict=True):
        visit(running, " ".join(phrase.words(language)))
    running.client.close()
    running.process.send_signal(getattr(request, "param", signal.SIGKILL))
    printed, _ = running.process.communicate()
    home = house.settings.data_directory
    return Seized(
        files={path: path.read_bytes() for path in home.rglob("*") if path.is_file()},
        log=printed.encode(),
        phrases=phrases,
        root=house.places.phrase_root.read_bytes(),
    )


def found(secret: bytes, seized: Seized) -> list[str]:
    """Where a secret stands, however it is written; a short one only as it is and in hexadecimal.

    What base64 leaves of a short one at every offset stands in any ciphertext by chance.
    """
    written = spellings(secret) if len(secret) >= LONG else [secret, secret.hex().encode()]
    return [
        name for name, kept in seized.everything.items() if any(map(kept.__contains__, written))
    ]


@EITHER_WAY
@pytest.mark.threat("T-16")
def test_no_content_name_answer_or_visitor_is_found(seized: Seized) -> None:
    assert sum(map(len, seized.files.values())) > 2 * len(CONTENT)
    secrets = [b"CANARY", CONTENT[:64], NAME.encode(), TEXT.encode(), "ما رأيت".encode()]
    secrets += [b"ASK_ME_FIRST", b"video/quicktime", CLIENT.encode()]
    for digest in ("sha256", "sha512", "sha1", "md5"):
        given = (CONTENT, TEXT.encode())
        secrets += [hashlib.new(digest, each, usedforsecurity=False).digest() for each in given]
    for secret in secrets:
        assert found(secret, seized) == []


@EITHER_WAY
@pytest.mark.threat("T-11")
def test_no_phrase_nor_anything_that_opens_its_mailbox_is_found(seized: Seized) -> None:
    for phrase in seized.phrases:
        derived = derive(phrase, directory_root=seized.root)
        secrets = [derived.lookup_id, derived.reply_seed]
        secrets += [derived.answer_ed25519_seed, derived.answer_mldsa_seed]
        for language in Language:
            words = phrase.words(language)
            # Any two of the ten beside each other: single words are in every dictionary.
            secrets += [" ".join(pair).encode() for pair in pairwise(words)]
        secrets.append("".join(phrase.groups).encode())
        for secret in secrets:
            assert found(secret, seized) == []


@pytest.mark.threat("T-16")
def test_no_time_finer_than_the_day_is_written_down(seized: Seized) -> None:
    assert [name for name, kept in seized.everything.items() if CLOCK_TIME.search(kept)] == []


@pytest.mark.threat("T-16")
def test_no_path_but_random_ids_and_words_of_ours(seized: Seized, tmp_path: Path) -> None:
    ours = re.compile(r"[0-9a-f]{32,64}(\.age|\.note)?|[a-z]+([.-][a-z]+)*(-wal|-shm)?")
    parts = {part for path in seized.files for part in path.relative_to(tmp_path).parts}
    assert [part for part in parts if not ours.fullmatch(part)] == []


def test_what_it_does_yield_is_what_we_say(seized: Seized, tmp_path: Path) -> None:
    """Promise 1 says what a thief learns: accounts, days, cards, padded sizes, their links."""
    with sqlite3.connect(tmp_path / "portal.db") as database:
        rows = database.execute("SELECT account, received_on FROM submission").fetchall()
    day = today(SystemClock()).isoformat()
    assert [received for _, received in rows] == [day, day]
    assert len({account for account, _ in rows}) == 2
    # And the search finds what is there, in a file and in the database.
    assert found(rows[0][0].encode(), seized)
    assert found(b"training.invalid/portal", seized)
