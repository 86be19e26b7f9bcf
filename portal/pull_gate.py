"""What a request of a pull must pass before anything is done: whose it is, which, and only once.

A stranger's body is never read, and what is wrong with a request is nobody's to learn: there is one
answer for all of it. What is posted goes to the disk as it comes, hashed, and counts only when its
digest is the one that was signed. Format: docs/format/22-pull.md section 3.
"""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from amana.clock import Clock
from amana.store.engine import Database
from amana.wire.errors import WireError
from amana.wire.ids import Digest, LogOrigin, ObjectId, random_id
from amana.wire.request import HEADER, SignedRequest, read_head
from amana.wire.sealed import SealedObject
from amana.wire.signers import key_id
from amana.wire.vocabulary import Deployment
from portal.custody import PortalKeys
from portal.objects import ObjectFile
from portal.places import Places
from portal.pull_keys import PullKeys
from portal.pull_records import advance, last_counter

GATHERED_BYTES: Final = 1 << 20
"""Written at once, as for an upload (portal.intake)."""

IDLE_SECONDS: Final = 180
"""How long a body may stand still: as for an upload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything that a pull needs of the portal."""

    places: Places
    keys: PortalKeys
    pull: PullKeys
    log: LogOrigin
    deployment: Deployment
    database: Database
    clock: Clock
    keep_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What came with a request: a file that is gone when the request has ended."""

    path: Path
    sealed: SealedObject

    @property
    def sha256(self) -> Digest:
        """SHA-256 of it."""
        return self.sealed.sealed_sha256

    async def read(self) -> bytes:
        """Give all of it; its limit was kept while it came."""
        return await asyncio.to_thread(self.path.read_bytes)


Verb = Callable[[Request], Awaitable[Response | None]]
"""Does what a request without a body asks; None: it is refused like any other wrong one."""

PostVerb = Callable[[Request, Posted], Awaitable[Response | None]]
"""Does what a request with a body asks; None as for Verb."""

_Endpoint = Callable[[Request], Awaitable[Response]]

_NOTHING: Final = Digest(hashlib.sha256().hexdigest())


def refused() -> Response:
    """Give the one answer to whatever is wrong."""
    return Response(status_code=404)


class Gate:
    """Lets a verb do its work when the request is the quarantine's, new, and whole."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._signer = key_id(desk.pull.signer)

    def get(self, verb: Verb) -> _Endpoint:
        """Give the endpoint of a verb that takes no body; one that comes is not read."""

        async def answer(request: Request) -> Response:
            asked = await self._asked(request)
            if asked is None or not await self._is_new(asked, _NOTHING):
                return refused()
            return await verb(request) or refused()

        return answer

    def post(self, verb: PostVerb, limit_bytes: int) -> _Endpoint:
        """Give the endpoint of a verb that takes a body up to a limit."""

        async def answer(request: Request) -> Response:
            asked = await self._asked(request)
            if asked is None:
                return refused()
            async with self._posted(request, limit_bytes) as posted:
                if posted is None or not await self._is_new(asked, posted.sha256):
                    return refused()
                return await verb(request, posted) or refused()

        return answer

    async def _is_new(self, asked: SignedRequest, body: Digest) -> bool:
        """Say whether this body was signed, and write down that the request is acted on."""
        if asked.body_sha256 != body:
            return False
        return await advance(self._desk.database, self._signer, asked.counter)

    async def _asked(self, request: Request) -> SignedRequest | None:
        headers = request.headers.getlist(HEADER)
        if len(headers) != 1:
            return None
        try:
            asked = read_head(
                headers[0],
                self._desk.pull.signer,
                method=request.method,
                path=_target(request),
                audience=self._desk.log,
                deployment=self._desk.deployment,
            )
        except WireError:
            return None
        # Looked at once more before it is acted on; here it spares the body of a repeated one.
        last = await last_counter(self._desk.database, self._signer)
        return asked if asked.counter > last else None

    @asynccontextmanager
    async def _posted(self, request: Request, limit_bytes: int) -> AsyncIterator[Posted | None]:
        """Bring the body to the disk, hashed; None: it is over its limit, too slow or cut."""
        path = self._desk.places.spool / secrets.token_hex(16)
        file = ObjectFile(path, random_id(ObjectId))
        try:
            is_whole = await _spool(request, file, limit_bytes)
            sealed = await asyncio.to_thread(file.finish) if is_whole else None
            yield None if sealed is None else Posted(path=path, sealed=sealed)
        finally:
            file.close()
            path.unlink(missing_ok=True)


async def _spool(request: Request, file: ObjectFile, limit_bytes: int) -> bool:
    chunks = aiter(request.stream())
    gathered = bytearray()
    size = 0
    while True:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            await asyncio.to_thread(file.write, bytes(gathered))
            return True
        except (ClientDisconnect, TimeoutError):
            return False
        size += len(chunk)
        if size > limit_bytes:
            return False
        gathered += chunk
        if len(gathered) >= GATHERED_BYTES:
            await asyncio.to_thread(file.write, bytes(gathered))
            gathered.clear()


def _target(request: Request) -> str:
    """Give path and query as they were sent; what is not ASCII was signed by nobody."""
    raw: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    return (raw + b"?" + query if query else raw).decode("ascii", "replace")
