"""The quarantine's database for code that is not asynchronous: one thread, one loop.

The pipeline runs in threads of the engine's and of the command line's. The database's connections
belong to one event loop (amana/store/engine.py), so the loop has a thread of its own here, and
every transaction is handed to it whole. Format: docs/format/26-quarantine.md.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Self, TypeAlias, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from amana.clock import Clock, today
from amana.store.engine import Database, open_database
from amana.store.migrate import require_format, upgrade
from amana.wire.vocabulary import Deployment
from worker.records.tables import WORKER

ResultT = TypeVar("ResultT")

Work: TypeAlias = Callable[[AsyncConnection], Awaitable[ResultT]]
"""What one transaction does. It may be called again if the machine was stopped; never in part."""


class Books:
    """One open database of the quarantine: `with Books.open(url, deployment) as books:`."""

    def __init__(self, database: Database, loop: asyncio.AbstractEventLoop) -> None:
        self._database = database
        self._loop = loop
        self._thread = threading.Thread(target=loop.run_forever, name="books", daemon=True)
        self._thread.start()

    @classmethod
    def open(cls, url: str, deployment: Deployment) -> Self:
        """Open the database that is there. FormatError: it is another's, or not set up."""
        books = cls(open_database(url), asyncio.new_event_loop())
        try:
            books._await(require_format(books._database, WORKER, deployment))
        except BaseException:
            books.close()
            raise
        return books

    def read(self, work: Work[ResultT]) -> ResultT:
        """Give what the work finds; it sees one state of the database and cannot change it."""
        return self._await(self._reading(work))

    def write(self, work: Work[ResultT]) -> ResultT:
        """Give what the work gives, when all of it has happened, durably; or none of it has."""
        return self._await(self._writing(work))

    def close(self) -> None:
        """Close every connection and end the thread."""
        if self._thread.is_alive():
            self._await(self._database.close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    async def _reading(self, work: Work[ResultT]) -> ResultT:
        async with self._database.read() as connection:
            return await work(connection)

    async def _writing(self, work: Work[ResultT]) -> ResultT:
        async with self._database.write() as connection:
            return await work(connection)

    def _await(self, coroutine: Coroutine[object, object, ResultT]) -> ResultT:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def set_up(url: str, deployment: Deployment, clock: Clock) -> None:
    """Make the database, or bring it to the newest format."""

    async def upgraded() -> None:
        database = open_database(url)
        try:
            await upgrade(database, WORKER, deployment, today(clock))
        finally:
            await database.close()

    asyncio.run(upgraded())
