"""`amana sign`: sign the text of an agreement or an amendment, as it is."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from amana.clock import SystemClock, today
from amana.durable import durable
from amana.exitcodes import ExitCode
from amana.wire.errors import TermsTextError
from amana.wire.ids import Digest
from amana.wire.terms_signature import TermsSignature
from amana.wire.terms_toml import AMENDMENT_FORMAT, read_agreement, read_amendment, sha256_of
from amana.wire.toml_table import parse
from client.conditions import read_text
from client.console import Console
from client.errors import ClientError, ConditionsError
from client.keys import MemberKeys
from client.trust import load_kit


def main(argv: Sequence[str]) -> int:
    """Read the text back in full, then write the signature over its bytes beside it."""
    options = _parser().parse_args(argv)
    console = Console(as_json=options.json)
    out: Path = options.out
    try:
        source = _text(options.file)
        kit = load_kit(options.kit)
        passphrase = console.passphrase(options.passphrase_file, is_new=False)
        keys = MemberKeys.load(options.keys, passphrase)
        signature = TermsSignature(
            deployment=kit.deployment,
            account=kit.account,
            text_sha256=Digest(sha256_of(source)),
            signed_on=today(SystemClock()),
        )
        if out.exists():
            raise ConditionsError("signature-exists", path=str(out))
        with durable(out) as target:
            target.write(keys.signer.sign(signature.to_bytes().decode()).to_bytes())
    except ClientError as failure:
        return console.refuse(failure)
    console.result(
        [console.say("text-signed", path=str(out), digest=signature.text_sha256)],
        {"signature": str(out), "text_sha256": signature.text_sha256},
    )
    return ExitCode.OK


def _text(path: Path) -> bytes:
    """Give the bytes of a text that says something. ConditionsError: it does not."""
    source = read_text(path)
    try:
        head = parse(source)
        is_amendment = head.has("format") and head.raw("format") == AMENDMENT_FORMAT
        (read_amendment if is_amendment else read_agreement)(source)
    except TermsTextError as failure:
        raise ConditionsError.in_text(failure, path) from failure
    return source


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="amana sign",
        description="Sign the text of an agreement or an amendment, byte for byte as it is.",
        epilog="Example: amana sign agreement.toml --kit kit.json --keys my.keys "
        "--out agreement.signature",
    )
    parser.add_argument("file", type=Path, help="the text")
    parser.add_argument("--kit", type=Path, required=True, help="your enrolment kit")
    parser.add_argument("--keys", type=Path, required=True, help="your key file")
    parser.add_argument(
        "--passphrase-file", type=Path, help="read the passphrase from its first line"
    )
    parser.add_argument("--out", type=Path, required=True, help="a new file for the signature")
    parser.add_argument("--json", action="store_true", help="one line of JSON for a program")
    return parser
