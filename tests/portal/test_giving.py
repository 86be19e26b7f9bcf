"""What a person gives arrives whole, sealed, and as they gave it; nothing else is kept of it."""

import hashlib
import re
import sqlite3

import pytest

from amana.wire.event import CustodyEvent
from amana.wire.receipt import ReceiptR1
from amana.wire.signers import read_signed
from amana.wire.vocabulary import ConsentBasis, SealedBy
from crypto import canonical
from terms.consent import ConsentRecord, ConsentState, standing
from terms.plain import from_json
from tests.portal.body import CONTENT_TYPE, body, field, file, spellings
from tests.portal.conftest import House, Site
from tests.portal.opened import Opened, open_record, opened

PHOTO = bytes(range(256)) * 999
NAME = "شهادة حلب ٢٠١٣.jpg"


def give(site: Site, *parts: bytes, language: str = "en") -> tuple[int, str]:
    whole = body(field("token", site.token(language)), *parts)
    answer = site.client.post(
        f"/{language}/give", content=whole, headers={"content-type": CONTENT_TYPE}
    )
    return answer.status_code, answer.text


def only(house: House) -> Opened:
    """The one submission that was received."""
    (folder,) = house.places.received.iterdir()
    return opened(folder, house.identity, house.keys.public)


def test_a_file_arrives_to_the_byte_with_its_name_and_both_digests(site: Site) -> None:
    status, page = give(site, file(NAME, PHOTO, "image/jpeg"))
    assert status == 200
    assert "1 item arrived whole." in page
    came = only(site.house)
    item = came.item(NAME.encode())
    assert came.content_of(NAME.encode()) == PHOTO
    assert item.content is not None
    assert item.content.sha256 == hashlib.sha256(PHOTO).hexdigest()
    assert item.content.sha512 == hashlib.sha512(PHOTO).hexdigest()
    assert item.claimed_type == "image/jpeg"
    assert item.sealed_by is SealedBy.SERVER
    assert not came.submission.erasable


def test_text_and_several_files_and_an_empty_one_are_items_each(site: Site) -> None:
    parts = [field("text", "ما رأيت\r\n"), file("a", b"A"), file("empty", b""), file("", b"")]
    status, page = give(site, *parts)
    assert status == 200
    assert "3 items arrived whole." in page
    came = only(site.house)
    assert came.content_of(b"text.txt") == "ما رأيت\r\n".encode()
    assert came.content_of(b"empty") == b""
    assert len(came.items) == 3


def test_a_folder_is_told_from_a_name(site: Site) -> None:
    give(site, file("2013/آب/1.jpg", b"1"), file("plain", b"2"))
    came = only(site.house)
    folder = came.item(b"1.jpg").folder
    assert folder is not None
    assert folder.raw == "2013/آب".encode()
    assert came.item(b"plain").folder is None


@pytest.mark.threat("T-17")
@pytest.mark.parametrize(
    "name",
    [b"..", b"a\x00b", "evil\u202egnp.exe".encode(), b"\xff\xfe", b"q%22uote", b'a"b', b"n" * 255],
)
def test_a_hostile_name_is_kept_to_the_byte_and_names_no_file(site: Site, name: bytes) -> None:
    status, _page = give(site, file(name, b"x"))
    assert status == 200
    assert only(site.house).content_of(name) == b"x"
    names = {path.name for path in site.house.places.home.rglob("*")}
    assert all(re.fullmatch(r"[0-9a-f]{32,64}(\.age)?|[a-z]+(\.[a-z]+)?", each) for each in names)


def test_answers_become_a_consent_record_that_travels_sealed(site: Site) -> None:
    answers = [
        field("PRESERVE", "YES"),
        field("SHARE_INTERNATIONAL_COURT", "ASK_ME_FIRST"),
        field("SHARE_SYRIAN_AUTHORITIES", "NO"),
        field("age", "18_PLUS"),
        field("understood", "YES"),
    ]
    give(site, *answers, file("a", b"A"), language="ar")
    came = only(site.house)
    (document,) = came.records
    (named,) = came.submission.records
    assert named.sha256 == hashlib.sha256(document).hexdigest()
    assert {each.consents[0].consent_id for each in came.items} == {named.consent_id}
    record = from_json(ConsentRecord, canonical.decode(document, limit_bytes=1 << 16))
    assert record.language == "ar"
    assert standing(record).state is ConsentState.GIVEN
    assert {each.purpose: each.answer for each in record.answers} == {
        "PRESERVE": "YES",
        "SHARE_INTERNATIONAL_COURT": "ASK_ME_FIRST",
        "SHARE_SYRIAN_AUTHORITIES": "NO",
    }


@pytest.mark.parametrize(
    "said", [[], [field("age", "UNDER_18"), field("understood", "YES")], [field("age", "18_PLUS")]]
)
def test_a_yes_of_a_child_or_one_that_was_not_understood_counts_as_unknown(
    site: Site, said: list[bytes]
) -> None:
    give(site, field("SHARE_OTHER_UN", "YES"), *said, file("a", b"A"))
    (document,) = only(site.house).records
    record = from_json(ConsentRecord, canonical.decode(document, limit_bytes=1 << 16))
    assert standing(record).state is ConsentState.UNKNOWN


@pytest.mark.parametrize(("answer", "state"), [("NO", "REFUSED"), ("NOT_NOW", "DEFERRED")])
def test_a_no_is_recorded_and_a_not_now_is_told_from_it(
    site: Site, answer: str, state: str
) -> None:
    give(site, field("PRESERVE", answer), file("a", b"A"))
    (document,) = only(site.house).records
    record = from_json(ConsentRecord, canonical.decode(document, limit_bytes=1 << 16))
    assert record.state is ConsentState[state]


def test_without_an_answer_consent_is_unknown_and_there_is_no_record(site: Site) -> None:
    give(site, file("a", b"A"))
    came = only(site.house)
    assert came.submission.records == ()
    assert [item.consents[0].state for item in came.items] == [ConsentBasis.UNKNOWN]


def test_the_receipt_promises_the_event_whose_leaf_waits_for_the_log(site: Site) -> None:
    _status, page = give(site, file("a", b"A"))
    text = page.partition('tabindex="0">')[2].partition("</pre>")[0].replace("&#34;", '"')
    receipt = read_signed(ReceiptR1, text.encode(), site.house.keys.public)
    note = only(site.house).note
    assert receipt.note_sha256 == note.digest
    (path,) = site.house.places.events.iterdir()
    event = CustodyEvent.from_bytes(open_record(path, site.house.identity))
    assert event == receipt.event
    assert event.at is None
    with sqlite3.connect(site.house.settings.data_directory / "portal.db") as connection:
        assert connection.execute("SELECT hash FROM waiting_leaf").fetchall() == [(event.leaf,)]


@pytest.mark.threat("T-03")
def test_two_submissions_share_nothing_that_a_thief_could_tie_together(site: Site) -> None:
    for content in (b"A", b"B" * 40_000):
        give(site, field("PRESERVE", "YES"), file("a", content))
    first, second = (
        opened(folder, site.house.identity, site.house.keys.public)
        for folder in site.house.places.received.iterdir()
    )
    assert first.note.account != second.note.account
    sizes = {each.sealed_size for came in (first, second) for each in came.note.objects}
    assert len(sizes) == 1


@pytest.mark.threat("T-16")
def test_a_seized_data_directory_holds_no_content_name_text_answer_or_digest(site: Site) -> None:
    """Read while the portal runs, so the write-ahead log of the database is there too."""
    content, name, text = b"CANARY-CONTENT-" * 5_000, "CANARY-NAME.mov", "CANARY-TEXT"
    parts = [
        field("PRESERVE", "ASK_ME_FIRST"),
        field("text", text),
        file(f"CANARY-FOLDER/{name}", content),
    ]
    status, _page = give(site, *parts)
    assert status == 200
    secrets = [b"CANARY-CONTENT-", name.encode(), text.encode(), b"CANARY-FOLDER", b"ASK_ME_FIRST"]
    secrets += [hashlib.sha256(content).digest(), hashlib.sha512(content).digest()]
    root = site.house.settings.data_directory
    read = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert any(path.name == "portal.db-wal" for path in read)
    assert sum(map(len, read.values())) > len(content)
    for path, kept in read.items():
        for secret in secrets:
            assert not [each for each in spellings(secret) if each in kept], path
    assert "CANARY" not in "".join(site.house.log)


def test_nothing_is_logged_for_a_visit(site: Site) -> None:
    give(site, file("a", b"A"))
    site.client.get("/nowhere")
    give(site, file("", b""))
    assert set(site.house.log) <= {"2026-10-02 serving", "2026-10-02 leaves-merged leaves=64"}
