"""What a program remembers of a hand-over on its way: addresses of uploads, and a counter.

Both files are aids: without the first, large objects begin again; without the second, the portal
asks for a higher number. Neither tells anything of the material. Format: docs/format/23-upload.md
section 8.
"""

import json
import os
import secrets
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Final

from amana.wire.errors import FieldError
from amana.wire.ids import OBJECT_ID, LogOrigin, ObjectId, SubmissionId
from amana.wire.upload import UPLOAD_SECRET, UploadSecret

_LINE_LIMIT: Final = 1_024
_LINES_LIMIT: Final = 1 << 20
_PER_DAY: Final = 1 << 20
"""Counters of one day: the number tells the day of a session and no more."""


class Places:
    """Addresses of uploads of one submission on one portal, in a file beside the bundle."""

    def __init__(self, path: Path, submission: SubmissionId, log: LogOrigin) -> None:
        """Read what is remembered; a file about anything else is begun anew."""
        self._path = path
        self._head = [submission, log]
        self._known: dict[ObjectId, UploadSecret] = {}
        lines = _lines(path)
        if lines[:1] != [self._head]:
            path.unlink(missing_ok=True)
            self._append(self._head)
            return
        for line in lines[1:]:
            try:
                object_id, secret = line
                self._known[OBJECT_ID.read(object_id)] = UPLOAD_SECRET.read(secret)
            except (ValueError, FieldError):
                continue  # half a line, of a run that was killed

    def find(self, object_id: ObjectId) -> UploadSecret | None:
        """Give the address of an object's upload, if one was made."""
        return self._known.get(object_id)

    def add(self, object_id: ObjectId, secret: UploadSecret) -> None:
        """Remember an upload."""
        self._known[object_id] = secret
        self._append([object_id, secret])

    def drop(self, object_id: ObjectId) -> None:
        """Forget an upload that is gone; the file is only added to."""
        self._known.pop(object_id, None)

    def clear(self) -> None:
        """Remove the file: everything arrived."""
        self._path.unlink(missing_ok=True)

    def _append(self, line: list[str]) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        with os.fdopen(os.open(self._path, flags, 0o600), "ab") as target:
            target.write(json.dumps(line).encode("ascii") + b"\n")


class RequestCounter:
    """The numbers of a member's signed requests: rising, and no finer than the day."""

    def __init__(self, path: Path, today: date) -> None:
        self._path = path
        found = _lines(path)
        last = found[0][0] if found and len(found[0]) == 1 else "0"
        known = int(last) if last.isascii() and last.isdecimal() else 0
        self._next = max(known + 1, today.toordinal() * _PER_DAY)

    def take(self) -> int:
        """Give the next number, remembered before it is used."""
        number = self._next
        self._next += 1
        self._write()
        return number

    def jump(self, attempt: int) -> None:
        """Go further: the same keys were used on another machine today."""
        self._next += 1 + secrets.randbelow(1 << min(16, 4 + attempt))

    def _write(self) -> None:
        fresh = self._path.with_name(self._path.name + ".new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with os.fdopen(os.open(fresh, flags, 0o600), "wb") as target:
            target.write(json.dumps([str(self._next - 1)]).encode("ascii") + b"\n")
        fresh.replace(self._path)


def _lines(path: Path) -> list[list[str]]:
    """Give the lists of texts in a file, a line each; what is no such line is an empty one."""
    try:
        with path.open("rb") as source:
            read = islice(iter(lambda: source.readline(_LINE_LIMIT), b""), _LINES_LIMIT)
            return [_line(each) for each in read]
    except FileNotFoundError:
        return []


def _line(untrusted: bytes) -> list[str]:
    try:
        value = json.loads(untrusted)
    except (ValueError, RecursionError):
        return []
    is_texts = isinstance(value, list) and all(isinstance(each, str) for each in value)
    return value if is_texts else []
