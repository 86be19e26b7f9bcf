"""Who may hand over sealed objects, and under which card, as the quarantine says it.

The file lies on the portal's own disk and is a filter: a card in it counts only with the
directory's signatures, and what a member signed is judged again in the quarantine. Without the
file no session is opened. Format: docs/format/23-upload.md section 2.
"""

import asyncio
import os
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from amana.wire.card import Audience, Expected, KeyCard, verify_card
from amana.wire.enrolment import PortalAccount, PortalEnrolment
from amana.wire.errors import WireError
from amana.wire.ids import AccountId, KeyId
from amana.wire.signers import key_id
from amana.wire.upload import UploadFault
from amana.wire.vocabulary import Deployment
from crypto.note import DualKey
from portal.errors import UploadRefusedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One key that may sign, and the account that it signs for."""

    account: AccountId
    key: DualKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What one reading of the file says. members: by names of keys; signers: ids of keys."""

    accounts: Mapping[AccountId, PortalAccount]
    members: Mapping[str, Member]
    signers: frozenset[KeyId]
    directory: tuple[DualKey, ...]
    deployment: Deployment

    def card(self, account: AccountId, on: date) -> KeyCard:
        """Give the card that material of this account is sealed to on this day.

        UploadRefusedError: there is none that the directory signed and that is valid.
        """
        expected = Expected(
            directory=self.directory,
            deployment=self.deployment,
            audience=Audience.CSO,
            account=account,
            pin=None,
        )
        try:
            return verify_card(self.accounts[account].card_note.encode(), expected, on=on)
        except (KeyError, WireError) as failure:
            raise UploadRefusedError(UploadFault.CARD_NOT_CURRENT) from failure


class _Version(NamedTuple):
    inode: int
    size: int
    changed_ns: int


class EnrolledFile:
    """The file, read again whenever it was replaced."""

    def __init__(
        self, path: Path, directory: tuple[DualKey, ...], deployment: Deployment, executor: Executor
    ) -> None:
        self._path = path
        self._directory = directory
        self._deployment = deployment
        self._executor = executor
        self._lock = asyncio.Lock()
        self._version: _Version | None = None
        self._read: Enrolment | None = None

    async def now(self) -> Enrolment:
        """Give what the file says now. UploadRefusedError: CLOSED, it is missing or malformed."""
        async with self._lock:
            version = _version(self._path)
            if version is None or version != self._version:
                loop = asyncio.get_running_loop()
                self._read = await loop.run_in_executor(self._executor, self._load)
                self._version = version
            if self._read is None:
                raise UploadRefusedError(UploadFault.CLOSED)
            return self._read

    def _load(self) -> Enrolment | None:
        try:
            with self._path.open("rb") as source:
                untrusted = source.read(PortalEnrolment.LIMIT_BYTES + 1)
            said = PortalEnrolment.from_bytes(untrusted)
        except (OSError, WireError):
            return None
        if said.deployment is not self._deployment:
            return None
        members = {
            key.name: Member(account=each.account, key=key)
            for each in said.accounts
            for key in each.members
        }
        return Enrolment(
            accounts=MappingProxyType({each.account: each for each in said.accounts}),
            members=MappingProxyType(members),
            signers=frozenset(key_id(each.key) for each in members.values()),
            directory=self._directory,
            deployment=self._deployment,
        )


def _version(path: Path) -> _Version | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - one call, without following the library's own caches
    except OSError:
        return None
    return _Version(found.st_ino, found.st_size, found.st_mtime_ns)
