"""The whole trip of harmless material: two providers, every zone, and back.

    examples/trip.py           `make demo`: makes the trip and ends
    examples/trip.py --stay    `make run`: stays up afterwards, until Ctrl-C

An organisation seals a folder on its own machine and submits it; a person gives the same files at
the pages. The quarantine fetches, opens, scans with a real ClamAV; an officer decides; packages
go to the repository, which answers; both providers read what became of it. Then every package is
opened and each file compared with what was given, byte for byte. It ends with an error when
anything differs or is missing.
"""

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from examples.arrivals import arrivals, report
from examples.deployment import (
    AGREEMENT,
    CONSENT,
    OFFICER,
    PASSPHRASE,
    Deployment,
    program,
    set_up,
    tell,
)
from examples.desk import Desk
from examples.material import make_material
from examples.visitor import Visitor

FOLDER: Final = Path("var/trip")
PORTAL: Final = "http://127.0.0.1:8700"

_PORTS: Final = (8700, 8701)
_STOPS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_END_SECONDS: Final = 120.0
_UP_SECONDS: Final = 120.0
_TRIP_SECONDS: Final = 300.0


def main() -> int:
    """Make the trip in var/trip, made anew."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--stay", action="store_true", help="stay up afterwards, until Ctrl-C")
    stay = parser.parse_args().stay
    if taken := [port for port in _PORTS if _is_taken(port)]:
        tell(
            f"Something answers at 127.0.0.1:{taken[0]} already: another `make run`? End it first."
        )
        return 1
    # Closing the window, or `kill`, ends everything as Ctrl-C does.
    for each in _STOPS:
        signal.signal(each, signal.default_int_handler)
    try:
        return _rehearse(stay=stay)
    except KeyboardInterrupt:
        tell("\nStopped. Everything has ended.")
        return 130
    except (NotUpError, TimeoutError) as failure:
        tell(f"\nIt did not work: {failure}")
    except subprocess.CalledProcessError:
        tell("\nIt did not work: the last command above says why.")
    tell(f"What the programs said: {FOLDER / 'up.log'}")
    return 1


def _rehearse(*, stay: bool) -> int:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    tell("\n== Set up every zone, with keys made anew (TRAINING)")
    deployment = set_up(FOLDER)
    given = make_material(FOLDER.absolute() / "Material")
    tell("\n== Start: key agent, portal, pull, quarantine with ClamAV, repository (amana up)")
    with running(deployment):
        failed = _trip(deployment, given)
        if stay and not failed:
            _invite(deployment)
            with contextlib.suppress(KeyboardInterrupt):
                signal.pause()
            tell("\nEnding every program, the last one first ...")
    if stay and not failed:
        tell("Everything has ended. What was made is in var/trip until the next run.")
    return failed


class NotUpError(Exception):
    """The programs did not start, or not all of them."""


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def running(deployment: Deployment) -> Iterator[None]:
    """Let every zone run until the block ends; what they print goes to up.log.

    A guard ends them even if this program is killed. NotUpError: they did not start.
    """
    log = deployment.folder / "up.log"
    guard = [sys.executable, "-P", "-m", "amana.up.guard", str(os.getpid()), str(_END_SECONDS)]
    with log.open("w") as target:
        process = subprocess.Popen(  # noqa: S603 - the project's own program
            [*guard, program(), "up"],
            stdout=target,
            stderr=subprocess.STDOUT,
            env={
                **os.environ,
                "AMANA_SETTINGS": str(deployment.settings),
                "AMANA_LANGUAGE": "en",  # its lines are read below
            },
            start_new_session=True,
        )
        try:
            _await_up(process, log)
            yield
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()


def _await_up(process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Show which program is being started, until all are."""
    end, shown = time.monotonic() + _UP_SECONDS, 0
    while True:
        is_over = process.poll() is not None or time.monotonic() > end
        lines = [each for each in log.read_text().splitlines() if each.startswith("up ")]
        for line in lines[shown:]:
            tell(f"  {line.partition('|')[2].strip()}")
        shown = len(lines)
        if lines and "Ctrl-C ends" in lines[-1]:
            return
        if is_over:
            raise NotUpError("not every program started")
        time.sleep(0.2)


def _trip(deployment: Deployment, given: Path) -> int:
    passphrase = ("--passphrase-file", deployment.passphrase)
    deployment.amana("key", "unlock", "--officer", OFFICER, *passphrase)
    tell("\n== An organisation seals a folder on its own machine, and submits it")
    _submit(deployment, given)
    tell("\n== A person gives the same files at the pages, without script")
    visitor = Visitor(PORTAL)
    files = sorted((path for path in given.iterdir() if path.is_file()), key=os.fsencode)
    tell(f"  the ten words: {visitor.words}")
    tell(f"  the page says: {visitor.give(files, 'EXAMPLE: what I saw.')}")
    tell("\n== The quarantine fetches, opens, scans; an officer decides")
    desk = Desk(deployment)
    desk.await_examined(submissions=2, seconds=_TRIP_SECONDS)
    refused = desk.decide()
    tell("\n== Packages go to the repository; it acknowledges; originals are erased")
    desk.await_settled(seconds=_TRIP_SECONDS)
    tell("\n== What the providers are told")
    _tell_feedback(deployment, visitor)
    tell("\n== Every package opened, and compared with what was given")
    return _compare(deployment, given, files, refused)


def _submit(deployment: Deployment, given: Path) -> None:
    folder, passphrase = deployment.kit.parent, ("--passphrase-file", deployment.passphrase)
    member = ("--kit", deployment.kit, "--keys", deployment.keys, *passphrase)
    bundle = deployment.folder / "bundle"
    deployment.amana(
        *("seal", given, *member, "--card", deployment.card, "--out", bundle),
        *("--agreement", AGREEMENT, "--consent", CONSENT),
    )
    told = deployment.amana(
        *("submit", bundle, *member, "--portal", PORTAL),
        *("--portal-card", folder / "portal-receipts.note"),
        *("--receipt", folder / "submission.receipt"),
    )
    tell("".join(f"  {line}\n" for line in told.splitlines()).rstrip())


def _tell_feedback(deployment: Deployment, visitor: Visitor) -> None:
    def status() -> str:
        return deployment.amana(
            *("status", "--kit", deployment.kit, "--keys", deployment.keys),
            *("--passphrase-file", deployment.passphrase, "--portal", PORTAL),
        )

    tell("".join(f"  {line}\n" for line in status().splitlines()).rstrip())
    tell("  with the ten words:")
    for line in visitor.statuses():
        tell(f"    {line}")


def _compare(
    deployment: Deployment, given: Path, files: list[Path], refused: frozenset[str]
) -> int:
    found = arrivals(deployment)
    tree = sorted((path for path in given.rglob("*") if path.is_file()), key=os.fsencode)
    sent = {
        "organisation": [(os.fsencode(path.relative_to(given.parent)), path) for path in tree],
        "person": [(os.fsencode(path.name), path) for path in files],
    }
    faults = sum(report(found, name, pairs, refused) for name, pairs in sent.items())
    tell("Every file that was kept is the same, byte for byte." if not faults else "DIFFERENCES.")
    return 1 if faults else 0


def _invite(deployment: Deployment) -> None:
    tell(f"\nEverything stays up until Ctrl-C. Look at the portal: {PORTAL}/")
    tell("Or work with it, in another terminal:")
    tell(f"  export AMANA_SETTINGS={deployment.settings} PATH={Path(program()).parent}:$PATH")
    tell("  amana review list          # as an officer: docs/guides/officer.md")
    tell("  amana worker doctor        # as an operator: docs/guides/operator.md")
    tell(f"An organisation's kit, card and keys are in {deployment.kit.parent};")
    tell("how to give something with them: docs/guides/organisation.md")
    tell(f"Officer of this rehearsal: {OFFICER}; passphrase of everybody in it: {PASSPHRASE}")


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())
