"""The register of who may give material: organisations, their members and cards, portals' keys.

It is read anew each time, so that a suspension counts at once, and cards are verified whenever
they are used: nobody who can only write into this folder can have material believed or opened.
Labels of organisations stand here and nowhere else. Writing it is worker/enrolling.py.
Format: docs/format/26-quarantine.md sections 2 and 3.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum, unique
from pathlib import Path
from typing import ClassVar, Final, Self

from amana.wire.card import (
    Audience,
    CardStatus,
    Expected,
    KeyCard,
    Pin,
    check_current,
    next_card,
)
from amana.wire.directory import SIGNERS_LIMIT_BYTES, are_three_signers, read_signer
from amana.wire.documents import Document, Nested, carries, record
from amana.wire.enrolment import (
    CARD_NOTE_LIMIT_BYTES,
    MEMBERS_LIMIT,
    PortalAccount,
    PortalEnrolment,
)
from amana.wire.errors import CardError, CardFault, FieldError, WireError
from amana.wire.fields import Choice, Day, Many, Text
from amana.wire.ids import ACCOUNT_ID, AccountId, CardId
from amana.wire.kit import DIRECTORY_KEYS
from amana.wire.member import Member
from amana.wire.signers import NOTE_SIGNER
from amana.wire.vocabulary import Deployment
from crypto.note import DualKey
from worker.errors import RegisterError

ROOT: Final = "register.json"
ACCOUNTS: Final = "accounts"
WITNESSES: Final = "witnesses"
PORTALS: Final = "portals"
CARDS: Final = "cards"
ENROLMENT: Final = "enrolment.json"
CARD_SUFFIX: Final = ".note"
PORTAL_SUFFIX: Final = ".public"

_ACCOUNT_NAME: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
_CARD_NAME: Final = re.compile(r"[0-9]{7}\.note", re.ASCII)


@record
class RegisterRoot(Document):
    """Whose word on cards counts here, and whether what comes in is real.

    FieldError: the directory is not three different signers.
    """

    FORMAT: ClassVar = "amana/register/v1"
    LIMIT_BYTES: ClassVar = 1 << 15

    deployment: Deployment = carries(Choice(Deployment), "Whether material is real.")
    directory: tuple[DualKey, ...] = carries(
        Many(NOTE_SIGNER, DIRECTORY_KEYS, least=DIRECTORY_KEYS), "The directory's three signers."
    )

    def __post_init__(self) -> None:
        if not are_three_signers(self.directory):
            raise FieldError("is not three different signers", "directory")


@unique
class MemberStatus(StrEnum):
    """Whether a member's signature counts."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


@record
class EnrolledMember:
    """One member of an organisation."""

    member: Member = carries(Nested(Member), "The public keys.")
    status: MemberStatus = carries(Choice(MemberStatus), "Whether its signature counts.")
    since: date = carries(Day(), "The day of enrolment, or of the last change of status.")

    @property
    def is_active(self) -> bool:
        """Whether its signature counts."""
        return self.status is MemberStatus.ACTIVE


@record
class Enrolment(Document):
    """An organisation as the quarantine knows it. FieldError: a member twice or of another account.

    The label never leaves the quarantine: it says who stands behind the pseudonym.
    """

    FORMAT: ClassVar = "amana/enrolment/v1"
    LIMIT_BYTES: ClassVar = 1 << 20

    account: AccountId = carries(ACCOUNT_ID, "The pseudonym on the portal.")
    label: str = carries(Text(256), "What officers call the organisation.")
    members: tuple[EnrolledMember, ...] = carries(
        Many(Nested(EnrolledMember), MEMBERS_LIMIT), "In the order of their enrolment."
    )

    def __post_init__(self) -> None:
        names = [each.member.signer.name for each in self.members]
        if any(not name.startswith(f"{self.account}/") for name in names):
            raise FieldError("has a member of another account", "members")
        if len(set(names)) != len(names):
            raise FieldError("has a member twice", "members")

    def active(self) -> tuple[Member, ...]:
        """Give the members whose signatures count."""
        return tuple(each.member for each in self.members if each.is_active)

    def member(self, name: str) -> EnrolledMember | None:
        """Give the member whose signing key has this name; None if there is none."""
        return next((each for each in self.members if each.member.signer.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardChain:
    """All cards of one account, or of the witnesses, oldest first; verified. None may be missing.

    notes: the signed notes of the cards, in the same order.
    """

    cards: tuple[KeyCard, ...]
    notes: tuple[bytes, ...]

    @property
    def newest(self) -> KeyCard | None:
        """The last card; None before the first."""
        return self.cards[-1] if self.cards else None

    @property
    def pin(self) -> Pin | None:
        """What the next card must follow; None before the first."""
        return None if self.newest is None else Pin.of(self.newest)

    def find(self, card_id: CardId) -> KeyCard:
        """Give a card of the chain. CardError: it is not one of them (CHAIN_BROKEN)."""
        for card in self.cards:
            if card.card_id == card_id:
                return card
        raise CardError(CardFault.CHAIN_BROKEN)

    def require_unrevoked(self, card_id: CardId) -> None:
        """Judge whether material that names this card may be opened. CardError: no (REVOKED).

        A card is revoked when it, the last card with its recipient, or the newest card of the
        chain is not active. On what day does not matter: that material came before the revocation
        is the portal's word alone.
        """
        card = self.find(card_id)
        same = [each for each in self.cards if each.recipient == card.recipient]
        if any(each.status is not CardStatus.ACTIVE for each in (card, same[-1], self.cards[-1])):
            raise CardError(CardFault.REVOKED)

    def require_in_force(self, card_id: CardId, on: date) -> None:
        """Judge the day on which material was sealed to a card, as far as it is known.

        CardError: the card was not yet, or no longer, in force. A newer card does not end it.
        """
        card = self.find(card_id)
        check_current(card.valid_from, card.valid_to, on)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolledAccount:
    """An organisation and its cards."""

    enrolment: Enrolment
    chain: CardChain

    def for_portal(self) -> PortalAccount | None:
        """Give what the portal may know of it; None while it has no card."""
        newest = self.chain.newest
        if newest is None:
            return None
        return PortalAccount(
            account=self.enrolment.account,
            members=tuple(each.signer for each in self.enrolment.active()),
            card=newest.card_id,
            card_note=self.chain.notes[-1].decode("utf-8"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """Who may give material, as the folder says at the moment of each question.

    RegisterError, from any question: a file of the register is damaged, or a card in it is not
    signed as it must be. Then nothing is judged: an operator looks.
    """

    folder: Path
    deployment: Deployment
    directory: tuple[DualKey, ...]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Open the register. RegisterError: there is none, or its root is damaged."""
        try:
            root = RegisterRoot.from_bytes(_read(folder / ROOT, RegisterRoot.LIMIT_BYTES))
        except WireError as failure:
            raise RegisterError("the root of the register is malformed") from failure
        return cls(folder=folder, deployment=root.deployment, directory=root.directory)

    def accounts(self) -> Iterator[EnrolledAccount]:
        """Yield the organisations, in the order of their pseudonyms."""
        for name in _names(self.folder / ACCOUNTS, _ACCOUNT_NAME):
            account = self.account(AccountId(name))
            if account is not None:
                yield account

    def account(self, account: AccountId) -> EnrolledAccount | None:
        """Give an organisation; None when there is none by this pseudonym."""
        enrolment = self.enrolment(account)
        if enrolment is None:
            return None
        return EnrolledAccount(enrolment=enrolment, chain=self.chain(account))

    def enrolment(self, account: AccountId) -> Enrolment | None:
        """Give an organisation without its cards; None when there is none by this pseudonym."""
        if _ACCOUNT_NAME.fullmatch(account) is None:
            return None
        path = self.folder / ACCOUNTS / account / ENROLMENT
        if not path.exists():
            return None
        try:
            enrolment = Enrolment.from_bytes(_read(path, Enrolment.LIMIT_BYTES))
        except WireError as failure:
            raise RegisterError("an enrolment is malformed") from failure
        if enrolment.account != account:
            raise RegisterError("an enrolment lies in another's folder")
        return enrolment

    def members(self, account: AccountId) -> tuple[Member, ...]:
        """Give an organisation's members whose signatures count; none if it is not enrolled."""
        enrolment = self.enrolment(account)
        return () if enrolment is None else enrolment.active()

    def label(self, account: AccountId) -> str | None:
        """Give what officers call an organisation; None for a witness's account."""
        enrolment = self.enrolment(account)
        return None if enrolment is None else enrolment.label

    def witness_cards(self) -> CardChain:
        """Give the witnesses' cards, month by month."""
        return self.chain(None)

    def cards_for(self, account: AccountId) -> CardChain:
        """Give the cards that material of this account may be sealed to.

        An organisation's own; the witnesses' for an account that is not enrolled.
        """
        found = self.account(account)
        return self.witness_cards() if found is None else found.chain

    def portals(self) -> tuple[DualKey, ...]:
        """Give the keys with which portals sign what they observed."""
        folder = self.folder / PORTALS
        found = []
        for path in sorted(folder.glob(f"*{PORTAL_SUFFIX}")) if folder.is_dir() else ():
            try:
                found.append(read_signer(_read(path, SIGNERS_LIMIT_BYTES)))
            except WireError as failure:
                raise RegisterError("a portal's key is malformed") from failure
        return tuple(found)

    def for_portal(self) -> PortalEnrolment:
        """Give what the portal is told of all organisations: keys and cards, no labels."""
        accounts = (each.for_portal() for each in self.accounts())
        return PortalEnrolment(
            deployment=self.deployment,
            accounts=tuple(each for each in accounts if each is not None),
        )

    def expected(self, account: AccountId | None, pin: Pin | None) -> Expected:
        """Give what a card must be to follow the pinned one; account None: the witnesses'."""
        return Expected(
            directory=self.directory,
            deployment=self.deployment,
            audience=Audience.WITNESS_MONTH if account is None else Audience.CSO,
            account=account,
            pin=pin,
        )

    def card_folder(self, account: AccountId | None) -> Path:
        """Give where the cards of an account lie; None: the witnesses'."""
        owner = WITNESSES if account is None else f"{ACCOUNTS}/{account}"
        return self.folder / owner / CARDS

    def chain(self, account: AccountId | None) -> CardChain:
        """Give all cards of an account, verified; None: the witnesses'."""
        folder = self.card_folder(account)
        notes = tuple(
            _read(folder / name, CARD_NOTE_LIMIT_BYTES) for name in _names(folder, _CARD_NAME)
        )
        return CardChain(cards=self._verified(notes, account), notes=notes)

    def _verified(self, notes: Sequence[bytes], account: AccountId | None) -> tuple[KeyCard, ...]:
        cards: list[KeyCard] = []
        expected = self.expected(account, None)
        for untrusted in notes:
            try:
                card = next_card(untrusted, expected)
            except WireError as failure:
                raise RegisterError("a card in the register is not to be believed") from failure
            if cards and card == cards[-1]:
                raise RegisterError("a card stands twice in the register")
            cards.append(card)
            expected = replace(expected, pin=Pin.of(card))
        return tuple(cards)


def _names(folder: Path, pattern: re.Pattern[str]) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if pattern.fullmatch(path.name))


def _read(path: Path, limit_bytes: int) -> bytes:
    try:
        with path.open("rb") as source:
            content = source.read(limit_bytes + 1)
    except FileNotFoundError as failure:
        raise RegisterError("a file of the register is missing") from failure
    if len(content) > limit_bytes:
        raise RegisterError("a file of the register is too long")
    return content
