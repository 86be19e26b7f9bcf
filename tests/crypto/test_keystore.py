"""A folder of identities, its officers, and what is destroyed for ever."""

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto.errors import (
    DestroyedError,
    KeyAbsentError,
    KeyFormatError,
    KeyStoreError,
    KeyTakenError,
    NoMatchError,
    NotHeldError,
)
from crypto.identities import HybridIdentity
from crypto.private.kept import KeptIdentity
from crypto.private.keyfile import LEAST_MEMORY_BYTES, Cost
from crypto.private.keystore import KeyStore
from crypto.private.ring import Ring

pytestmark = pytest.mark.threat("T-31")

QUICK = Cost(memory_bytes=LEAST_MEMORY_BYTES, operations=1)
PHRASE = "olive basket morning river"
OTHER = "seven lanterns under snow"
GROUPS = ("triage", "sgbv", "child")


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore.create(
        tmp_path / "keys",
        tmp_path / "tombstones",
        groups=GROUPS,
        officer="first",
        passphrase=PHRASE,
        cost=QUICK,
    )


@pytest.fixture
def ring(store: KeyStore) -> Ring:
    return store.unlock("first", PHRASE)


def reopened(store: KeyStore) -> KeyStore:
    return KeyStore.open(store.folder, store.tombstones)


def everything_in(*folders: Path) -> bytes:
    files = [path for each in folders for path in each.rglob("*") if path.is_file()]
    return b"".join(str(path).encode() + path.read_bytes() for path in files)


def test_what_is_kept_opens_again_by_its_name_and_by_an_alias(store: KeyStore, ring: Ring) -> None:
    kept = HybridIdentity.generate()
    store.put(ring, "intake-1", "triage", kept)
    store.bind(ring, "card-7", "intake-1")
    for name in ("intake-1", "card-7"):
        assert reopened(store).identity(ring, name) == kept
        assert reopened(store).recipient(ring, name) == kept.recipient


def test_a_name_is_never_given_twice(store: KeyStore, ring: Ring) -> None:
    kept = HybridIdentity.generate()
    store.put(ring, "intake-1", "triage", kept)
    store.put(ring, "intake-2", "triage", HybridIdentity.generate())
    with pytest.raises(KeyTakenError):
        store.put(ring, "intake-1", "triage", HybridIdentity.generate())
    store.bind(ring, "card-7", "intake-1")
    store.bind(ring, "card-7", "intake-1")
    with pytest.raises(KeyTakenError):
        store.bind(ring, "card-7", "intake-2")
    assert store.identity(ring, "card-7") == kept


@pytest.mark.threat("T-02")
def test_an_officer_opens_the_groups_that_were_given_and_can_seal_for_the_others(
    store: KeyStore, ring: Ring
) -> None:
    store.add_officer(ring, "second", groups=("triage",), passphrase=OTHER, cost=QUICK)
    second = store.unlock("second", OTHER)
    assert second.held == ("triage",)
    kept = HybridIdentity.generate()
    store.put(second, "class-1", "sgbv", kept)
    assert store.recipient(second, "class-1") == kept.recipient
    with pytest.raises(NotHeldError):
        store.identity(second, "class-1")
    assert store.identity(ring, "class-1") == kept


def test_nobody_gives_what_they_do_not_have(store: KeyStore, ring: Ring) -> None:
    store.add_officer(ring, "second", groups=("triage",), passphrase=OTHER, cost=QUICK)
    second = store.unlock("second", OTHER)
    with pytest.raises(NotHeldError):
        store.add_officer(second, "third", groups=("sgbv",), passphrase=OTHER, cost=QUICK)
    with pytest.raises(NotHeldError):
        store.add_officer(ring, "third", groups=("unknown",), passphrase=OTHER, cost=QUICK)
    assert store.officers() == ("first", "second")


def test_adding_an_officer_changes_no_file_that_was_there(store: KeyStore, ring: Ring) -> None:
    store.put(ring, "intake-1", "triage", HybridIdentity.generate())
    before = {path: path.read_bytes() for path in store.folder.rglob("*") if path.is_file()}
    store.add_officer(ring, "second", groups=GROUPS, passphrase=OTHER, cost=QUICK)
    after = {path: path.read_bytes() for path in store.folder.rglob("*") if path.is_file()}
    assert {path.name for path in after.keys() - before.keys()} == {"second.key"}
    assert all(after[path] == content for path, content in before.items())


@pytest.mark.threat("T-19")
def test_another_passphrase_opens_the_same_ring_and_the_old_one_nothing(
    store: KeyStore, ring: Ring
) -> None:
    store.change_passphrase(ring, passphrase=OTHER, cost=QUICK)
    assert store.unlock("first", OTHER).to_bytes() == ring.to_bytes()
    with pytest.raises(NoMatchError):
        store.unlock("first", PHRASE)
    files = list((store.folder / "officers").iterdir())
    assert [(each.name, each.stat().st_mode & 0o777) for each in files] == [("first.key", 0o600)]


def test_who_removes_an_officer_belongs_to_every_group_and_stays(
    store: KeyStore, ring: Ring
) -> None:
    store.add_officer(ring, "second", groups=("triage",), passphrase=OTHER, cost=QUICK)
    second = store.unlock("second", OTHER)
    for by, officer in ((second, "first"), (ring, "first")):
        with pytest.raises(NotHeldError):
            store.remove_officer(by, officer)
    with pytest.raises(KeyAbsentError):
        store.remove_officer(ring, "nobody")
    store.remove_officer(ring, "second")
    assert store.officers() == ("first",)
    with pytest.raises(NoMatchError):
        store.unlock("second", OTHER)


@pytest.mark.threat("T-19")
def test_a_wrong_passphrase_and_no_such_officer_are_one_refusal(store: KeyStore) -> None:
    for officer, passphrase in (("first", OTHER), ("nobody", PHRASE)):
        with pytest.raises(NoMatchError):
            store.unlock(officer, passphrase)


def test_an_officers_file_under_another_name_opens_nothing(store: KeyStore) -> None:
    officers = store.folder / "officers"
    (officers / "first.key").rename(officers / "second.key")
    with pytest.raises(KeyStoreError):
        store.unlock("second", PHRASE)


@pytest.mark.threat("T-19")
def test_no_private_key_lies_in_the_store_but_sealed_or_locked(store: KeyStore, ring: Ring) -> None:
    kept = HybridIdentity.generate()
    store.put(ring, "intake-1", "triage", kept)
    store.bind(ring, "card-7", "intake-1")
    found = everything_in(store.folder, store.tombstones)
    secrets = [kept.seed, ring.mark_key, *(ring.identity(group).seed for group in GROUPS)]
    for secret in secrets:
        assert secret not in found
        assert secret.hex().encode() not in found
        assert HybridIdentity(seed=secret).to_text().encode() not in found
    assert PHRASE.encode() not in found
    assert "SECRET" not in repr(ring)


@pytest.mark.threat("T-07")
def test_destroyed_is_destroyed_by_every_name_and_for_ever(store: KeyStore, ring: Ring) -> None:
    store.put(ring, "intake-1", "triage", HybridIdentity.generate())
    store.bind(ring, "card-7", "intake-1")
    store.bind(ring, "card-8", "intake-1")
    store.destroy("card-7")
    store.destroy("card-7")
    assert not list(store.folder.rglob("intake-1*"))
    for name in ("card-7", "card-8", "intake-1"):
        for act in (store.identity, store.recipient):
            with pytest.raises(DestroyedError):
                act(ring, name)
    with pytest.raises(DestroyedError):
        store.put(ring, "intake-1", "triage", HybridIdentity.generate())
    with pytest.raises(DestroyedError):
        store.bind(ring, "card-7", "intake-1")
    with pytest.raises(DestroyedError):
        store.bind(ring, "card-9", "intake-1")


def test_of_a_name_that_was_destroyed_before_its_time_nothing_is_kept(
    store: KeyStore, ring: Ring
) -> None:
    store.destroy("class-1")
    with pytest.raises(DestroyedError):
        store.put(ring, "class-1", "sgbv", HybridIdentity.generate())
    assert store.tombstone_count() == 1


@pytest.mark.threat("T-07")
def test_what_a_backup_brings_back_is_destroyed_before_anything_opens(
    store: KeyStore, ring: Ring, tmp_path: Path
) -> None:
    survivor = HybridIdentity.generate()
    store.put(ring, "intake-1", "triage", HybridIdentity.generate())
    store.put(ring, "intake-2", "triage", survivor)
    store.bind(ring, "card-7", "intake-1")
    shutil.copytree(store.folder, tmp_path / "backup")
    store.destroy("card-7")
    shutil.rmtree(store.folder)
    shutil.copytree(tmp_path / "backup", store.folder)
    restored = reopened(store)
    names = {path.name for path in store.folder.rglob("*.json")}
    assert names == {"intake-2.json"}
    assert restored.identity(ring, "intake-2") == survivor
    with pytest.raises(DestroyedError):
        restored.identity(ring, "intake-1")


def test_a_kill_after_the_tombstone_is_finished_at_the_next_start(
    store: KeyStore, ring: Ring
) -> None:
    store.put(ring, "intake-1", "triage", HybridIdentity.generate())
    (store.tombstones / "intake-1").write_bytes(b"")
    reopened(store)
    assert not list(store.folder.rglob("intake-1*"))


def test_what_a_kill_left_half_written_is_removed(store: KeyStore) -> None:
    for place in (store.folder / "identities", store.folder / "aliases", store.tombstones):
        (place / ".0123456789abcdef.part").write_bytes(b"half a record")
    reopened(store)
    assert b"half a record" not in everything_in(store.folder, store.tombstones)


@pytest.mark.threat("T-19")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602])
def test_a_file_that_others_can_touch_is_not_believed(
    mode: int, store: KeyStore, ring: Ring
) -> None:
    store.put(ring, "intake-1", "triage", HybridIdentity.generate())
    (store.folder / "identities" / "intake-1.json").chmod(mode)
    (store.folder / "officers" / "first.key").chmod(mode)
    with pytest.raises(KeyStoreError):
        store.identity(ring, "intake-1")
    with pytest.raises(KeyStoreError):
        store.unlock("first", PHRASE)


@pytest.mark.threat("T-19")
@pytest.mark.parametrize("place", ["", "officers", "identities", "aliases", "../tombstones"])
def test_a_folder_that_others_can_list_is_not_opened(place: str, store: KeyStore) -> None:
    (store.folder / place).chmod(0o750)
    with pytest.raises(KeyStoreError):
        reopened(store)
    (store.folder / place).chmod(0o711)
    reopened(store)


def test_a_link_or_folder_in_the_place_of_a_file_is_refused(store: KeyStore, ring: Ring) -> None:
    store.put(ring, "intake-1", "triage", HybridIdentity.generate())
    identities = store.folder / "identities"
    (identities / "intake-2.json").symlink_to(identities / "intake-1.json")
    (identities / "intake-3.json").mkdir()
    for name in ("intake-2", "intake-3"):
        with pytest.raises(KeyStoreError):
            store.identity(ring, name)


@pytest.mark.threat("T-12")
def test_a_strangers_record_is_known_by_its_missing_mark(store: KeyStore, ring: Ring) -> None:
    """Everybody on the machine may know the recipient of triage, and seal to it."""
    stranger = Ring(officer="stranger", groups=ring.groups, mark_key=bytes(32))
    theirs = KeptIdentity.of("class-1", "sgbv", HybridIdentity.generate(), stranger)
    place = store.folder / "identities" / "class-1.json"
    place.touch(mode=0o600)
    place.write_bytes(theirs.to_bytes(stranger))
    with pytest.raises(KeyStoreError):
        store.recipient(ring, "class-1")


def test_a_record_under_another_name_is_refused(store: KeyStore, ring: Ring) -> None:
    store.put(ring, "intake-1", "triage", HybridIdentity.generate())
    store.bind(ring, "card-7", "intake-1")
    (store.folder / "identities" / "intake-1.json").rename(
        store.folder / "identities" / "intake-2.json"
    )
    (store.folder / "aliases" / "card-7.json").rename(store.folder / "aliases" / "card-8.json")
    for name in ("intake-2", "card-8"):
        with pytest.raises(KeyStoreError):
            store.identity(ring, name)


@pytest.mark.threat("T-17")
@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "../x", "A", "a.b", "a\0", "-a", "a" * 161, "ا", "a\n"]
)
def test_a_name_that_could_leave_the_folder_is_no_name(
    name: str, store: KeyStore, ring: Ring
) -> None:
    for act in (
        lambda: store.put(ring, name, "triage", HybridIdentity.generate()),
        lambda: store.identity(ring, name),
        lambda: store.destroy(name),
    ):
        with pytest.raises(KeyAbsentError):
            act()
    with pytest.raises((KeyFormatError, KeyAbsentError)):
        store.add_officer(ring, name, groups=("triage",), passphrase=OTHER, cost=QUICK)


def test_a_file_over_its_limit_is_not_read(store: KeyStore, ring: Ring) -> None:
    store.put(ring, "intake-1", "triage", HybridIdentity.generate())
    with (store.folder / "identities" / "intake-1.json").open("ab") as record:
        record.write(bytes(8_192))
    with pytest.raises(KeyStoreError):
        store.identity(ring, "intake-1")


def test_what_was_kept_or_destroyed_is_known(store: KeyStore, ring: Ring) -> None:
    store.put(ring, "intake-1", "triage", HybridIdentity.generate())
    store.bind(ring, "card-7", "intake-1")
    assert store.knows("intake-1")
    assert store.knows("card-7")
    assert not store.knows("card-8")
    store.destroy("card-7")
    assert store.knows("card-7")


def test_there_is_one_store_in_a_folder_and_one_officer_of_a_name(
    store: KeyStore, ring: Ring, tmp_path: Path
) -> None:
    with pytest.raises(KeyTakenError):
        store.add_officer(ring, "first", groups=GROUPS, passphrase=OTHER, cost=QUICK)
    with pytest.raises(KeyTakenError):
        KeyStore.create(
            store.folder,
            store.tombstones,
            groups=GROUPS,
            officer="other",
            passphrase=OTHER,
            cost=QUICK,
        )
    with pytest.raises(KeyStoreError):
        KeyStore.open(tmp_path / "nothing", store.tombstones)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_record_with_one_byte_replaced_is_refused(
    data: st.DataObject, store: KeyStore, ring: Ring
) -> None:
    name = "intake-1"
    place = store.folder / "identities" / f"{name}.json"
    if not place.exists():
        store.put(ring, name, "triage", HybridIdentity.generate())
    whole = place.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != whole[at]))
    with pytest.raises(KeyStoreError):
        KeptIdentity.from_bytes(whole[:at] + bytes([byte]) + whole[at + 1 :], name, ring)


@given(untrusted=st.binary(max_size=300))
def test_arbitrary_bytes_are_neither_a_record_nor_a_ring(untrusted: bytes) -> None:
    with pytest.raises(KeyStoreError):
        KeptIdentity.from_bytes(untrusted, "intake-1", RING)
    with pytest.raises(KeyStoreError):
        Ring.from_bytes(untrusted)


RING = Ring.generate("first", ("triage",))
WRITTEN = RING.to_bytes()


@settings(max_examples=100)
@given(at=st.integers(0, len(WRITTEN) - 1), byte=st.integers(0, 255))
def test_a_ring_with_one_byte_replaced_holds_the_same_keys_or_is_refused(
    at: int, byte: int
) -> None:
    changed = WRITTEN[:at] + bytes([byte]) + WRITTEN[at + 1 :]
    try:
        ring = Ring.from_bytes(changed)
    except KeyStoreError:
        assert changed != WRITTEN
    else:
        assert [*ring.groups.values()] == [*RING.groups.values()]
        assert ring.to_bytes() == changed
