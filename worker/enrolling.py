"""Write the register: take in what was handed over in person, if it is what it must be.

Doing the same thing twice is the same as once, and nothing is ever taken out: a member is
suspended, a card is followed by the next. What is refused leaves the register as it was; what is
written is on the disk before this says so. Format: docs/format/26-quarantine.md sections 2 and 3.
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from amana.durable import durable, make_folders, sync_folder
from amana.wire.card import KeyCard, Pin, next_card
from amana.wire.directory import read_directory, read_signer, write_signers
from amana.wire.errors import CardError, UnsignedError, WireError
from amana.wire.ids import AccountId
from amana.wire.member import Member
from amana.wire.signers import key_id
from amana.wire.vocabulary import Deployment
from crypto.note import DualKey
from worker.enrolled import (
    ACCOUNTS,
    CARD_SUFFIX,
    ENROLMENT,
    PORTAL_SUFFIX,
    PORTALS,
    ROOT,
    EnrolledMember,
    Enrolment,
    MemberStatus,
    Register,
    RegisterRoot,
)
from worker.errors import EnrolmentRefusedError

FILE_LIMIT_BYTES: Final = 1 << 20
"""Longest file that is handed over: a card's note with all the lines that it may have."""

_LOCK: Final = "register.lock"


def found(folder: Path, deployment: Deployment, untrusted_directory: bytes) -> Register:
    """Begin a register: whose word on cards counts. The same again gives the same.

    EnrolmentRefusedError: not the keys of three signers, or the register has others.
    """
    try:
        directory = read_directory(untrusted_directory)
    except WireError as failure:
        raise EnrolmentRefusedError("not-a-directory") from failure
    root = RegisterRoot(deployment=deployment, directory=directory)
    make_folders(folder)
    with _locked(folder):
        if not (folder / ROOT).exists():
            _write(folder / ROOT, root.to_bytes())
    register = Register.load(folder)
    if (register.deployment, register.directory) != (deployment, directory):
        raise EnrolmentRefusedError("another-directory")
    return register


@dataclass(frozen=True, slots=True, kw_only=True)
class Registrar:
    """Whoever writes into a register; on: today, for what changes.

    EnrolmentRefusedError, from every method: nothing was changed, and why. RegisterError: the
    register is damaged.
    """

    register: Register
    on: date

    def enrol(
        self,
        account: AccountId,
        label: str,
        untrusted_member: bytes,
        untrusted_cards: Sequence[bytes],
    ) -> tuple[KeyCard, ...]:
        """Take in a member of an organisation, and its cards, oldest first; give the new cards.

        An organisation has a card from its first member on. Who is suspended stays suspended.
        """
        member = _member(untrusted_member)
        with _locked(self.register.folder):
            known = self.register.account(account)
            if known is None and not untrusted_cards:
                raise EnrolmentRefusedError("no-card")
            before = None if known is None else known.enrolment
            after = _with_member(before, account, label, member, self.on)
            new = self._judge(account, untrusted_cards)
            self._write_cards(account, new)
            if after != before:
                self._write_enrolment(after)
        return tuple(card for card, _ in new)

    def add_cards(
        self, account: AccountId | None, untrusted_cards: Sequence[bytes]
    ) -> tuple[KeyCard, ...]:
        """Take in cards of an organisation, or of the witnesses (None); give those that are new."""
        with _locked(self.register.folder):
            if account is not None and self.register.enrolment(account) is None:
                raise EnrolmentRefusedError("no-such-account")
            new = self._judge(account, untrusted_cards)
            self._write_cards(account, new)
        return tuple(card for card, _ in new)

    def add_portal(self, untrusted: bytes) -> DualKey:
        """Take in the key with which a portal signs what it observed."""
        try:
            key = read_signer(untrusted)
        except WireError as failure:
            raise EnrolmentRefusedError("not-a-portal") from failure
        folder = self.register.folder / PORTALS
        with _locked(self.register.folder):
            known = self.register.portals()
            if key in known:
                return key
            # A name that two keys have would let either be taken for the other.
            if key.name in {each.name for each in known}:
                raise EnrolmentRefusedError("portal-name-taken")
            make_folders(folder)
            with durable(folder / f"{key_id(key)}{PORTAL_SUFFIX}") as target:
                target.write(write_signers(key))
        return key

    def set_status(self, account: AccountId, name: str, status: MemberStatus) -> Enrolment:
        """Suspend a member, or let its signature count again. name: of its signing key."""
        with _locked(self.register.folder):
            before = self.register.enrolment(account)
            if before is None:
                raise EnrolmentRefusedError("no-such-account")
            if name not in {each.member.signer.name for each in before.members}:
                raise EnrolmentRefusedError("no-such-member")
            members = tuple(
                replace(each, status=status, since=self.on)
                if each.member.signer.name == name and each.status is not status
                else each
                for each in before.members
            )
            after = replace(before, members=members)
            if after != before:
                self._write_enrolment(after)
        return after

    def _judge(
        self, account: AccountId | None, untrusted_cards: Sequence[bytes]
    ) -> list[tuple[KeyCard, bytes]]:
        """Give the cards that are not in the register yet, if each follows the one before."""
        chain = self.register.chain(account)
        known = {card.card_id for card in chain.cards}
        expected = self.register.expected(account, chain.pin)
        new = []
        for untrusted in untrusted_cards:
            try:
                # An older card of the chain is genuine too, and no news.
                card = next_card(untrusted, replace(expected, pin=None))
                if card.card_id in known:
                    continue
                card = next_card(untrusted, expected)
            except CardError as failure:
                raise EnrolmentRefusedError(f"card-{failure.fault}") from failure
            except UnsignedError as failure:
                raise EnrolmentRefusedError("card-unsigned") from failure
            except WireError as failure:
                raise EnrolmentRefusedError("not-a-card") from failure
            known.add(card.card_id)
            expected = self.register.expected(account, Pin.of(card))
            new.append((card, untrusted))
        return new

    def _write_cards(self, account: AccountId | None, new: Sequence[tuple[KeyCard, bytes]]) -> None:
        folder = self.register.card_folder(account)
        make_folders(folder)
        for card, note in new:
            with durable(folder / f"{card.sequence:07}{CARD_SUFFIX}") as target:
                target.write(note)

    def _write_enrolment(self, enrolment: Enrolment) -> None:
        folder = self.register.folder / ACCOUNTS / enrolment.account
        make_folders(folder)
        _write(folder / ENROLMENT, enrolment.to_bytes())


def _member(untrusted: bytes) -> Member:
    try:
        return Member.from_bytes(untrusted)
    except WireError as failure:
        raise EnrolmentRefusedError("not-a-member") from failure


def _with_member(
    before: Enrolment | None, account: AccountId, label: str, member: Member, on: date
) -> Enrolment:
    if before is not None and before.label != label:
        raise EnrolmentRefusedError("another-label")
    known = () if before is None else before.members
    same_name = [each.member for each in known if each.member.signer.name == member.signer.name]
    if same_name not in ([], [member]):
        raise EnrolmentRefusedError("another-member-of-that-name")
    fresh = EnrolledMember(member=member, status=MemberStatus.ACTIVE, since=on)
    try:
        after = Enrolment(
            account=account, label=label, members=known if same_name else (*known, fresh)
        )
        after.to_bytes()
    except WireError as failure:
        raise EnrolmentRefusedError("member-of-another-account") from failure
    return after


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one change of a register happen at a time. A kill frees it."""
    handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _write(path: Path, content: bytes) -> None:
    """Write a file of the register, or put another in its place, whole."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with durable(fresh) as target:
        target.write(content)
    fresh.replace(path)
    sync_folder(path.parent)
