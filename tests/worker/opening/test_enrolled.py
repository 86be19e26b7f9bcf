"""The register takes in what was handed over in person, once, and only what is true."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from amana.wire.card import CardStatus, KeyCard
from amana.wire.directory import read_directory, read_signer, write_signers
from amana.wire.enrolment import PortalEnrolment
from amana.wire.errors import CardError, CardFault, FormatError
from amana.wire.ids import AccountId, CardId, RecipientText, random_id
from amana.wire.vocabulary import Deployment
from client.keys import MemberKeys
from crypto.note import Purpose
from crypto.opening import HybridIdentity
from crypto.sign import NoteSigner
from tests.worker.opening.world import LABEL, World
from worker.enrolled import ACCOUNTS, CARDS, ENROLMENT, PORTALS, ROOT, MemberStatus, Register
from worker.enrolling import Registrar, found
from worker.errors import EnrolmentRefusedError, RegisterError


@pytest.fixture
def registrar(world: World, tmp_path: Path) -> Registrar:
    return world.registrar(tmp_path / "register")


def enrol(registrar: Registrar, world: World, *cards: KeyCard) -> tuple[KeyCard, ...]:
    notes = [world.card_note(card) for card in cards or (world.card,)]
    member = world.member.public.to_bytes()
    return registrar.enrol(world.rehearsal.account, LABEL, member, notes)


def everything(register: Register) -> dict[str, bytes]:
    files = (path for path in register.folder.rglob("*") if path.is_file())
    return {str(path.relative_to(register.folder)): path.read_bytes() for path in files}


def refusal(registrar: Registrar, world: World, *notes: bytes) -> str:
    """Try to take in cards, and give why they were not; nothing was changed."""
    before = everything(registrar.register)
    with pytest.raises(EnrolmentRefusedError) as caught:
        registrar.add_cards(world.rehearsal.account, notes)
    assert everything(registrar.register) == before
    return caught.value.fault


def test_what_was_enrolled_is_found_again(registrar: Registrar, world: World) -> None:
    assert enrol(registrar, world) == (world.card,)
    register = Register.load(registrar.register.folder)
    (account,) = register.accounts()
    assert account == register.account(world.rehearsal.account)
    assert account.enrolment.label == LABEL
    assert register.members(world.rehearsal.account) == (world.member.public,)
    assert account.chain.cards == (world.card,)
    assert account.chain.notes == (world.card_note(world.card),)
    assert register.label(random_id(AccountId)) is None
    assert register.members(AccountId("../somewhere")) == ()


def test_enrolling_twice_is_the_same_as_once(registrar: Registrar, world: World) -> None:
    enrol(registrar, world)
    before = everything(registrar.register)
    assert enrol(registrar, world) == ()
    assert registrar.add_cards(None, []) == ()
    assert everything(registrar.register) == before


def test_several_members_of_one_organisation_stand_beside_one_another(
    registrar: Registrar, world: World
) -> None:
    enrol(registrar, world)
    second = MemberKeys.generate(world.rehearsal.account)
    registrar.enrol(world.rehearsal.account, LABEL, second.public.to_bytes(), [])
    members = registrar.register.members(world.rehearsal.account)
    assert members == (world.member.public, second.public)


def test_a_suspended_member_is_kept_and_does_not_count(registrar: Registrar, world: World) -> None:
    enrol(registrar, world)
    account, name = world.rehearsal.account, world.member.signer.key.name
    later = replace(registrar, on=registrar.on + timedelta(days=3))
    suspended = later.set_status(account, name, MemberStatus.SUSPENDED)
    assert suspended.members[0].since == later.on
    assert registrar.register.members(account) == ()
    assert enrol(registrar, world) == ()
    assert registrar.register.members(account) == ()
    assert registrar.set_status(account, name, MemberStatus.SUSPENDED) == suspended
    registrar.set_status(account, name, MemberStatus.ACTIVE)
    assert registrar.register.members(account) == (world.member.public,)


@pytest.mark.parametrize("missing", ["no-such-account", "no-such-member"])
def test_nobody_is_suspended_who_is_not_there(
    missing: str, registrar: Registrar, world: World
) -> None:
    enrol(registrar, world)
    here = world.rehearsal.account
    account = here if missing == "no-such-member" else random_id(AccountId)
    with pytest.raises(EnrolmentRefusedError, match=missing):
        registrar.set_status(account, "nobody", MemberStatus.SUSPENDED)


def wrong_members(world: World) -> dict[str, tuple[bytes, str, Sequence[bytes]]]:
    """What is wrong: the member's file, the label, the cards of a second enrolment."""
    same_name = replace(
        world.member.public,
        signer=NoteSigner.generate(world.member.signer.key.name).key,
    )
    return {
        "not-a-member": (b"{}", LABEL, []),
        "another-label": (world.member.public.to_bytes(), "Another name", []),
        "another-member-of-that-name": (same_name.to_bytes(), LABEL, []),
        "member-of-another-account": (
            MemberKeys.generate(random_id(AccountId)).public.to_bytes(),
            LABEL,
            [],
        ),
        "not-a-card": (world.member.public.to_bytes(), LABEL, [b"a card"]),
    }


@pytest.mark.parametrize(
    "fault",
    [
        "not-a-member",
        "another-label",
        "another-member-of-that-name",
        "member-of-another-account",
        "not-a-card",
    ],
)
def test_a_member_who_does_not_fit_is_refused_and_nothing_is_changed(
    fault: str, registrar: Registrar, world: World
) -> None:
    enrol(registrar, world)
    before = everything(registrar.register)
    member, label, cards = wrong_members(world)[fault]
    with pytest.raises(EnrolmentRefusedError, match=fault):
        registrar.enrol(world.rehearsal.account, label, member, cards)
    assert everything(registrar.register) == before


def test_a_new_organisation_needs_a_card(registrar: Registrar, world: World) -> None:
    with pytest.raises(EnrolmentRefusedError, match="no-card"):
        registrar.enrol(world.rehearsal.account, LABEL, world.member.public.to_bytes(), [])
    with pytest.raises(EnrolmentRefusedError, match="no-such-account"):
        registrar.add_cards(world.rehearsal.account, [world.card_note(world.card)])


# Cards.


def test_cards_are_kept_as_a_chain_and_an_older_one_is_no_news(
    registrar: Registrar, world: World
) -> None:
    second = world.rehearsal.make_card(previous=world.card)
    third = world.rehearsal.make_card(previous=second)
    assert enrol(registrar, world, world.card, second) == (world.card, second)
    assert enrol(registrar, world, second, third) == (third,)
    assert enrol(registrar, world, world.card) == ()
    chain = registrar.register.cards_for(world.rehearsal.account)
    assert chain.cards == (world.card, second, third)


@pytest.mark.threat("T-12")
def test_a_card_that_does_not_follow_is_refused(registrar: Registrar, world: World) -> None:
    enrol(registrar, world)
    second = world.rehearsal.make_card(previous=world.card)
    third = world.rehearsal.make_card(previous=second)
    aside = world.rehearsal.make_card(previous=world.card, days=100)
    registrar.add_cards(world.rehearsal.account, [world.card_note(second)])
    assert refusal(registrar, world, world.card_note(aside)) == "card-chain-broken"
    fourth = world.card_note(world.rehearsal.make_card(previous=third))
    assert refusal(registrar, world, fourth) == "card-chain-broken"
    other_first = world.card_note(world.rehearsal.make_card(days=100))
    assert refusal(registrar, world, other_first) == "card-rolled-back"
    # One that does not fit leaves those before it out as well.
    assert refusal(registrar, world, world.card_note(third), b"x") == "not-a-card"


@pytest.mark.threat("T-12")
def test_a_card_of_others_is_refused(registrar: Registrar, world: World) -> None:
    enrol(registrar, world)
    after = world.rehearsal.make_card(previous=world.card)
    others = {
        "card-another-account": replace(after, account=random_id(AccountId)),
        "card-another-audience": world.month_card,
        "card-another-deployment": replace(after, deployment=Deployment.PRODUCTION),
    }
    for fault, card in others.items():
        assert refusal(registrar, world, world.card_note(card)) == fault
    for too_few in (world.rehearsal.directory[0], world.member.signer):
        note = too_few.sign(after.to_bytes().decode()).to_bytes()
        assert refusal(registrar, world, note) == "card-unsigned"


@pytest.mark.threat("T-12")
def test_a_card_in_the_folder_is_believed_only_for_its_signatures(
    registrar: Registrar, world: World
) -> None:
    enrol(registrar, world)
    folder = registrar.register.folder / ACCOUNTS / world.rehearsal.account / CARDS
    second = world.rehearsal.make_card(previous=world.card)
    forged = NoteSigner.generate("somebody.invalid").sign(second.to_bytes().decode())
    (folder / "0000002.note").write_bytes(forged.to_bytes())
    with pytest.raises(RegisterError):
        registrar.register.cards_for(world.rehearsal.account)
    (folder / "0000002.note").write_bytes((folder / "0000001.note").read_bytes())
    with pytest.raises(RegisterError):
        registrar.register.cards_for(world.rehearsal.account)
    (folder / "0000002.note").write_bytes(world.card_note(second))
    (folder / "0000001.note").unlink()
    (folder / "0000004.note").write_bytes(
        world.card_note(
            world.rehearsal.make_card(previous=world.rehearsal.make_card(previous=second))
        )
    )
    with pytest.raises(RegisterError):
        registrar.register.cards_for(world.rehearsal.account)


def test_a_chain_says_which_of_its_cards_may_be_opened_and_when(
    registrar: Registrar, world: World
) -> None:
    fresh = RecipientText(HybridIdentity.generate().recipient.to_text())
    second = replace(world.rehearsal.make_card(previous=world.card), recipient=fresh)
    enrol(registrar, world, world.card, second)
    chain = registrar.register.cards_for(world.rehearsal.account)
    for card in chain.cards:
        chain.require_unrevoked(card.card_id)
        chain.require_in_force(card.card_id, card.valid_to)
        with pytest.raises(CardError):
            chain.require_in_force(card.card_id, card.valid_to + timedelta(days=1))
    with pytest.raises(CardError) as caught:
        chain.find(CardId("0" * 64))
    assert caught.value.fault is CardFault.CHAIN_BROKEN
    revoked = world.rehearsal.make_card(previous=second, status=CardStatus.REVOKED)
    enrol(registrar, world, revoked)
    chain = registrar.register.cards_for(world.rehearsal.account)
    for card in chain.cards:
        with pytest.raises(CardError):
            chain.require_unrevoked(card.card_id)


def test_the_newest_card_decides_for_all_and_a_good_one_frees_those_it_did_not_end(
    registrar: Registrar, world: World
) -> None:
    fresh = RecipientText(HybridIdentity.generate().recipient.to_text())
    second = replace(world.rehearsal.make_card(previous=world.card), recipient=fresh)
    revoked = replace(
        world.rehearsal.make_card(previous=second, status=CardStatus.REVOKED), recipient=fresh
    )
    enrol(registrar, world, world.card, second, revoked)

    def is_open(card: KeyCard) -> bool:
        try:
            registrar.register.cards_for(world.rehearsal.account).require_unrevoked(card.card_id)
        except CardError:
            return False
        return True

    assert not is_open(world.card)
    third = RecipientText(HybridIdentity.generate().recipient.to_text())
    fourth = replace(world.rehearsal.make_card(previous=revoked), recipient=third)
    enrol(registrar, world, fourth)
    assert is_open(world.card)
    assert is_open(fourth)
    assert not is_open(second)


# Directory, portals, and what the portal is told.


def test_a_register_begins_once(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "register"
    first = found(folder, Deployment.TRAINING, world.directory)
    assert found(folder, Deployment.TRAINING, world.directory) == first
    others = write_signers(*(NoteSigner.generate(f"other.invalid/{n}").key for n in range(3)))
    for deployment, directory in (
        (Deployment.PRODUCTION, world.directory),
        (Deployment.TRAINING, others),
    ):
        with pytest.raises(EnrolmentRefusedError, match="another-directory"):
            found(folder, deployment, directory)
    with pytest.raises(EnrolmentRefusedError, match="not-a-directory"):
        found(folder, Deployment.TRAINING, world.directory[:-20])


def test_a_register_that_is_missing_or_damaged_is_none(world: World, tmp_path: Path) -> None:
    with pytest.raises(RegisterError):
        Register.load(tmp_path)
    register = world.register(tmp_path / "register")
    folder = register.folder
    account = folder / ACCOUNTS / world.rehearsal.account
    (other := folder / ACCOUNTS / ("0" * 32)).mkdir()
    (other / ENROLMENT).write_bytes((account / ENROLMENT).read_bytes())
    with pytest.raises(RegisterError):
        register.account(AccountId("0" * 32))
    (account / ENROLMENT).write_bytes(b"{}")
    with pytest.raises(RegisterError):
        list(register.accounts())
    (account / ENROLMENT).write_bytes(b" " * (2 << 20))
    with pytest.raises(RegisterError):
        register.account(world.rehearsal.account)
    for path in (folder / PORTALS).iterdir():
        path.write_bytes(b"x")
    with pytest.raises(RegisterError):
        register.portals()
    (folder / ROOT).write_bytes(b"{}")
    with pytest.raises(RegisterError):
        Register.load(folder)


def test_a_portals_key_is_taken_once_and_its_name_stays_its_own(
    registrar: Registrar, world: World
) -> None:
    public = write_signers(world.portal.public)
    assert registrar.add_portal(public) == registrar.add_portal(public) == world.portal.public
    assert registrar.register.portals() == (world.portal.public,)
    same_name = NoteSigner.generate(world.portal.public.name).key
    with pytest.raises(EnrolmentRefusedError, match="portal-name-taken"):
        registrar.add_portal(write_signers(same_name))
    with pytest.raises(EnrolmentRefusedError, match="not-a-portal"):
        registrar.add_portal(world.directory)


@pytest.mark.threat("T-16")
def test_the_portal_is_told_keys_and_cards_and_no_names(registrar: Registrar, world: World) -> None:
    enrol(registrar, world)
    told = registrar.register.for_portal()
    assert PortalEnrolment.from_bytes(told.to_bytes()) == told
    found = told.find(world.rehearsal.account)
    assert found is not None
    assert found.members == (world.member.signer.key,)
    assert found.card == world.card.card_id
    assert found.is_open
    assert told.find(random_id(AccountId)) is None
    text = told.to_bytes().decode()
    for name in (LABEL, LABEL.split()[0], world.member.public.feedback):
        assert name not in text
    assert "label" not in json.dumps(json.loads(text))


def test_suspension_and_revocation_reach_the_portal_with_the_next_export(
    registrar: Registrar, world: World
) -> None:
    revoked = world.rehearsal.make_card(previous=world.card, status=CardStatus.REVOKED)
    enrol(registrar, world, world.card, revoked)
    account, name = world.rehearsal.account, world.member.signer.key.name
    registrar.set_status(account, name, MemberStatus.SUSPENDED)
    found = registrar.register.for_portal().find(account)
    assert found is not None
    assert found.members == ()
    assert found.card == revoked.card_id
    assert not found.is_open


@pytest.mark.threat("T-13")
def test_a_file_of_keys_is_verifier_lines_and_nothing_else(world: World) -> None:
    keys = tuple(signer.key for signer in world.rehearsal.directory)
    assert read_directory(write_signers(*keys)) == keys
    assert read_signer(write_signers(keys[0])) == keys[0]
    assert keys[0].purpose is Purpose.NOTE
    wrong = (b"", b"\xff", b"x\n", b"\n\n", write_signers(*keys)[::-1], bytes(1 << 20))
    for content in (*wrong, write_signers(keys[0], keys[1], keys[0]), write_signers(*keys[:2])):
        with pytest.raises(FormatError):
            read_directory(content)
        with pytest.raises(FormatError):
            read_signer(content)
