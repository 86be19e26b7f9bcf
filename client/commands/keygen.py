"""`amana keygen`: make a member's keys."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from amana.durable import durable
from amana.exitcodes import ExitCode
from client.console import Console
from client.errors import ClientError, KeysError
from client.keys import MemberKeys
from client.trust import load_kit

PUBLIC: str = ".public"
"""What the name of the public half ends with; it goes to the Mechanism with the agreement."""


def main(argv: Sequence[str]) -> int:
    """Write a key file and its public half, and say where they lie."""
    options = _parser().parse_args(argv)
    console = Console(as_json=options.json)
    try:
        public = options.out.with_name(options.out.name + PUBLIC)
        for path in (options.out, public):
            if path.exists():
                raise KeysError("keys-exist", path=str(path))
        kit = load_kit(options.kit)
        passphrase = console.passphrase(options.passphrase_file, is_new=True)
        keys = MemberKeys.generate(kit.account)
        keys.save(options.out, passphrase)
        with durable(public) as target:
            target.write(keys.public.to_bytes())
    except ClientError as failure:
        return console.refuse(failure)
    console.result(
        [
            console.say("keygen-done", path=str(options.out)),
            console.say("keygen-public", path=str(public)),
            console.say("keygen-fingerprint", fingerprint=keys.public.digest),
        ],
        {"keys": str(options.out), "public": str(public), "fingerprint": keys.public.digest},
    )
    return ExitCode.OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="amana keygen",
        description="Make your signing keys and the key that feedback is sealed to.",
        epilog="Example: amana keygen --kit kit.json --out my.keys",
    )
    parser.add_argument("--kit", type=Path, required=True, help="your enrolment kit")
    parser.add_argument("--out", type=Path, required=True, help="the key file to write")
    parser.add_argument(
        "--passphrase-file", type=Path, help="read the passphrase from its first line"
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON for a program")
    return parser
