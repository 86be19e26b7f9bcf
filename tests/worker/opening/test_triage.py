"""Objects change hands and nothing else: bytes, manifests and proofs stay, the old key is out."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from amana.wire.bundle import object_path
from amana.wire.ids import ObjectId
from amana.wire.reasons import ReasonCode
from amana.wire.vocabulary import Deployment
from crypto.errors import NoMatchError
from crypto.header import Header
from crypto.opening import unwrap
from crypto.padding import HYBRID_HEADER_SIZE
from terms.vocabulary import HandlingClass
from tests.worker.opening.world import World
from worker import rewrapped, triage
from worker.agent_messages import CardHolder, ClassHolder
from worker.contents import SubmissionContents
from worker.enrolled import Register
from worker.errors import DisagreementError, KeysLockedError, PipelineError
from worker.opening import Held, Opened, open_again
from worker.rewrapped import REWRAPPED, Rewrapped
from worker.triage import rewrap_objects

SENSITIVE = HandlingClass.SENSITIVE
STANDARD = HandlingClass.STANDARD


def read(bundle: Path, opened: Opened, world: World) -> list[bytes]:
    items = SubmissionContents(bundle, opened, world.keys).items()
    return [b"".join(item.read()) for item in items]


def all_to(handling_class: HandlingClass) -> Callable[[ObjectId], HandlingClass]:
    return lambda _object_id: handling_class


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.threat("T-07")
def test_after_triage_the_class_opens_the_objects_and_the_card_does_not(
    world: World, register: Register, bundle: Path
) -> None:
    opened = world.opened(bundle, register)
    before = read(bundle, opened, world)
    payloads = payloads_of(bundle, opened)
    changes = rewrap_objects(bundle, opened, world.keys, all_to(SENSITIVE))
    again = world.opened(bundle, register)
    assert again == opened.after({each.object_id: each for each in changes})
    assert read(bundle, again, world) == before
    assert payloads_of(bundle, again) == payloads
    for each in opened.submission.objects:
        holder = ClassHolder(submission=opened.note.submission_id, handling_class=SENSITIVE)
        assert again.holder_of(each.object_id) == holder
        header = Header.parse((bundle / object_path(each.object_id)).read_bytes())
        with pytest.raises(NoMatchError):
            unwrap(header, world.keys.identities[CardHolder(card=world.card.card_id)])


def payloads_of(bundle: Path, opened: Opened) -> list[bytes]:
    paths = [bundle / object_path(each.object_id) for each in opened.submission.objects]
    return [path.read_bytes()[HYBRID_HEADER_SIZE:] for path in paths]


def test_a_change_says_what_the_object_and_its_header_were_and_are(
    world: World, register: Register, bundle: Path
) -> None:
    opened = world.opened(bundle, register)
    paths = [bundle / object_path(each.object_id) for each in opened.submission.objects]
    before = [path.read_bytes() for path in paths]
    changes = rewrap_objects(bundle, opened, world.keys, all_to(STANDARD))
    for each, old, path, change in zip(
        opened.submission.objects, before, paths, changes, strict=True
    ):
        header = old[:HYBRID_HEADER_SIZE]
        assert change.object_id == each.object_id
        assert (change.number, change.handling_class) == (1, STANDARD)
        assert change.header_before == hashlib.sha256(header).hexdigest()
        assert change.sealed_before == each.sealed_sha256 == hashlib.sha256(old).hexdigest()
        assert change.header == path.read_bytes()[:HYBRID_HEADER_SIZE]
        assert change.header_after == hashlib.sha256(change.header).hexdigest()
        assert change.sealed_after == digest_of(path)


def test_objects_go_to_the_class_of_each(world: World, register: Register, bundle: Path) -> None:
    opened = world.opened(bundle, register)
    classes = dict(
        zip((each.object_id for each in opened.submission.objects), HandlingClass, strict=False)
    )
    changes = rewrap_objects(bundle, opened, world.keys, classes.__getitem__)
    assert {each.object_id: each.handling_class for each in changes} == classes
    assert read(bundle, world.opened(bundle, register), world)


def test_a_second_run_changes_nothing_and_says_the_same(
    world: World, register: Register, bundle: Path
) -> None:
    opened = world.opened(bundle, register)
    changes = rewrap_objects(bundle, opened, world.keys, all_to(SENSITIVE))
    digests = [digest_of(path) for path in sorted(bundle.rglob("*.age"))]
    for stale_or_not in (opened, world.opened(bundle, register)):
        assert rewrap_objects(bundle, stale_or_not, world.keys, all_to(SENSITIVE)) == changes
    assert [digest_of(path) for path in sorted(bundle.rglob("*.age"))] == digests


def test_an_object_can_go_on_to_another_class(
    world: World, register: Register, bundle: Path
) -> None:
    opened = world.opened(bundle, register)
    first = rewrap_objects(bundle, opened, world.keys, all_to(STANDARD))
    before = read(bundle, world.opened(bundle, register), world)
    second = rewrap_objects(
        bundle, world.opened(bundle, register), world.keys, all_to(HandlingClass.CHILD)
    )
    assert [each.number for each in second] == [2] * len(first)
    assert [each.sealed_before for each in second] == [each.sealed_after for each in first]
    again = world.opened(bundle, register)
    assert read(bundle, again, world) == before
    assert set(again.rewrapped.values()) == set(second)


class Killed(Exception):  # noqa: N818 - it stands for a kill
    """The process ends here."""


def kill(*_: object) -> None:
    raise Killed


@pytest.mark.threat("T-07")
def test_a_kill_before_the_header_is_changed_is_finished_by_the_next_opening(
    world: World, register: Register, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = world.opened(bundle, register)
    before = read(bundle, opened, world)
    with monkeypatch.context() as patch:
        patch.setattr(triage, "finish", kill)
        with pytest.raises(Killed):
            rewrap_objects(bundle, opened, world.keys, all_to(SENSITIVE))
    again = world.opened(bundle, register)
    (change,) = again.rewrapped.values()
    assert digest_of(bundle / object_path(change.object_id)) == change.sealed_after
    assert read(bundle, again, world) == before
    assert len(rewrap_objects(bundle, again, world.keys, all_to(SENSITIVE))) == 3
    assert read(bundle, world.opened(bundle, register), world) == before


@pytest.mark.threat("T-07")
@pytest.mark.parametrize("written", [1, 512, HYBRID_HEADER_SIZE - 1])
def test_a_header_that_was_half_written_is_mended(
    written: int, world: World, register: Register, bundle: Path
) -> None:
    opened = world.opened(bundle, register)
    before = read(bundle, opened, world)
    object_id = opened.submission.objects[0].object_id
    path = bundle / object_path(object_id)
    old = path.read_bytes()
    change = rewrap_objects(bundle, opened, world.keys, all_to(SENSITIVE))[0]
    path.write_bytes(change.header[:written] + old[written:])
    assert read(bundle, world.opened(bundle, register), world) == before
    path.write_bytes(change.header[:written] + old[written:])
    assert rewrap_objects(bundle, opened, world.keys, all_to(SENSITIVE))[0] == change
    assert digest_of(path) == change.sealed_after


def test_keys_that_cannot_be_had_now_change_nothing(
    world: World, register: Register, bundle: Path
) -> None:
    opened = world.opened(bundle, register)
    world.keys.locked = True
    with pytest.raises(KeysLockedError):
        rewrap_objects(bundle, opened, world.keys, all_to(SENSITIVE))
    assert not (bundle / REWRAPPED).exists()


@pytest.mark.threat("T-01")
def test_an_object_that_changed_since_it_was_opened_is_not_handed_over(
    world: World, register: Register, bundle: Path
) -> None:
    opened = world.opened(bundle, register)
    object_id = opened.submission.objects[0].object_id
    content = bytearray((bundle / object_path(object_id)).read_bytes())
    content[-1] ^= 1
    (bundle / object_path(object_id)).write_bytes(content)
    with pytest.raises(DisagreementError) as caught:
        rewrap_objects(bundle, opened, world.keys, all_to(SENSITIVE))
    assert caught.value.reason is ReasonCode.OBJECT_DISAGREES
    assert (bundle / object_path(object_id)).read_bytes() == content


@pytest.mark.threat("T-01")
def test_a_payload_that_changed_after_triage_is_held(
    world: World, register: Register, bundle: Path
) -> None:
    opened = world.opened(bundle, register)
    change = rewrap_objects(bundle, opened, world.keys, all_to(SENSITIVE))[0]
    path = bundle / object_path(change.object_id)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    found = world.open(bundle, register)
    assert isinstance(found, Held)
    assert (found.reason, found.object_id) == (ReasonCode.OBJECT_DISAGREES, change.object_id)


@pytest.mark.threat("T-06")
def test_opening_again_hashes_documents_and_leaves_material_to_its_readers(
    world: World, register: Register, bundle: Path
) -> None:
    opened = world.opened(bundle, register)
    changes = rewrap_objects(bundle, opened, world.keys, all_to(SENSITIVE))

    def again() -> Opened | Held:
        return open_again(bundle, register, world.keys, Deployment.TRAINING, on=world.today)

    assert again() == opened.after({each.object_id: each for each in changes})
    manifest = bundle / object_path(opened.note.submission_manifest.object_id)
    for path, is_material in (
        (bundle / object_path(changes[0].object_id), True),
        (manifest, False),
    ):
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
        found = again()
        assert isinstance(found, Opened) == is_material
        if isinstance(found, Opened):
            with pytest.raises(DisagreementError):
                read(bundle, found, world)
        content[-1] ^= 1
        path.write_bytes(content[:-1])
        assert isinstance(again(), Held)
        path.write_bytes(content)


def broken(change: Rewrapped, folder: Path, how: str) -> None:
    path = folder / f"{change.object_id}.0001.json"
    match how:
        case "cut":
            path.write_bytes(path.read_bytes()[:-1])
        case "of another object":
            shutil.copy(path, folder / f"{'0' * 32}.0001.json")
        case "in another's place":
            other = next(each for each in folder.iterdir() if each != path)
            shutil.copy(path, other)
        case "without the one before":
            path.rename(folder / f"{change.object_id}.0002.json")
        case _:
            path.write_bytes(path.read_bytes().replace(change.sealed_before.encode(), b"0" * 64))


@pytest.mark.parametrize(
    "how", ["cut", "of another object", "in another's place", "without the one before", "a lie"]
)
def test_what_is_kept_of_changes_must_lead_back_to_the_note(
    how: str, world: World, register: Register, bundle: Path
) -> None:
    opened = world.opened(bundle, register)
    change = rewrap_objects(bundle, opened, world.keys, all_to(SENSITIVE))[0]
    broken(change, bundle / REWRAPPED, how)
    with pytest.raises(PipelineError):
        world.open(bundle, register)


def test_a_change_that_is_kept_twice_is_refused(
    world: World, register: Register, bundle: Path
) -> None:
    opened = world.opened(bundle, register)
    change = rewrap_objects(bundle, opened, world.keys, all_to(SENSITIVE))[0]
    with pytest.raises(FileExistsError):
        rewrapped.keep(bundle, change)
    (bundle / object_path(change.object_id)).unlink()
    with pytest.raises(PipelineError):
        rewrapped.finish(bundle, change)
