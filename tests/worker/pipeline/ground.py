"""A quarantine over real keys, a real scanner and a real repository, in one process."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from amana.clock import SystemClock, today
from amana.durable import make_folders
from amana.wire.consent_toml import read_consent
from amana.wire.ends import QuarantineEnd
from amana.wire.event import CustodyEvent
from amana.wire.ids import KeyId, LogOrigin, SubmissionId
from amana.wire.note import PackageNote
from amana.wire.sealed import RecordKind
from amana.wire.signers import key_id
from amana.wire.snapshot import consent_document, consent_id
from amana.wire.standing import UNDER_STANDING_TERMS
from client.conditions import Conditions, PlacedConsent, SideDocument
from crypto.identities import HybridIdentity
from repository.keys import RepositoryKeys
from repository.receive import Received, Receiver, Refused
from repository.store import open_store
from terms.feedback import NotKeptReason
from terms.vocabulary import HandlingClass
from tests.wire.givens import TRAINING, a_signer, seed
from tests.worker.opening.world import World
from tests.worker.scan.ground import inspector_settings
from worker.agent_client import Keys
from worker.agreements import AgreementStore
from worker.clamd_wire import ClamdClient
from worker.custody import Custodian
from worker.engine import Progress
from worker.forward import Outbox
from worker.inspector import Inspector
from worker.pipeline.arrive import arrive
from worker.pipeline.decide import Choice, Ruling, Scope, again, decide
from worker.pipeline.erase import collect, erase, receipt
from worker.pipeline.examine import examine
from worker.pipeline.packing import pack
from worker.pipeline.release import prepare
from worker.pipeline.rows import (
    ItemRow,
    PackageRow,
    SubmissionRow,
    items_of,
    packages_of,
    the_submission,
)
from worker.pipeline.states import ItemState
from worker.pipeline.workshop import Workshop
from worker.places import Places
from worker.records.books import Books, set_up
from worker.records.tables import CUSTODY_EVENT
from worker.signers import Signers

ORIGIN = LogOrigin("training.invalid/quarantine")
SIGNERS = Signers.generate(ORIGIN)
OFFICER = KeyId(seed("officer").hex())
REPOSITORY = RepositoryKeys(
    deployment=TRAINING,
    signer=a_signer("repository-1"),
    identity=HybridIdentity(seed=seed("repository identity")),
)
END = QuarantineEnd(deployment=TRAINING, signers=(SIGNERS.note.key,), log=SIGNERS.log.key)


CONSENT = read_consent((Path("examples") / "terms" / "consent-adult.toml").read_bytes())
CONDITIONS = Conditions(
    terms=UNDER_STANDING_TERMS,
    consents=(PlacedConsent(record=CONSENT, place=None),),
    documents=(
        SideDocument(
            kind=RecordKind.CONSENT,
            consent_id=consent_id(CONSENT),
            content=consent_document(CONSENT),
        ),
    ),
)
"""Under what everything is given here: standing terms, and one adult's consent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """One quarantine and the repository behind it; every step can be taken by hand."""

    shop: Workshop
    world: World
    home: Path

    def fetch(self, given: dict[str, bytes]) -> SubmissionId:
        """Seal files as an organisation does, and put the bundle where the pull puts it."""
        source = self.home / f"given-{len(list(self.home.iterdir()))}"
        make_folders(source)
        for name, content in given.items():
            (source / name).write_bytes(content)
        bundle = source.with_name(f"{source.name}.bundle")
        commission = replace(self.world.commission, conditions=CONDITIONS)
        note = self.world.seal(source, bundle, commission)
        return self.bring(note, bundle)

    def bring(self, note: PackageNote, bundle: Path) -> SubmissionId:
        bundle.rename(self.shop.places.bundle(note.submission_id))
        assert arrive(self.shop.books, self.shop.places, self.shop.custodian, note.submission_id)
        return note.submission_id

    def row(self, submission: SubmissionId) -> SubmissionRow:
        return self.shop.books.read(lambda _: the_submission(_, submission))

    def items(self, submission: SubmissionId) -> tuple[ItemRow, ...]:
        return self.shop.books.read(lambda _: items_of(_, submission))

    def packages(self, submission: SubmissionId) -> tuple[PackageRow, ...]:
        return self.shop.books.read(lambda _: packages_of(_, submission))

    def events(self, submission: SubmissionId) -> list[CustodyEvent]:
        async def found(connection: AsyncConnection) -> list[CustodyEvent]:
            mine = CUSTODY_EVENT.c.submission_id == submission
            query = select(CUSTODY_EVENT.c.event).where(mine)
            return [CustodyEvent.from_bytes(each) for each in await connection.scalars(query)]

        return self.shop.books.read(found)

    def examine(self, submission: SubmissionId) -> Progress:
        return examine(self.shop, submission)

    def accept(self, submission: SubmissionId) -> None:
        self.accept_some(submission, self.items(submission), HandlingClass.STANDARD)

    def accept_waiting(self, submission: SubmissionId) -> None:
        items = self.items(submission)
        waiting = tuple(each for each in items if each.state is ItemState.WAITING)
        self.accept_some(submission, waiting, HandlingClass.STANDARD)

    def again(self, submission: SubmissionId) -> None:
        row = self.row(submission)
        self.shop.books.write(lambda _: again(_, self.shop.custodian, row, OFFICER, None))

    def accept_some(
        self,
        submission: SubmissionId,
        items: tuple[ItemRow, ...],
        handling_class: HandlingClass,
    ) -> None:
        ruling = Ruling(
            choice=Choice.ACCEPT,
            officer=OFFICER,
            scope=Scope.SUBMISSION,
            handling_class=handling_class,
        )
        self.rule(submission, items, ruling)

    def refuse(self, submission: SubmissionId, items: tuple[ItemRow, ...]) -> None:
        ruling = Ruling(
            choice=Choice.REFUSE,
            officer=OFFICER,
            scope=Scope.ITEM,
            not_kept=NotKeptReason.OUTSIDE_MANDATE,
        )
        self.rule(submission, items, ruling)

    def rule(self, submission: SubmissionId, items: tuple[ItemRow, ...], ruling: Ruling) -> None:
        self.shop.books.write(lambda _: decide(_, self.shop.custodian, submission, items, ruling))

    def release(self, submission: SubmissionId) -> Progress:
        progress = prepare(self.shop, submission)
        return pack(self.shop, submission) if progress is Progress.DONE else progress

    def receive(self) -> list[Received | Refused]:
        """Let the repository take what lies in the outbox."""
        with open_store(self.home / "repository") as store:
            receiver = Receiver(store, self.shop.answers, keys=REPOSITORY, end=END)
            return list(receiver.receive_all(self.home / "outbox", today(SystemClock())))

    def settle(self, submission: SubmissionId) -> Progress:
        for step in (collect, receipt, erase):
            progress = step(self.shop, submission)
            if progress is not Progress.DONE:
                return progress
        return Progress.DONE

    def with_scanner(self, scanner: ClamdClient) -> "Quarantine":
        return replace(self, shop=replace(self.shop, scanner=scanner))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanner:
    """A real clamd and its signatures."""

    client: ClamdClient
    signatures: Path = field()


@contextmanager
def a_quarantine(
    home: Path, world: World, scanner: Scanner, keys: Keys | None = None
) -> Iterator[Quarantine]:
    """Set up a quarantine in a new folder."""
    places = Places(data_directory=home)
    places.make()
    world.register(places.enrolled)
    for name in ("outbox", "answers"):
        make_folders(home / name)
    url = f"sqlite+aiosqlite:///{home / 'worker.db'}"
    set_up(url, TRAINING, SystemClock())
    with Books.open(url, TRAINING) as books:
        yield Quarantine(
            shop=a_workshop(places, books, keys or world.keys, scanner),
            world=world,
            home=home,
        )


def a_workshop(
    places: Places, books: Books, keys: Keys, scanner: Scanner, signers: Signers = SIGNERS
) -> Workshop:
    home = places.data_directory
    return Workshop(
        places=places,
        books=books,
        custodian=Custodian(
            key_id=key_id(signers.note.key), deployment=TRAINING, clock=SystemClock()
        ),
        deployment=TRAINING,
        origin=ORIGIN,
        keys=keys,
        signers=signers,
        scanner=scanner.client,
        inspector=Inspector(scanner.client, inspector_settings(scanner.signatures), SystemClock()),
        agreements=AgreementStore(places.agreements),
        outbox=lambda: Outbox(
            home / "outbox",
            home / "answers",
            repository=REPOSITORY.public,
            signer=signers.note,
        ),
        answers=home / "answers",
    )
