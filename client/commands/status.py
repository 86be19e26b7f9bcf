"""`amana status`: fetch the newest feedback, and say it in the reader's language."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from amana.clock import SystemClock, today
from amana.exitcodes import ExitCode
from amana.i18n import Speaker, preferred_language
from amana.link.client import open_link
from amana.link.errors import LinkError
from amana.wire.card import CARD_LIMIT_BYTES
from amana.wire.feedback import FeedbackStatus
from amana.wire.feedback_words import Say, say_with, words_of, words_of_day
from amana.wire.signers import SIGNATURES_LIMIT_BYTES
from amana.wire.vocabulary import Deployment
from client.console import Console
from client.errors import ClientError, KeysError
from client.keys import MemberKeys
from client.session import open_session
from client.status import Told, read_feedback
from client.submit_link import PortalLink
from client.submit_state import RequestCounter
from client.trust import load_kit

_ID_SHOWN = 8


def main(argv: Sequence[str]) -> int:
    """Print every status of the newest batch, newest first."""
    options = _parser().parse_args(argv)
    console = Console(as_json=options.json)
    day = today(SystemClock())
    try:
        kit = load_kit(options.kit)
        if kit.deployment is Deployment.TRAINING:
            console.tell("training")
        passphrase = console.passphrase(options.passphrase_file, is_new=False)
        keys = MemberKeys.load(options.keys, passphrase)
        signer_notes = [_note(path) for path in options.signer]
        counter = RequestCounter(options.keys.with_name(options.keys.name + ".counter"), day)
        with _link(options) as link:
            open_session(link, keys.signer, kit.deployment, counter)
            untrusted = link.feedback()
        told = read_feedback(
            untrusted,
            kit_path=options.kit,
            kit=kit,
            identity=keys.feedback,
            today=day,
            signer_notes=signer_notes,
        )
    except ClientError as failure:
        return console.refuse(failure)
    if told.is_overdue(day):
        console.tell("feedback-overdue")
    console.result(_lines(told, console), _fields(told))
    return ExitCode.OK


def _lines(told: Told, console: Console) -> list[str]:
    say = say_with(Speaker(preferred_language(os.environ)))
    batch, content = told.batch, told.content
    day, following = words_of_day(batch.published_on, say), words_of_day(batch.next_on, say)
    lines = [console.say("feedback-calendar", day=day, next=following)]
    lines += [_line(each, say) for each in content.statuses]
    if content.more:
        lines.append(console.say("feedback-more"))
    if not content.statuses:
        lines.append(console.say("feedback-nothing"))
    lines.append(say("feedback.notice"))
    return lines


def _line(status: FeedbackStatus, say: Say) -> str:
    about = "" if status.submission_id is None else f"  [{status.submission_id[:_ID_SHOWN]}]"
    return f"{words_of_day(status.on, say)}{about}  {words_of(status, say)}"


def _fields(told: Told) -> dict[str, object]:
    return {
        "batch": told.batch.number,
        "published_on": told.batch.published_on.isoformat(),
        "next_on": told.batch.next_on.isoformat(),
        "more": told.content.more,
        "statuses": [
            {
                "submission": each.submission_id,
                "code": each.code.value,
                "on": each.on.isoformat(),
                "reason": None if each.reason is None else each.reason.value,
                "date": None if each.date is None else each.date.isoformat(),
                "text": each.text,
            }
            for each in told.content.statuses
        ],
    }


def _link(options: argparse.Namespace) -> PortalLink:
    try:
        return PortalLink(open_link(options.portal, socks=options.socks, isolation="status"))
    except LinkError as failure:
        raise KeysError("portal-address", reason=str(failure)) from failure


def _note(path: Path) -> bytes:
    try:
        with path.open("rb") as source:
            return source.read(CARD_LIMIT_BYTES + SIGNATURES_LIMIT_BYTES + 1)
    except OSError as failure:
        raise KeysError("no-such-file", path=str(path)) from failure


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="amana status",
        description="Fetch the newest feedback on what your organisation handed over.",
        epilog="Example: amana status --kit kit.json --keys my.keys --portal http://….onion "
        "--socks 127.0.0.1:9050",
    )
    parser.add_argument("--kit", type=Path, required=True, help="your enrolment kit")
    parser.add_argument("--keys", type=Path, required=True, help="your key file")
    parser.add_argument("--portal", required=True, help="the portal's address")
    parser.add_argument("--socks", help="HOST:PORT of Tor's SOCKS port, for an onion address")
    parser.add_argument(
        "--signer",
        type=Path,
        action="append",
        default=[],
        help="a signer card of the quarantine, oldest first, instead of those the portal gives",
    )
    parser.add_argument(
        "--passphrase-file", type=Path, help="read the passphrase from its first line"
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON for a program")
    return parser
