"""What `amana package receive` says of each package, and how long it goes on."""

import argparse
import math
import signal
import sys
from enum import unique
from pathlib import Path
from threading import Event
from typing import Final

from amana.clock import SystemClock, today
from amana.events import Code, EventLog
from amana.exitcodes import ExitCode
from amana.wire.acknowledgement import ItemFate
from repository.console import Console
from repository.receive import Received, Receiver, Refused
from repository.watch import Failed, Seen, Watch

_LONGEST_SECONDS: Final = 86_400


@unique
class RepositoryCode(Code):
    """The operator codes of a receiver that goes on."""

    WATCHING = "watching"
    STOPPED = "stopped"


def run(receiver: Receiver, spool: Path, every_seconds: float, console: Console) -> int:
    """Take in what comes until SIGTERM or Ctrl-C."""
    stop = Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda _number, _frame: stop.set())
    clock = SystemClock()
    log = EventLog(_write, clock)
    log.record(RepositoryCode.WATCHING)
    for seen in Watch(receiver, spool, lambda: today(clock)).until(stop, every_seconds):
        tell(seen, console)
        sys.stdout.flush()
    log.record(RepositoryCode.STOPPED)
    return ExitCode.OK


def tell(seen: Seen, console: Console) -> bool:
    """Say what became of a package, and give whether it is kept."""
    match seen:
        case Received(word=word, is_new=is_new):
            kept = sum(each.fate is ItemFate.ACCEPTED for each in word.items)
            key = "taken" if is_new else "taken-before"
            console.result(
                console.sentence(key, package=word.package_id, count=kept),
                {
                    "accession": word.accession_id,
                    "accepted_items": kept,
                    "is_new": is_new,
                    "package": word.package_id,
                    "refused_items": len(word.items) - kept,
                },
            )
            return True
        case Refused(word=word):
            reason = console.sentence(f"refused.{word.reason}")
            text = console.sentence("not-taken", package=word.package_id, reason=reason)
            console.result(text, {"package": word.package_id, "refused": word.reason.value})
        case Failed(package_id=package_id, code=code, is_tried_again=is_tried_again):
            key = "failed-for-now" if is_tried_again else "failed"
            console.result(
                console.sentence(key, package=package_id or "spool", code=code),
                {"failed": code, "is_tried_again": is_tried_again, "package": package_id},
            )
    return False


def seconds(text: str) -> float:
    """Read how many seconds to wait: more than none, at most a day."""
    try:
        told = float(text)
    except ValueError:
        told = math.nan
    if not 0 < told <= _LONGEST_SECONDS:
        raise argparse.ArgumentTypeError("a number of seconds, at most a day")
    return told


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
