"""Open sealed objects with file keys that the key agent gave; say what is wrong with one.

Keys are asked for in batches, by headers, and live as long as the object here that holds them.
What cannot be opened as it should is a DisagreementError: a fact about the object. Keys that cannot
be had now are a KeysUnavailableError and pass through. Format: docs/format/26-quarantine.md
section 5.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Final

from amana.wire.ids import ObjectId, SubmissionId
from amana.wire.reasons import ReasonCode
from crypto.errors import CryptoError, TrailerError
from crypto.filekey import FileKey
from crypto.opening import SeekableObject
from crypto.padding import Kind
from worker.agent_client import Keys
from worker.agent_messages import HEADERS_PER_REQUEST, CardHolder, Holder
from worker.errors import DisagreementError, HeaderRefusedError, KeyDestroyedError
from worker.sealed_files import open_object, read_header

KEYS_AT_ONCE: Final = HEADERS_PER_REQUEST
"""Headers for which keys are asked together: what the key agent takes in one message."""

Headed = tuple[ObjectId | None, bytes]
"""An object and its header."""


class SealedContents:
    """The sealed objects of one submission, opened one by one. Threads may share it."""

    def __init__(self, folder: Path, submission: SubmissionId, keys: Keys) -> None:
        self._folder = folder
        self._submission = submission
        self._keys = keys

    def file_keys(self, holder: Holder, headed: Sequence[Headed]) -> tuple[FileKey, ...]:
        """Give the file keys of objects of one holder, in their order.

        DisagreementError: an object is sealed to another key (CARD_DISAGREES), or the key was
        destroyed (KEY_DESTROYED).
        """
        headers = [header for _, header in headed]
        try:
            return self._keys.file_keys(self._submission, holder, headers)
        except HeaderRefusedError as failure:
            raise DisagreementError(
                ReasonCode.CARD_DISAGREES, object_id=headed[failure.index][0]
            ) from failure
        except KeyDestroyedError as failure:
            raise DisagreementError(ReasonCode.KEY_DESTROYED) from failure

    def header(self, object_id: ObjectId) -> tuple[ObjectId, bytes]:
        """Give an object with its header. DisagreementError: missing, or malformed."""
        with open_object(self._folder, object_id) as source:
            return object_id, read_header(source, object_id)

    def record(self, holder: CardHolder, object_id: ObjectId | None, untrusted: bytes) -> bytes:
        """Give the content of a record that is held in memory; object_id: None if no note names it.

        DisagreementError: as file_keys(), header() and opened().
        """
        source = io.BytesIO(untrusted)
        (key,) = self.file_keys(holder, [(object_id, read_header(source, object_id))])
        return b"".join(opened(source, key, Kind.RECORD, object_id))

    def records(
        self, holder: CardHolder, objects: Iterable[ObjectId]
    ) -> Iterator[tuple[ObjectId, Iterator[bytes]]]:
        """Yield records, in order, each with its content; use that up before asking for the next.

        DisagreementError, from both iterators: as file_keys(), header() and opened().
        """
        waiting = list(objects)
        for start in range(0, len(waiting), KEYS_AT_ONCE):
            headed = [self.header(each) for each in waiting[start : start + KEYS_AT_ONCE]]
            keys = self.file_keys(holder, headed)
            for (object_id, _), key in zip(headed, keys, strict=True):
                with self.source(object_id) as source:
                    yield object_id, opened(source, key, Kind.RECORD, object_id)

    def source(self, object_id: ObjectId) -> BufferedReader:
        """Open the file of an object. DisagreementError: it is missing."""
        return open_object(self._folder, object_id)


def opened(
    source: BinaryIO,
    key: FileKey,
    kind: Kind,
    object_id: ObjectId | None,
    content_size: int | None = None,
) -> Iterator[bytes]:
    """Yield the content of an object; it is final when the iterator has ended without an error.

    DisagreementError: no object of this kind and size (OBJECT_MALFORMED), or bytes in its padding
    (PADDING_NOT_EMPTY).
    """
    try:
        content = SeekableObject(source, key, kind=kind, content_size=content_size).contents()
    except CryptoError as failure:
        raise DisagreementError(ReasonCode.OBJECT_MALFORMED, object_id=object_id) from failure
    try:
        yield from content
    except TrailerError as failure:
        raise DisagreementError(ReasonCode.PADDING_NOT_EMPTY, object_id=object_id) from failure
    except CryptoError as failure:
        raise DisagreementError(ReasonCode.OBJECT_MALFORMED, object_id=object_id) from failure
