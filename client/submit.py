"""Hand a bundle over to a portal: ask what is missing, send it, and stop only with the receipt.

Every break is the same: wait, look how much the portal has, go on from there. What counts as sent
is what the portal confirmed, so a bar never runs ahead of the truth. The attempts without any
progress are bounded; nothing is lost when they run out, the next run goes on.
Format: docs/format/23-upload.md section 8.
"""

import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Final

from amana.wire.bundle import NOTE, object_path
from amana.wire.errors import WireError
from amana.wire.ids import LogOrigin, ObjectId
from amana.wire.note import Attestation, PackageNote
from amana.wire.request import request_of, to_header
from amana.wire.sealed import SealedObject
from amana.wire.upload import (
    NOTE_LIMIT_BYTES,
    SESSION_PATH,
    MissingObjects,
    UploadFault,
    UploadSecret,
)
from client.bundle import open_plain
from client.errors import BundleError, ClientError, KeysError
from client.keys import MemberKeys
from client.submit_link import PortalAwayError, PortalLink, PortalRefusedError
from client.submit_state import Places, RequestCounter
from crypto.errors import NoteError
from crypto.note import SignedNote

SMALL_BYTES: Final = 1 << 20
"""An object up to this size goes with its creation, in one round trip."""

LEAST_PIECE_BYTES: Final = 256 << 10
MOST_PIECE_BYTES: Final = 64 << 20
"""Bytes between two confirmations: as many as take a few seconds, within these."""

_FIRST_PIECE_BYTES: Final = 4 << 20
_QUICK_SECONDS: Final = 4
_SLOW_SECONDS: Final = 16
_READ_BYTES: Final = 256 << 10
_LONGEST_WAIT_SECONDS: Final = 60
_COUNTERS: Final = 16  # jumps double: together they pass whatever another machine used today
_SENDINGS: Final = 3  # of one object: more often only a fault of ours would send it

_PASSING: Final = frozenset(
    {
        UploadFault.CHECKSUM_DIFFERS,
        UploadFault.CLOSED,
        UploadFault.FAILED,
        UploadFault.NO_ROOM,
        UploadFault.NO_SESSION,
        UploadFault.OFFSET_DIFFERS,
        UploadFault.TOO_SLOW,
        UploadFault.UNKNOWN,
        UploadFault.WRITER_BUSY,
    }
)
"""What waiting and looking again may change."""

Confirmed = Callable[[int], None]
"""Is told how many more bytes the portal has confirmed."""

Wait = Callable[[float], None]
"""Waits so many seconds: `time.sleep`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A bundle on this machine that a member signed."""

    folder: Path
    note: PackageNote
    signed: bytes

    @classmethod
    def read(cls, folder: Path) -> "Bundle":
        """Read the note. BundleError: there is none, or it is no member's."""
        try:
            with open_plain(folder / NOTE) as source:
                signed = source.read(NOTE_LIMIT_BYTES + 1)
            text = SignedNote.parse(signed, limit_bytes=NOTE_LIMIT_BYTES).text
            note = PackageNote.from_bytes(text.encode())
        except (FileNotFoundError, NotADirectoryError) as failure:
            raise BundleError("no-bundle", folder=str(folder)) from failure
        except (NoteError, WireError) as failure:
            raise BundleError("note-not-believed", reason=str(failure)) from failure
        if note.attestation is not Attestation.SIGNED:
            raise BundleError("note-not-signed")
        return cls(folder=folder, note=note, signed=signed)

    @property
    def sealed_bytes(self) -> int:
        """All that travels, but for the note."""
        return sum(each.sealed_size for each in self.note.everything())

    def open(self, sealed: SealedObject) -> BufferedReader:
        """Open an object. BundleError: it is missing, or not as long as the note says."""
        path = self.folder / object_path(sealed.object_id)
        try:
            source = open_plain(path)
        except (FileNotFoundError, NotADirectoryError) as failure:
            raise BundleError("object-missing", name=path.name) from failure
        if source.seek(0, 2) != sealed.sealed_size:
            source.close()
            raise BundleError("object-differs", name=path.name)
        source.seek(0)
        return source


class Submission:
    """One bundle on its way to one portal."""

    def __init__(
        self,
        bundle: Bundle,
        link: PortalLink,
        keys: MemberKeys,
        counter: RequestCounter,
        *,
        confirmed: Confirmed,
        wait: Wait = time.sleep,
        tries: int = 10,
    ) -> None:
        self._bundle = bundle
        self._link = link
        self._keys = keys
        self._counter = counter
        self._confirmed = confirmed
        self._wait = wait
        self._tries = tries
        self._log: LogOrigin | None = None
        self._places: Places | None = None
        self._waiting: deque[SealedObject] | None = None
        self._sent: dict[ObjectId, int] = {}
        self._counted: dict[ObjectId, int] = {}
        self._has_progress = False
        self._piece_bytes = _FIRST_PIECE_BYTES

    @property
    def log(self) -> LogOrigin | None:
        """What the portal calls itself; None before it was asked."""
        return self._log

    def run(self) -> bytes:
        """Give the receipt R1 as it came, unjudged, when the portal has everything.

        PortalRefusedError: it never will, as it says. PortalAwayError: not reached, or not going
        on, so often without any progress; another run goes on. BundleError: the bundle is not
        as its note says. KeysError: another deployment.
        """
        failures = 0
        while True:
            try:
                return self._round()
            except (PortalAwayError, PortalRefusedError) as failure:
                is_final = isinstance(failure, PortalRefusedError) and failure.fault not in _PASSING
                failures = 1 if self._has_progress else failures + 1
                self._has_progress = False
                if is_final or failures >= self._tries:
                    raise
                # A session that ended is opened at once, the first time.
                if not (_is_session(failure) and failures == 1):
                    self._wait(min(_LONGEST_WAIT_SECONDS, 2.0 ** (failures - 1)))

    def _round(self) -> bytes:
        if not self._link.has_session:
            self._open_session()
        while True:
            if not self._waiting:
                outcome = self._link.submit(self._bundle.signed)
                if not isinstance(outcome, MissingObjects):
                    self._count_all()
                    if self._places is not None:
                        self._places.clear()
                    return outcome
                self._waiting = self._missing(outcome)
            while self._waiting:
                self._send(self._waiting[0])
                self._waiting.popleft()

    def _open_session(self) -> None:
        portal = self._link.portal()
        note = self._bundle.note
        if portal.deployment is not note.deployment:
            raise KeysError("portal-of-another-deployment")
        if self._places is None:
            beside = self._bundle.folder.absolute()
            path = beside.with_name(beside.name + ".upload")
            self._places = Places(path, note.submission_id, portal.log)
            self._log = portal.log
        for attempt in range(_COUNTERS):
            request = request_of(
                method="POST",
                path=SESSION_PATH,
                body=b"",
                counter=self._counter.take(),
                audience=portal.log,
                deployment=portal.deployment,
            )
            try:
                signed = self._keys.signer.sign(request.to_bytes().decode())
                self._link.open_session(to_header(signed))
            except PortalRefusedError as refused:
                if refused.fault is not UploadFault.COUNTER_OLD:
                    raise
                self._counter.jump(attempt)
            else:
                return
        raise PortalRefusedError(UploadFault.COUNTER_OLD)

    def _missing(self, outcome: MissingObjects) -> deque[SealedObject]:
        wanted = set(outcome.missing)
        missing = [each for each in self._bundle.note.everything() if each.object_id in wanted]
        if outcome.submission_id != self._bundle.note.submission_id or len(missing) != len(wanted):
            raise PortalAwayError("portal-strange")
        for each in missing:
            self._sent[each.object_id] = self._sent.get(each.object_id, 0) + 1
            if self._sent[each.object_id] > _SENDINGS:
                raise ClientError("object-does-not-arrive", name=each.object_id)
        for each in self._bundle.note.everything():
            if each.object_id not in wanted:
                self._count(each, each.sealed_size)
        return deque(missing)

    def _send(self, sealed: SealedObject) -> None:
        """Send what is missing of one object, from where the portal stands."""
        with self._bundle.open(sealed) as source:
            reading = _Reading(source, sealed)
            if sealed.sealed_size <= SMALL_BYTES:
                content = b"".join(reading.pieces(0, sealed.sealed_size))
                reading.require_whole()
                self._link.create(sealed.sealed_size, content)
                self._count(sealed, sealed.sealed_size)
                return
            secret, offset = self._place(sealed)
            while offset < sealed.sealed_size:
                self._count(sealed, offset)
                offset = self._add(secret, reading, offset)
            self._count(sealed, offset)
            try:
                reading.require_whole()
            except BundleError:
                self._link.remove(secret)
                raise

    def _place(self, sealed: SealedObject) -> tuple[UploadSecret, int]:
        places = self._places
        known = None if places is None else places.find(sealed.object_id)
        if known is not None and places is not None:
            offset = self._link.offset(known, sealed.sealed_size)
            # One that was whole, and is still asked for, did not arrive as it was sent.
            is_useless = offset == sealed.sealed_size and self._sent[sealed.object_id] > 1
            if offset is not None and not is_useless:
                return known, offset
            places.drop(sealed.object_id)
        secret = self._link.create(sealed.sealed_size)
        if places is not None:
            places.add(sealed.object_id, secret)
        return secret, 0

    def _add(self, secret: UploadSecret, reading: "_Reading", offset: int) -> int:
        length = reading.sealed.sealed_size
        size = min(self._piece_bytes, length - offset)
        begun = time.monotonic()
        new = self._link.add(secret, offset, reading.pieces(offset, size), size, length)
        seconds = time.monotonic() - begun
        if seconds < _QUICK_SECONDS:
            self._piece_bytes = min(MOST_PIECE_BYTES, self._piece_bytes * 2)
        elif seconds > _SLOW_SECONDS:
            self._piece_bytes = max(LEAST_PIECE_BYTES, self._piece_bytes // 2)
        return new

    def _count(self, sealed: SealedObject, confirmed: int) -> None:
        known = self._counted.get(sealed.object_id, 0)
        if confirmed > known:
            self._counted[sealed.object_id] = confirmed
            self._has_progress = True
            self._confirmed(confirmed - known)

    def _count_all(self) -> None:
        for each in self._bundle.note.everything():
            self._count(each, each.sealed_size)


class _Reading:
    """One object as it is read, from wherever; its digest is known when all of it was."""

    def __init__(self, source: BufferedReader, sealed: SealedObject) -> None:
        self._source = source
        self.sealed = sealed
        self._sha256 = hashlib.sha256()
        self._hashed = 0

    def pieces(self, offset: int, size: int) -> Iterator[bytes]:
        """Yield the bytes from an offset on, and hash what was not hashed yet."""
        self._catch_up(offset)
        self._source.seek(offset)
        place, end = offset, offset + size
        while place < end:
            piece = self._source.read(min(_READ_BYTES, end - place))
            if not piece:
                raise BundleError("object-differs", name=f"{self.sealed.object_id}.age")
            if place + len(piece) > self._hashed:
                self._sha256.update(memoryview(piece)[max(0, self._hashed - place) :])
                self._hashed = place + len(piece)
            place += len(piece)
            yield piece

    def require_whole(self) -> None:
        """Judge all that was read. BundleError: the object is not the one that the note names."""
        self._catch_up(self.sealed.sealed_size)
        if self._sha256.hexdigest() != self.sealed.sealed_sha256:
            raise BundleError("object-differs", name=f"{self.sealed.object_id}.age")

    def _catch_up(self, offset: int) -> None:
        """Hash what was sent by an earlier run."""
        self._source.seek(self._hashed)
        while self._hashed < offset:
            piece = self._source.read(min(_READ_BYTES, offset - self._hashed))
            if not piece:
                raise BundleError("object-differs", name=f"{self.sealed.object_id}.age")
            self._sha256.update(piece)
            self._hashed += len(piece)


def _is_session(failure: ClientError) -> bool:
    return isinstance(failure, PortalRefusedError) and failure.fault is UploadFault.NO_SESSION
