"""A folder of identities: each sealed to a group of officers, and destroyed for ever when it is.

The store knows names and no reasons: whose an identity is, and when it may go, is the caller's to
say. It speaks to no socket and keeps no key in memory; what opens it is the ring that an officer's
passphrase gives. Tombstones lie in a place of their own, so that a backup of the one never brings
back what the other says is gone. Format: docs/format/25-key-store.md.
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from crypto.errors import (
    DestroyedError,
    KeyAbsentError,
    KeyStoreError,
    KeyTakenError,
    NoMatchError,
    NotHeldError,
)
from crypto.identities import HybridIdentity
from crypto.private import files, keyfile
from crypto.private.kept import LIMIT_BYTES, KeptAlias, KeptIdentity
from crypto.private.keyfile import Cost
from crypto.private.ring import NAME, Ring
from crypto.recipients import HybridRecipient

TOMBSTONE: Final = b"amana/tombstone/v1\n"
"""All that a tombstone says; its name says of what."""

_OFFICER: Final = ".key"
_RECORD: Final = ".json"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyStore:
    """A key store that is there. Make one with create(); whoever uses its identities open()s it.

    folder: officers' files and kept identities. tombstones: a folder that is backed up apart.
    Beside the one process that uses identities, others may unlock() and add_officer().
    """

    folder: Path
    tombstones: Path

    @classmethod
    def create(
        cls,
        folder: Path,
        tombstones: Path,
        *,
        groups: Collection[str],
        officer: str,
        passphrase: str,
        cost: Cost = keyfile.PEOPLE,
    ) -> Self:
        """Make a new store, and its first officer, who belongs to every group.

        The parents of both folders must be there. KeyTakenError: there is a store already.
        KeyFormatError: a name is outside the format, or the passphrase is no text.
        """
        store = cls(folder=folder, tombstones=tombstones)
        ring = Ring.generate(officer, groups)
        for each in (folder, tombstones, store._officers, store._identities, store._aliases):
            files.make_folder(each)
        if store.officers():
            raise KeyTakenError("there is a key store already")
        store._write_ring(ring, passphrase, cost)
        return store

    @classmethod
    def open(cls, folder: Path, tombstones: Path) -> Self:
        """Open a store, once every tombstone has been replayed.

        What a backup brought back is destroyed again before anything can use it, and what a kill
        left half written. The caller sees to it that no other process does the same at that time.
        KeyStoreError: there is no store, it is not whole, or others can read it.
        """
        store = cls(folder=folder, tombstones=tombstones)
        for each in (folder, tombstones, store._officers, store._identities, store._aliases):
            files.require_folder(each)
        for each in (tombstones, store._identities, store._aliases):
            files.remove_parts(each)
        dead = set(files.names_in(tombstones, ""))
        for place in (store._identities, store._aliases):
            for name in dead.intersection(files.names_in(place, _RECORD)):
                files.destroy(_in(place, name))
        return store

    def officers(self) -> tuple[str, ...]:
        """Give the officers, in the order of their names."""
        return tuple(sorted(files.names_in(self._officers, _OFFICER)))

    def unlock(self, officer: str, passphrase: str) -> Ring:
        """Open an officer's ring. It takes as long and as much memory as the file's cost says.

        NoMatchError: the passphrase is wrong, there is no such officer, or the file was changed.
        KeyStoreError: the file can be read by others, or holds no ring of this officer.
        KeyFormatError: it is no key file, or the passphrase is no text.
        """
        try:
            locked = files.read_private(self._officer(officer), keyfile.LIMIT_BYTES)
        except KeyAbsentError as failure:
            raise NoMatchError("there is no such officer") from failure
        ring = Ring.from_bytes(keyfile.unlock(locked, passphrase))
        if ring.officer != officer:
            raise KeyStoreError("an officer's file lies under another's name")
        return ring

    def add_officer(
        self,
        ring: Ring,
        officer: str,
        *,
        groups: Collection[str],
        passphrase: str,
        cost: Cost = keyfile.PEOPLE,
    ) -> None:
        """Add an officer to some of the groups of an unlocked ring; no kept identity is touched.

        NotHeldError: the ring does not hold one of the groups. KeyTakenError: there is an officer
        of that name. KeyFormatError: the name or passphrase is outside the format.
        """
        self._write_ring(ring.ring_for(officer, groups), passphrase, cost)

    def change_passphrase(
        self, ring: Ring, *, passphrase: str, cost: Cost = keyfile.PEOPLE
    ) -> None:
        """Lock an officer's ring under another passphrase. A kill leaves the one or the other.

        KeyFormatError: the passphrase is no text.
        """
        locked = keyfile.lock(ring.to_bytes(), passphrase, cost)
        files.replace(self._officer(ring.officer), locked)

    def remove_officer(self, ring: Ring, officer: str) -> None:
        """Destroy another officer's file; a copy that was kept elsewhere is out of reach.

        NotHeldError: the ring does not hold every group, so one might be left with nobody, or it
        is the officer's own. KeyAbsentError: there is no such officer.
        """
        if officer == ring.officer:
            raise NotHeldError("somebody must stay")
        for group in ring.groups:
            ring.identity(group)
        if officer not in self.officers():
            raise KeyAbsentError("there is no such officer")
        files.destroy(self._officer(officer))

    def put(self, ring: Ring, name: str, group: str, identity: HybridIdentity) -> None:
        """Keep an identity under a new name, sealed to a group; it is on the disk on return.

        DestroyedError: the name was destroyed. KeyTakenError: it is in use. NotHeldError: there is
        no such group.
        """
        self._require_alive(name)
        record = KeptIdentity.of(name, group, identity, ring)
        files.write_new(_in(self._identities, name), record.to_bytes(ring))

    def recipient(self, ring: Ring, name: str) -> HybridRecipient:
        """Give the recipient of a kept identity or alias, whoever may open it.

        KeyAbsentError, DestroyedError: there is none, or no more. KeyStoreError: the record is not
        this store's.
        """
        return self._record(ring, name).recipient

    def identity(self, ring: Ring, name: str) -> HybridIdentity:
        """Open a kept identity, by its name or an alias.

        Errors: as recipient(), and NotHeldError: the officer does not belong to its group.
        """
        return self._record(ring, name).identity(ring)

    def bind(self, ring: Ring, alias: str, name: str) -> None:
        """Give a kept identity another name. Done twice, it is done.

        KeyAbsentError, DestroyedError: there is no such identity, or no more. KeyTakenError: the
        alias is another's.
        """
        self._require_alive(alias)
        self._record(ring, name)
        try:
            kept = KeptAlias(alias=alias, name=name).to_bytes(ring)
            files.write_new(_in(self._aliases, alias), kept)
        except KeyTakenError:
            if self._alias(alias, ring).name != name:
                raise

    def knows(self, name: str) -> bool:
        """Whether something is kept under a name or alias, or was."""
        places = (self._identities, self._aliases)
        return self.is_destroyed(name) or any(_in(place, name).exists() for place in places)

    def is_destroyed(self, name: str) -> bool:
        """Whether a tombstone of this name stands."""
        return self._tombstone(name).exists()

    def destroy(self, name: str) -> None:
        """Destroy what is kept under a name or alias, for ever: the tombstone first.

        No ring is needed. An alias destroys the identity behind it, hence for its other aliases
        too. Of a name that was never used nothing can be kept from now on. Done twice, it is done;
        a kill in between is finished when the store is next opened.
        """
        names = [name]
        if _in(self._aliases, name).exists():
            names.insert(0, self._alias(name, None).name)
        for each in names:
            if not self.is_destroyed(each):
                files.write_new(self._tombstone(each), TOMBSTONE)
        for each in names:
            files.destroy(_in(self._identities, each))
        files.destroy(_in(self._aliases, name))

    def tombstone_count(self) -> int:
        """How many names were destroyed."""
        return sum(1 for _ in files.names_in(self.tombstones, ""))

    def _record(self, ring: Ring, name: str) -> KeptIdentity:
        self._require_alive(name)
        if _in(self._aliases, name).exists():
            name = self._alias(name, ring).name
            self._require_alive(name)
        untrusted = files.read_private(_in(self._identities, name), LIMIT_BYTES)
        return KeptIdentity.from_bytes(untrusted, name, ring)

    def _alias(self, alias: str, ring: Ring | None) -> KeptAlias:
        untrusted = files.read_private(_in(self._aliases, alias), LIMIT_BYTES)
        return KeptAlias.from_bytes(untrusted, alias, ring)

    def _write_ring(self, ring: Ring, passphrase: str, cost: Cost) -> None:
        place = self._officer(ring.officer)
        if place.exists():
            raise KeyTakenError("there is an officer of that name")
        files.write_new(place, keyfile.lock(ring.to_bytes(), passphrase, cost))

    def _require_alive(self, name: str) -> None:
        if self.is_destroyed(name):
            raise DestroyedError("what had this name was destroyed")

    def _tombstone(self, name: str) -> Path:
        return self.tombstones / _valid(name)

    def _officer(self, officer: str) -> Path:
        return self._officers / f"{_valid(officer)}{_OFFICER}"

    @property
    def _officers(self) -> Path:
        return self.folder / "officers"

    @property
    def _identities(self) -> Path:
        return self.folder / "identities"

    @property
    def _aliases(self) -> Path:
        return self.folder / "aliases"


def _in(place: Path, name: str) -> Path:
    return place / f"{_valid(name)}{_RECORD}"


def _valid(name: str) -> str:
    """Refuse, with KeyAbsentError, what could name a file outside the store."""
    if not NAME.fullmatch(name):
        raise KeyAbsentError("no name in a key store is written like this")
    return name
