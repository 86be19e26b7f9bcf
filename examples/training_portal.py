"""Serve a training portal on this machine alone, with keys that are made anew.

`make run` ends with this. What is given on its pages lies sealed in the data directory, a bundle
for each submission; the rehearsal's intake identity opens its objects. The portal is not reachable
from another machine, and Ctrl-C stops it.
"""

import contextlib
import os
import shutil
import socket
import sys
from pathlib import Path

from amana import cli
from amana.clock import SystemClock, today
from amana.durable import durable
from examples.rehearsal import Rehearsal, prepare

_FOLDER = Path("var/portal")
_PORT = 8700  # amana.settings, `listen`


def main() -> int:
    """Make the portal anew and serve it until Ctrl-C; leave one alone that is running."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", _PORT)) == 0:
            sys.stdout.write(f"Something answers at 127.0.0.1:{_PORT} already; it is left alone.\n")
            return 2
    if _FOLDER.exists():
        shutil.rmtree(_FOLDER)
    rehearsal = prepare(_FOLDER / "keys", today(SystemClock()))
    settings = make_portal(_FOLDER / "data", rehearsal)
    # Its keys would have to be certified by the directory; a rehearsal needs no certificate.
    with (_FOLDER / "init.txt").open("w") as told, contextlib.redirect_stdout(told):
        code = cli.main(["portal", "init", "--settings", str(settings)])
    if code:
        return code
    sys.stdout.write(
        f"\nThe training portal: http://127.0.0.1:{_PORT}/    Ctrl-C stops it.\n"
        f"What is given there lies sealed in {_FOLDER}/data/portal/received/;\n"
        f"its identity, in earnest never on this machine: {rehearsal.identity}\n\n"
    )
    sys.stdout.flush()
    return cli.main(["portal", "serve", "--settings", str(settings)])


def make_portal(data: Path, rehearsal: Rehearsal) -> Path:
    """Write what a portal is given from outside: directory keys, the month's card, settings."""
    data.mkdir(mode=0o700, parents=True)
    lines = [line for signer in rehearsal.directory for line in signer.key.to_texts()]
    with durable(data / "directory.keys") as target:
        target.write("".join(f"{line}\n" for line in lines).encode())
    rehearsal.write_card(rehearsal.make_month_card(), data / "witness-card.note")
    settings = data / "settings.toml"
    with durable(settings) as target:
        target.write(f'data_directory = "{data.absolute()}"\n'.encode())
    return settings


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())
