"""`amana worker`: set up the quarantine, let it work, see how things stand, bring in a disk."""

import argparse
import logging
import resource
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Final

from amana.clock import SystemClock
from amana.events import EventLog
from amana.exitcodes import ExitCode
from amana.findings import tell
from amana.link.client import open_link
from amana.settings import Settings
from worker.carrying import Carrying
from worker.codes import WorkerCode
from worker.commands.locked import tell_if_locked
from worker.commands.voice import Field, Voice
from worker.engine import Engine
from worker.equipment import equipped, initialise, opened_desk, portal_log_key, scanner_of
from worker.pipeline.arrive import arrive, arrive_all
from worker.pipeline.instead import take_instead
from worker.pipeline.rows import counts_of, submissions
from worker.pipeline.states import ItemState, SubmissionState
from worker.pipeline.workshop import Workshop
from worker.places import Places
from worker.pull import PullClient, import_bundle
from worker.work import Work


def main(argv: Sequence[str]) -> int:
    """Do what the second word names, and return its exit code."""
    options = _parser().parse_args(argv)
    voice = Voice("worker", options)
    verb: Callable[[argparse.Namespace, Voice], int] = _VERBS[options.verb]
    return verb(options, voice)


def _init(_options: argparse.Namespace, voice: Voice) -> int:
    initialise(voice.settings, SystemClock())
    home = Places(data_directory=voice.settings.data_directory).home
    voice.result([voice.say("made", folder=str(home))], {"folder": str(home)})
    return ExitCode.OK


def _run(_options: argparse.Namespace, voice: Voice) -> int:
    """Work until told to stop. Nothing but operator codes is written, by no library either."""
    logging.disable(logging.CRITICAL)
    # A core file would hold what is being examined.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    settings, clock = voice.settings, SystemClock()
    log = EventLog(voice.line, clock)
    places = Places(data_directory=settings.data_directory)
    with ExitStack() as held:
        try:
            held.enter_context(places.held())
        except BlockingIOError:
            log.record(WorkerCode.ALREADY_RUNNING)
            return ExitCode.REFUSED
        scanner = scanner_of(settings)
        held.callback(scanner.stop)
        shop = held.enter_context(equipped(settings, scanner, clock))
        arrive_all(shop.books, shop.places, shop.custodian)
        carrying = held.enter_context(_carrying(settings, shop))
        if carrying is None:
            log.record(WorkerCode.NO_PORTAL)
        work = Work(
            shop=shop,
            scanner=scanner,
            log=log,
            carrying=carrying,
            pull_seconds=settings.worker.pull_seconds,
            feedback_seconds=settings.worker.feedback_seconds,
        )
        engine = held.enter_context(Engine(places.engine, settings.worker.executor, work.plan))

        def stop(_signal: int, _frame: FrameType | None) -> None:
            work.stop.set()

        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, stop)
        log.record(WorkerCode.RUNNING)
        work.run(engine)
    return ExitCode.OK


@contextmanager
def _carrying(settings: Settings, shop: Workshop) -> Iterator[Carrying | None]:
    """Open the way to the portal; None where there is no portal to go to."""
    worker = settings.worker
    key = portal_log_key(settings.data_directory / worker.portal_log)
    if not worker.portal_url or key is None:
        yield None
        return
    with open_link(worker.portal_url, socks=worker.portal_socks or None, isolation="pull") as link:
        yield Carrying(
            shop=shop,
            portal=PullClient(
                link,
                shop.signers.pull,
                cosigner=shop.signers.cosigner,
                log=key,
                deployment=shop.deployment,
                memory=shop.places.pull,
                clock=SystemClock(),
            ),
            feedback_seconds=worker.feedback_seconds,
        )


def _status(_options: argparse.Namespace, voice: Voice) -> int:
    with opened_desk(voice.settings, SystemClock()) as desk:
        rows = desk.books.read(submissions)
        by_state = dict.fromkeys(SubmissionState, 0)
        items = dict.fromkeys(ItemState, 0)
        for row in rows:
            by_state[row.state] += 1
            counts = desk.books.read(partial(counts_of, submission=row.submission_id))
            for state, count in counts.items():
                items[state] += count
    lines = [voice.say("submissions", count=len(rows))]
    lines += [f"  {state.value:<14}{count}" for state, count in by_state.items() if count]
    lines += [voice.say("items", count=sum(items.values()))]
    lines += [f"  {state.value:<14}{count}" for state, count in items.items() if count]
    fields: dict[str, Field] = {
        "submissions": {state.value: count for state, count in by_state.items()},
        "items": {state.value: count for state, count in items.items()},
    }
    voice.result(lines, fields)
    there = {state for state, count in by_state.items() if count}
    tell_if_locked(voice, there, {state for state, count in items.items() if count})
    return ExitCode.OK


def _import(options: argparse.Namespace, voice: Voice) -> int:
    """Bring in a submission that was carried by hand."""
    clock = SystemClock()
    with opened_desk(voice.settings, clock) as desk:
        books, places, custodian = desk.books, desk.places, desk.custodian
        first, *others = options.disks
        if options.instead_by is None:
            submission = import_bundle(first, places.submissions, *others)
            is_new = arrive(books, places, custodian, submission)
        else:
            officer = desk.officer(options.instead_by)
            submission = import_bundle(first, places.instead, *others)
            take_instead(
                books,
                places,
                custodian,
                bundle=places.instead / submission,
                submission=submission,
                officer=officer,
            )
            is_new = True
    key = "imported" if is_new else "imported-before"
    fields: dict[str, Field] = {"submission": submission, "is_new": is_new}
    voice.result([voice.say(key, submission=submission)], fields)
    return ExitCode.OK


def _doctor(_options: argparse.Namespace, voice: Voice) -> int:
    """Say what is wrong with this installation."""
    from worker.doctor import examine  # noqa: PLC0415 - looks at much that no other verb needs

    return tell(
        examine(voice.settings, SystemClock()),
        voice.settings.deployment,
        write=voice.line,
        speaker=voice.speaker,
        as_json=voice.as_json,
    )


_VERBS: Final[Mapping[str, Callable[[argparse.Namespace, Voice], int]]] = {
    "init": _init,
    "run": _run,
    "status": _status,
    "import": _import,
    "doctor": _doctor,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="amana worker",
        description="The quarantine: fetches, examines, packs and forwards what officers accept.",
        epilog="Example: amana worker init && amana worker run",
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    about = {
        "init": "make folders, database and secrets; what is there stays as it is",
        "run": "work until told to stop",
        "status": "how many submissions and items are in which state",
        "import": "bring in a bundle that was carried by hand",
        "doctor": "look for what is wrong with this installation",
    }
    for name, text in about.items():
        verb = verbs.add_parser(name, help=text, description=text)
        verb.add_argument("--settings", type=Path, help="the settings file")
        verb.add_argument("--json", action="store_true", help="one line of JSON for a program")
        if name == "import":
            verb.add_argument("disks", type=Path, nargs="+", help="each disk's bundle folder")
            verb.add_argument(
                "--instead-by",
                metavar="OFFICER",
                help="who gives it the place of what is held under its id and was never opened",
            )
    return parser
