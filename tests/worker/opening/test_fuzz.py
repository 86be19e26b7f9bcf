"""Whatever stands in a bundle, it is opened or held: no other error comes of it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amana.wire.bundle import NOTE, object_path
from amana.wire.ids import ConsentId, Digest
from amana.wire.manifest_lines import items_root
from amana.wire.sealed import RecordKind
from amana.wire.snapshot import consent_document
from tests.wire.examples import CONSENT
from tests.worker.opening.forge import Forger, Story, story_of, with_records
from tests.worker.opening.world import World
from worker.enrolled import Register
from worker.opening import Held, Opened
from worker.sealed_files import EVENT

Mutation = Callable[[bytes], bytes]

# The bundle is made once for all examples of a test; each example writes what it changes anew.
few = settings(
    max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


@st.composite
def mutations(draw: st.DrawFn) -> Mutation:
    """Other bytes in place of some, somewhere; or other bytes altogether."""
    place, length = draw(st.floats(0, 1)), draw(st.integers(0, 8))
    other = draw(st.binary(max_size=16))
    if draw(st.booleans()):
        return lambda _content: other
    return lambda content: (
        content[: int(place * len(content))] + other + content[int(place * len(content)) + length :]
    )


OpenIt = Callable[[], Opened | Held]


@pytest.fixture
def forger(world: World, bundle: Path) -> Forger:
    return Forger(world, bundle)


@pytest.fixture
def open_it(world: World, register: Register, bundle: Path) -> OpenIt:
    return lambda: world.open(bundle, register)


@pytest.fixture
def told(world: World, register: Register, bundle: Path) -> Story:
    return story_of(world.opened(bundle, register))


@pytest.mark.threat("T-13")
@few
@given(mutate=mutations())
def test_a_note_of_any_bytes(
    mutate: Mutation, world: World, register: Register, bundle: Path, sealed: Path
) -> None:
    content = (sealed / NOTE).read_bytes()
    (bundle / NOTE).write_bytes(mutate(content))
    found = world.open(bundle, register)
    assert isinstance(found, Opened if mutate(content) == content else Held)


@pytest.mark.threat("T-13")
@few
@given(mutate=mutations())
def test_a_note_of_any_text_that_a_member_signed(
    mutate: Mutation, world: World, register: Register, bundle: Path, told: Story
) -> None:
    text = mutate(told.note.to_bytes()).decode("utf-8", errors="replace")
    text = "".join(letter for letter in text if letter.isprintable() or letter == "\n")
    note = world.member.signer.sign(text.rstrip("\n") + "\n")
    (bundle / NOTE).write_bytes(note.to_bytes())
    assert isinstance(world.open(bundle, register), Opened | Held)


@pytest.mark.threat("T-13")
@few
@given(mutate=mutations())
def test_an_arrival_of_any_bytes(
    mutate: Mutation, world: World, register: Register, bundle: Path, told: Story
) -> None:
    world.put_event(bundle, world.portal.arrival(told.note, world.today))
    (bundle / EVENT).write_bytes(mutate((bundle / EVENT).read_bytes()))
    assert isinstance(world.open(bundle, register), Opened | Held)


@pytest.mark.threat("T-13")
@few
@given(mutate=mutations())
def test_a_submission_manifest_of_any_bytes(
    mutate: Mutation, world: World, register: Register, bundle: Path, told: Story
) -> None:
    forger = Forger(world, bundle)
    # What an example before this one sealed is in the way.
    honest = {object_path(each.object_id).name for each in told.note.everything()}
    for path in (bundle / "objects").iterdir():
        if path.name not in honest or path.stem == told.note.submission_manifest.object_id:
            path.unlink()
    forger.write(told.note, mutate(told.submission.to_bytes()))
    assert isinstance(world.open(bundle, register), Opened | Held)


@pytest.mark.threat("T-13")
@few
@given(lines=mutations(), consent=mutations())
def test_item_manifests_and_consents_of_any_bytes(
    lines: Mutation, consent: Mutation, forger: Forger, told: Story, open_it: OpenIt
) -> None:
    bundle = forger.bundle
    honest = {object_path(each.object_id).name for each in told.note.everything()}
    for path in (bundle / "objects").iterdir():
        if path.name not in honest:
            path.unlink()
    for each in (told.note.submission_manifest, *told.note.item_manifests):
        (bundle / object_path(each.object_id)).unlink(missing_ok=True)
    written = lines(b"".join(item.to_bytes() + b"\n" for item in told.items))
    root = Digest(items_root(written.splitlines()).hex())
    manifests = forger.seal(written)
    name = ConsentId(str(CONSENT.uid))
    record = forger.record(consent(consent_document(CONSENT)), RecordKind.CONSENT, name)
    story = with_records(record)(
        Story(
            note=replace(told.note, items_root=root, item_manifests=(manifests,)),
            submission=replace(told.submission, items_root=root, item_manifests=(manifests,)),
            items=told.items,
        )
    )
    forger.write(story.note, story.submission.to_bytes())
    assert isinstance(open_it(), Opened | Held)
