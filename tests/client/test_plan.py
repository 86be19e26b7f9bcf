"""Which item goes into which object."""

from dataclasses import replace
from itertools import repeat
from pathlib import Path

import pytest

from amana.wire.ids import Digest, ObjectId
from amana.wire.manifest import ItemKind
from amana.wire.note import PackageNote
from amana.wire.pack import LIMIT_BYTES
from amana.wire.sealed import ContentObject, ObjectKind
from amana.wire.submission import SubmissionManifest
from client.errors import TreeError
from client.keys import MemberKeys
from client.opening import BundleOpener
from client.plan import MOST_ITEMS, MOST_OBJECTS, PACKED_BELOW_BYTES, plan
from client.tree import Entry
from examples.rehearsal import Rehearsal


def entry(name: str, size: int, kind: ItemKind = ItemKind.FILE) -> Entry:
    return Entry(
        path=b"/" + name.encode(),
        folder=b"",
        name=name.encode(),
        kind=kind,
        size=size,
        modified_ns=0,
        accessed_ns=0,
        link_target=b"there" if kind is ItemKind.LINK else None,
    )


def test_large_files_have_an_object_of_their_own_and_small_ones_share() -> None:
    planned = plan([entry("a", 1), entry("b", PACKED_BELOW_BYTES), entry("c", 0)])
    kinds = {tuple(i.entry.name for i in each.items): each.kind for each in planned.objects}
    assert kinds == {(b"b",): ObjectKind.RAW, (b"a", b"c"): ObjectKind.PACK}


def test_no_pack_grows_over_its_limit_and_no_file_is_lost() -> None:
    sizes = [PACKED_BELOW_BYTES - 1] * 20
    planned = plan(entry(str(n), size) for n, size in enumerate(sizes))
    packs = [sum(item.entry.size for item in each.items) for each in planned.objects]
    assert sum(packs) == sum(sizes) == planned.content_bytes
    assert max(packs) <= LIMIT_BYTES
    assert len(packs) == 3


def test_folders_and_links_have_ids_and_no_place() -> None:
    planned = plan([entry("f", 0, ItemKind.FOLDER), entry("l", 0, ItemKind.LINK)])
    assert planned.objects == ()
    assert [item.place for item in planned.bare] == [None, None]


def test_every_id_is_new() -> None:
    planned = plan(entry(str(n), 10) for n in range(100))
    ids = {item.item_id for each in planned.objects for item in each.items}
    assert len(ids) == 100


def test_more_than_one_submission_holds_is_refused_before_a_byte_is_read() -> None:
    large = entry("large", PACKED_BELOW_BYTES)
    assert len(plan(repeat(large, MOST_OBJECTS)).objects) == MOST_OBJECTS
    with pytest.raises(TreeError) as refusal:
        plan(repeat(large, MOST_OBJECTS + 1))
    assert refusal.value.sentence.key == "client.too-many-objects"
    with pytest.raises(TreeError) as refusal:
        plan(repeat(entry("link", 0, ItemKind.LINK), MOST_ITEMS + 1))
    assert refusal.value.sentence.key == "client.too-many-items"


def test_a_note_and_manifest_of_the_most_objects_are_within_their_limits(
    bundle: Path, rehearsal: Rehearsal, member: MemberKeys
) -> None:
    """What was planned can be written when everything has been sealed."""
    opener = BundleOpener(bundle, rehearsal.intake, member.signer.key)
    submission = replace(opener.submission, items=MOST_ITEMS)

    def sizes(count: int) -> tuple[int, int]:
        objects = tuple(_sealed(number) for number in range(count))
        outside = tuple(each.outside for each in objects)
        return (
            len(replace(submission, objects=objects).to_bytes()),
            len(replace(opener.note, objects=outside).to_bytes()),
        )

    for limit, one, two, three in zip(
        (SubmissionManifest.LIMIT_BYTES, PackageNote.LIMIT_BYTES),
        *map(sizes, (1, 2, 3)),
        strict=True,
    ):
        assert three - two == two - one
        assert one + (two - one) * (MOST_OBJECTS - 1) <= limit


def _sealed(number: int) -> ContentObject:
    return ContentObject(
        object_id=ObjectId(f"{number:032x}"),
        kind=ObjectKind.PACK,
        sealed_size=1 << 47,
        sealed_sha256=Digest(f"{number:064x}"),
    )
