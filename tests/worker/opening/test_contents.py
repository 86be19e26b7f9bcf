"""Content comes out as it was given, and a lie about it is told where it shows."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from io import BufferedReader
from pathlib import Path

import pytest

from amana.wire.bundle import object_path
from amana.wire.ids import ContentSha256, ObjectId
from amana.wire.manifest import Content as StatedContent
from amana.wire.manifest import ItemManifest
from amana.wire.reasons import ReasonCode
from amana.wire.sealed import ObjectKind, SealedObject
from client.plan import PACKED_BELOW_BYTES
from crypto.opening import HybridIdentity
from crypto.padding import Kind
from portal.places import Places
from tests.client.test_hostile import of_content
from tests.worker.opening.forge import Forger, Story, story_of, with_byte_in_padding
from tests.worker.opening.world import World
from worker import contents
from worker.contents import SubmissionContents
from worker.enrolled import Register
from worker.errors import DisagreementError, KeysLockedError, MismatchError
from worker.memory import Tally
from worker.opening import Opened
from worker.sealed_contents import SealedContents


def read(bundle: Path, opened: Opened, world: World) -> dict[bytes, bytes]:
    source = SubmissionContents(bundle, opened, world.keys)
    return {
        item.name.raw: b"".join(source.open(item))
        for item in opened.items
        if item.content is not None
    }


def reason_of(work: Callable[[], object]) -> ReasonCode:
    with pytest.raises(DisagreementError) as caught:
        work()
    return caught.value.reason


def test_every_byte_comes_out_as_it_was_given(
    world: World, register: Register, bundle: Path, given: Path
) -> None:
    found = read(bundle, world.opened(bundle, register), world)
    files = {path.name.encode(): path for path in given.iterdir() if path.is_file()}
    del files[b"link"]
    assert found == {name: path.read_bytes() for name, path in files.items()}


def test_the_inspector_is_given_every_item_with_bytes_as_its_manifest_names_it(
    world: World, register: Register, tmp_path: Path
) -> None:
    folder = world.give({b"a": b"1", b"b": b""}, Places(data_directory=tmp_path))
    opened = world.opened(folder, register)
    items = SubmissionContents(folder, opened, world.keys).items()
    assert [each.item_id for each in items] == [item.item_id for item in opened.items]
    for item in items:
        tally = Tally()
        list(tally.over(item.content.bound(item.read())))
        tally.require(item.content)


def test_a_pack_is_opened_once_whatever_the_order_of_its_items(
    world: World, register: Register, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources: list[ObjectId] = []
    real = SealedContents.source

    def counted(self: SealedContents, object_id: ObjectId) -> BufferedReader:
        sources.append(object_id)
        return real(self, object_id)

    monkeypatch.setattr(SealedContents, "source", counted)
    opened = world.opened(bundle, register)
    source = SubmissionContents(bundle, opened, world.keys)
    sources.clear()
    for item in reversed(opened.items):
        if item.content is not None:
            b"".join(source.open(item))
    assert len(sources) == len(opened.submission.objects) == 3


def test_keys_of_many_objects_are_asked_for_together(
    world: World, register: Register, tmp_path: Path
) -> None:
    names = [str(number).encode() for number in range(contents.KEYS_AHEAD + 3)]
    folder = world.give(dict.fromkeys(names, b"x"), Places(data_directory=tmp_path))
    opened = world.opened(folder, register)
    world.keys.asked.clear()
    read(folder, opened, world)
    assert world.keys.asked == [contents.KEYS_AHEAD, 3]


def test_threads_may_share_it(world: World, register: Register, bundle: Path) -> None:
    opened = world.opened(bundle, register)
    items = SubmissionContents(bundle, opened, world.keys).items() * 4
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda item: hashlib.sha256(b"".join(item.read())), items))
    assert [each.hexdigest() for each in found] == [item.content.sha256 for item in items]


def test_what_has_no_bytes_and_what_is_anothers_is_not_opened(
    world: World, register: Register, bundle: Path
) -> None:
    opened = world.opened(bundle, register)
    source = SubmissionContents(bundle, opened, world.keys)
    (link,) = [item for item in opened.items if item.name.raw == b"link"]
    (large,) = [item for item in opened.items if item.name.raw == b"large 0"]
    assert large.content is not None
    place = replace(large.content.place, object_id=ObjectId("0" * 32))
    foreign = replace(large, content=replace(large.content, place=place))
    for item in (link, foreign):
        with pytest.raises(MismatchError):
            list(source.open(item))


def test_keys_that_cannot_be_had_now_are_no_fact_about_the_item(
    world: World, register: Register, bundle: Path
) -> None:
    opened = world.opened(bundle, register)
    world.keys.locked = True
    with pytest.raises(KeysLockedError):
        read(bundle, opened, world)
    world.keys.locked = False
    assert read(bundle, opened, world)


# Lies.


@pytest.fixture
def forged(world: World, register: Register, bundle: Path) -> Callable[..., Opened]:
    """Open a bundle that lies about its content; its manifests agree, so it does open."""
    told = story_of(world.opened(bundle, register))

    def forge(lie: Callable[[Story], Story]) -> Opened:
        Forger(world, bundle).tell(told, lie)
        return world.opened(bundle, register)

    return forge


Forged = Callable[..., Opened]


@pytest.mark.threat("T-05")
def test_an_object_opens_only_as_the_kind_that_it_is_sealed_as(
    forged: Forged, world: World, register: Register, bundle: Path
) -> None:
    """A raw object said to be a pack would be taken for something else."""

    def lie(told: Story) -> Story:
        (pack,) = [each for each in told.note.objects if each.object_id in packs]
        alone = [without_offset(item) for item in told.items if item.name.raw == b"small 1"]
        rest = [item for item in told.items if not item.name.raw.startswith(b"small")]
        objects = tuple(
            replace(each, kind=ObjectKind.RAW) if each.object_id == pack.object_id else each
            for each in told.submission.objects
        )
        submission = replace(told.submission, objects=objects)
        return Story(note=told.note, submission=submission, items=(*alone, *rest))

    objects = world.opened(bundle, register).submission.objects
    packs = {each.object_id for each in objects if each.kind is ObjectKind.PACK}
    opened = forged(lie)
    assert reason_of(lambda: read(bundle, opened, world)) is ReasonCode.OBJECT_MALFORMED


def without_offset(item: ItemManifest) -> ItemManifest:
    assert item.content is not None
    place = replace(item.content.place, offset=None)
    return replace(item, content=replace(item.content, place=place))


WRONG: dict[str, Callable[[StatedContent], StatedContent]] = {
    "longer": lambda content: replace(content, size=content.size + 1),
    "shorter": lambda content: replace(content, size=content.size - 1),
}


@pytest.mark.threat("T-01")
@pytest.mark.parametrize("wrong", WRONG)
def test_a_file_of_another_size_than_stated_gives_no_byte(
    wrong: str, forged: Forged, world: World, bundle: Path
) -> None:
    opened = forged(of_content(b"large 0", WRONG[wrong]))
    (item,) = [item for item in opened.items if item.name.raw == b"large 0"]
    stream = SubmissionContents(bundle, opened, world.keys).open(item)
    assert reason_of(lambda: next(stream)) is ReasonCode.OBJECT_MALFORMED


@pytest.mark.threat("T-01")
@pytest.mark.parametrize("name", [b"small 2", b"large 1"])
def test_bytes_that_are_not_those_of_their_manifest_are_told_by_their_digest(
    name: bytes, forged: Forged, world: World, bundle: Path
) -> None:
    opened = forged(of_content(name, lambda c: replace(c, sha256=ContentSha256("0" * 64))))
    items = SubmissionContents(bundle, opened, world.keys).items()
    (item,) = [item for item in items if item.content.sha256 == "0" * 64]
    tally = Tally()
    list(tally.over(item.content.bound(item.read())))
    with pytest.raises(MismatchError):
        tally.require(item.content)


@pytest.mark.threat("T-01")
def test_a_pack_whose_members_are_others_gives_no_item_at_all(
    forged: Forged, world: World, bundle: Path
) -> None:
    """Two items of one size change their ids: every byte is there, none is explained."""

    def lie(told: Story) -> Story:
        names = (b"small 3", b"small 4")
        one, two = (next(i for i in told.items if i.name.raw == name) for name in names)
        ids = {one.item_id: two.item_id, two.item_id: one.item_id}
        items = tuple(replace(i, item_id=ids.get(i.item_id, i.item_id)) for i in told.items)
        return replace(told, items=items)

    opened = forged(lie)
    source = SubmissionContents(bundle, opened, world.keys)
    for name in (b"small 1", b"small 3"):
        (item,) = [item for item in opened.items if item.name.raw == name]
        stream = source.open(item)
        assert reason_of(partial(next, stream)) is ReasonCode.ITEM_MANIFEST_DISAGREES


@pytest.mark.threat("T-02")
@pytest.mark.threat("T-05")
def test_one_object_that_does_not_open_spoils_none_beside_it(
    forged: Forged, world: World, register: Register, bundle: Path
) -> None:
    forger = Forger(world, bundle)
    before = world.opened(bundle, register).items
    padded = with_byte_in_padding(bytes(PACKED_BELOW_BYTES), forger.recipient, Kind.RAW)
    foreign = HybridIdentity.generate().recipient
    instead = {
        b"large 0": forger.put(padded),
        b"large 1": forger.seal(b"", Kind.RAW, foreign),
    }
    places = {
        item.content.place.object_id: instead[item.name.raw]
        for item in before
        if item.content is not None and item.name.raw in instead
    }
    for object_id in places:
        (bundle / object_path(object_id)).unlink()
    opened = forged(lambda told: with_objects(told, places))
    source = SubmissionContents(bundle, opened, world.keys)
    found = {bytes(item.name.raw): item for item in opened.items}
    assert reason_of(lambda: list(source.open(found[b"large 1"]))) is ReasonCode.CARD_DISAGREES
    assert reason_of(lambda: list(source.open(found[b"large 0"]))) is ReasonCode.PADDING_NOT_EMPTY
    assert b"".join(source.open(found[b"small 1"])) == bytes([1]) * 1_000


def with_objects(told: Story, places: dict[ObjectId, SealedObject]) -> Story:
    """The story with other objects in the place of some."""
    objects = tuple(
        replace(each, **{name: getattr(places[each.object_id], name) for name in OUTSIDE})
        if each.object_id in places
        else each
        for each in told.submission.objects
    )
    items = tuple(moved(item, places) for item in told.items)
    return Story(
        note=replace(told.note, objects=tuple(each.outside for each in objects)),
        submission=replace(told.submission, objects=objects),
        items=items,
    )


OUTSIDE = ("object_id", "sealed_size", "sealed_sha256")


def moved(item: ItemManifest, places: dict[ObjectId, SealedObject]) -> ItemManifest:
    if item.content is None or item.content.place.object_id not in places:
        return item
    place = replace(item.content.place, object_id=places[item.content.place.object_id].object_id)
    return replace(item, content=replace(item.content, place=place))
