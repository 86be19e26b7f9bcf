"""What a quarantine opens, and what it holds: every reason by a bundle that really gives it.

Every bundle here is sealed by the client's or the portal's own code, and then wronged once.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from amana.wire.bundle import NOTE, OBJECTS
from amana.wire.reasons import ReasonCode
from amana.wire.snapshot import consent_id
from client.keys import MemberKeys
from crypto.sign import NoteSigner
from portal.custody import PortalKeys
from portal.places import Places
from tests.worker.opening.forge import objects_of, signed_by, text_of
from tests.worker.opening.world import World
from worker.agent_messages import CardHolder
from worker.enrolled import Register
from worker.errors import KeysLockedError
from worker.opening import Held

pytestmark = pytest.mark.threat("T-30")

Held_ = Callable[[Path], Held]


@pytest.fixture
def held(world: World, register: Register) -> Held_:
    """Open a bundle that must be held."""

    def held(folder: Path) -> Held:
        found = world.open(folder, register)
        assert isinstance(found, Held)
        return found

    return held


@pytest.fixture
def reason_of(held: Held_) -> Callable[[Path], ReasonCode]:
    return lambda folder: held(folder).reason


Reason = Callable[[Path], ReasonCode]


def test_what_an_organisation_sealed_opens(world: World, register: Register, bundle: Path) -> None:
    opened = world.opened(bundle, register)
    assert opened.account == world.rehearsal.account
    assert opened.holder == CardHolder(card=world.card.card_id)
    assert opened.reply == world.member.reply
    assert opened.note_bytes == (bundle / NOTE).read_bytes()
    assert [item.leaf for item in opened.items] == list(opened.leaves)
    assert {item.name.raw for item in opened.items} >= {b"large 0", b"small 4", b"link"}
    assert opened.arrival is None


def test_what_the_form_of_the_portal_sealed_opens_with_consent_and_arrival(
    world: World, register: Register, tmp_path: Path
) -> None:
    folder = world.give({b"first": b"a", b"second": b"bc"}, Places(data_directory=tmp_path))
    opened = world.opened(folder, register)
    assert opened.holder == CardHolder(card=world.month_card.card_id)
    assert opened.reply is None
    assert [item.name.raw for item in opened.items] == [b"first", b"second"]
    (consent,) = opened.consents
    (stated,) = opened.submission.records
    assert consent_id(consent) == stated.consent_id
    assert opened.arrival is not None
    assert opened.arrival.digest_after == opened.note.digest


def test_keys_are_asked_for_once_a_step_and_none_for_material(
    world: World, register: Register, bundle: Path
) -> None:
    world.opened(bundle, register)
    assert world.keys.asked == [1, 1]


def test_without_keys_nothing_is_said_of_the_material(
    world: World, register: Register, bundle: Path
) -> None:
    world.keys.locked = True
    with pytest.raises(KeysLockedError):
        world.open(bundle, register)


def test_nothing_that_was_sealed_shows_in_a_repr(
    world: World, register: Register, bundle: Path
) -> None:
    assert "large" not in repr(world.opened(bundle, register))


# The note and its signers.


@pytest.mark.threat("T-08")
def test_a_strangers_note_is_held(bundle: Path, world: World, reason_of: Reason) -> None:
    stranger = MemberKeys.generate(world.rehearsal.account).signer
    assert reason_of(signed_by(bundle, stranger)) is ReasonCode.NOTE_UNSIGNED


@pytest.mark.threat("T-08")
def test_a_note_with_the_line_of_a_stranger_too_is_held(
    bundle: Path, world: World, reason_of: Reason
) -> None:
    note = world.member.signer.sign(text_of(bundle))
    cosigned = NoteSigner.generate("somebody.invalid").cosign(note)
    (bundle / NOTE).write_bytes(cosigned.to_bytes())
    assert reason_of(bundle) is ReasonCode.NOTE_UNSIGNED


@pytest.mark.threat("T-08")
@pytest.mark.parametrize("kept", [0, 1])
def test_a_note_with_one_of_its_two_signatures_is_held(
    bundle: Path, kept: int, reason_of: Reason
) -> None:
    text, _, lines = (bundle / NOTE).read_text().rpartition("\n\n")
    (bundle / NOTE).write_text(f"{text}\n\n{lines.splitlines()[kept]}\n")
    assert reason_of(bundle) is ReasonCode.NOTE_UNSIGNED


@pytest.mark.threat("T-08")
def test_a_portal_cannot_give_a_members_word_nor_a_member_a_portals(
    bundle: Path, world: World, tmp_path: Path, reason_of: Reason
) -> None:
    assert reason_of(signed_by(bundle, world.portal.signer)) is ReasonCode.NOTE_UNSIGNED
    folder = world.give({b"name": b"content"}, Places(data_directory=tmp_path))
    assert reason_of(signed_by(folder, world.member.signer)) is ReasonCode.NOTE_UNSIGNED


@pytest.mark.threat("T-08")
def test_a_portal_that_is_not_enrolled_has_observed_nothing(
    world: World, tmp_path: Path, reason_of: Reason
) -> None:
    other = replace(world, portal=PortalKeys.generate("training.invalid/portal/receipts"))
    folder = other.give({b"name": b"content"}, Places(data_directory=tmp_path))
    assert reason_of(folder) is ReasonCode.NOTE_UNSIGNED


def test_a_portal_may_sign_beside_the_member(
    bundle: Path, world: World, register: Register
) -> None:
    note = world.portal.signer.cosign(world.member.signer.sign(text_of(bundle)))
    (bundle / NOTE).write_bytes(note.to_bytes())
    world.opened(bundle, register)


@pytest.mark.threat("T-13")
@pytest.mark.parametrize("content", [b"", b"not a note", b"\xff\n\n\xe2\x80\x94 x eA==\n"])
def test_a_note_that_is_none_is_held(bundle: Path, content: bytes, held: Held_) -> None:
    (bundle / NOTE).write_bytes(content)
    found = held(bundle)
    assert (found.reason, found.submission) == (ReasonCode.NOTE_DISAGREES, None)


@pytest.mark.threat("T-13")
def test_a_signed_text_that_is_no_package_note_is_held(
    bundle: Path, world: World, reason_of: Reason
) -> None:
    for text in ("hello\n", text_of(bundle).replace("/v1", "/v2"), world.card.to_bytes().decode()):
        (bundle / NOTE).write_bytes(world.member.signer.sign(text).to_bytes())
        assert reason_of(bundle) is ReasonCode.NOTE_DISAGREES


@pytest.mark.threat("T-17")
def test_a_link_or_a_pipe_in_place_of_a_file_is_neither_followed_nor_waited_for(
    bundle: Path, reason_of: Reason
) -> None:
    path = next(objects_of(bundle))
    kept = path.rename(bundle / "kept")
    path.symlink_to(kept)
    assert reason_of(bundle) is ReasonCode.OBJECT_MISSING
    path.unlink()
    os.mkfifo(path)
    assert reason_of(bundle) is ReasonCode.OBJECT_MISSING
    path.unlink()
    path.mkdir()
    assert reason_of(bundle) is ReasonCode.OBJECT_MISSING
    path.rmdir()
    kept.rename(path)
    note = (bundle / NOTE).rename(bundle / "kept")
    os.mkfifo(bundle / NOTE)
    assert reason_of(bundle) is ReasonCode.NOTE_DISAGREES
    (bundle / NOTE).unlink()
    (bundle / NOTE).symlink_to(note)
    assert reason_of(bundle) is ReasonCode.NOTE_DISAGREES


def test_a_folder_that_is_missing_or_a_link_has_no_objects(bundle: Path, reason_of: Reason) -> None:
    (bundle / OBJECTS).rename(bundle / "elsewhere")
    assert reason_of(bundle) is ReasonCode.OBJECT_MISSING
    (bundle / OBJECTS).symlink_to("elsewhere")
    assert reason_of(bundle) is ReasonCode.OBJECT_MISSING


# The sealed bytes.


@pytest.mark.threat("T-01")
@pytest.mark.parametrize("where", [0, 1_700, -1])
def test_one_bit_changed_anywhere_is_held_and_no_key_is_asked_for(
    bundle: Path, where: int, world: World, reason_of: Reason
) -> None:
    for path in objects_of(bundle):
        content = bytearray(path.read_bytes())
        content[where] ^= 1
        path.write_bytes(content)
        assert reason_of(bundle) is ReasonCode.OBJECT_DISAGREES
        content[where] ^= 1
        path.write_bytes(content)
    assert world.keys.asked == []


@pytest.mark.threat("T-01")
def test_an_object_that_was_cut_swapped_added_or_taken_away_is_held(
    bundle: Path, world: World, reason_of: Reason
) -> None:
    first, second, *_ = objects_of(bundle)
    one, two = first.read_bytes(), second.read_bytes()
    first.write_bytes(one[:-1])
    assert reason_of(bundle) is ReasonCode.OBJECT_DISAGREES
    first.write_bytes(two)
    second.write_bytes(one)
    assert reason_of(bundle) is ReasonCode.OBJECT_DISAGREES
    first.write_bytes(one)
    second.unlink()
    assert reason_of(bundle) is ReasonCode.OBJECT_MISSING
    second.write_bytes(two)
    (bundle / OBJECTS / "something").write_bytes(two)
    assert reason_of(bundle) is ReasonCode.OBJECT_DISAGREES
    assert world.keys.asked == []


def test_what_a_kill_left_half_written_is_not_looked_at(
    bundle: Path, world: World, register: Register
) -> None:
    (bundle / OBJECTS / ".0123456789abcdef.part").write_bytes(b"half")
    world.opened(bundle, register)
