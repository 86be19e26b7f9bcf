"""Many small items in one object."""

import io
import subprocess
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amana.wire.errors import PackError
from amana.wire.pack import BLOCK, END, LIMIT_BYTES, Layout, Place, fill, header, split

ITEMS = {f"{n:032x}": bytes([n]) * size for n, size in enumerate([0, 1, 511, 512, 513, 3000])}


def build(items: dict[str, bytes]) -> tuple[bytes, list[Place]]:
    layout, places, parts = Layout(), [], []
    for item_id, content in items.items():
        places.append(layout.add(item_id, len(content)))
        parts += [header(item_id, len(content)), content, fill(len(content))]
    return b"".join([*parts, END]), places


def cut(pack: bytes, size: int) -> Iterable[bytes]:
    return (pack[at : at + size] for at in range(0, len(pack), size))


def test_a_pack_gives_its_items_back_however_it_is_cut() -> None:
    pack, places = build(ITEMS)
    for size in (1, 7, 512, 10_000):
        assert {p.item_id: b"".join(b) for p, b in split(cut(pack, size), places)} == ITEMS


def test_an_empty_chunk_is_not_the_end() -> None:
    pack, places = build(ITEMS)
    chunks = [b"", pack[:700], b"", b"", pack[700:], b""]
    assert {p.item_id: b"".join(b) for p, b in split(chunks, places)} == ITEMS


def test_the_layout_knows_the_size_before_a_byte_is_read() -> None:
    pack, _ = build(ITEMS)
    layout = Layout()
    for item_id, content in ITEMS.items():
        layout.add(item_id, len(content))
    assert layout.size == len(pack)


def test_a_pack_is_closed_before_it_grows_over_its_limit() -> None:
    layout = Layout()
    most = LIMIT_BYTES - len(END) - BLOCK
    assert layout.fits(most)
    assert not layout.fits(most + 1)


def test_python_and_gnu_tar_read_the_same_members(tmp_path: Path) -> None:
    pack, _ = build(ITEMS)
    with tarfile.open(fileobj=io.BytesIO(pack)) as archive:
        assert [(m.name, m.size) for m in archive] == [(i, len(c)) for i, c in ITEMS.items()]
    padded_and_trailed = pack + bytes(10_000) + b"a sixteen trailer"
    subprocess.run(["tar", "-x"], input=padded_and_trailed, cwd=tmp_path, check=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == ITEMS


@pytest.mark.threat("T-17")
def test_no_name_of_the_provider_stands_in_a_pack() -> None:
    with pytest.raises(UnicodeEncodeError):
        header("شهادة", 3)
    assert header("0" * 32, 3)[:32] == b"0" * 32


@pytest.mark.threat("T-05")
@given(at=st.integers(min_value=0), byte=st.integers(0, 255))
def test_no_byte_of_a_pack_can_change_without_changing_an_item(at: int, byte: int) -> None:
    pack, places = build(ITEMS)
    at %= len(pack)
    changed = pack[:at] + bytes([byte]) + pack[at + 1 :]
    try:
        read = {p.item_id: b"".join(b) for p, b in split([changed], places)}
    except PackError:
        assert changed != pack
    else:
        assert (read == ITEMS) == (changed == pack)


@pytest.mark.parametrize(
    "damage",
    [
        lambda pack: pack[:-1],
        lambda pack: pack + b"\0",
        lambda pack: pack[: BLOCK * 3],
        lambda _pack: b"",
        lambda pack: bytes(BLOCK) + pack,
    ],
)
def test_a_cut_or_longer_pack_is_refused(damage: object) -> None:
    assert callable(damage)
    pack, places = build(ITEMS)
    with pytest.raises(PackError):
        {p.item_id: b"".join(b) for p, b in split([damage(pack)], places)}


def test_manifests_that_overlap_or_leave_a_gap_are_refused() -> None:
    pack, places = build(ITEMS)
    for wrong in ([places[0], *places[2:]], [*places, places[-1]], places[:-1]):
        with pytest.raises(PackError):
            {p.item_id: b"".join(b) for p, b in split([pack], wrong)}


def test_an_item_must_be_read_before_the_next_is_asked_for() -> None:
    pack, places = build(ITEMS)
    members = split([pack], places)
    next(members)
    next(members)
    with pytest.raises(PackError, match="not read to its end"):
        next(members)
