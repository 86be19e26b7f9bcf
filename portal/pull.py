"""The portal as the quarantine sees it: an application of its own, in a process of its own.

It lists, reads out, proves, and takes the quarantine's word; it seals and opens nothing, and it
never connects to anybody. The public portal runs beside it on the same database and folders; only
that one removes leftovers of uploads, this one only what was acknowledged. What is read out was
sealed before it was stored. Format: docs/format/22-pull.md.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar

from aiofiles.threadpool import wrap
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Lifespan

from amana.clock import Clock, today
from amana.durable import sync_folder
from amana.events import EventLog
from amana.settings import Settings
from amana.store.engine import open_database
from amana.store.errors import StoreError
from amana.store.migrate import require_format
from amana.web.headers import SafeHeaders
from amana.wire.bundle import NOTE, object_path
from amana.wire.documents import Document
from amana.wire.errors import FieldError, WireError
from amana.wire.fields import Token
from amana.wire.ids import OBJECT_ID, SUBMISSION_ID, LogOrigin, SubmissionId
from amana.wire.pull import (
    CHECKPOINT_LIMIT_BYTES,
    COSIGN_PATH,
    FEEDBACK_LIMIT_BYTES,
    FEEDBACK_PATH,
    ROOT,
    SEALED_RECEIPT_LIMIT_BYTES,
    PullAcknowledgement,
)
from amana.wire.signers import SIGNATURES_LIMIT_BYTES, read_signed_only
from amana.wire.vocabulary import Deployment
from crypto import header
from crypto.canonical import MAX_INTEGER
from crypto.header import MAX_HEADER_SIZE, Inspected
from crypto.padding import Kind
from portal import checkpoints, pull_records
from portal.acknowledged import remove_due
from portal.codes import PortalCode
from portal.custody import PortalKeys
from portal.feedback_store import Posting, store_lines
from portal.last_resort import LastResort
from portal.places import Places
from portal.pull_gate import Desk, Gate, Posted, refused
from portal.pull_keys import PullKeys
from portal.records.tables import PORTAL

REMOVE_SECONDS: Final = 900
"""How often it is asked whether the days of something acknowledged are over."""

CHUNK_BYTES: Final = 1 << 20
"""Read and sent at once. Measured for uploads: less costs more hops, more leaves the cache."""

_AFTER: Final = re.compile(rb"after=([0-9a-f]{64})", re.ASCII)
_FROM: Final = re.compile(rb"from=(0|[1-9][0-9]{0,18})", re.ASCII)
_RANGE: Final = re.compile(r"bytes=(0|[1-9][0-9]{0,18})-", re.ASCII)

IdT = TypeVar("IdT", bound=str)


def build_pull_app(settings: Settings, clock: Clock, log: EventLog) -> ASGIApp:
    """Give the application. KeysError: the portal's keys or the quarantine's are not there.

    The database is opened when the server starts, and checked then: FormatError.
    """
    places = Places(data_directory=settings.data_directory)
    desk = Desk(
        places=places,
        keys=PortalKeys.load(places.keys),
        pull=PullKeys.load(settings.data_directory / settings.portal.pull_keys),
        log=LogOrigin(settings.portal.log_origin),
        deployment=Deployment(settings.deployment.value),
        database=open_database(settings.portal.database_url),
        clock=clock,
        keep_days=settings.portal.keep_days,
    )
    verbs = Verbs(desk, log)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await require_format(desk.database, PORTAL, desk.deployment)
        # What a kill left of a post; whoever runs this process holds its lock.
        for left in places.spool.iterdir():
            left.unlink()
        removing = asyncio.create_task(_remove_in_time(verbs))
        log.record(PortalCode.PULL_SERVING)
        yield
        removing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await removing
        await desk.database.close()
        log.record(PortalCode.STOPPED)

    return SafeHeaders(
        LastResort(_routes(verbs, Gate(desk), lifespan), log, PortalCode.PULL_FAILED)
    )


def _routes(verbs: "Verbs", gate: Gate, lifespan: Lifespan[Starlette]) -> Starlette:
    at = f"{ROOT}/submissions/{{submission}}"
    word = PullAcknowledgement.LIMIT_BYTES + SIGNATURES_LIMIT_BYTES
    posts = (
        (f"{at}/acknowledgement", verbs.acknowledge, word),
        (f"{at}/receipts", verbs.receipt, SEALED_RECEIPT_LIMIT_BYTES),
        (COSIGN_PATH, verbs.cosign, CHECKPOINT_LIMIT_BYTES),
        (FEEDBACK_PATH, verbs.feedback, FEEDBACK_LIMIT_BYTES),
    )
    gets = (
        (f"{ROOT}/list", verbs.listed),
        (f"{ROOT}/checkpoint", verbs.checkpoint),
        (f"{at}/note", verbs.note),
        (f"{at}/event", verbs.event),
        (f"{at}/objects/{{object_id}}", verbs.sealed),
    )
    app = Starlette(
        routes=[
            *(Route(path, gate.get(verb), methods=["GET"]) for path, verb in gets),
            *(Route(path, gate.post(verb, most), methods=["POST"]) for path, verb, most in posts),
        ],
        exception_handlers={404: _refuse, 405: _refuse, Exception: _fail},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app


class Verbs:
    """What the quarantine may ask of the portal. None: the one refusal."""

    def __init__(self, desk: Desk, log: EventLog) -> None:
        self._desk = desk
        self._log = log
        self._removing = asyncio.Lock()

    async def listed(self, request: Request) -> Response | None:
        """Give a page of what waits."""
        query: bytes = request.scope["query_string"]
        after = _AFTER.fullmatch(query)
        if query and after is None:
            return None
        behind = SubmissionId(after[1].decode("ascii")) if after else None
        return _document(await pull_records.waiting(self._desk.database, behind))

    async def note(self, request: Request) -> Response | None:
        """Read out a package note."""
        submission = _id(SUBMISSION_ID, request, "submission")
        if submission is None or not await pull_records.is_held(self._desk.database, submission):
            return None
        return await _file(self._desk.places.bundle(submission) / NOTE)

    async def event(self, request: Request) -> Response | None:
        """Read out the sealed custody event of an arrival."""
        submission = _id(SUBMISSION_ID, request, "submission")
        if submission is None or not await pull_records.is_held(self._desk.database, submission):
            return None
        return await _file(self._desk.places.event(submission))

    async def sealed(self, request: Request) -> Response | None:
        """Read out a sealed object, from a place on if that is asked."""
        submission = _id(SUBMISSION_ID, request, "submission")
        object_id = _id(OBJECT_ID, request, "object_id")
        if submission is None or object_id is None:
            return None
        size = await pull_records.sealed_size(self._desk.database, submission, object_id)
        if size is None:
            return None
        path = self._desk.places.bundle(submission) / object_path(object_id)
        return await _file(path, request.headers.get("range"))

    async def checkpoint(self, request: Request) -> Response | None:
        """Give the log's checkpoint, and the proof from an older size."""
        asked = _FROM.fullmatch(request.scope["query_string"])
        if asked is None or int(asked[1]) > MAX_INTEGER:
            return None
        desk = self._desk
        return _document(
            await checkpoints.answer_from(
                desk.database, desk.keys, desk.log, int(asked[1]), today(desk.clock)
            )
        )

    async def cosign(self, _request: Request, posted: Posted) -> Response | None:
        """Keep a checkpoint of ours with the quarantine's lines."""
        desk = self._desk
        log = desk.keys.log_key(desk.log)
        is_kept = await checkpoints.keep_cosigned(
            desk.database, await posted.read(), log, desk.pull.cosigner
        )
        return _done() if is_kept else None

    async def acknowledge(self, request: Request, posted: Posted) -> Response | None:
        """Take the word that a submission arrived; its bytes go when their days are over."""
        desk = self._desk
        statement = await posted.read()
        try:
            word = read_signed_only(PullAcknowledgement, statement, desk.pull.signer)
        except WireError:
            return None
        meant = (_id(SUBMISSION_ID, request, "submission"), desk.log, desk.deployment)
        if (word.submission_id, word.audience, word.deployment) != meant:
            return None
        answer = await pull_records.acknowledge(
            desk.database, word, statement, today(desk.clock), desk.keep_days
        )
        if answer is not None and answer.kept_until <= today(desk.clock):
            await self.remove()
        return _document(answer)

    async def feedback(self, _request: Request, posted: Posted) -> Response | None:
        """Take a batch of feedback, whole or not at all."""
        try:
            what = await store_lines(self._desk.database, self._desk.places, _pieces(posted.path))
        except WireError:
            return None
        return None if what is Posting.OTHER else _done()

    async def receipt(self, request: Request, posted: Posted) -> Response | None:
        """Keep a sealed receipt until its provider fetches it."""
        desk = self._desk
        submission = _id(SUBMISSION_ID, request, "submission")
        if submission is None or not await pull_records.is_received(desk.database, submission):
            return None
        if not await asyncio.to_thread(_can_be_sealed, posted):
            return None
        await asyncio.to_thread(_give_name, posted.path, desk.places.receipt(posted.sha256))
        await pull_records.keep_receipt(desk.database, submission, posted.sealed, today(desk.clock))
        return _done()

    async def remove(self) -> None:
        """Remove what was acknowledged and is kept no longer; what fails is tried again later."""
        desk = self._desk
        async with self._removing:
            try:
                removed = await remove_due(desk.database, desk.places, today(desk.clock))
            except (OSError, StoreError):
                self._log.record(PortalCode.NOT_REMOVED)
                return
        if removed:
            self._log.record(PortalCode.REMOVED, submissions=removed)


async def _remove_in_time(verbs: Verbs) -> None:
    while True:
        await verbs.remove()
        await asyncio.sleep(REMOVE_SECONDS)


async def _file(path: Path, untrusted_range: str | None = None) -> Response | None:
    """Read a file out, from an asked byte on; None: it is gone, or ends before that byte.

    Any other kind of range is passed over, and the whole is given (RFC 9110 section 14.2).
    """
    try:
        size = (await asyncio.to_thread(path.stat)).st_size
    except FileNotFoundError:
        return None
    asked = _RANGE.fullmatch(untrusted_range or "")
    start = int(asked[1]) if asked else 0
    if start >= size:
        return None
    headers = {"content-length": str(size - start)}
    if asked:
        headers["content-range"] = f"bytes {start}-{size - 1}/{size}"
    return StreamingResponse(
        _pieces(path, start),
        status_code=206 if asked else 200,
        headers=headers,
        media_type="application/octet-stream",
    )


async def _pieces(path: Path, start: int = 0) -> AsyncIterator[bytes]:
    # Opened and closed without waiting: when the other side has gone, every wait is cancelled.
    with path.open("rb") as file:
        file.seek(start)
        source = wrap(file)
        while piece := await source.read(CHUNK_BYTES):
            yield piece


def _can_be_sealed(posted: Posted) -> bool:
    with posted.path.open("rb") as source:
        prefix = source.read(MAX_HEADER_SIZE)
    size = posted.sealed.sealed_size
    return isinstance(header.inspect(prefix, sealed_size=size, kind=Kind.RECORD), Inspected)


def _give_name(path: Path, name: Path) -> None:
    # It is named by its digest: what lies there already is the same.
    path.replace(name)
    sync_folder(name.parent)


def _id(codec: Token[IdT], request: Request, name: str) -> IdT | None:
    try:
        return codec.read(request.path_params[name])
    except FieldError:
        return None


def _document(document: Document | None) -> Response | None:
    if document is None:
        return None
    return Response(document.to_bytes(), media_type="application/json")


def _done() -> Response:
    return Response(status_code=204)


async def _refuse(_request: Request, _failure: Exception) -> Response:
    return refused()


async def _fail(_request: Request, _failure: Exception) -> Response:
    return Response(status_code=503)
