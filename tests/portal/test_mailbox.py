"""Mailboxes: the same words are the same account, and the portal keeps nothing that opens one."""

import sqlite3
import threading
from hashlib import sha256

import pytest

from crypto.identities import HybridIdentity
from crypto.phrase import ReturnPhrase, derive
from crypto.wordlist import Language
from portal.errors import DirectoryError
from portal.mailbox import ANSWER_KEY_NAME, phrase_root
from tests.portal.body import spellings
from tests.portal.conftest import House, Site
from tests.portal.phrases import all_opened, come_back, give_with, made_for, posted, words_of
from tests.wire.feedbacks import a_status

PHRASE = ReturnPhrase.generate()


def rows(house: House) -> list[tuple[str, str]]:
    with sqlite3.connect(house.settings.data_directory / "portal.db") as connection:
        return connection.execute("SELECT lookup_sha256, account FROM mailbox").fetchall()


@pytest.mark.threat("T-11")
def test_the_same_words_in_any_spelling_are_one_account_with_one_reply_key(site: Site) -> None:
    for words in (words_of(PHRASE), words_of(PHRASE, Language.ARABIC), "".join(PHRASE.groups)):
        assert give_with(site, words).status_code == 200
    came = all_opened(site.house)
    assert len({each.note.submission_id for each in came}) == 3
    assert len({each.note.account for each in came}) == 1
    assert len({each.submission.reply for each in came}) == 1
    ((_, account),) = rows(site.house)
    assert account == came[0].note.account


def test_what_the_manifest_names_is_what_the_words_derive(site: Site) -> None:
    give_with(site, words_of(PHRASE))
    (came,) = all_opened(site.house)
    secrets = derive(PHRASE, directory_root=site.house.places.phrase_root.read_bytes())
    assert came.submission.reply is not None
    identity = HybridIdentity(seed=secrets.reply_seed)
    assert came.submission.reply.recipient == identity.recipient.to_text()
    assert came.submission.reply.answer_key.name == ANSWER_KEY_NAME
    assert rows(site.house) == [(sha256(secrets.lookup_id).hexdigest(), came.note.account)]


def test_two_uploads_with_the_same_new_words_at_once_are_one_account(site: Site) -> None:
    answers: list[int] = []

    def give(content: bytes) -> None:
        answers.append(give_with(site, words_of(PHRASE), content).status_code)

    threads = [threading.Thread(target=give, args=(b"x" * 3_000_000,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 3
    assert len({each.note.account for each in all_opened(site.house)}) == 1


@pytest.mark.parametrize("words", ["", "  \r\n "])
def test_without_words_there_is_no_way_back_and_the_page_says_so(site: Site, words: str) -> None:
    pages = [give_with(site, words).text for _ in range(2)]
    assert "you cannot come back to this material" in pages[0]
    came = all_opened(site.house)
    assert len({each.note.account for each in came}) == 2
    assert [each.submission.reply for each in came] == [None, None]
    assert rows(site.house) == []


def test_the_page_that_thanks_says_when_there_is_a_way_back(site: Site) -> None:
    assert "With your ten words you can come back" in give_with(site, words_of(PHRASE)).text


@pytest.mark.threat("T-16")
@pytest.mark.threat("T-15")
def test_a_seized_data_directory_holds_no_word_secret_or_status(site: Site) -> None:
    give_with(site, words_of(PHRASE))
    posted(site.house, made_for(site.house, (a_status(text="CANARY"),)))
    assert "preserved" in come_back(site, words_of(PHRASE)).text
    derived = derive(PHRASE, directory_root=site.house.places.phrase_root.read_bytes())
    secrets = [
        PHRASE.secret,
        derived.lookup_id,
        derived.reply_seed,
        derived.answer_ed25519_seed,
        derived.answer_mldsa_seed,
        b"PRESERVED",
        *(words_of(PHRASE, language).encode() for language in Language),
        "".join(PHRASE.groups).encode(),
        " ".join(PHRASE.groups).encode(),
    ]
    root = site.house.settings.data_directory
    read = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert any(path.name == "portal.db-wal" for path in read)
    for path, kept in read.items():
        for secret in secrets:
            assert not [each for each in spellings(secret) if each in kept], path


def test_nothing_of_a_return_is_logged(site: Site) -> None:
    give_with(site, words_of(PHRASE))
    before = list(site.house.log)
    for words in (words_of(PHRASE), "wrong"):
        come_back(site, words)
    assert site.house.log == before


def test_words_lead_back_after_the_directory_got_another_key(house: House) -> None:
    keys = tuple(signer.key for signer in house.directory)
    first = phrase_root(house.places.phrase_root, keys)
    assert phrase_root(house.places.phrase_root, keys[:2]) == first
    assert len(first) == 32
    house.places.phrase_root.unlink()
    assert phrase_root(house.places.phrase_root, keys[::-1]) == first
    house.places.phrase_root.unlink()
    assert phrase_root(house.places.phrase_root, keys[:2]) != first


def test_what_phrases_stand_on_is_32_bytes_or_the_portal_does_not_start(house: House) -> None:
    house.places.phrase_root.write_bytes(b"short")
    with pytest.raises(DirectoryError):
        phrase_root(house.places.phrase_root, ())
