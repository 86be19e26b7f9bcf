"""`amana portal`: set up and run the public portal, and what the quarantine pulls from."""

import argparse
import asyncio
import contextlib
import logging
import os
import resource
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from starlette.types import ASGIApp

from amana.clock import Clock, SystemClock, today
from amana.durable import durable
from amana.events import EventLog
from amana.exitcodes import ExitCode
from amana.findings import tell
from amana.i18n import Sentence, Speaker, preferred_language
from amana.settings import Settings, load
from amana.store.engine import open_database
from amana.store.migrate import upgrade
from amana.web.server import listen, server
from amana.wire.ids import LogOrigin
from amana.wire.vocabulary import Deployment
from crypto.note import DualKey
from portal.app import build_app
from portal.codes import PortalCode
from portal.custody import PortalKeys
from portal.doctor import examine
from portal.places import Places
from portal.pull import build_pull_app
from portal.records.tables import PORTAL

_SIGNER: str = "/receipts"
"""What stands behind the log's name in the name of the key that signs notes and receipts."""


def main(argv: Sequence[str]) -> int:
    """Do what the first word after `portal` says."""
    options = _parser().parse_args(argv)
    path = options.settings or os.environ.get("AMANA_SETTINGS")
    settings = load(Path(path) if path else None, os.environ)
    speaker = Speaker(preferred_language(os.environ))
    match options.word:
        case "init":
            return _init(settings, speaker)
        case "pull":
            return _pull(settings, speaker)
        case "doctor":
            found = examine(settings, SystemClock())
            write, as_json = _write, options.json
            return tell(found, settings.deployment, write=write, speaker=speaker, as_json=as_json)
        case _:
            return _serve(settings, speaker)


def _init(settings: Settings, speaker: Speaker) -> int:
    """Make folders, keys and database; what is there already stays as it is."""
    places = Places(data_directory=settings.data_directory)
    places.make()
    if not places.keys.exists():
        PortalKeys.generate(settings.portal.log_origin + _SIGNER).save(places.keys)
    asyncio.run(_upgrade(settings))
    _tell(speaker, "made", folder=str(places.home))
    keys = PortalKeys.load(places.keys)
    _tell(speaker, "certify")
    _show(keys.public, places.public_keys)
    _tell(speaker, "log_key")
    _show(keys.log_key(LogOrigin(settings.portal.log_origin)), places.log_keys)
    for name in (settings.portal.directory_keys, settings.portal.witness_card):
        if not (needed := settings.data_directory / name).exists():
            _tell(speaker, "needs", path=str(needed))
    return ExitCode.OK


def _show(key: DualKey, path: Path) -> None:
    """Write a public key out, and into a file for whoever carries it."""
    lines = "".join(f"{line}\n" for line in key.to_texts())
    sys.stdout.write(lines)
    if not path.exists():
        with durable(path) as target:
            target.write(lines.encode("utf-8"))


async def _upgrade(settings: Settings) -> None:
    database = open_database(settings.portal.database_url)
    try:
        deployment = Deployment(settings.deployment.value)
        await upgrade(database, PORTAL, deployment, today(SystemClock()))
    finally:
        await database.close()


def _serve(settings: Settings, speaker: Speaker) -> int:
    """Serve visitors until told to stop."""
    clock, log = _quietly()
    app = build_app(settings, clock, log)
    places = Places(data_directory=settings.data_directory)
    return _hold_and_run(places.held(), app, settings, settings.portal.listen, speaker)


def _pull(settings: Settings, speaker: Speaker) -> int:
    """Serve the quarantine until told to stop, beside the process that serves visitors."""
    clock, log = _quietly()
    app = build_pull_app(settings, clock, log)
    places = Places(data_directory=settings.data_directory)
    places.make()
    held = places.held(places.pull_lock)
    return _hold_and_run(held, app, settings, settings.portal.pull_listen, speaker)


def _quietly() -> tuple[Clock, EventLog]:
    """See to it that nothing but operator codes is written, by no library either."""
    logging.disable(logging.CRITICAL)
    # A core file would hold what was being sent.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    clock = SystemClock()
    return clock, EventLog(_write, clock)


def _hold_and_run(
    lock: AbstractContextManager[None],
    app: ASGIApp,
    settings: Settings,
    address: str,
    speaker: Speaker,
) -> int:
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(lock)
        except BlockingIOError:
            EventLog(_write, SystemClock()).record(PortalCode.ALREADY_SERVED)
            return ExitCode.REFUSED
        return _run(app, settings, address, speaker)


def _run(app: ASGIApp, settings: Settings, address: str, speaker: Speaker) -> int:
    listener = listen(address, settings.data_directory)
    _tell(speaker, "serving", address=address)
    running = server(app)
    # The server has ended everything in order before it passes Ctrl-C on.
    with contextlib.suppress(KeyboardInterrupt):
        running.run(sockets=[listener])
    return ExitCode.OK if running.started else ExitCode.FAILED


def _tell(speaker: Speaker, key: str, **values: str) -> None:
    _write(speaker.say(Sentence(key=f"portal.command.{key}", values=values)))


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()  # whoever waits for a line may be a program


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="amana portal",
        description="Set up the public portal; serve visitors, or the quarantine that pulls.",
        epilog="Example: amana portal init && amana portal serve",
    )
    parser.add_argument("word", choices=("init", "serve", "pull", "doctor"), help="what to do")
    parser.add_argument(
        "--settings", type=Path, help="the settings file, instead of AMANA_SETTINGS"
    )
    parser.add_argument("--json", action="store_true", help="JSON lines of what the doctor finds")
    return parser
