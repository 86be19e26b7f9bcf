"""A signed request: who asks a portal for what, so that nobody else can ask it, or ask it again.

The request travels as one header beside an ordinary HTTP request: a signed note that names method,
path, the digest of the body, the portal it is for, and a counter that only rises. Whoever receives
it judges all of that before it acts, keeps the last counter of each signer in its database, and
refuses anything not above it. Format: docs/format/22-pull.md section 1.
"""

import base64
import binascii
import hashlib
import re
from typing import ClassVar, Final, NewType

from amana.wire.documents import Statement, carries, record
from amana.wire.errors import FormatError, UnsignedError
from amana.wire.fields import Choice, Token, Whole
from amana.wire.ids import DIGEST, LOG_ORIGIN, Digest, LogOrigin
from amana.wire.signers import read_signed_only
from amana.wire.vocabulary import Deployment
from crypto.errors import NoteError
from crypto.note import DualKey, SignedNote

HEADER: Final = "Amana-Request"
"""The header that carries a request's signed note, as base64url without padding."""

HEADER_LIMIT_CHARACTERS: Final = 12 * 1024
"""Longest header that is looked at. Ours: two lines of a name of 255 bytes and a path of 1 KiB take
8 KB; heads are cut at 16 KiB (amana.web.server)."""

Method = NewType("Method", str)
"""An HTTP method, in capitals."""
RequestPath = NewType("RequestPath", str)
"""The target of a request as it is sent, with its query: `/pull/v1/list?after=…`."""

_METHOD: Final = Token(Method, re.compile(r"[A-Z]{3,8}", re.ASCII), "3 to 8 capital letters")
_PATH: Final = Token(
    RequestPath,
    # RFC 3986 unreserved characters and what our own paths need: nothing that is ever re-encoded.
    re.compile(r"/[A-Za-z0-9._~/-]{0,767}(?:\?[A-Za-z0-9._~=&-]{0,255})?", re.ASCII),
    "path and query of at most 1,024 ASCII characters, none of them escaped",
)


@record
class SignedRequest(Statement):
    """One request, signed by whoever makes it."""

    FORMAT: ClassVar = "amana/request/v1"
    LIMIT_BYTES: ClassVar = 2_048

    method: Method = carries(_METHOD, "The HTTP method.")
    path: RequestPath = carries(_PATH, "The target, with its query.")
    body_sha256: Digest = carries(DIGEST, "SHA-256 of the body; that of no bytes where none is.")
    counter: int = carries(
        Whole(1), "Above that of every request of this signer before, on this portal."
    )
    audience: LogOrigin = carries(LOG_ORIGIN, "The portal, by the name of its log.")
    deployment: Deployment = carries(Choice(Deployment), "Whether the material is real.")


def request_of(
    *,
    method: str,
    path: str,
    body: bytes,
    counter: int,
    audience: LogOrigin,
    deployment: Deployment,
) -> SignedRequest:
    """Give the statement to sign for a request with this body; to_bytes() judges its fields."""
    return SignedRequest(
        method=Method(method),
        path=RequestPath(path),
        body_sha256=Digest(hashlib.sha256(body).hexdigest()),
        counter=counter,
        audience=audience,
        deployment=deployment,
    )


def to_header(note: SignedNote) -> str:
    """Give the value of the header for a signed request."""
    return base64.urlsafe_b64encode(note.to_bytes()).rstrip(b"=").decode("ascii")


def claimed_signer(untrusted_header: str) -> str:
    """Give the name that the first signature line claims, to find the key by. It proves nothing.

    FormatError: the header is no signed note within its limit.
    """
    try:
        note = SignedNote.parse(_decoded(untrusted_header), limit_bytes=HEADER_LIMIT_CHARACTERS)
    except NoteError as failure:
        raise FormatError("the header is not a signed note within the limit") from failure
    return note.signatures[0].name


def read_head(
    untrusted_header: str,
    key: DualKey,
    *,
    method: str,
    path: str,
    audience: LogOrigin,
    deployment: Deployment,
) -> SignedRequest:
    """Give the request that this signer made, if it is this one; its body is still to be judged.

    For whoever reads no body of strangers: compare `body_sha256` once the body has come, then
    the counter. UnsignedError: not signed by this key alone, or another request, for another
    portal or deployment. FormatError, FieldError: no request at all.
    """
    request = read_signed_only(SignedRequest, _decoded(untrusted_header), key)
    meant = (request.method, request.path, request.audience, request.deployment)
    if meant != (method, path, audience, deployment):
        raise UnsignedError("another request was signed")
    return request


def read_request(
    untrusted_header: str,
    key: DualKey,
    *,
    method: str,
    path: str,
    body_sha256: Digest,
    audience: LogOrigin,
    deployment: Deployment,
) -> SignedRequest:
    """Give the request that this signer made, if it is this one and has this body.

    The counter is the caller's to judge, against its database. Errors: as read_head.
    """
    request = read_head(
        untrusted_header,
        key,
        method=method,
        path=path,
        audience=audience,
        deployment=deployment,
    )
    if request.body_sha256 != body_sha256:
        raise UnsignedError("another body was signed")
    return request


def _decoded(untrusted_header: str) -> bytes:
    if len(untrusted_header) > HEADER_LIMIT_CHARACTERS or not untrusted_header.isascii():
        raise FormatError("the header is too long or not ASCII")
    try:
        raw = base64.urlsafe_b64decode(untrusted_header + "=" * (-len(untrusted_header) % 4))
    except binascii.Error as failure:
        raise FormatError("the header is not base64url") from failure
    # The decoder skips foreign characters; only one spelling may pass.
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii") != untrusted_header:
        raise FormatError("the header is not base64url")
    return raw
