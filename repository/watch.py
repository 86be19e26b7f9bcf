"""Look into a spool again and again, and take in what came, whatever one package does.

One package that cannot be read must not keep the others out, and one that was refused is not read
again until who forwards it has marked it anew. Steps: docs/format/21-answers.md section 2.
"""

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from threading import Event
from typing import TypeAlias

from amana.wire.package import PackageId
from amana.wire.spool import COMMIT
from repository.receive import Received, Receiver, Refused, marked


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Our own machine or program failed at a package; nothing is said about the package.

    package_id: None where the spool itself could not be read. code: `os.ENOSPC`, or the name of an
    error. is_tried_again: at the next look; otherwise only after a new mark or a new start.
    """

    package_id: PackageId | None
    code: str
    is_tried_again: bool


Seen: TypeAlias = Received | Refused | Failed
_Mark: TypeAlias = tuple[PackageId, int, int]


class Watch:
    """Looks into one spool. today: gives the day on which an answer is given."""

    def __init__(self, receiver: Receiver, spool: Path, today: Callable[[], date]) -> None:
        self._receiver = receiver
        self._spool = spool
        self._today = today
        # Marks of packages that are not to be read again.
        self._settled: set[_Mark] = set()

    def until(self, stop: Event, every_seconds: float) -> Iterator[Seen]:
        """Give what happens, and wait between two looks, until `stop` is set.

        A package that is being read when it is set is read to its end.
        """
        while not stop.is_set():
            for seen in self.look():
                yield seen
                if stop.is_set():
                    return
            stop.wait(every_seconds)

    def look(self) -> Iterator[Seen]:
        """Take in every package that is marked and has no answer of ours, once."""
        try:
            waiting = list(marked(self._spool))
        except OSError as failure:
            yield _failed(None, failure)
            return
        for package_id in waiting:
            if seen := self._take(package_id):
                yield seen

    def _take(self, package_id: PackageId) -> Seen | None:
        folder = self._spool / package_id
        try:
            status = folder.with_name(f"{package_id}{COMMIT}").lstat()
        except FileNotFoundError:
            return None  # taken away since we looked
        mark = (package_id, status.st_ino, status.st_mtime_ns)
        if mark in self._settled:
            return None
        try:
            seen = self._receiver.receive_unanswered(folder, package_id, self._today())
        except OSError as failure:
            return _failed(package_id, failure)
        except Exception as failure:  # noqa: BLE001 - a defect of ours must not keep the others out
            self._settled.add(mark)
            code = type(failure).__name__
            return Failed(package_id=package_id, code=code, is_tried_again=False)
        if isinstance(seen, Refused):
            self._settled.add(mark)
        return seen


def _failed(package_id: PackageId | None, failure: OSError) -> Failed:
    number = failure.errno or 0
    code = f"os.{errno.errorcode.get(number, number)}"
    return Failed(package_id=package_id, code=code, is_tried_again=True)
