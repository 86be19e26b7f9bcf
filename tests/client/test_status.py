"""Feedback is the quarantine's word: nothing that the portal alone says is shown."""

import dataclasses
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pytest

from amana.wire.card import CardStatus
from amana.wire.feedback import FeedbackAnswer, FeedbackStatus
from amana.wire.ids import CardId
from amana.wire.kit import EnrolmentKit, SignerPin
from amana.wire.signer_card import SignerCard, SignerPurpose
from amana.wire.vocabulary import Deployment
from client.errors import ClientError
from client.keys import MemberKeys
from client.status import PURPOSE, Told, read_feedback
from crypto.opening import HybridIdentity
from crypto.sign import NoteSigner
from examples.rehearsal import Rehearsal
from terms.feedback import FeedbackCode
from tests.wire.feedbacks import a_status
from worker.feedback import Issue, MadeBatch, make_batch
from worker.feedback import Told as ToldAccount

QUARANTINE = NoteSigner.generate("training.invalid/quarantine/receipts")
THIEF = NoteSigner.generate("training.invalid/quarantine/thief")


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A member's machine, and a quarantine and a portal that can be honest or not."""

    rehearsal: Rehearsal
    keys: MemberKeys
    kit_path: Path
    day: date
    cards: list[SignerCard] = field(default_factory=list)

    def card(
        self,
        signer: NoteSigner = QUARANTINE,
        status: CardStatus = CardStatus.ACTIVE,
        purpose: SignerPurpose = PURPOSE,
    ) -> SignerCard:
        """The next card of the chain."""
        previous = self.cards[-1] if self.cards else None
        made = SignerCard(
            purpose=purpose,
            key=signer.key,
            deployment=Deployment.TRAINING,
            valid_from=self.day - timedelta(days=30),
            valid_to=self.day + timedelta(days=30),
            status=status,
            sequence=1 if previous is None else previous.sequence + 1,
            previous=None if previous is None else CardId(previous.digest),
        )
        self.cards.append(made)
        return made

    def note(self, card: SignerCard, signers: int = 2) -> str:
        first, *others = self.rehearsal.directory[:signers]
        note = first.sign(card.to_bytes().decode())
        for signer in others:
            note = signer.cosign(note)
        return note.to_bytes().decode()

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(self.note(card) for card in self.cards)

    def made(
        self,
        *statuses: FeedbackStatus,
        number: int = 3,
        signer: NoteSigner = QUARANTINE,
        reader: HybridIdentity | None = None,
        on: date | None = None,
    ) -> MadeBatch:
        published = self.day if on is None else on
        issue = Issue(
            number=number,
            deployment=Deployment.TRAINING,
            published_on=published,
            next_on=published + timedelta(days=7),
        )
        recipient = (reader or self.keys.feedback).recipient
        told = ToldAccount(
            account=self.rehearsal.account,
            recipients=(HybridIdentity.generate().recipient, recipient),
            statuses=statuses,
        )
        return make_batch([told], issue, signer)

    def answer(self, made: MadeBatch, signers: tuple[str, ...] | None = None) -> bytes:
        notes = self.notes if signers is None else signers
        return FeedbackAnswer(
            note=made.note.decode(), entries=made.entries, signers=notes
        ).to_bytes()

    @property
    def kit(self) -> EnrolmentKit:
        return EnrolmentKit.from_bytes(self.kit_path.read_bytes())

    def read(self, untrusted: bytes, notes: tuple[bytes, ...] = ()) -> Told:
        return read_feedback(
            untrusted,
            kit_path=self.kit_path,
            kit=self.kit,
            identity=self.keys.feedback,
            today=self.day,
            signer_notes=notes,
        )

    def refusal(self, untrusted: bytes) -> str:
        with pytest.raises(ClientError) as refused:
            self.read(untrusted)
        return refused.value.sentence.key


@pytest.fixture
def desk(rehearsal: Rehearsal, member: MemberKeys, day: date, tmp_path: Path) -> Desk:
    kit_path = tmp_path / "kit.json"
    kit_path.write_bytes(rehearsal.kit.read_bytes())
    made = Desk(rehearsal=rehearsal, keys=member, kit_path=kit_path, day=day)
    made.card()
    return made


def test_what_the_quarantine_told_this_member_is_read(desk: Desk) -> None:
    status = a_status(FeedbackCode.PRESERVED, on=desk.day)
    told = desk.read(desk.answer(desk.made(status)))
    assert told.content.statuses == (status,)
    assert (told.batch.number, told.content.more) == (3, False)
    assert not told.is_overdue(desk.day + timedelta(days=7))
    assert told.is_overdue(desk.day + timedelta(days=8))


def test_signer_cards_in_hand_take_the_place_of_the_portals(desk: Desk) -> None:
    made = desk.made()
    notes = tuple(each.encode() for each in desk.notes)
    assert desk.read(desk.answer(made, ()), notes).content.statuses == ()
    assert desk.refusal(desk.answer(made, ())) == "client.feedback-signer"


@pytest.mark.threat("T-08")
@pytest.mark.threat("T-12")
def test_a_batch_that_no_certified_key_signed_is_not_shown(desk: Desk) -> None:
    assert desk.refusal(desk.answer(desk.made(signer=THIEF))) == "client.feedback-not-believed"
    one_line = "".join(desk.made().note.decode().splitlines(keepends=True)[:-1])
    cut = dataclasses.replace(desk.made(), note=one_line.encode())
    assert desk.refusal(desk.answer(cut)) == "client.feedback-not-believed"
    too_few = (desk.note(desk.cards[0], signers=1),)
    assert desk.refusal(desk.answer(desk.made(), too_few)) == "client.feedback-not-believed"


@pytest.mark.threat("T-12")
def test_a_key_for_something_else_does_not_sign_feedback(desk: Desk) -> None:
    desk.cards.clear()
    desk.card(purpose=SignerPurpose.MINTING)
    assert desk.refusal(desk.answer(desk.made())) == "client.feedback-signer"


@pytest.mark.threat("T-12")
def test_a_revoked_key_signs_no_day_at_all_and_is_not_forgotten(desk: Desk) -> None:
    honest = desk.notes
    assert desk.read(desk.answer(desk.made())).batch.number == 3
    desk.card(THIEF, status=CardStatus.ACTIVE)
    desk.card(QUARANTINE, status=CardStatus.REVOKED)
    backdated = desk.made(number=4, on=desk.day - timedelta(days=40))
    assert desk.refusal(desk.answer(backdated)) == "client.feedback-signer"
    # The portal leaves the revocation out again: this machine has seen it.
    assert desk.refusal(desk.answer(desk.made(number=5), honest)) == "client.feedback-signer"


@pytest.mark.threat("T-12")
def test_news_from_before_a_key_was_certified_again_still_counts(desk: Desk) -> None:
    yesterday = desk.day - timedelta(days=1)
    made = desk.made(on=yesterday)
    renewed = dataclasses.replace(desk.card(), valid_from=desk.day)
    desk.cards[-1] = renewed
    assert desk.read(desk.answer(made)).batch.published_on == yesterday


def test_the_pin_of_the_kit_counts_before_anything_was_seen(desk: Desk) -> None:
    old = desk.notes
    newest = desk.card(THIEF)
    pinned = dataclasses.replace(desk.kit, signers=(SignerPin.of(newest),))
    desk.kit_path.write_bytes(pinned.to_bytes())
    assert desk.refusal(desk.answer(desk.made(), old)) == "client.feedback-signer"
    assert desk.read(desk.answer(desk.made(signer=THIEF))).batch.number == 3


@pytest.mark.threat("T-09")
def test_older_news_is_not_brought_back(desk: Desk) -> None:
    old = desk.answer(desk.made(a_status(on=desk.day), number=3))
    assert desk.read(desk.answer(desk.made(number=4))).batch.number == 4
    assert desk.refusal(old) == "client.feedback-older"
    assert desk.read(desk.answer(desk.made(number=4))).batch.number == 4


def test_a_damaged_memory_is_not_begun_anew(desk: Desk) -> None:
    desk.read(desk.answer(desk.made()))
    memory = desk.kit_path.with_name("kit.json.feedback")
    memory.write_bytes(memory.read_bytes()[:-1])
    assert desk.refusal(desk.answer(desk.made())) == "client.memory-of-cards-damaged"


@pytest.mark.threat("T-02")
def test_an_object_for_others_is_not_this_members(desk: Desk) -> None:
    other = desk.made(reader=HybridIdentity.generate())
    assert desk.refusal(desk.answer(other)) == "client.feedback-not-for-you"


@pytest.mark.threat("T-09")
def test_an_entry_of_another_batch_or_account_is_refused(desk: Desk) -> None:
    made, later = desk.made(), desk.made(number=4)
    mixed = dataclasses.replace(made, entries=later.entries)
    assert desk.refusal(desk.answer(mixed)) == "client.feedback-not-believed"
    assert desk.refusal(desk.answer(dataclasses.replace(made, entries=()))) == (
        "client.feedback-not-for-you"
    )


def test_what_is_no_answer_is_refused(desk: Desk) -> None:
    whole = desk.answer(desk.made())
    for untrusted in (b"", b"{}", whole[:-1], whole.replace(b'"note"', b'"Note"')):
        assert desk.refusal(untrusted) == "client.feedback-not-believed"
