"""What a member signs is not believed for that: each of these bundles lies once.

All are sealed to the right key and signed by the right member.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from amana.wire.agree import Mismatch
from amana.wire.bundle import object_path
from amana.wire.ids import ConsentId, ContentSha256, random_id
from amana.wire.reasons import ReasonCode
from amana.wire.sealed import RecordKind, SealedObject
from amana.wire.snapshot import consent_document
from crypto.opening import HybridIdentity
from crypto.padding import Kind
from tests.client.test_hostile import ITEM_LIES, NOTE_LIES, of_content
from tests.client.test_hostile import Lie as ClientLie
from tests.client.test_hostile import Story as ClientStory
from tests.wire.examples import CONSENT
from tests.worker.opening.forge import (
    Forger,
    Lie,
    Story,
    honest,
    story_of,
    with_byte_in_padding,
    with_records,
)
from tests.worker.opening.world import World
from worker import documents
from worker.enrolled import Register
from worker.opening import Held, Opened

Tell = Callable[[Lie], Opened | Held]


@pytest.fixture
def forger(world: World, bundle: Path) -> Forger:
    return Forger(world, bundle)


@pytest.fixture
def tell(world: World, register: Register, bundle: Path, forger: Forger) -> Tell:
    """Tell the story of the bundle with a lie in it, and open it."""
    told = story_of(world.opened(bundle, register))

    def tell(lie: Lie) -> Opened | Held:
        forger.tell(told, lie)
        return world.open(bundle, register)

    return tell


def held(found: Opened | Held) -> Held:
    assert isinstance(found, Held)
    return found


def test_a_story_that_is_sealed_anew_and_does_not_lie_opens(tell: Tell) -> None:
    """Otherwise what follows would show nothing."""
    assert isinstance(tell(honest), Opened)


def as_ours(lie: ClientLie) -> Lie:
    """A lie that the client's opener is told, for the quarantine's."""

    def told(story: Story) -> Story:
        other = lie(ClientStory(note=story.note, submission=story.submission, items=story.items))
        return Story(note=other.note, submission=other.submission, items=other.items)

    return told


NOTE_REASONS = {
    Mismatch.SUBMISSION: ReasonCode.OBJECT_OF_ANOTHER_SUBMISSION,
    Mismatch.ACCOUNT: ReasonCode.ACCOUNT_DISAGREES,
    Mismatch.CARD: ReasonCode.CARD_DISAGREES,
    Mismatch.DEPLOYMENT: ReasonCode.OTHER_DEPLOYMENT,
}


@pytest.mark.threat("T-08")
@pytest.mark.parametrize("mismatch", NOTE_LIES)
def test_a_submission_manifest_that_says_other_than_the_note_is_held(
    mismatch: Mismatch, tell: Tell
) -> None:
    found = held(tell(as_ours(NOTE_LIES[mismatch])))
    default = ReasonCode.SUBMISSION_MANIFEST_DISAGREES
    assert found.reason is NOTE_REASONS.get(mismatch, default)
    # Card and deployment show in the note itself, before any key is asked for.
    is_early = mismatch in {Mismatch.CARD, Mismatch.DEPLOYMENT}
    assert found.mismatches == (() if is_early else (mismatch,))


@pytest.mark.threat("T-08")
@pytest.mark.parametrize("mismatch", ITEM_LIES)
def test_item_manifests_that_say_other_than_the_submission_manifest_are_held(
    mismatch: Mismatch, tell: Tell
) -> None:
    lie = as_ours(ITEM_LIES[mismatch])
    if mismatch is Mismatch.ITEM_WITHOUT_OBJECT:
        lie = of_small(object_id="0" * 32)
    if mismatch is Mismatch.OBJECT_WITHOUT_ITEM:
        lie = without_large
    found = held(tell(lie))
    assert found.reason is ReasonCode.ITEM_MANIFEST_DISAGREES
    assert mismatch in found.mismatches


def without_large(told: Story) -> Story:
    return replace(told, items=tuple(i for i in told.items if not i.name.raw.startswith(b"large")))


def of_small(**place: object) -> Lie:
    """A lie about where one small file lies."""
    lie = of_content(b"small 1", lambda c: replace(c, place=replace(c.place, **place)))  # type: ignore[arg-type]
    return as_ours(lie)


@pytest.mark.threat("T-01")
def test_a_manifest_of_another_submission_of_the_same_member_is_held(
    world: World, register: Register, bundle: Path, given: Path, forger: Forger
) -> None:
    """The member's own older manifest, replayed under a new note."""
    older = bundle.with_name("older")
    world.seal(given, older)
    other = story_of(world.opened(older, register))
    told = story_of(world.opened(bundle, register))
    (bundle / object_path(told.note.submission_manifest.object_id)).unlink()
    forger.write(told.note, other.submission.to_bytes())
    found = held(world.open(bundle, register))
    assert found.reason is ReasonCode.OBJECT_OF_ANOTHER_SUBMISSION
    assert Mismatch.SUBMISSION in found.mismatches


@pytest.mark.threat("T-13")
@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[" * 100_000])
def test_a_submission_manifest_that_is_none_is_held(
    content: bytes, world: World, register: Register, bundle: Path, forger: Forger
) -> None:
    told = story_of(world.opened(bundle, register))
    (bundle / object_path(told.note.submission_manifest.object_id)).unlink()
    forger.write(told.note, content)
    assert held(world.open(bundle, register)).reason is ReasonCode.SUBMISSION_MANIFEST_DISAGREES


# The objects that manifests lie in.


def lines(told: Story) -> bytes:
    return b"".join(item.to_bytes() + b"\n" for item in told.items)


WRONG_OBJECTS: dict[str, tuple[Callable[[Forger, bytes], SealedObject], ReasonCode]] = {
    "not age": (lambda f, _: f.put(bytes(4_096)), ReasonCode.OBJECT_MALFORMED),
    "shorter than a header": (lambda f, _: f.put(b"age"), ReasonCode.OBJECT_MALFORMED),
    "another's key": (
        lambda f, told: f.seal(told, recipient=HybridIdentity.generate().recipient),
        ReasonCode.CARD_DISAGREES,
    ),
    "another kind": (lambda f, told: f.seal(told, Kind.RAW), ReasonCode.OBJECT_MALFORMED),
    "a byte in the padding": (
        lambda f, told: f.put(with_byte_in_padding(told, f.recipient)),
        ReasonCode.PADDING_NOT_EMPTY,
    ),
    "cut before it was signed": (
        lambda f, told: f.put(f.sealed(told)[:-4_096]),
        ReasonCode.OBJECT_MALFORMED,
    ),
    "no manifests": (lambda f, _: f.seal(b"{}\n"), ReasonCode.ITEM_MANIFEST_DISAGREES),
    "nothing": (lambda f, _: f.seal(b""), ReasonCode.ITEM_MANIFEST_DISAGREES),
    "one manifest too many": (
        lambda f, told: f.seal(told + told[: told.index(b"\n") + 1]),
        ReasonCode.ITEM_MANIFEST_DISAGREES,
    ),
}


@pytest.mark.threat("T-02")
@pytest.mark.threat("T-05")
@pytest.mark.parametrize("wrong", WRONG_OBJECTS)
def test_an_object_that_is_not_what_it_must_be_is_held(
    wrong: str, world: World, register: Register, bundle: Path, forger: Forger
) -> None:
    make, reason = WRONG_OBJECTS[wrong]
    told = story_of(world.opened(bundle, register))
    for each in (told.note.submission_manifest, *told.note.item_manifests):
        (bundle / object_path(each.object_id)).unlink()
    sealed = make(forger, lines(told))
    submission = replace(told.submission, item_manifests=(sealed,))
    forger.write(replace(told.note, item_manifests=(sealed,)), submission.to_bytes())
    found = held(world.open(bundle, register))
    assert (found.reason, found.object_id) == (reason, sealed.object_id)
    assert found.submission == told.note.submission_id


# Records that travel beside the material.


def test_records_are_given_whole_and_consents_by_their_ids(tell: Tell, forger: Forger) -> None:
    document = consent_document(CONSENT)
    consent = forger.record(document, RecordKind.CONSENT, ConsentId(str(CONSENT.uid)))
    other = forger.record(b"an inventory", RecordKind.INVENTORY)
    opened = tell(with_records(consent, other))
    assert isinstance(opened, Opened)
    assert opened.consents == (CONSENT,)
    assert [each.document for each in opened.documents] == [b"an inventory"]


@pytest.mark.threat("T-13")
@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", consent_document(CONSENT) + b" "])
def test_a_consent_that_is_none_is_held(content: bytes, tell: Tell, forger: Forger) -> None:
    record = forger.record(content, RecordKind.CONSENT, ConsentId(str(CONSENT.uid)))
    found = held(tell(with_records(record)))
    assert found.reason is ReasonCode.SUBMISSION_MANIFEST_DISAGREES
    assert found.object_id == record.object_id


def test_a_consent_under_another_id_is_held(tell: Tell, forger: Forger) -> None:
    record = forger.record(consent_document(CONSENT), RecordKind.CONSENT, random_id(ConsentId))
    found = held(tell(with_records(record)))
    assert found.reason is ReasonCode.SUBMISSION_MANIFEST_DISAGREES


@pytest.mark.threat("T-01")
def test_a_record_that_is_not_the_document_that_was_stated_is_held(
    tell: Tell, forger: Forger
) -> None:
    record = replace(forger.record(b"one", RecordKind.OTHER), sha256=ContentSha256("0" * 64))
    found = held(tell(with_records(record)))
    assert found.reason is ReasonCode.SUBMISSION_MANIFEST_DISAGREES
    assert found.object_id == record.object_id


# Where items lie.


@pytest.mark.threat("T-01")
@pytest.mark.parametrize("offset", [None, 1_536, 512])
def test_items_that_do_not_tile_their_pack_are_held(offset: int | None, tell: Tell) -> None:
    found = held(tell(of_small(offset=offset)))
    assert found.reason is ReasonCode.ITEM_MANIFEST_DISAGREES


@pytest.mark.threat("T-01")
def test_a_large_file_with_an_offset_and_a_pack_over_its_limit_are_held(tell: Tell) -> None:
    moved = of_content(b"large 0", lambda c: replace(c, place=replace(c.place, offset=512)))
    assert held(tell(as_ours(moved))).reason is ReasonCode.ITEM_MANIFEST_DISAGREES


def test_a_pack_that_could_not_be_held_in_memory_is_held(tell: Tell) -> None:
    last = of_content(b"small 4", lambda c: replace(c, size=1 << 40))
    assert held(tell(as_ours(last))).reason is ReasonCode.ITEM_MANIFEST_DISAGREES


@pytest.mark.parametrize("limit", ["MANIFESTS_LIMIT_BYTES", "RECORDS_LIMIT_BYTES"])
def test_more_than_memory_allows_is_held_before_it_is_opened(
    limit: str, tell: Tell, forger: Forger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, limit, 1)
    found = held(tell(with_records(forger.record(b"one", RecordKind.OTHER))))
    assert found.reason is ReasonCode.NOT_SCANNED_LIMITS
