"""`amana portal`: set up and run the public portal."""

import argparse
import asyncio
import contextlib
import logging
import os
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

from starlette.types import ASGIApp

from amana.clock import SystemClock, today
from amana.events import EventLog
from amana.exitcodes import ExitCode
from amana.i18n import Sentence, Speaker, preferred_language
from amana.settings import Settings, load
from amana.store.engine import open_database
from amana.store.migrate import upgrade
from amana.web.server import listen, server
from amana.wire.vocabulary import Deployment
from portal.app import build_app
from portal.codes import PortalCode
from portal.custody import PortalKeys
from portal.places import Places
from portal.records.tables import PORTAL

_SIGNER: str = "/receipts"
"""What stands behind the log's name in the name of the key that signs notes and receipts."""


def main(argv: Sequence[str]) -> int:
    """Do what the first word after `portal` says."""
    options = _parser().parse_args(argv)
    path = options.settings or os.environ.get("AMANA_SETTINGS")
    settings = load(Path(path) if path else None, os.environ)
    speaker = Speaker(preferred_language(os.environ))
    if options.word == "init":
        return _init(settings, speaker)
    return _serve(settings, speaker)


def _init(settings: Settings, speaker: Speaker) -> int:
    """Make folders, keys and database; what is there already stays as it is."""
    places = Places(data_directory=settings.data_directory)
    places.make()
    if not places.keys.exists():
        PortalKeys.generate(settings.portal.log_origin + _SIGNER).save(places.keys)
    asyncio.run(_upgrade(settings))
    _tell(speaker, "made", folder=str(places.home))
    _tell(speaker, "certify")
    sys.stdout.write(
        "".join(f"{line}\n" for line in PortalKeys.load(places.keys).public.to_texts())
    )
    for name in (settings.portal.directory_keys, settings.portal.witness_card):
        if not (needed := settings.data_directory / name).exists():
            _tell(speaker, "needs", path=str(needed))
    return ExitCode.OK


async def _upgrade(settings: Settings) -> None:
    database = open_database(settings.portal.database_url)
    try:
        deployment = Deployment(settings.deployment.value)
        await upgrade(database, PORTAL, deployment, today(SystemClock()))
    finally:
        await database.close()


def _serve(settings: Settings, speaker: Speaker) -> int:
    """Serve until told to stop. Nothing but operator codes is written, by no library either."""
    logging.disable(logging.CRITICAL)
    # A core file would hold what was being sent.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    clock = SystemClock()
    log = EventLog(_write, clock)
    app = build_app(settings, clock, log)
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(Places(data_directory=settings.data_directory).held())
        except BlockingIOError:
            log.record(PortalCode.ALREADY_SERVED)
            return ExitCode.REFUSED
        return _run(app, settings, speaker)


def _run(app: ASGIApp, settings: Settings, speaker: Speaker) -> int:
    listener = listen(settings.portal.listen, settings.data_directory)
    _tell(speaker, "serving", address=settings.portal.listen)
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
        description="Set up and run the public portal.",
        epilog="Example: amana portal init && amana portal serve",
    )
    parser.add_argument("word", choices=("init", "serve"), help="what to do")
    parser.add_argument(
        "--settings", type=Path, help="the settings file, instead of AMANA_SETTINGS"
    )
    return parser
