"""Which item goes into which object."""

from amana.wire.manifest import ItemKind
from amana.wire.pack import LIMIT_BYTES
from amana.wire.sealed import ObjectKind
from client.plan import PACKED_BELOW_BYTES, plan
from client.tree import Entry


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
