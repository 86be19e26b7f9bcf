"""An officer who never rests: unlocks the key agent again, and keeps whatever is clean.

What was held is let in to be examined again, and counted: a kill may hold an item (its scanner went
away too often), never lose it.
"""

import contextlib
import threading
from functools import partial
from types import TracebackType
from typing import Final, Self

from sqlalchemy.ext.asyncio import AsyncConnection

from amana.clock import SystemClock
from amana.settings import Settings
from amana.store.errors import StoreError
from amana.wire.ids import KeyId, SubmissionId
from crypto.private import keyfile
from crypto.private.keystore import KeyStore
from examples.deployment import OFFICER, PASSPHRASE
from terms.vocabulary import HandlingClass
from worker.agent_client import AgentClient
from worker.agent_messages import OfficerName
from worker.agent_places import KeyPlaces
from worker.equipment import Desk, opened_desk
from worker.errors import WorkerError
from worker.pipeline.decide import Choice, Ruling, Scope, again, decide
from worker.pipeline.rows import ItemRow, SubmissionRow, items_of, submissions
from worker.pipeline.states import ItemState, SubmissionState

_LOOK_SECONDS: Final = 0.5
_NAME: Final = OfficerName(OFFICER)


def cheapen(settings: Settings) -> None:
    """Lock the officer's keys anew at the least cost: they are opened after each kill."""
    places = KeyPlaces(data_directory=settings.data_directory)
    store = KeyStore(folder=places.keys, tombstones=places.tombstones)
    cost = keyfile.Cost(memory_bytes=keyfile.LEAST_MEMORY_BYTES, operations=1)
    store.change_passphrase(store.unlock(OFFICER, PASSPHRASE), passphrase=PASSPHRASE, cost=cost)


class Officer:
    """Works in a thread of its own while the block lasts."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="officer", daemon=True)
        self._agent = AgentClient(KeyPlaces(data_directory=settings.data_directory).socket)
        self.unlocked = 0
        self.held: list[str] = []

    def __enter__(self) -> Self:
        """Begin to work."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End, when what is being decided is decided."""
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        with opened_desk(self._settings, SystemClock()) as desk:
            while not self._stop.wait(_LOOK_SECONDS):
                # What is not there now, or has just moved on, is looked at again.
                with contextlib.suppress(WorkerError, StoreError):
                    self._unlock()
                    self._look(desk)

    def _unlock(self) -> None:
        with contextlib.suppress(WorkerError):
            if self._agent.status().is_locked:
                self._agent.unlock(_NAME, PASSPHRASE)
                self.unlocked += 1

    def _look(self, desk: Desk) -> None:
        for row in desk.books.read(submissions):
            if row.state is SubmissionState.HELD:
                self.held.append(f"{row.submission_id} {row.reason}")
                key = desk.officer(OFFICER)
                desk.books.write(partial(_again, desk, row, key))
            elif row.state is SubmissionState.EXAMINED:
                self._decide(desk, row)

    def _decide(self, desk: Desk, row: SubmissionRow) -> None:
        name, officer = row.submission_id, desk.officer(OFFICER)
        items = desk.books.read(lambda _: items_of(_, name))
        for choice, state in ((Choice.AGAIN, ItemState.HELD), (Choice.ACCEPT, ItemState.WAITING)):
            mine = [each for each in items if each.state is state]
            if not mine:
                continue
            if choice is Choice.AGAIN:
                self.held += [f"{each.item_id} {each.reason}" for each in mine]
            ruling = Ruling(
                choice=choice,
                officer=officer,
                scope=Scope.SUBMISSION,
                handling_class=HandlingClass.STANDARD if choice is Choice.ACCEPT else None,
            )
            desk.books.write(partial(_decide, desk, name, mine, ruling))


async def _again(
    desk: Desk, row: SubmissionRow, officer: KeyId, connection: AsyncConnection
) -> None:
    await again(connection, desk.custodian, row, officer, None)


async def _decide(
    desk: Desk,
    name: SubmissionId,
    items: list[ItemRow],
    ruling: Ruling,
    connection: AsyncConnection,
) -> None:
    await decide(connection, desk.custodian, name, items, ruling)
