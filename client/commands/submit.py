"""`amana submit`: hand a bundle over to a portal, and keep its receipt."""

import argparse
import secrets
import time
from collections.abc import Sequence
from pathlib import Path

from amana.clock import SystemClock, today
from amana.exitcodes import ExitCode
from amana.link.client import open_link
from amana.link.errors import AddressError
from amana.wire.kit import EnrolmentKit
from amana.wire.receipt import ReceiptR1
from amana.wire.vocabulary import Deployment
from client.console import Console
from client.errors import ClientError, KeysError
from client.keys import MemberKeys
from client.submit import Bundle, Submission
from client.submit_link import PortalLink
from client.submit_receipt import believe, keep
from client.submit_state import RequestCounter
from client.trust import load_kit


def main(argv: Sequence[str]) -> int:
    """Hand over what the portal does not have yet; the receipt says that it has all."""
    options = _parser().parse_args(argv)
    console = Console(as_json=options.json)
    try:
        bundle = Bundle.read(options.bundle)
        kit = _kit(options, bundle, console)
        keys = MemberKeys.load(
            options.keys, console.passphrase(options.passphrase_file, is_new=False)
        )
        content, submission = _send(options, bundle, keys, console)
        receipt, is_believed = believe(
            content, bundle.note, submission.log, kit, options.portal_card
        )
        path = keep(content, options.receipt or _beside(options.bundle))
    except ClientError as failure:
        return console.refuse(failure)
    except KeyboardInterrupt:
        console.tell("submit-stopped")
        return ExitCode.INTERRUPTED
    if not is_believed:
        console.tell("receipt-not-judged")
    console.result(*_account(console, bundle, receipt, path, is_believed=is_believed))
    return ExitCode.OK


def _kit(options: argparse.Namespace, bundle: Bundle, console: Console) -> EnrolmentKit:
    kit = load_kit(options.kit)
    if (kit.account, kit.deployment) != (bundle.note.account, bundle.note.deployment):
        raise KeysError("kit-of-another-account")
    if kit.deployment is Deployment.TRAINING:
        console.tell("training")
    return kit


def _send(
    options: argparse.Namespace, bundle: Bundle, keys: MemberKeys, console: Console
) -> tuple[bytes, Submission]:
    def wait(seconds: float) -> None:
        console.tell("portal-waiting", seconds=f"{seconds:g}")
        time.sleep(seconds)

    counter_path = options.keys.with_name(options.keys.name + ".counter")
    try:
        client = open_link(options.portal, socks=options.socks, isolation=secrets.token_hex(8))
    except AddressError as failure:
        raise ClientError("address-refused", reason=str(failure)) from failure
    with (
        PortalLink(client) as link,
        console.progress("submitting", bundle.sealed_bytes) as confirmed,
    ):
        submission = Submission(
            bundle,
            link,
            keys,
            RequestCounter(counter_path, today(SystemClock())),
            confirmed=confirmed,
            wait=wait,
            tries=options.tries,
        )
        return submission.run(), submission


def _beside(bundle: Path) -> Path:
    folder = bundle.absolute()
    return folder.with_name(folder.name + ".receipt")


def _account(
    console: Console, bundle: Bundle, receipt: ReceiptR1, path: Path, *, is_believed: bool
) -> tuple[list[str], dict[str, object]]:
    objects = sum(1 for _ in bundle.note.everything())
    lines = [
        console.say("submitted", count=objects, size=f"{bundle.sealed_bytes:,}"),
        console.say("submitted-on", day=receipt.event.on.isoformat()),
        console.say("submitted-as", submission=receipt.submission_id),
        console.say("receipt-where", path=str(path)),
    ]
    fields: dict[str, object] = {
        "note_sha256": receipt.note_sha256,
        "objects": objects,
        "on": receipt.event.on.isoformat(),
        "receipt": str(path),
        "receipt_judged": is_believed,
        "sealed_bytes": bundle.sealed_bytes,
        "submission": receipt.submission_id,
    }
    return lines, fields


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="amana submit",
        description="Hand a sealed bundle over to the portal. After a break, run it again: only "
        "what is missing is sent.",
        epilog="Example: amana submit bundle/ --kit kit.json --keys my.keys "
        "--portal http://….onion --socks 127.0.0.1:9050",
    )
    parser.add_argument("bundle", type=Path, help="the folder that `amana seal` made")
    parser.add_argument("--kit", type=Path, required=True, help="your enrolment kit")
    parser.add_argument("--keys", type=Path, required=True, help="your key file")
    parser.add_argument(
        "--passphrase-file", type=Path, help="read the passphrase from its first line"
    )
    parser.add_argument("--portal", required=True, help="http://….onion, or unix:PATH")
    parser.add_argument("--socks", help="Tor's SOCKS port, such as 127.0.0.1:9050")
    parser.add_argument(
        "--portal-card",
        type=Path,
        action="append",
        default=[],
        help="signer card of the portal's receipts; again for each newer one, oldest first",
    )
    parser.add_argument("--receipt", type=Path, help="where the receipt goes")
    parser.add_argument(
        "--tries", type=int, default=10, help="attempts without any progress before giving up"
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON for a program")
    return parser
