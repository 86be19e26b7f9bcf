"""tus 1.0 over objects that are sealed already.

Spoken are creation, creation-with-upload, checksum, termination and expiration. Only headers are
read here, strictly; the bytes go to portal.uploads_writer. `Upload-Metadata` is checked and thrown
away: no name ever comes to this server. A location is relative, so it names no host.
Protocol: tus.io/protocols/resumable-upload 1.0.0; format: docs/format/23-upload.md section 3.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, time
from email.utils import format_datetime
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from amana.wire.upload import CHUNK_TYPE, OBJECTS_PATH, TUS_VERSION, UploadFault
from crypto.padding import Kind, is_on_step
from portal.errors import UploadRefusedError
from portal.limits import UploadLimits
from portal.uploads import Upload, UploadId, Uploads
from portal.uploads_holds import Holds
from portal.uploads_sessions import Session, Sessions
from portal.uploads_writer import Checksum, UploadWriter

EXTENSIONS: Final = "creation,creation-with-upload,checksum,termination,expiration"
ALGORITHMS: Final = {"sha1": 20, "sha256": 32}
"""Bytes of each digest. The protocol demands SHA-1, which guards against accidents only."""

RESUMABLE: Final = ("tus-resumable", TUS_VERSION)

_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
_METADATA_CHARACTERS: Final = 4_096
_METADATA_KEY: Final = re.compile(r"[!-+\--~]{1,128}", re.ASCII)  # visible, no comma
_OVERRIDES: Final = frozenset({"PATCH", "DELETE", "HEAD"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tus:
    """Answers every request about uploads. UploadRefusedError passes to portal.api."""

    sessions: Sessions
    uploads: Uploads
    holds: Holds
    limits: UploadLimits

    async def options(self, _request: Request) -> Response:
        """Say what is spoken."""
        headers = {
            "tus-version": TUS_VERSION,
            "tus-extension": EXTENSIONS,
            "tus-max-size": str(self.limits.object_bytes),
            "tus-checksum-algorithm": ",".join(ALGORITHMS),
        }
        return _empty(204, headers)

    async def create(self, request: Request) -> Response:
        """Make an upload, and take its first bytes if they come with it."""
        session = await self._admit(request)
        length = self._length(request)
        _check_metadata(request.headers.get("upload-metadata", ""))
        has_body = request.headers.get("content-type") == CHUNK_TYPE
        if not has_body and _has_body(request):
            raise UploadRefusedError(UploadFault.MEDIA_TYPE)
        _require_fits(request, 0, length)
        secret = await self.uploads.create(session.account, length)
        upload = await self.uploads.find(session.account, secret)
        # Relative to the address that was asked (RFC 3986 section 5.2), as a path or as a name.
        is_folder = request.url.path.endswith("/")
        headers = {"location": secret if is_folder else f"{OBJECTS_PATH}/{secret}"}
        if has_body:
            try:
                upload = await self._write(request, session, upload.upload_id, 0)
            except BaseException:
                # Nobody learns this upload's address any more.
                await self.uploads.remove(upload)
                raise
            headers["upload-offset"] = str(upload.committed)
        return _empty(201, headers | self._expires())

    async def one(self, request: Request) -> Response:
        """Answer about one upload: HEAD, PATCH, DELETE, or POST that stands for one of them."""
        method = request.method
        if method == "POST":
            method = request.headers.get("x-http-method-override", "").upper()
            if method not in _OVERRIDES:
                raise UploadRefusedError(UploadFault.METHOD)
        if method == "OPTIONS":
            return await self.options(request)
        session = await self._admit(request)
        upload = await self.uploads.find(session.account, request.path_params["secret"])
        match method:
            case "PATCH":
                return await self._patch(request, session, upload)
            case "DELETE":
                return await self._delete(upload)
            case _:
                return await self._head(upload)

    async def _head(self, upload: Upload) -> Response:
        await self.holds.settle(upload.upload_id, must=False)
        upload = await self.uploads.refreshed(upload.upload_id)
        lengths = {"upload-offset": str(upload.committed), "upload-length": str(upload.length)}
        return _empty(200, lengths | self._expires())

    async def _delete(self, upload: Upload) -> Response:
        async with self.holds.take(upload.upload_id):
            await self.uploads.remove(upload)
        return _empty(204, {})

    async def _patch(self, request: Request, session: Session, upload: Upload) -> Response:
        if request.headers.get("content-type") != CHUNK_TYPE:
            raise UploadRefusedError(UploadFault.MEDIA_TYPE)
        offset = _number(request.headers.get("upload-offset"))
        upload = await self._write(request, session, upload.upload_id, offset)
        return _empty(204, {"upload-offset": str(upload.committed)} | self._expires())

    async def _write(
        self, request: Request, session: Session, upload_id: UploadId, offset: int
    ) -> Upload:
        checksum = _checksum(request)
        async with self.holds.take(upload_id) as hold:
            # Only now: the writer before may have counted more.
            upload = await self.uploads.refreshed(upload_id)
            if offset != upload.committed:
                raise UploadRefusedError(UploadFault.OFFSET_DIFFERS)
            _require_fits(request, offset, upload.length)
            writer = UploadWriter(self.uploads, upload, self.limits, checksum)
            try:
                return await writer.run(
                    request.stream(), hold, lambda: self.sessions.renew(session)
                )
            except ClientDisconnect as failure:
                # Nobody is there to read it; the server wants an answer all the same.
                raise UploadRefusedError(UploadFault.TOO_SLOW) from failure
            except UploadRefusedError as refused:
                if refused.fault is UploadFault.NOT_SEALED:
                    await self.uploads.remove(upload)
                raise
            finally:
                self.sessions.renew(session)

    async def _admit(self, request: Request) -> Session:
        if request.headers.get("tus-resumable") != TUS_VERSION:
            raise UploadRefusedError(UploadFault.TUS_VERSION)
        return await self.sessions.find(request.headers.get("authorization", ""))

    def _length(self, request: Request) -> int:
        if "upload-defer-length" in request.headers or "upload-concat" in request.headers:
            raise UploadRefusedError(UploadFault.HEADER_MALFORMED)
        length = _number(request.headers.get("upload-length"))
        if length > self.limits.object_bytes:
            raise UploadRefusedError(UploadFault.TOO_LARGE)
        # The finest steps are those of records; which kind it is, the note says later.
        if not is_on_step(length, Kind.RECORD):
            raise UploadRefusedError(UploadFault.LENGTH_IMPOSSIBLE)
        return length

    def _expires(self) -> dict[str, str]:
        # All that is touched today ends on the same day.
        midnight = datetime.combine(self.uploads.expires_on, time(), UTC)
        return {"upload-expires": format_datetime(midnight, usegmt=True)}  # RFC 9110 5.6.7


def _empty(status: int, headers: dict[str, str]) -> Response:
    return Response(status_code=status, headers={**headers, RESUMABLE[0]: RESUMABLE[1]})


def _require_fits(request: Request, offset: int, length: int) -> None:
    announced = request.headers.get("content-length")
    if announced is not None and offset + _number(announced) > length:
        raise UploadRefusedError(UploadFault.TOO_LARGE)


def _has_body(request: Request) -> bool:
    has_length = request.headers.get("content-length", "0") != "0"
    return has_length or "transfer-encoding" in request.headers


def _number(untrusted: str | None) -> int:
    if untrusted is None or not _NUMBER.fullmatch(untrusted):
        raise UploadRefusedError(UploadFault.HEADER_MALFORMED)
    return int(untrusted)


def _check_metadata(untrusted: str) -> None:
    """Judge the form of `Upload-Metadata`; nothing of it is kept."""
    if not untrusted:
        return
    pairs = [each.strip().split(" ") for each in untrusted.split(",")]
    keys = [pair[0] for pair in pairs]
    is_right = len(untrusted) <= _METADATA_CHARACTERS and len(set(keys)) == len(keys)
    for key, *values in pairs:
        has_value = len(values) <= 1 and all(_decoded(each) is not None for each in values)
        is_right = is_right and has_value and _METADATA_KEY.fullmatch(key) is not None
    if not is_right:
        raise UploadRefusedError(UploadFault.HEADER_MALFORMED)


def _checksum(request: Request) -> Checksum | None:
    untrusted = request.headers.get("upload-checksum")
    if untrusted is None:
        return None
    algorithm, _, word = untrusted.partition(" ")
    if algorithm not in ALGORITHMS:
        raise UploadRefusedError(UploadFault.CHECKSUM_UNKNOWN)
    digest = _decoded(word)
    if digest is None or len(digest) != hashlib.new(algorithm).digest_size:
        raise UploadRefusedError(UploadFault.HEADER_MALFORMED)
    return Checksum(algorithm=algorithm, digest=digest)


def _decoded(word: str) -> bytes | None:
    try:
        return base64.b64decode(word, validate=True)
    except (binascii.Error, ValueError):
        return None
