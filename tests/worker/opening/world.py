"""A small world around the quarantine: an organisation, a portal, and what both really seal."""

import shutil
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from amana.durable import make_folders
from amana.i18n import Language
from amana.wire.bundle import OBJECTS
from amana.wire.card import KeyCard
from amana.wire.directory import write_signers
from amana.wire.event import CustodyEvent
from amana.wire.ids import LogOrigin
from amana.wire.note import PackageNote
from amana.wire.vocabulary import Deployment
from amana.wire.words import VersionText
from client.keys import MemberKeys
from client.plan import PACKED_BELOW_BYTES, plan
from client.sealing import Commission, seal_tree
from client.tree import walk
from crypto.padding import Kind
from crypto.recipients import HybridRecipient
from crypto.seal import seal
from examples.rehearsal import Rehearsal, prepare
from portal.account import Account
from portal.card import WitnessCard
from portal.consent import Answers, consent_document
from portal.custody import PortalKeys
from portal.finishing import Arrival, Finisher
from portal.form import ItemHead
from portal.multipart import PartEnd
from portal.places import Places
from portal.sealing import ItemSealer
from portal.underway import Underway
from terms.consent import Answer, ConsentPurpose
from tests.worker.opening.keys import RealKeys
from worker.agent_messages import CardHolder
from worker.enrolled import Register
from worker.enrolling import Registrar, found
from worker.opening import Held, Opened, open_submission
from worker.sealed_files import EVENT

LABEL = "Documentation Centre (rehearsal)"
ORIGIN = LogOrigin("training.invalid/portal")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everybody who in earnest would never sit at one table."""

    rehearsal: Rehearsal
    member: MemberKeys = field(repr=False)
    portal: PortalKeys = field(repr=False)
    keys: RealKeys
    card: KeyCard
    month_card: KeyCard

    @property
    def today(self) -> date:
        return self.rehearsal.today

    def card_note(self, card: KeyCard) -> bytes:
        """The card, signed by two of the directory."""
        path = self.rehearsal.folder / f"{card.card_id}.note"
        if not path.exists():
            self.rehearsal.write_card(card, path)
        return path.read_bytes()

    @property
    def directory(self) -> bytes:
        return write_signers(*(signer.key for signer in self.rehearsal.directory))

    def registrar(self, folder: Path) -> Registrar:
        """A register that knows the directory and nothing else."""
        register = found(folder, Deployment.TRAINING, self.directory)
        return Registrar(register=register, on=self.today)

    def register(self, folder: Path) -> Register:
        """A register that knows the organisation, the witnesses' card and the portal."""
        registrar = self.registrar(folder)
        cards = [self.card_note(self.card)]
        member = self.member.public.to_bytes()
        registrar.enrol(self.rehearsal.account, LABEL, member, cards)
        registrar.add_cards(None, [self.card_note(self.month_card)])
        registrar.add_portal(write_signers(self.portal.public))
        return registrar.register

    @property
    def commission(self) -> Commission:
        """As the client's command makes it."""
        return Commission(
            account=self.rehearsal.account,
            card=self.card.card_id,
            recipient=self.rehearsal.intake.recipient,
            deployment=Deployment.TRAINING,
            reply=self.member.reply,
            signer=self.member.signer,
            client_version=VersionText("amana/test"),
        )

    def seal(self, given: Path, folder: Path, commission: Commission | None = None) -> PackageNote:
        """Seal a tree as an organisation does."""
        planned = plan(walk([given]).entries)
        return seal_tree(planned, commission or self.commission, folder, lambda _: None).note

    def give(self, contents: dict[bytes, bytes], places: Places) -> Path:
        """Seal files as the portal's form does, and put the event where the pull puts it."""
        places.make()
        card = WitnessCard(
            card_id=self.month_card.card_id,
            recipient=HybridRecipient.from_text(self.month_card.recipient),
        )
        answers = Answers(purposes={next(iter(ConsentPurpose)): Answer.YES})
        underway = Underway.begin(card, Account.without_return(), has_consent=True)
        (places.receiving / underway.submission_id / OBJECTS).mkdir(parents=True)
        sealer = ItemSealer(places.receiving / underway.submission_id, underway)
        for name, content in contents.items():
            head = ItemHead(name=name, media_type=None, is_text=False)
            sealer.take([head, memoryview(content), PartEnd.END])
        consent = consent_document(
            answers, consent_id=underway.consent_id, language=Language.EN, on=self.today
        )
        arrival = Arrival(on=self.today, deployment=Deployment.TRAINING, log=ORIGIN)
        finisher = Finisher(
            places=places,
            underway=underway,
            items=sealer.finished(),
            consent=consent,
            arrival=arrival,
        )
        received = finisher.finish(self.portal)
        folder = places.bundle(received.note.submission_id)
        shutil.copy(places.event(received.note.submission_id), folder / EVENT)
        return folder

    def put_event(self, folder: Path, event: CustodyEvent) -> None:
        """Seal an event to the organisation's card, and put it beside the note."""
        pieces = seal([event.to_bytes()], self.rehearsal.intake.recipient, Kind.RECORD)
        (folder / EVENT).write_bytes(b"".join(pieces))

    def open(self, folder: Path, register: Register, on: date | None = None) -> Opened | Held:
        return open_submission(
            folder, register, self.keys, Deployment.TRAINING, on=on or self.today
        )

    def opened(self, folder: Path, register: Register) -> Opened:
        """Open what must open."""
        found = self.open(folder, register)
        assert isinstance(found, Opened), found
        return found


def make_world(folder: Path, today: date) -> World:
    rehearsal = prepare(folder, today)
    card, month_card = rehearsal.make_card(), rehearsal.make_month_card()
    holders = [CardHolder(card=each.card_id) for each in (card, month_card)]
    return World(
        rehearsal=rehearsal,
        member=MemberKeys.generate(rehearsal.account),
        portal=PortalKeys.generate("training.invalid/portal/receipts"),
        keys=RealKeys(identities=dict.fromkeys(holders, rehearsal.intake)),
        card=card,
        month_card=month_card,
    )


def make_material(folder: Path) -> Path:
    """A pack of some small files, two large ones, an empty folder and a link."""
    make_folders(folder / "empty folder")
    for number in range(5):
        (folder / f"small {number}").write_bytes(bytes([number]) * (1_000 * number))
    for number in range(2):
        (folder / f"large {number}").write_bytes(bytes([number]) * (PACKED_BELOW_BYTES + number))
    (folder / "link").symlink_to("small 1")
    return folder
