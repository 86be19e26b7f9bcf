"""The portal's interface for programs of enrolled members: session, uploads, submission, receipt.

Every answer is a document of amana.wire.upload, a signed receipt, or headers of tus; every refusal
has a word and a sentence. The pages of visitors know nothing of it. Format:
docs/format/23-upload.md; for programmers: docs/API.md.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from amana.clock import today
from amana.events import EventLog
from amana.store.errors import StoreError
from amana.wire.errors import WireError
from amana.wire.feedback import FEEDBACK_PATH, FeedbackAnswer
from amana.wire.ids import AccountId, Digest, LogOrigin
from amana.wire.request import HEADER, claimed_signer, read_request
from amana.wire.signers import key_id
from amana.wire.upload import (
    NOTE_LIMIT_BYTES,
    OBJECTS_PATH,
    ROOT,
    SESSION_PATH,
    SUBMISSIONS_PATH,
    MissingObjects,
    UploadFault,
    UploadPortal,
    UploadRefused,
    UploadSession,
)
from amana.wire.vocabulary import Deployment
from portal.codes import PortalCode
from portal.errors import UploadRefusedError
from portal.feedback_store import newest
from portal.intake import Intake
from portal.limits import UploadLimits
from portal.tus import RESUMABLE, Tus
from portal.uploads import Uploads
from portal.uploads_completion import Completion
from portal.uploads_enrolled import EnrolledFile
from portal.uploads_holds import Holds
from portal.uploads_sessions import Session, Sessions
from portal.uploads_writer import NO_ROOM

_THREADS: Final = 4
_DOCUMENT: Final = "application/json"
_NOTE: Final = "text/plain; charset=utf-8"
_NOTHING: Final = Digest(hashlib.sha256().hexdigest())

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """Everything that members' programs reach."""

    log: LogOrigin
    deployment: Deployment
    limits: UploadLimits
    sessions: Sessions
    uploads: Uploads
    completion: Completion
    enrolled: EnrolledFile
    tus: Tus
    executor: ThreadPoolExecutor
    events: EventLog
    feedback_of: Callable[[AccountId], Awaitable[FeedbackAnswer | None]]

    @property
    def routes(self) -> list[BaseRoute]:
        """The addresses, each with what answers."""
        one = ["HEAD", "PATCH", "DELETE", "POST", "OPTIONS"]
        return [
            self._route(ROOT, self.portal, ["GET"]),
            self._route(SESSION_PATH, self.open_session, ["POST"]),
            self._route(OBJECTS_PATH, self.tus.options, ["OPTIONS"]),
            self._route(OBJECTS_PATH, self.tus.create, ["POST"]),
            # Some clients put a relative location behind the address that they asked.
            self._route(OBJECTS_PATH + "/", self.tus.options, ["OPTIONS"]),
            self._route(OBJECTS_PATH + "/", self.tus.create, ["POST"]),
            self._route(OBJECTS_PATH + "/{secret}", self.tus.one, one),
            self._route(SUBMISSIONS_PATH, self.submit, ["POST"]),
            self._route(SUBMISSIONS_PATH + "/{submission}/receipt", self.receipt, ["GET"]),
            self._route(FEEDBACK_PATH, self.feedback, ["GET"]),
        ]

    async def start(self) -> None:
        """Take up sessions and uploads from before a restart."""
        await self.sessions.load()
        await self.uploads.load()

    async def sweep(self) -> None:
        """Forget ended sessions and expired uploads. StoreError: later, then."""
        await self.sessions.sweep()
        if expired := await self.uploads.expire():
            self.events.record(PortalCode.UPLOADS_EXPIRED, uploads=expired)

    async def portal(self, _request: Request) -> Response:
        """Say for whom a program signs here."""
        said = UploadPortal(
            log=self.log,
            deployment=self.deployment,
            object_limit_bytes=self.limits.object_bytes,
        )
        return _document(said.to_bytes(), HTTPStatus.OK)

    async def open_session(self, request: Request) -> Response:
        """Open a session for whoever signed the request."""
        enrolment = await self.enrolled.now()
        if request.headers.get("content-length", "0") != "0" or _is_chunked(request):
            raise UploadRefusedError(UploadFault.HEADER_MALFORMED)
        untrusted = request.headers.get(HEADER.lower(), "")
        try:
            member = enrolment.members[claimed_signer(untrusted)]
            signed = read_request(
                untrusted,
                member.key,
                method=request.method,
                path=request.url.path,
                body_sha256=_NOTHING,
                audience=self.log,
                deployment=self.deployment,
            )
        except (KeyError, WireError) as failure:
            raise UploadRefusedError(UploadFault.NOT_SIGNED) from failure
        token = await self.sessions.open(member.account, key_id(member.key), signed.counter)
        opened = UploadSession(token=token, idle_seconds=int(self.limits.session_seconds))
        return _document(opened.to_bytes(), HTTPStatus.CREATED)

    async def submit(self, request: Request) -> Response:
        """Take a signed note; answer with R1, or with what is missing."""
        session = await self._session(request)
        untrusted = await self._body(request, session)
        outcome = await self.completion.submit(session.account, untrusted)
        if isinstance(outcome, MissingObjects):
            return _document(outcome.to_bytes(), HTTPStatus.CONFLICT)
        return Response(outcome, media_type=_NOTE)

    async def receipt(self, request: Request) -> Response:
        """Give R1 of a submission again."""
        session = await self._session(request)
        submission = request.path_params["submission"]
        note = await self.completion.receipt(session.account, submission)
        return Response(note, media_type=_NOTE)

    async def feedback(self, request: Request) -> Response:
        """Give the newest feedback of the member's account."""
        session = await self._session(request)
        answer = await self.feedback_of(session.account)
        if answer is None:
            raise UploadRefusedError(UploadFault.UNKNOWN)
        return _document(answer.to_bytes(), HTTPStatus.OK)

    async def _session(self, request: Request) -> Session:
        return await self.sessions.find(request.headers.get("authorization", ""))

    async def _body(self, request: Request, session: Session) -> bytes:
        """Read a whole note. UploadRefusedError: TOO_LARGE, TOO_SLOW."""
        body = bytearray()
        chunks = request.stream()
        while True:
            try:
                async with asyncio.timeout(self.limits.idle_seconds):
                    chunk = await anext(chunks, None)
            except TimeoutError as failure:
                raise UploadRefusedError(UploadFault.TOO_SLOW) from failure
            if chunk is None:
                return bytes(body)
            body += chunk
            self.sessions.renew(session)
            if len(body) > NOTE_LIMIT_BYTES:
                raise UploadRefusedError(UploadFault.TOO_LARGE)

    def _route(self, path: str, endpoint: Endpoint, methods: list[str]) -> Route:
        return Route(path, self._guarded(endpoint), methods=methods)

    def _guarded(self, endpoint: Endpoint) -> Endpoint:
        async def answer(request: Request) -> Response:
            try:
                return await endpoint(request)
            except UploadRefusedError as refused:
                return _refused(refused)
            except ClientDisconnect:
                return _refused(UploadRefusedError(UploadFault.TOO_SLOW))
            except OSError as failure:
                is_full = failure.errno in NO_ROOM
                return self._failed(UploadFault.NO_ROOM if is_full else UploadFault.FAILED)
            except StoreError:
                return self._failed(UploadFault.FAILED)

        return answer

    def _failed(self, fault: UploadFault) -> Response:
        self.events.record(PortalCode.UPLOAD_FAILED)
        return _refused(UploadRefusedError(fault))


def build_api(
    intake: Intake, deployment: Deployment, limits: UploadLimits, events: EventLog
) -> Api:
    """Put the interface together, over the same disk, database and room as the pages."""
    executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="upload")
    uploads = Uploads(
        places=intake.places,
        database=intake.database,
        clock=intake.clock,
        limits=limits,
        room=intake.room,
        executor=executor,
    )
    enrolled = EnrolledFile(intake.places.enrolled, intake.cards.directory, deployment, executor)
    sessions = Sessions(intake.database, intake.clock, limits, enrolled)
    return Api(
        log=intake.log,
        deployment=deployment,
        limits=limits,
        sessions=sessions,
        uploads=uploads,
        completion=Completion(
            places=intake.places,
            keys=intake.keys,
            database=intake.database,
            clock=intake.clock,
            log=intake.log,
            deployment=deployment,
            enrolled=enrolled,
            uploads=uploads,
        ),
        enrolled=enrolled,
        tus=Tus(
            sessions=sessions, uploads=uploads, holds=Holds(limits.stall_seconds), limits=limits
        ),
        executor=executor,
        events=events,
        feedback_of=lambda account: newest(
            intake.database, intake.places, account, today(intake.clock)
        ),
    )


def _is_chunked(request: Request) -> bool:
    return "transfer-encoding" in request.headers


def _document(content: bytes, status: int) -> Response:
    return Response(content, status_code=status, media_type=_DOCUMENT)


def _refused(refused: UploadRefusedError) -> Response:
    said = UploadRefused.of(refused.fault, refused.objects)
    response = _document(said.to_bytes(), refused.fault.status)
    response.headers[RESUMABLE[0]] = RESUMABLE[1]
    if refused.fault is UploadFault.TUS_VERSION:
        response.headers["tus-version"] = RESUMABLE[1]
    if refused.fault.status == HTTPStatus.UNAUTHORIZED:
        response.headers["www-authenticate"] = "Bearer"  # RFC 6750 section 3
    return response
