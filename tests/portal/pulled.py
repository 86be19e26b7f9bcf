"""A portal that is pulled from: submissions on its disk, and a quarantine whose key it pins."""

import asyncio
import dataclasses
import datetime as dt
import hashlib
import secrets
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

from amana.clock import FixedClock, today
from amana.durable import durable
from amana.events import EventLog
from amana.link.client import open_link
from amana.settings import PortalSettings, Settings
from amana.store.engine import Database, open_database
from amana.store.log import append
from amana.store.migrate import upgrade
from amana.web.server import listen, server
from amana.wire.bundle import NOTE, OBJECTS, object_path
from amana.wire.ids import (
    AccountId,
    CardId,
    Digest,
    LogOrigin,
    ObjectId,
    SubmissionId,
    random_id,
)
from amana.wire.note import Attestation, PackageNote
from amana.wire.pull import PullAcknowledgement
from amana.wire.request import HEADER, request_of, to_header
from amana.wire.sealed import SealedObject
from amana.wire.vocabulary import Deployment
from crypto.merkle import TreeHash
from crypto.opening import HybridIdentity
from crypto.padding import Kind
from crypto.seal import seal
from crypto.sign import Cosigner, NoteSigner, SigningSeeds
from portal import ledger
from portal.custody import PortalKeys
from portal.finishing import Received
from portal.places import Places
from portal.pull import build_pull_app
from portal.records.tables import PORTAL

NOON = dt.datetime(2026, 10, 2, 12, tzinfo=dt.UTC)
TODAY = NOON.date()
IDENTITY = HybridIdentity.generate()
PULLER = NoteSigner.generate("training.invalid/quarantine/pull")
COSIGNER = Cosigner.from_seeds("training.invalid/quarantine/cosigner", SigningSeeds.generate())
STRANGER = NoteSigner.generate("training.invalid/quarantine/pull")

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """A portal's data directory, what was given to it, and who pulls."""

    settings: Settings
    clock: FixedClock
    keys: PortalKeys
    log: list[str] = field(default_factory=list)

    @property
    def places(self) -> Places:
        return Places(data_directory=self.settings.data_directory)

    @property
    def origin(self) -> LogOrigin:
        return LogOrigin(self.settings.portal.log_origin)

    @property
    def socket(self) -> Path:
        return self.settings.data_directory / "pull.sock"

    def run(self, work: "Coroutine[Any, Any, T]") -> T:
        return asyncio.run(work)

    @contextmanager
    def database(self) -> Iterator[Database]:
        database = open_database(self.settings.portal.database_url)
        try:
            yield database
        finally:
            asyncio.run(database.close())

    def give(self, *contents: bytes, on: dt.date = TODAY) -> PackageNote:
        """Let a submission lie on the portal as the intake leaves it."""
        note, bodies = note_of(contents, on)
        folder = self.places.bundle(note.submission_id)
        (folder / OBJECTS).mkdir(mode=0o700, parents=True)
        for object_id, body in bodies.items():
            with durable(folder / object_path(object_id)) as target:
                target.write(body)
        with durable(folder / NOTE) as target:
            target.write(self.keys.observe(note).to_bytes())
        event = self.keys.arrival(note)
        sealed_event, body = sealed(event.to_bytes(), Kind.RECORD)
        with durable(self.places.event(note.submission_id)) as target:
            target.write(body)
        received = Received(
            on=on,
            note=note,
            event=sealed_event,
            leaf=event.leaf,
            receipt=b"",
            items=1,
            content_bytes=1,
            mailbox=None,
        )
        with self.database() as database:
            self.run(ledger.record(database, received))
        return note

    def grow(self, leaves: int) -> None:
        """Let leaves join the log."""

        async def grown(database: Database) -> None:
            async with database.write() as connection:
                await append(connection, [TreeHash(secrets.token_bytes(32)) for _ in range(leaves)])

        with self.database() as database:
            self.run(grown(database))

    def acknowledgement(
        self, note: PackageNote, signer: NoteSigner = PULLER, *, drop: int = 0, **other: object
    ) -> bytes:
        """The quarantine's word on a submission; without the last digests, or other in a field."""
        event = hashlib.sha256(self.places.event(note.submission_id).read_bytes()).hexdigest()
        digests = [*(each.sealed_sha256 for each in note.everything()), Digest(event)]
        word = PullAcknowledgement(
            submission_id=note.submission_id,
            note_sha256=note.digest,
            sealed_sha256=tuple(digests[: len(digests) - drop]),
            audience=self.origin,
            deployment=Deployment.TRAINING,
        )
        word = dataclasses.replace(word, **other)  # type: ignore[arg-type]
        return signer.sign(word.to_bytes().decode()).to_bytes()

    @contextmanager
    def serve(self) -> Iterator[httpx.Client]:
        """Serve the pull on a unix socket, in a thread; give a link to it."""
        app = build_pull_app(self.settings, self.clock, EventLog(self.log.append, self.clock))
        listener = listen(self.settings.portal.pull_listen, self.settings.data_directory)
        running = server(app)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            with open_link(f"unix:{self.socket}") as link:
                yield link
        finally:
            running.should_exit = True
            thread.join()
            listener.close()

    def header(
        self,
        method: str,
        path: str,
        counter: int,
        body: bytes = b"",
        *,
        signer: NoteSigner = PULLER,
        audience: str | None = None,
        deployment: Deployment = Deployment.TRAINING,
    ) -> dict[str, str]:
        """The header of a request as the quarantine would sign it."""
        request = request_of(
            method=method,
            path=path,
            body=body,
            counter=counter,
            audience=LogOrigin(audience or self.origin),
            deployment=deployment,
        )
        return {HEADER: to_header(signer.sign(request.to_bytes().decode()))}


def make(folder: Path, keep_days: int = 14) -> Pulled:
    """Set up a portal in a folder."""
    settings = Settings(
        data_directory=folder,
        portal=PortalSettings(
            database_url=f"sqlite+aiosqlite:///{folder}/portal.db",
            listen="unix:portal.sock",
            pull_listen="unix:pull.sock",
            keep_days=keep_days,
        ),
    )
    keys = PortalKeys.generate("training.invalid/portal/receipts")
    made = Pulled(settings=settings, clock=FixedClock(NOON), keys=keys)
    made.places.make()
    keys.save(made.places.keys)
    lines = (*PULLER.key.to_texts(), *COSIGNER.key.to_texts())
    (folder / settings.portal.pull_keys).write_text("\n".join(lines) + "\n")
    with made.database() as database:
        made.run(upgrade(database, PORTAL, Deployment.TRAINING, today(made.clock)))
    return made


def note_of(contents: tuple[bytes, ...], on: dt.date) -> tuple[PackageNote, dict[ObjectId, bytes]]:
    """A note over sealed objects with these contents, and the objects."""
    manifest, *objects = [
        sealed(content, Kind.RECORD if not index else Kind.RAW)
        for index, content in enumerate((b"{}", *contents))
    ]
    note = PackageNote(
        submission_id=SubmissionId(secrets.token_hex(32)),
        account=random_id(AccountId),
        card=CardId(secrets.token_hex(32)),
        deployment=Deployment.TRAINING,
        attestation=Attestation.OBSERVED,
        received_on=on,
        items_root=Digest(secrets.token_hex(32)),
        submission_manifest=manifest[0],
        item_manifests=(),
        records=(),
        objects=tuple(each for each, _ in objects),
    )
    return note, {each.object_id: body for each, body in (manifest, *objects)}


def sealed(content: bytes, kind: Kind) -> tuple[SealedObject, bytes]:
    """Content as a sealed object."""
    body = b"".join(seal([content], IDENTITY.recipient, kind))
    stated = SealedObject(
        object_id=random_id(ObjectId),
        sealed_size=len(body),
        sealed_sha256=Digest(hashlib.sha256(body).hexdigest()),
    )
    return stated, body
