"""What a member's program and the portal say to each other when sealed objects are handed over.

The bytes of objects travel by tus 1.0; these documents stand around them: the session, which
objects are missing, and why something was not taken. Nothing here is signed: what counts is the
member's package note and the portal's receipt. Format: docs/format/23-upload.md.
"""

import re
from enum import StrEnum, unique
from http import HTTPStatus
from types import MappingProxyType
from typing import ClassVar, Final, NewType

from amana.wire.documents import Document, carries, record
from amana.wire.errors import FieldError
from amana.wire.fields import Choice, Many, Text, Token, Whole
from amana.wire.ids import (
    LOG_ORIGIN,
    OBJECT_ID,
    SUBMISSION_ID,
    LogOrigin,
    ObjectId,
    SubmissionId,
)
from amana.wire.note import PackageNote
from amana.wire.sealed import OBJECTS_LIMIT
from amana.wire.signers import SIGNATURES_LIMIT_BYTES
from amana.wire.vocabulary import Deployment

ROOT: Final = "/api/v1"
"""Where the portal answers. Another version of the messages lies elsewhere."""

SESSION_PATH: Final = f"{ROOT}/session"
OBJECTS_PATH: Final = f"{ROOT}/objects"
SUBMISSIONS_PATH: Final = f"{ROOT}/submissions"

TUS_VERSION: Final = "1.0.0"
"""The one version of the tus protocol that is spoken (tus.io/protocols/resumable-upload)."""

CHUNK_TYPE: Final = "application/offset+octet-stream"
"""Media type of every body with bytes of an object (tus 1.0, PATCH)."""

CHECKSUM_MISMATCH: Final = 460
"""Status of a body whose checksum does not fit (tus 1.0, checksum extension)."""

NOTE_LIMIT_BYTES: Final = PackageNote.LIMIT_BYTES + SIGNATURES_LIMIT_BYTES
"""Longest signed package note that is taken."""

ANSWER_LIMIT_BYTES: Final = 4 << 20
"""Longest answer but a receipt: 65,536 ids of 35 characters."""

BearerToken = NewType("BearerToken", str)
"""The secret of a session: 256 random bits."""

UploadSecret = NewType("UploadSecret", str)
"""The secret at the end of an upload's address: 128 random bits."""

BEARER_TOKEN: Final = Token(
    BearerToken, re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII), "43 characters of base64url"
)
UPLOAD_SECRET: Final = Token(
    UploadSecret, re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII), "22 characters of base64url"
)


@unique
class UploadFault(StrEnum):
    """Why the portal did not take something. A word never changes its meaning."""

    ALREADY_HERE = "already-here"
    CARD_NOT_CURRENT = "card-not-current"
    CHECKSUM_DIFFERS = "checksum-differs"
    CHECKSUM_UNKNOWN = "checksum-unknown"
    CLOSED = "closed"
    COUNTER_OLD = "counter-old"
    FAILED = "failed"
    HEADER_MALFORMED = "header-malformed"
    LENGTH_IMPOSSIBLE = "length-impossible"
    MEDIA_TYPE = "media-type"
    METHOD = "method"
    NOTE_DIFFERS = "note-differs"
    NOTE_MALFORMED = "note-malformed"
    NOTE_UNSIGNED = "note-unsigned"
    NOT_SEALED = "not-sealed"
    NOT_SIGNED = "not-signed"
    NO_ROOM = "no-room"
    NO_SESSION = "no-session"
    OFFSET_DIFFERS = "offset-differs"
    TOO_LARGE = "too-large"
    TOO_MANY = "too-many"
    TOO_SLOW = "too-slow"
    TUS_VERSION = "tus-version"
    UNKNOWN = "unknown"
    WRITER_BUSY = "writer-busy"

    @property
    def status(self) -> int:
        """The HTTP status that goes with it."""
        return _STATUS[self]

    @property
    def sentence(self) -> str:
        """What it means, for whoever reads the answer without a program of ours."""
        return _SENTENCES[self]


@record
class UploadPortal(Document):
    """What a member's program must know of a portal before it signs anything for it."""

    FORMAT: ClassVar = "amana/upload-portal/v1"
    LIMIT_BYTES: ClassVar = 1_024

    log: LogOrigin = carries(LOG_ORIGIN, "The portal, by the name of its log.")
    deployment: Deployment = carries(Choice(Deployment), "Whether the material is real.")
    object_limit_bytes: int = carries(Whole(1), "Longest sealed object that is taken.")


@record
class UploadSession(Document):
    """An open session. Its token goes into `Authorization: Bearer …` of all that follows."""

    FORMAT: ClassVar = "amana/upload-session/v1"
    LIMIT_BYTES: ClassVar = 1_024

    token: BearerToken = carries(BEARER_TOKEN, "The secret of the session.")
    idle_seconds: int = carries(
        Whole(1, 86_400), "It ends when so long no request or byte has come."
    )


@record
class MissingObjects(Document):
    """What the portal does not have yet of a submission whose note is in order.

    FieldError: an object twice.
    """

    FORMAT: ClassVar = "amana/missing-objects/v1"
    LIMIT_BYTES: ClassVar = ANSWER_LIMIT_BYTES

    submission_id: SubmissionId = carries(SUBMISSION_ID, "The submission.")
    missing: tuple[ObjectId, ...] = carries(
        Many(OBJECT_ID, OBJECTS_LIMIT + 1, least=1), "The objects to send, in the note's order."
    )

    def __post_init__(self) -> None:
        if len(set(self.missing)) != len(self.missing):
            raise FieldError("names an object twice", "missing")


@record
class UploadRefused(Document):
    """Why something was not taken.

    FieldError: an object twice.
    """

    FORMAT: ClassVar = "amana/upload-refused/v1"
    LIMIT_BYTES: ClassVar = ANSWER_LIMIT_BYTES

    fault: UploadFault = carries(Choice(UploadFault), "The reason.")
    sentence: str = carries(Text(512), "The same in English, for a person.")
    objects: tuple[ObjectId, ...] = carries(
        Many(OBJECT_ID, OBJECTS_LIMIT + 1), "Which objects of the note it is about, if any."
    )

    def __post_init__(self) -> None:
        if len(set(self.objects)) != len(self.objects):
            raise FieldError("names an object twice", "objects")

    @classmethod
    def of(cls, fault: UploadFault, objects: tuple[ObjectId, ...] = ()) -> "UploadRefused":
        """Give the document for a fault."""
        return cls(fault=fault, sentence=fault.sentence, objects=objects)


def receipt_path(submission: SubmissionId) -> str:
    """Give the path of a submission's receipt R1."""
    return f"{SUBMISSIONS_PATH}/{submission}/receipt"


_STATUS: Final = MappingProxyType[UploadFault, int](
    {
        UploadFault.ALREADY_HERE: HTTPStatus.UNPROCESSABLE_ENTITY,
        UploadFault.CARD_NOT_CURRENT: HTTPStatus.UNPROCESSABLE_ENTITY,
        UploadFault.CHECKSUM_DIFFERS: CHECKSUM_MISMATCH,
        UploadFault.CHECKSUM_UNKNOWN: HTTPStatus.BAD_REQUEST,
        UploadFault.CLOSED: HTTPStatus.SERVICE_UNAVAILABLE,
        UploadFault.COUNTER_OLD: HTTPStatus.UNAUTHORIZED,
        UploadFault.FAILED: HTTPStatus.INTERNAL_SERVER_ERROR,
        UploadFault.HEADER_MALFORMED: HTTPStatus.BAD_REQUEST,
        UploadFault.LENGTH_IMPOSSIBLE: HTTPStatus.UNPROCESSABLE_ENTITY,
        UploadFault.MEDIA_TYPE: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        UploadFault.METHOD: HTTPStatus.METHOD_NOT_ALLOWED,
        UploadFault.NOTE_DIFFERS: HTTPStatus.UNPROCESSABLE_ENTITY,
        UploadFault.NOTE_MALFORMED: HTTPStatus.UNPROCESSABLE_ENTITY,
        UploadFault.NOTE_UNSIGNED: HTTPStatus.UNPROCESSABLE_ENTITY,
        UploadFault.NOT_SEALED: HTTPStatus.UNPROCESSABLE_ENTITY,
        UploadFault.NOT_SIGNED: HTTPStatus.UNAUTHORIZED,
        UploadFault.NO_ROOM: HTTPStatus.INSUFFICIENT_STORAGE,
        UploadFault.NO_SESSION: HTTPStatus.UNAUTHORIZED,
        UploadFault.OFFSET_DIFFERS: HTTPStatus.CONFLICT,
        UploadFault.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        UploadFault.TOO_MANY: HTTPStatus.TOO_MANY_REQUESTS,
        UploadFault.TOO_SLOW: HTTPStatus.REQUEST_TIMEOUT,
        UploadFault.TUS_VERSION: HTTPStatus.PRECONDITION_FAILED,
        UploadFault.UNKNOWN: HTTPStatus.NOT_FOUND,
        UploadFault.WRITER_BUSY: HTTPStatus.LOCKED,
    }
)

_SENTENCES: Final = MappingProxyType(
    {
        UploadFault.ALREADY_HERE: "Some of these sealed bytes belong to another submission.",
        UploadFault.CARD_NOT_CURRENT: "The note names a key card that is not the account's current "
        "one.",
        UploadFault.CHECKSUM_DIFFERS: "The bytes do not have the checksum that was sent; they were "
        "thrown away.",
        UploadFault.CHECKSUM_UNKNOWN: "This checksum is not known here: sha1 and sha256 are.",
        UploadFault.CLOSED: "The portal knows no enrolled organisation now.",
        UploadFault.COUNTER_OLD: "The counter of the signed request was used before.",
        UploadFault.FAILED: "The portal failed. Nothing that it confirmed is lost.",
        UploadFault.HEADER_MALFORMED: "A header of the request is missing or malformed.",
        UploadFault.LENGTH_IMPOSSIBLE: "No sealed object has this length: it is not padded, or "
        "cut.",
        UploadFault.MEDIA_TYPE: f"The body of an upload must be {CHUNK_TYPE}.",
        UploadFault.METHOD: "This method is not known here.",
        UploadFault.NOTE_DIFFERS: "Another note was taken for this submission before.",
        UploadFault.NOTE_MALFORMED: "The body is no package note, or of another deployment, or "
        "names objects of impossible size.",
        UploadFault.NOTE_UNSIGNED: "No enrolled member of this account has signed the note.",
        UploadFault.NOT_SEALED: "These bytes are not a sealed object: seal them first. They were "
        "removed.",
        UploadFault.NOT_SIGNED: "No enrolled member has signed this request for this portal.",
        UploadFault.NO_ROOM: "There is no room now. What was confirmed is kept.",
        UploadFault.NO_SESSION: "The session is not known or has ended; open another one.",
        UploadFault.OFFSET_DIFFERS: "The upload stands at another offset; ask for it by HEAD.",
        UploadFault.TOO_LARGE: "More bytes than were announced, or than are taken.",
        UploadFault.TOO_MANY: "This account has too many sessions or uploads open.",
        UploadFault.TOO_SLOW: "No byte came for too long. What came is kept.",
        UploadFault.TUS_VERSION: f"The tus version must be {TUS_VERSION}.",
        UploadFault.UNKNOWN: "There is nothing at this address.",
        UploadFault.WRITER_BUSY: "Another request is writing to this upload.",
    }
)
