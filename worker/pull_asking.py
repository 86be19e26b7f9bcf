"""How the quarantine asks a portal: each request signed, each answer bounded, no word believed.

The portal is the part of the system that strangers can take over, so its answers are judged by
their length while they come and by a format or a digest when they have come.
Format: docs/format/22-pull.md section 3.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from io import BytesIO
from typing import BinaryIO, Final, TypeVar

import httpx

from amana.link.client import read_bounded
from amana.link.errors import LinkError
from amana.wire.documents import Document
from amana.wire.errors import WireError
from amana.wire.ids import Digest, LogOrigin
from amana.wire.request import HEADER, Method, RequestPath, SignedRequest, to_header
from amana.wire.vocabulary import Deployment
from crypto.sign import NoteSigner
from worker.pull_errors import PullError, PullFault
from worker.pull_memory import PullMemory

_CHUNK_BYTES: Final = 1 << 18

DocumentT = TypeVar("DocumentT", bound=Document)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Asks one portal in the quarantine's name."""

    link: httpx.Client
    signer: NoteSigner
    audience: LogOrigin
    deployment: Deployment
    memory: PullMemory

    @contextmanager
    def asked(
        self, method: str, path: RequestPath, body: BinaryIO | None = None, start: int = 0
    ) -> Iterator[httpx.Response]:
        """Give the answer to one request, its body still to be read.

        start: the first byte that is asked for, where the path is a sealed object. PullError:
        there is no answer, or it says no; also for what breaks off while the caller reads.
        """
        posted = body or BytesIO()
        size, digest = _measured(posted)
        request = SignedRequest(
            method=Method(method),
            path=path,
            body_sha256=digest,
            counter=self.memory.next_counter(),
            audience=self.audience,
            deployment=self.deployment,
        )
        note = self.signer.sign(request.to_bytes().decode("utf-8"))
        headers = {HEADER: to_header(note)}
        if start:
            headers["range"] = f"bytes={start}-"
        if body is not None:
            headers["content-length"] = str(size)
        content = _chunks(posted) if body is not None else None
        try:
            with self.link.stream(method, path, headers=headers, content=content) as response:
                _require_yes(response)
                yield response
        except httpx.HTTPError as failure:
            raise PullError(PullFault.UNREACHABLE) from failure
        except LinkError as failure:
            raise PullError(PullFault.TOO_LONG) from failure
        finally:
            # The portal is to recognise us by our signature and by nothing that it gave us.
            self.link.cookies.clear()

    def get(self, path: RequestPath, limit_bytes: int) -> bytes:
        """Give the whole of an answer. PullError: as asked(), or it is over the limit."""
        with self.asked("GET", path) as response:
            return read_bounded(response, limit_bytes)

    def document(
        self, kind: type[DocumentT], path: RequestPath, body: bytes | None = None
    ) -> DocumentT:
        """Give the document in an answer, to a post where there is a body.

        PullError: as get(), or it is not such a document.
        """
        posted = None if body is None else BytesIO(body)
        with self.asked("GET" if body is None else "POST", path, posted) as response:
            untrusted = read_bounded(response, kind.LIMIT_BYTES)
        try:
            return kind.from_bytes(untrusted)
        except WireError as failure:
            raise PullError(PullFault.MALFORMED) from failure

    def post(self, path: RequestPath, body: BinaryIO) -> None:
        """Hand over the whole of a file. PullError: as asked()."""
        with self.asked("POST", path, body) as response:
            read_bounded(response, 0)


def _require_yes(response: httpx.Response) -> None:
    status = response.status_code
    if status == HTTPStatus.NOT_FOUND:
        raise PullError(PullFault.REFUSED)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise PullError(PullFault.UNAVAILABLE)
    if status not in (HTTPStatus.OK, HTTPStatus.NO_CONTENT, HTTPStatus.PARTIAL_CONTENT):
        raise PullError(PullFault.MALFORMED)


def _measured(body: BinaryIO) -> tuple[int, Digest]:
    """Give size and digest of a file, and go to its start."""
    body.seek(0)
    sha256 = hashlib.sha256()
    for chunk in _chunks(body):
        sha256.update(chunk)
    size = body.tell()
    body.seek(0)
    return size, Digest(sha256.hexdigest())


def _chunks(body: BinaryIO) -> Iterator[bytes]:
    while chunk := body.read(_CHUNK_BYTES):
        yield chunk
