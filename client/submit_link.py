"""One portal as a member's program speaks to it: every answer bounded, every refusal a word.

What the portal answers is untrusted: documents are read strictly, offsets are only believed within
the object, and a location only where it stays below the portal's own address.
Format: docs/format/23-upload.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Final, Self, TypeVar

import httpx

from amana.link.client import read_bounded
from amana.link.errors import AnswerError
from amana.wire.documents import Document
from amana.wire.errors import FieldError, WireError
from amana.wire.feedback import FEEDBACK_PATH, FeedbackAnswer
from amana.wire.ids import ObjectId
from amana.wire.receipt import NOTE_LIMIT_BYTES as RECEIPT_LIMIT_BYTES
from amana.wire.request import HEADER
from amana.wire.upload import (
    ANSWER_LIMIT_BYTES,
    CHUNK_TYPE,
    OBJECTS_PATH,
    ROOT,
    SESSION_PATH,
    SUBMISSIONS_PATH,
    TUS_VERSION,
    UPLOAD_SECRET,
    BearerToken,
    MissingObjects,
    UploadFault,
    UploadPortal,
    UploadRefused,
    UploadSecret,
    UploadSession,
)
from client.errors import ClientError

_OFFSET_DIGITS: Final = 15

DocumentT = TypeVar("DocumentT", bound=Document)


class PortalRefusedError(ClientError):
    """The portal does not take something: `fault` says why; `objects` which of the note's."""

    def __init__(self, fault: UploadFault, objects: tuple[ObjectId, ...] = ()) -> None:
        super().__init__(f"portal-{fault}", count=len(objects))
        self.fault = fault
        self.objects = objects


class PortalAwayError(ClientError):
    """The portal was not reached, went away, or answered what no portal answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class PortalLink:
    """A link to one portal, and the session on it once it is open."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._token: BearerToken | None = None

    def __enter__(self) -> Self:
        """Use it with `with`."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self._client.close()

    @property
    def has_session(self) -> bool:
        """Whether a session was opened that the portal has not ended, as far as is known."""
        return self._token is not None

    def portal(self) -> UploadPortal:
        """Ask what portal this is."""
        answer = self._ask("GET", ROOT, {}, None, UploadPortal.LIMIT_BYTES)
        self._require(answer, HTTPStatus.OK)
        return _read(UploadPortal, answer)

    def open_session(self, signed_request: str) -> None:
        """Open a session with a signed request. PortalRefusedError: COUNTER_OLD, NOT_SIGNED."""
        answer = self._ask("POST", SESSION_PATH, {HEADER: signed_request}, None, ANSWER_LIMIT_BYTES)
        self._require(answer, HTTPStatus.CREATED)
        self._token = _read(UploadSession, answer).token

    def submit(self, signed_note: bytes) -> bytes | MissingObjects:
        """Hand the note over; give the receipt as it came, or what is missing."""
        answer = self._ask(
            "POST", SUBMISSIONS_PATH, self._session(), signed_note, RECEIPT_LIMIT_BYTES
        )
        if answer.status == HTTPStatus.CONFLICT:
            return _read(MissingObjects, answer)
        self._require(answer, HTTPStatus.OK)
        return answer.body

    def feedback(self) -> bytes:
        """Give the newest feedback for this account, as it came (client.status judges it)."""
        answer = self._ask("GET", FEEDBACK_PATH, self._session(), None, FeedbackAnswer.LIMIT_BYTES)
        self._require(answer, HTTPStatus.OK)
        return answer.body

    def create(self, length: int, content: bytes = b"") -> UploadSecret:
        """Make an upload of this length, with its first bytes; give the secret of its address."""
        headers = self._session() | {"Upload-Length": str(length)}
        if content:
            headers["Content-Type"] = CHUNK_TYPE
        answer = self._ask("POST", OBJECTS_PATH, headers, content or None, ANSWER_LIMIT_BYTES)
        self._require(answer, HTTPStatus.CREATED)
        root, _, secret = answer.headers.get("location", "").rpartition("/")
        try:
            if root == OBJECTS_PATH:
                return UPLOAD_SECRET.read(secret)
        except FieldError as failure:
            raise PortalAwayError("portal-strange") from failure
        raise PortalAwayError("portal-strange")

    def offset(self, secret: UploadSecret, length: int) -> int | None:
        """Ask how much of an upload is durable; None when there is no such upload any more."""
        answer = self._ask("HEAD", _place(secret), self._session(), None, ANSWER_LIMIT_BYTES)
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        if answer.status == HTTPStatus.UNAUTHORIZED:
            self._token = None
            raise PortalRefusedError(UploadFault.NO_SESSION)
        self._require(answer, HTTPStatus.OK)
        return _offset(answer, 0, length)

    def add(
        self, secret: UploadSecret, offset: int, pieces: Iterable[bytes], size: int, length: int
    ) -> int:
        """Add bytes at an offset; give the new offset. size: of the pieces together, at least 1.

        PortalAwayError: also when the portal confirms nothing of it; nobody sends for ever.
        """
        headers = self._session() | {
            "Upload-Offset": str(offset),
            "Content-Type": CHUNK_TYPE,
            "Content-Length": str(size),
        }
        answer = self._ask("PATCH", _place(secret), headers, pieces, ANSWER_LIMIT_BYTES)
        self._require(answer, HTTPStatus.NO_CONTENT)
        return _offset(answer, offset + 1, length)

    def remove(self, secret: UploadSecret) -> None:
        """End an upload that is of no use."""
        self._ask("DELETE", _place(secret), self._session(), None, ANSWER_LIMIT_BYTES)

    def _session(self) -> dict[str, str]:
        if self._token is None:
            raise PortalRefusedError(UploadFault.NO_SESSION)
        return {"Authorization": f"Bearer {self._token}", "Tus-Resumable": TUS_VERSION}

    def _ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        content: bytes | Iterable[bytes] | None,
        limit_bytes: int,
    ) -> _Answer:
        try:
            with self._client.stream(method, path, headers=headers, content=content) as response:
                body = read_bounded(response, limit_bytes)
                return _Answer(status=response.status_code, headers=response.headers, body=body)
        except (httpx.TransportError, AnswerError) as failure:
            raise PortalAwayError("portal-away") from failure

    def _require(self, answer: _Answer, status: HTTPStatus) -> None:
        if answer.status == status:
            return
        try:
            refused = UploadRefused.from_bytes(answer.body)
        except WireError as failure:
            raise PortalAwayError("portal-strange") from failure
        if refused.fault is UploadFault.NO_SESSION:
            self._token = None
        raise PortalRefusedError(refused.fault, refused.objects)


def _read(kind: type[DocumentT], answer: _Answer) -> DocumentT:
    try:
        return kind.from_bytes(answer.body)
    except WireError as failure:
        raise PortalAwayError("portal-strange") from failure


def _place(secret: UploadSecret) -> str:
    return f"{OBJECTS_PATH}/{secret}"


def _offset(answer: _Answer, least: int, most: int) -> int:
    text = answer.headers.get("upload-offset", "")
    if text.isascii() and text.isdecimal() and len(text) <= _OFFSET_DIGITS:
        offset = int(text)
        if least <= offset <= most:
            return offset
    raise PortalAwayError("portal-strange")
