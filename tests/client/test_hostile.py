"""What a provider's own key signs is not believed for that: every claim must agree with the others.

Each bundle here is sealed to the right identity and signed by the right member, and lies once.
"""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from amana.wire.agree import Mismatch
from amana.wire.bundle import NOTE, object_path
from amana.wire.ids import (
    AccountId,
    CardId,
    ContentSha256,
    ContentSha512,
    Digest,
    ItemId,
    ObjectId,
    SubmissionId,
    derive_submission_id,
    random_id,
)
from amana.wire.manifest import Content, ItemManifest
from amana.wire.manifest_lines import items_root, write_lines
from amana.wire.note import PackageNote
from amana.wire.sealed import ObjectKind, RecordKind, RecordObject, SealedObject
from amana.wire.submission import SubmissionManifest
from amana.wire.vocabulary import Deployment, SealedBy
from client.bundle import SealedFile
from client.errors import BundleError
from client.opening import BundleOpener
from client.plan import PACKED_BELOW_BYTES
from client.sealing import Commission
from crypto.errors import CryptoError
from crypto.padding import Kind
from crypto.seal import seal
from examples.rehearsal import Rehearsal
from tests.client.conftest import SealTo


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What the three documents of a bundle say. Honest ones agree."""

    note: PackageNote
    submission: SubmissionManifest
    items: tuple[ItemManifest, ...]


Lie = Callable[[Story], Story]
Refusal = Callable[[Lie], str]


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory, seal_to: SealTo) -> Path:
    """Two objects: a pack of two small files, and one large file by itself."""
    given = tmp_path_factory.mktemp("given")
    (given / "first").write_bytes(b"first")
    (given / "second").write_bytes(b"second")
    (given / "large").write_bytes(bytes(PACKED_BELOW_BYTES))
    bundle = tmp_path_factory.mktemp("honest")
    seal_to(given, bundle)
    return bundle


@pytest.fixture
def refusal_of(
    honest: Path, commission: Commission, rehearsal: Rehearsal, tmp_path: Path
) -> Refusal:
    """Tell the story with a lie in it, and return why the opener does not believe it."""

    def refuse(lie: Lie) -> str:
        opener = BundleOpener(honest, rehearsal.intake, commission.signer.key)
        told = Story(note=opener.note, submission=opener.submission, items=opener.items)
        _forge(honest, tmp_path / "forged", told, lie, commission)
        try:
            opener = BundleOpener(tmp_path / "forged", rehearsal.intake, commission.signer.key)
            list(opener.open(tmp_path / "out", lambda _count: None))
        except BundleError as refusal:
            return str(refusal.sentence.values.get("reason", refusal.sentence.key))
        except CryptoError as refusal:
            return type(refusal).__name__
        return "believed"

    return refuse


def _forge(honest: Path, forged: Path, told: Story, lie: Lie, commission: Commission) -> None:
    """Write the bundle of a story. Manifests are sealed and signed anew, so that only it lies."""
    shutil.copytree(honest, forged)
    for each in (told.note.submission_manifest, *told.note.item_manifests):
        (forged / object_path(each.object_id)).unlink()
    items = lie(told).items
    lines = [item.to_bytes() for item in items]
    manifests = _seal(forged, b"".join(write_lines(lines)), commission)
    root = Digest(items_root(lines).hex())
    submission = replace(
        told.submission, items=len(items), items_root=root, item_manifests=(manifests,)
    )
    note = replace(told.note, items_root=root, item_manifests=(manifests,))
    told = lie(Story(note=note, submission=submission, items=items))
    sealed = _seal(forged, told.submission.to_bytes(), commission)
    note = replace(told.note, submission_manifest=sealed)
    (forged / NOTE).write_bytes(commission.signer.sign(note.to_bytes().decode()).to_bytes())


def _seal(bundle: Path, content: bytes, commission: Commission) -> SealedObject:
    object_id = random_id(ObjectId)
    with (bundle / object_path(object_id)).open("wb") as target:
        sealed = SealedFile(object_id, target)
        for piece in seal([content], commission.recipient, Kind.RECORD):
            sealed.write(piece)
    return sealed.describe()


def test_a_bundle_that_is_sealed_anew_and_does_not_lie_opens(
    honest: Path, commission: Commission, rehearsal: Rehearsal, tmp_path: Path
) -> None:
    """Otherwise what follows would show nothing."""
    opener = BundleOpener(honest, rehearsal.intake, commission.signer.key)
    told = Story(note=opener.note, submission=opener.submission, items=opener.items)
    _forge(honest, tmp_path / "forged", told, lambda story: story, commission)
    opener = BundleOpener(tmp_path / "forged", rehearsal.intake, commission.signer.key)
    assert len(list(opener.open(tmp_path / "out", lambda _count: None))) == len(told.items)


NOWHERE = Digest("0" * 64)
SOMEONE = AccountId("0" * 32)


def elsewhere(told: Story) -> SubmissionId:
    return derive_submission_id(told.submission.client_nonce, SOMEONE, told.submission.card)


def another_account(told: Story) -> Story:
    """All three speak of a submission of another account, and only the note is signed by ours."""
    submission_id = elsewhere(told)
    return Story(
        note=replace(told.note, submission_id=submission_id),
        submission=replace(told.submission, account=SOMEONE, submission_id=submission_id),
        items=tuple(replace(item, submission_id=submission_id) for item in told.items),
    )


def a_record_more(told: Story) -> Story:
    record = RecordObject(
        object_id=ObjectId("0" * 32),
        sealed_size=4_096,
        sealed_sha256=NOWHERE,
        kind=RecordKind.OTHER,
        consent_id=None,
        sha256=ContentSha256("0" * 64),
    )
    return replace(told, submission=replace(told.submission, records=(record,)))


def other_item_manifests(told: Story) -> Story:
    (manifests,) = told.submission.item_manifests
    longer = replace(manifests, sealed_size=manifests.sealed_size + 1)
    return replace(told, submission=replace(told.submission, item_manifests=(longer,)))


NOTE_LIES: dict[Mismatch, Lie] = {
    Mismatch.SUBMISSION: lambda t: replace(t, note=replace(t.note, submission_id=elsewhere(t))),
    Mismatch.ACCOUNT: another_account,
    Mismatch.CARD: lambda t: replace(t, note=replace(t.note, card=CardId(NOWHERE))),
    Mismatch.DEPLOYMENT: lambda t: replace(
        t, note=replace(t.note, deployment=Deployment.PRODUCTION)
    ),
    Mismatch.OBJECTS: lambda t: replace(t, note=replace(t.note, objects=t.note.objects[::-1])),
    Mismatch.ITEM_MANIFESTS: other_item_manifests,
    Mismatch.RECORDS: a_record_more,
    Mismatch.ITEMS_ROOT: lambda t: replace(t, note=replace(t.note, items_root=NOWHERE)),
}


@pytest.mark.threat("T-01")
@pytest.mark.threat("T-08")
@pytest.mark.parametrize("mismatch", NOTE_LIES)
def test_a_note_that_says_other_than_the_submission_manifest_is_refused(
    mismatch: Mismatch, refusal_of: Refusal
) -> None:
    assert refusal_of(NOTE_LIES[mismatch]) == mismatch


@pytest.mark.threat("T-01")
def test_a_record_that_is_not_the_document_that_was_stated_is_refused(
    refusal_of: Refusal, tmp_path: Path, commission: Commission
) -> None:
    sealed: list[SealedObject] = []

    def with_a_record(told: Story) -> Story:
        if not sealed:
            sealed.append(_seal(tmp_path / "forged", b"{}", commission))
        (outside,) = sealed
        record = RecordObject(
            object_id=outside.object_id,
            sealed_size=outside.sealed_size,
            sealed_sha256=outside.sealed_sha256,
            kind=RecordKind.OTHER,
            consent_id=None,
            sha256=ContentSha256(hashlib.sha256(b"another").hexdigest()),
        )
        return Story(
            note=replace(told.note, records=(outside,)),
            submission=replace(told.submission, records=(record,)),
            items=told.items,
        )

    assert refusal_of(with_a_record) == "a record"


def of_item(name: bytes, change: Callable[[ItemManifest], ItemManifest]) -> Lie:
    """A lie in the manifest of one item, by its name."""

    def lie(told: Story) -> Story:
        items = tuple(change(item) if item.name.raw == name else item for item in told.items)
        return replace(told, items=items)

    return lie


def of_content(name: bytes, change: Callable[[Content], Content]) -> Lie:
    return of_item(
        name,
        lambda item: item if item.content is None else replace(item, content=change(item.content)),
    )


def another_root(told: Story) -> Story:
    return replace(
        told,
        note=replace(told.note, items_root=NOWHERE),
        submission=replace(told.submission, items_root=NOWHERE),
    )


def counted(told: Story, difference: int) -> Story:
    items = told.submission.items + difference
    return replace(told, submission=replace(told.submission, items=items))


def without_the_large_file(told: Story) -> Story:
    return replace(told, items=tuple(i for i in told.items if i.name.raw != b"large"))


ITEM_LIES: dict[Mismatch, Lie] = {
    Mismatch.ITEMS_ROOT: another_root,
    Mismatch.ITEM_COUNT: lambda t: counted(t, 1),
    Mismatch.ITEM_TWICE: lambda t: replace(
        t, items=tuple(replace(item, item_id=ItemId("0" * 32)) for item in t.items)
    ),
    Mismatch.ITEM_OF_ANOTHER_SUBMISSION: lambda t: replace(
        t, items=tuple(replace(item, submission_id=elsewhere(t)) for item in t.items)
    ),
    Mismatch.SEALED_BY: lambda t: replace(
        t, submission=replace(t.submission, sealed_by=SealedBy.SERVER)
    ),
    Mismatch.ITEM_WITHOUT_OBJECT: of_content(
        b"first",
        lambda content: replace(
            content, place=replace(content.place, object_id=ObjectId("0" * 32))
        ),
    ),
    Mismatch.OBJECT_WITHOUT_ITEM: without_the_large_file,
}


@pytest.mark.threat("T-01")
@pytest.mark.threat("T-08")
@pytest.mark.parametrize("mismatch", ITEM_LIES)
def test_item_manifests_that_say_other_than_the_submission_manifest_are_refused(
    mismatch: Mismatch, refusal_of: Refusal
) -> None:
    assert refusal_of(ITEM_LIES[mismatch]) == mismatch


def test_every_mismatch_has_its_lie() -> None:
    assert NOTE_LIES.keys() | ITEM_LIES.keys() == set(Mismatch)


@pytest.mark.threat("T-13")
def test_no_more_item_manifests_are_read_than_were_stated(refusal_of: Refusal) -> None:
    """A million of them would take all memory before anyone counted."""
    assert "more" in refusal_of(lambda told: counted(told, -1))


WRONG_CONTENT: dict[str, Callable[[Content], Content]] = {
    "sha256": lambda content: replace(content, sha256=ContentSha256("0" * 64)),
    "sha512": lambda content: replace(content, sha512=ContentSha512("0" * 128)),
    "longer": lambda content: replace(content, size=content.size + 1),
    "shorter": lambda content: replace(content, size=content.size - 1),
}


@pytest.mark.threat("T-01")
@pytest.mark.threat("T-06")
@pytest.mark.parametrize(
    ("name", "wrong"),
    [("first", "sha256"), ("first", "sha512"), *(("large", wrong) for wrong in WRONG_CONTENT)],
)
def test_bytes_that_are_not_those_of_their_manifest_get_no_name(
    name: str, wrong: str, refusal_of: Refusal, tmp_path: Path
) -> None:
    assert refusal_of(of_content(name.encode(), WRONG_CONTENT[wrong])) == "client.item-changed"
    left = {path.name for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert left <= {"first", "second", "large"} - {name}


def kinds_swapped(told: Story) -> Story:
    other = {ObjectKind.RAW: ObjectKind.PACK, ObjectKind.PACK: ObjectKind.RAW}
    objects = tuple(replace(each, kind=other[each.kind]) for each in told.submission.objects)
    return replace(told, submission=replace(told.submission, objects=objects))


@pytest.mark.threat("T-05")
def test_an_object_opens_only_as_the_kind_that_it_is_sealed_as(refusal_of: Refusal) -> None:
    assert refusal_of(kinds_swapped) == "TrailerError"


@pytest.mark.threat("T-01")
@pytest.mark.parametrize("offset", [None, 1_024, 512 + 1_024])
def test_items_that_do_not_tile_their_pack_are_refused(
    offset: int | None, refusal_of: Refusal
) -> None:
    lie = of_content(b"first", lambda c: replace(c, place=replace(c.place, offset=offset)))
    assert "pack" in refusal_of(lie)
