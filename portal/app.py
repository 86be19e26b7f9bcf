"""The portal as an ASGI application: routes, headers, and what runs beside the requests."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Final

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Lifespan

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
from portal.api import Api, build_api
from portal.card import CardSource
from portal.codes import PortalCode
from portal.custody import PortalKeys
from portal.draft_intake import DraftIntake
from portal.drafts import Drafts
from portal.feedback_store import forget_old
from portal.intake import Intake
from portal.journey import Journey
from portal.last_resort import LastResort
from portal.ledger import merge_leaves
from portal.limits import DEFAULT, UPLOADS, Limits, UploadLimits
from portal.pages import STYLES, Visitors
from portal.places import Places
from portal.records.tables import PORTAL
from portal.returning import Returners

MERGE_SECONDS: Final = 900
"""How often it is asked whether a day has ended."""

SWEEP_SECONDS: Final = 60
"""How often drafts whose time is over are removed."""

THREADS: Final = 4
"""Uploads that are sealed at the same moment; more only take turns on the processor."""


def build_app(
    settings: Settings,
    clock: Clock,
    log: EventLog,
    limits: Limits = DEFAULT,
    upload_limits: UploadLimits = UPLOADS,
) -> ASGIApp:
    """Give the application. KeysError, DirectoryError: `amana portal init` was not finished.

    The database is opened when the server starts, and checked then: FormatError.
    """
    # Only what serves may open a mailbox: importing the portal loads nothing that opens.
    from portal.mailbox import PhraseMailboxes  # noqa: PLC0415 - see above

    places = Places(data_directory=settings.data_directory)
    keys = PortalKeys.load(places.keys)
    database = open_database(settings.portal.database_url)
    cards = CardSource.of(settings)
    intake = Intake(
        places=places,
        cards=cards,
        keys=keys,
        tokens=FormTokens(keys.form_secret, clock),
        mailboxes=PhraseMailboxes.of(database, places, cards.directory),
        log=LogOrigin(settings.portal.log_origin),
        database=database,
        clock=clock,
        limits=limits,
        executor=ThreadPoolExecutor(THREADS, thread_name_prefix="seal"),
        uploads=asyncio.Semaphore(limits.uploads),
    )
    drafts = Drafts(places, database, limits, intake.executor)
    drafting = DraftIntake(intake=intake, drafts=drafts)
    pages = Pages(settings.deployment, STYLES)
    api = build_api(intake, Deployment(settings.deployment.value), upload_limits, log)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await require_format(database, PORTAL, Deployment(settings.deployment.value))
        if leftovers := await intake.clean():
            log.record(PortalCode.LEFTOVERS, submissions=leftovers)
        await drafts.load()
        await api.start()
        sweeping = asyncio.create_task(_sweep_drafts(drafts, log))
        merging = asyncio.create_task(_merge_each_day(intake, api, log))
        log.record(PortalCode.SERVING)
        yield
        for task in (merging, sweeping):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        intake.executor.shutdown()
        api.executor.shutdown()
        intake.mailboxes.close()
        await database.close()
        log.record(PortalCode.STOPPED)

    app = _routes(Visitors(pages=pages, intake=intake), drafting, api, lifespan)
    return SafeHeaders(LastResort(app, log, PortalCode.FAILED), style_hashes=(pages.style_hash,))


def _routes(
    visitors: Visitors, drafting: DraftIntake, api: Api, lifespan: Lifespan[Starlette]
) -> Starlette:
    returners = Returners.beside(visitors)
    journey = Journey(visitors=visitors, drafting=drafting)
    app = Starlette(
        routes=[
            *api.routes,
            Route("/", visitors.landing),
            Route("/left", visitors.left),
            Route("/leave", journey.leave, methods=["POST"]),
            Route("/{language}", visitors.landing),
            Route("/{language}/before", visitors.before),
            Route("/{language}/give", visitors.give, methods=["GET"]),
            Route("/{language}/give", visitors.receive, methods=["POST"]),
            Route("/{language}/words", journey.words, methods=["GET"]),
            Route("/{language}/words", journey.begin, methods=["POST"]),
            Route("/{language}/purposes", journey.purposes, methods=["GET"]),
            Route("/{language}/purposes", journey.answer, methods=["POST"]),
            Route("/{language}/files", journey.files, methods=["GET"]),
            Route("/{language}/files", journey.add, methods=["POST"]),
            Route("/{language}/review", journey.review, methods=["GET"]),
            Route("/{language}/review", journey.hand_over, methods=["POST"]),
            Route("/{language}/thanks", journey.thanks),
            Route("/{language}/return", returners.ask, methods=["GET"]),
            Route("/{language}/return", returners.read, methods=["POST"]),
        ],
        exception_handlers={404: visitors.fail, 405: visitors.fail, Exception: visitors.fail},
        lifespan=lifespan,
    )
    # It would send whoever asks to the host that the request names, or to our own socket's path.
    app.router.redirect_slashes = False
    return app


async def _merge_each_day(intake: Intake, api: Api, log: EventLog) -> None:
    while True:
        try:
            on = today(intake.clock)
            if joined := await merge_leaves(intake.database, on):
                log.record(PortalCode.MERGED, leaves=joined)
            await forget_old(intake.database, intake.places, on)
            await api.sweep()
        except (OSError, StoreError):
            # What was not done waits; the next turn does it.
            log.record(PortalCode.NOT_MERGED)
        await asyncio.sleep(MERGE_SECONDS)


async def _sweep_drafts(drafts: Drafts, log: EventLog) -> None:
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        try:
            await drafts.sweep()
        except (StoreError, OSError):
            # They still lie there; the next turn takes them.
            log.record(PortalCode.DRAFTS_NOT_REMOVED)
