"""Make the workshop of an installation from its settings.

Everything that a step may use is made here and nowhere else; what is missing for now (the
repository's keys, the key agent, the scanner) makes steps wait, not fail. Settings:
docs/settings.md.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from amana.clock import Clock
from amana.durable import durable, make_folders
from amana.settings import Settings
from amana.wire.ends import RepositoryEnd
from amana.wire.errors import WireError
from amana.wire.ids import KeyId, LogOrigin, hash_parts
from amana.wire.signers import key_id
from amana.wire.vocabulary import Deployment
from crypto.errors import KeyFormatError
from crypto.note import DualKey, Purpose
from worker.agent_client import AgentClient
from worker.agent_places import KeyPlaces
from worker.agreements import AgreementStore
from worker.custody import Custodian
from worker.errors import PipelineError, RetryError, RetryReason
from worker.forward import Outbox
from worker.inspector import Inspector, InspectorSettings
from worker.own_scanner import OwnScanner
from worker.pipeline.workshop import Workshop
from worker.places import Places
from worker.records.books import Books, set_up
from worker.signers import Signers

_SECRET_BYTES: Final = 32
_MEMORY_SHARE: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What an officer's command needs: the books, and on whose behalf they are written."""

    places: Places
    books: Books
    custodian: Custodian

    def officer(self, name: str) -> KeyId:
        """Give the id that stands for an officer in decisions and events.

        A keyed hash: nobody without this installation's secret can try names against it.
        """
        secret = self.places.officers.read_bytes()
        return KeyId(hash_parts("amana/officer-id/v1", secret, name.encode("utf-8")))


def initialise(settings: Settings, clock: Clock) -> None:
    """Make folders, database and the officers' secret; what is there already stays as it is."""
    places = Places(data_directory=settings.data_directory)
    places.make()
    for name in (settings.worker.outbox, settings.worker.answers, settings.worker.signatures):
        make_folders(settings.data_directory / name)
    if not places.officers.exists():
        with durable(places.officers) as target:
            target.write(secrets.token_bytes(_SECRET_BYTES))
    set_up(settings.worker.database_url, _deployment(settings), clock)


@contextmanager
def opened_desk(settings: Settings, clock: Clock) -> Iterator[Desk]:
    """Open the books for a command. FormatError: the quarantine was not set up."""
    places = Places(data_directory=settings.data_directory)
    signers = Signers.load(KeyPlaces(data_directory=settings.data_directory).signers)
    deployment = _deployment(settings)
    with Books.open(settings.worker.database_url, deployment) as books:
        yield Desk(
            places=places,
            books=books,
            custodian=Custodian(
                key_id=key_id(signers.note.key), deployment=deployment, clock=clock
            ),
        )


@contextmanager
def equipped(settings: Settings, scanner: OwnScanner, clock: Clock) -> Iterator[Workshop]:
    """Make the workshop for the pipeline; its database is closed at the end."""
    keys = KeyPlaces(data_directory=settings.data_directory)
    signers = Signers.load(keys.signers)
    with opened_desk(settings, clock) as desk:
        yield Workshop(
            places=desk.places,
            books=desk.books,
            custodian=desk.custodian,
            deployment=_deployment(settings),
            origin=LogOrigin(settings.worker.log_origin),
            keys=AgentClient(keys.socket),
            signers=signers,
            scanner=scanner.client,
            inspector=Inspector(scanner.client, _inspection(settings, scanner), clock),
            agreements=AgreementStore(desk.places.agreements),
            outbox=lambda: _outbox(settings, signers),
            answers=settings.data_directory / settings.worker.answers,
        )


def scanner_of(settings: Settings) -> OwnScanner:
    """Give the scanner of an installation; it is not started yet."""
    worker = settings.worker
    signatures = settings.data_directory / worker.signatures
    return OwnScanner(Path(worker.scratch), signatures, os.cpu_count() or 1)


def portal_log_key(path: Path) -> DualKey | None:
    """Read the key of the portal's log; None while there is no file.

    PipelineError: the file does not hold the two verifier lines of one log.
    """
    try:
        ed25519, mldsa44 = path.read_text(encoding="utf-8").splitlines()
        key = DualKey.from_texts(ed25519, mldsa44)
    except FileNotFoundError:
        return None
    except (ValueError, KeyFormatError) as failure:
        raise PipelineError("the portal's log key is malformed") from failure
    if key.purpose is not Purpose.LOG:
        raise PipelineError("the portal's log key is a key for something else")
    return key


def _outbox(settings: Settings, signers: Signers) -> Outbox:
    home, worker = settings.data_directory, settings.worker
    try:
        end = RepositoryEnd.from_bytes((home / worker.repository_end).read_bytes())
    except FileNotFoundError as failure:
        raise RetryError(RetryReason.NO_REPOSITORY) from failure
    except WireError as failure:
        raise PipelineError("the repository's public keys are malformed") from failure
    return Outbox(home / worker.outbox, home / worker.answers, repository=end, signer=signers.note)


def _inspection(settings: Settings, scanner: OwnScanner) -> InspectorSettings:
    # At most a quarter of the memory together (worker/inspector.py), and a window within it.
    page_bytes, pages = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_PHYS_PAGES")
    share = page_bytes * pages // _MEMORY_SHARE
    window = min(1 << 30, share // 2)
    return InspectorSettings(
        deployment=_deployment(settings),
        signatures=scanner.signatures,
        in_flight=os.cpu_count() or 1,
        items_bytes=share,
        members_bytes=share,
        window_bytes=window,
        container_bytes=share,
    )


def _deployment(settings: Settings) -> Deployment:
    return Deployment(settings.deployment.value)
