"""A whole visit, from the first page to the empty one, as a person makes it."""

import asyncio
from pathlib import Path

import pytest

from amana.i18n import Language, Sentence, Speaker
from amana.wire.fields import RawBytes
from crypto.phrase import ReturnPhrase
from terms.consent import ConsentPurpose
from terms.feedback import FeedbackCode
from tests.browser.looks import look
from tests.browser.visits import Come, Portal, Visit, Window
from tests.portal.phrases import made_for, posted
from tests.wire.feedbacks import a_status

pytestmark = pytest.mark.asyncio(loop_scope="session")

TEXT = "رأيت ذلك في ٣ آب 2013.\nI saw it."
NAMES = [
    "شهادة حلب ٢٠١٣.jpg",
    "فحص\u202egnp.exe",
    "a\u2066b\u2069 & 'c';d=%22.pdf",
    "ح" * 125 + ".mp4x",
]
ANSWERS = {
    ConsentPurpose.PRESERVE: "YES",
    ConsentPurpose.SHARE_INTERNATIONAL_COURT: "ASK_ME_FIRST",
    ConsentPurpose.SHARE_SYRIAN_AUTHORITIES: "NO",
    ConsentPurpose.CONTACT_ME: "NOT_NOW",
}
WINDOWS = [
    Window(language=language, has_script=has_script)
    for language in (Language.AR, Language.EN)
    for has_script in (False, True)
]


def some_files(folder: Path) -> dict[str, bytes]:
    """Files whose names are hard, the last as long as a name may be: 255 bytes."""
    assert len(NAMES[-1].encode()) == 255
    contents = {name: f"content {number}".encode() * 999 for number, name in enumerate(NAMES)}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return contents


async def fill(visit: Visit, words: str, *files: Path) -> None:
    """Fill in the form; send nothing yet."""
    await visit.field("portal.give.words").fill(words)
    for purpose, answer in ANSWERS.items():
        await visit.choose(f"portal.purpose.{purpose}", f"portal.answer.{answer}")
    await visit.choose("portal.give.age", "portal.age.18_PLUS")
    await visit.choose("portal.give.understood", "portal.understood.YES")
    await visit.field("portal.give.text").fill(TEXT)
    await visit.attach("portal.give.files", *files)


async def come_to_the_form(visit: Visit) -> list[str]:
    """Go from the first page to the form, and remember the ten words on the way."""
    await visit.open()
    await look(visit)
    await visit.follow("portal.landing.next")
    await look(visit)
    await visit.follow("portal.before.next")
    await look(visit)
    words = await visit.words()
    await visit.open("give")
    await look(visit)
    return words


async def come_back(visit: Visit, words: str) -> str:
    """Type the words on the page of return; give what the next one says."""
    await visit.open("return")
    await look(visit)
    await visit.field("portal.return.words").fill(words)
    await visit.press("portal.return.send")
    await look(visit)
    return await visit.text()


@pytest.mark.parametrize("window", WINDOWS, ids=str)
async def test_a_person_gives_comes_back_and_leaves(
    portal: Portal, come: Come, tmp_path: Path, window: Window
) -> None:
    folder = tmp_path / "chosen"
    folder.mkdir()
    contents = some_files(folder)
    visit = await come(portal, window)
    words = await come_to_the_form(visit)
    await fill(visit, " ".join(words), *(folder / name for name in NAMES))
    await visit.press("portal.give.send")
    await look(visit)
    said = await visit.text()
    assert visit.say("portal.thanks.items", count=5) in said
    assert visit.say("portal.thanks.next.words") in said

    (came,) = portal.received()
    kept = {item.name.raw: content for item, content in zip(came.items, came.contents, strict=True)}
    assert kept.pop(RawBytes(b"text.txt")).decode().replace("\r\n", "\n") == TEXT
    # A browser writes a quote in a name as %22, and the percent sign as it is.
    assert kept == {name.encode(): content for name, content in contents.items()}

    assert visit.say("portal.statuses.nothing") in await come_back(visit, " ".join(words))
    status = a_status(FeedbackCode.PRESERVED)
    await asyncio.to_thread(lambda: posted(portal.house, made_for(portal.house, (status,))))
    groups = ReturnPhrase.parse(" ".join(words)).groups
    assert visit.say("feedback.PRESERVED") in await come_back(visit, " ".join(groups))

    await visit.press("portal.leave")
    assert visit.page.url == f"{portal.address}/left"
    left = [Sentence(key="web.training"), Sentence(key="portal.left")]
    arabic = Speaker(Language.AR)
    assert (await visit.text()).split("\n\n") == [arabic.say(each) for each in left]
    assert visit.complaints == []
    # Every page was one request, leaving two; nothing else was ever asked for.
    assert [answer.method for answer in portal.answers].count("POST") == 4
    assert len(portal.answers) == 11


@pytest.mark.parametrize("window", WINDOWS, ids=str)
async def test_a_person_goes_page_by_page_and_what_was_sent_stays(
    portal: Portal, come: Come, tmp_path: Path, window: Window
) -> None:
    contents = some_files(tmp_path)
    visit = await come(portal, window)
    await visit.open("words")
    words = await visit.words()
    await visit.field("portal.give.words").fill(" ".join(words))
    await visit.press("portal.draft.begin")
    await look(visit)
    for purpose, answer in ANSWERS.items():
        await visit.choose(f"portal.purpose.{purpose}", f"portal.answer.{answer}")
    await visit.press("portal.draft.to-files")
    await look(visit)
    await visit.field("portal.give.text").fill(TEXT)
    await visit.press("portal.draft.add")
    await look(visit)
    await visit.attach("portal.give.files", *(tmp_path / name for name in NAMES))
    await visit.press("portal.draft.add")
    await visit.open("files")  # as after a circuit that dropped
    assert visit.say("portal.draft.file", number=5) in await visit.text()
    await visit.follow("portal.draft.to-review")
    await look(visit)
    await visit.press("portal.draft.hand-over")
    await look(visit)
    assert visit.say("portal.thanks.next.words") in await visit.text()
    (came,) = portal.received()
    names = {item.name.raw for item in came.items}
    assert names == {name.encode() for name in contents} | {b"text.txt"}
    assert visit.complaints == []


async def test_a_folder_arrives_with_its_inner_paths(
    portal: Portal, come: Come, tmp_path: Path
) -> None:
    inner = tmp_path / "صور" / "آب"
    inner.mkdir(parents=True)
    (inner / "1.jpg").write_bytes(b"1")
    (tmp_path / "صور" / "2.jpg").write_bytes(b"2")
    visit = await come(portal, Window(language=Language.AR))
    await visit.open("give")
    await visit.attach("portal.give.folder", tmp_path / "صور")
    await visit.press("portal.give.send")
    assert visit.say("portal.thanks.items", count=2) in await visit.text()
    (came,) = portal.received()
    folders = {item.name.raw: item.folder for item in came.items}
    assert {name: each.raw.decode() for name, each in folders.items() if each} == {
        b"1.jpg": "صور/آب",
        b"2.jpg": "صور",
    }


@pytest.mark.parametrize("language", [Language.AR, Language.EN])
async def test_whoever_gives_no_words_is_told_that_there_is_no_way_back(
    portal: Portal, come: Come, language: Language
) -> None:
    visit = await come(portal, Window(language=language))
    await visit.open("give")
    await visit.field("portal.give.text").fill(TEXT)
    await visit.press("portal.give.send")
    await look(visit)
    assert visit.say("portal.thanks.next.no-words") in await visit.text()
    (came,) = portal.received()
    assert came.submission.reply is None
