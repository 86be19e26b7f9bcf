"""The portal as an ASGI application: routes, headers, and what runs beside the requests."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Final

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from amana.clock import Clock, today
from amana.events import EventLog
from amana.settings import Settings
from amana.store.engine import open_database
from amana.store.errors import StoreError
from amana.store.migrate import require_format
from amana.web.headers import SafeHeaders
from amana.web.render import Pages
from amana.web.tokens import FormTokens
from amana.wire.ids import LogOrigin
from amana.wire.vocabulary import Deployment
from portal.card import CardSource
from portal.codes import PortalCode
from portal.custody import PortalKeys
from portal.intake import Intake
from portal.ledger import merge_leaves
from portal.limits import DEFAULT, Limits
from portal.pages import STYLES, Visitors
from portal.places import Places
from portal.records.tables import PORTAL

MERGE_SECONDS: Final = 900
"""How often it is asked whether a day has ended."""

THREADS: Final = 4
"""Uploads that are sealed at the same moment; more only take turns on the processor."""


def build_app(settings: Settings, clock: Clock, log: EventLog, limits: Limits = DEFAULT) -> ASGIApp:
    """Give the application. KeysError, DirectoryError: `amana portal init` was not finished.

    The database is opened when the server starts, and checked then: FormatError.
    """
    places = Places(data_directory=settings.data_directory)
    keys = PortalKeys.load(places.keys)
    database = open_database(settings.portal.database_url)
    intake = Intake(
        places=places,
        cards=CardSource.of(settings),
        keys=keys,
        tokens=FormTokens(keys.form_secret, clock),
        log=LogOrigin(settings.portal.log_origin),
        database=database,
        clock=clock,
        limits=limits,
        executor=ThreadPoolExecutor(THREADS, thread_name_prefix="seal"),
        uploads=asyncio.Semaphore(limits.uploads),
    )
    pages = Pages(settings.deployment, STYLES)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await require_format(database, PORTAL, Deployment(settings.deployment.value))
        if leftovers := await intake.clean():
            log.record(PortalCode.LEFTOVERS, submissions=leftovers)
        merging = asyncio.create_task(_merge_each_day(intake, log))
        log.record(PortalCode.SERVING)
        yield
        merging.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await merging
        intake.executor.shutdown()
        await database.close()
        log.record(PortalCode.STOPPED)

    app = _routes(Visitors(pages=pages, intake=intake), lifespan)
    return SafeHeaders(_LastResort(app, log), style_hashes=(pages.style_hash,))


def _routes(visitors: Visitors, lifespan: Lifespan[Starlette]) -> Starlette:
    app = Starlette(
        routes=[
            Route("/", visitors.landing),
            Route("/left", visitors.left),
            Route("/leave", visitors.leave, methods=["POST"]),
            Route("/{language}", visitors.landing),
            Route("/{language}/before", visitors.before),
            Route("/{language}/give", visitors.give, methods=["GET"]),
            Route("/{language}/give", visitors.receive, methods=["POST"]),
        ],
        exception_handlers={404: visitors.fail, 405: visitors.fail, Exception: visitors.fail},
        lifespan=lifespan,
    )
    # It would send whoever asks to the host that the request names, or to our own socket's path.
    app.router.redirect_slashes = False
    return app


async def _merge_each_day(intake: Intake, log: EventLog) -> None:
    while True:
        try:
            if joined := await merge_leaves(intake.database, today(intake.clock)):
                log.record(PortalCode.MERGED, leaves=joined)
        except StoreError:
            # The leaves still wait; the next turn takes them.
            log.record(PortalCode.NOT_MERGED)
        await asyncio.sleep(MERGE_SECONDS)


class _LastResort:
    """Ends an error here: the server would write it, and with it what was sent, into a log."""

    def __init__(self, app: ASGIApp, log: EventLog) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception:  # the edge of the program: a traceback holds what was sent
            if scope["type"] != "http":
                raise
            self._log.record(PortalCode.FAILED)
