"""`amana seal`: seal files and folders into a bundle."""

import argparse
import errno
import importlib.metadata
from collections.abc import Iterator, Sequence
from pathlib import Path

from amana.clock import SystemClock, today
from amana.exitcodes import ExitCode
from amana.wire.ids import AccountId
from amana.wire.vocabulary import Deployment
from amana.wire.words import VersionText
from client.conditions import Conditions, load_conditions, require_places
from client.console import Console
from client.errors import BundleError, ClientError, KeysError, TreeError, shown
from client.keys import MemberKeys
from client.plan import plan
from client.sealing import Commission, SealedTree, seal_tree
from client.tree import Tree, walk
from client.trust import believe_card, load_kit
from crypto.errors import KeyFormatError
from crypto.recipients import HybridRecipient
from terms.vocabulary import HandlingClass

_SHOWN_SPECIAL = 5


def main(argv: Sequence[str]) -> int:
    """Seal what is named, and say what was sealed and what a thief of the bundle would see."""
    options = _parser().parse_args(argv)
    console = Console(as_json=options.json)
    try:
        tree = _material(options, console)
        commission = _commission(options, tree, console)
        planned = plan(tree.entries)
        with console.progress("sealing", planned.content_bytes) as progress:
            sealed = seal_tree(planned, commission, options.out, progress)
    except ClientError as failure:
        return console.refuse(failure)
    except OSError as failure:
        if failure.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        return console.refuse(BundleError("no-room", folder=str(options.out)))
    console.result(*_account(console, sealed, commission.conditions, options.out))
    return ExitCode.OK


def _material(options: argparse.Namespace, console: Console) -> Tree:
    # A bundle inside would be material of the next run.
    if any(options.out.resolve().is_relative_to(path.resolve()) for path in options.paths):
        raise BundleError("out-inside")
    tree = walk(options.paths)
    if not tree.entries:
        raise TreeError("nothing-to-seal")
    if tree.special and not options.leave_out_special:
        names = ", ".join(shown(name) for name in tree.special[:_SHOWN_SPECIAL])
        raise TreeError("not-material", count=len(tree.special), names=names)
    if tree.special:
        console.tell("left-out", count=len(tree.special))
    return tree


def _commission(options: argparse.Namespace, tree: Tree, console: Console) -> Commission:
    kit = load_kit(options.kit)
    conditions = _conditions(options, tree, kit.account)
    card = believe_card(options.kit, kit, options.card, today(SystemClock()))
    if kit.deployment is Deployment.TRAINING:
        console.tell("training")
    keys = MemberKeys.load(options.keys, console.passphrase(options.passphrase_file, is_new=False))
    try:
        recipient = HybridRecipient.from_text(card.recipient)
    except KeyFormatError as failure:
        raise KeysError("card-not-believed", reason="recipient") from failure
    return Commission(
        account=kit.account,
        card=card.card_id,
        recipient=recipient,
        deployment=kit.deployment,
        reply=keys.reply,
        signer=keys.signer,
        client_version=VersionText(f"amana/{importlib.metadata.version('amana')}"),
        conditions=conditions,
    )


def _conditions(options: argparse.Namespace, tree: Tree, account: AccountId) -> Conditions:
    conditions = load_conditions(
        options.agreement,
        [*((path, None) for path in options.consent), *options.consent_for],
        options.handling_class,
        account=account,
        on=today(SystemClock()),
    )
    require_places(conditions, tree.entries)
    return conditions


def _account(
    console: Console, sealed: SealedTree, conditions: Conditions, out: Path
) -> tuple[list[str], dict[str, object]]:
    # All that lies in the folder: material, manifests, records.
    objects = sum(1 for _ in sealed.note.everything())
    lines = [
        console.say("sealed-items", count=sealed.items),
        console.say(
            "sealed-bytes", content=f"{sealed.content_bytes:,}", sealed=f"{sealed.sealed_bytes:,}"
        ),
        *_told_conditions(console, conditions),
        console.say("sealed-shows", count=objects, account=sealed.note.account),
        console.say("sealed-submission", submission=sealed.note.submission_id),
        console.say("sealed-where", folder=str(out)),
    ]
    named = conditions.terms.named
    fields: dict[str, object] = {
        "agreement": None if named is None else f"{named.uid}@{named.version}",
        "bundle": str(out),
        "consents": [str(each.consent_id) for each in conditions.documents if each.consent_id],
        "content_bytes": sealed.content_bytes,
        "items": sealed.items,
        "note_sha256": sealed.note.digest,
        "objects": objects,
        "sealed_bytes": sealed.sealed_bytes,
        "submission": sealed.note.submission_id,
    }
    return lines, fields


def _told_conditions(console: Console, conditions: Conditions) -> Iterator[str]:
    named = conditions.terms.named
    if named is None:
        yield console.say("sealed-conditions")
    else:
        yield console.say("sealed-agreement", agreement=named.uid, version=named.version)
    persons = len({each.record.uid for each in conditions.consents})
    if persons:
        yield console.say("sealed-consents", count=persons)
    if (named or persons) and all(_.place is not None for _ in conditions.consents):
        yield console.say("sealed-no-consent")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="amana seal",
        description="Seal files and folders on this machine. Nothing of yours is changed or sent.",
        epilog="Example: amana seal Interviews/ --kit kit.json --card card.note "
        "--keys my.keys --out bundle/",
    )
    parser.add_argument("paths", type=Path, nargs="+", help="files and folders to seal")
    parser.add_argument("--kit", type=Path, required=True, help="your enrolment kit")
    parser.add_argument(
        "--card",
        type=Path,
        action="append",
        required=True,
        help="your key card; again for each newer one, oldest first",
    )
    parser.add_argument("--keys", type=Path, required=True, help="your key file")
    parser.add_argument(
        "--passphrase-file", type=Path, help="read the passphrase from its first line"
    )
    parser.add_argument("--out", type=Path, required=True, help="a new or empty folder")
    _add_conditions(parser)
    parser.add_argument(
        "--leave-out-special",
        action="store_true",
        help="go on without devices, sockets and pipes, which are not material",
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON for a program")
    return parser


def _add_conditions(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "conditions", "What is not said here is not known: the material is kept and not shared."
    )
    group.add_argument("--agreement", type=Path, help="the agreement that all of it is under")
    group.add_argument(
        "--consent",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="what a person in all of it allowed; again for each person",
    )
    group.add_argument(
        "--consent-for",
        type=_place_and_file,
        action="append",
        default=[],
        metavar="PLACE=FILE",
        help="what a person allowed who is in that file or folder alone; again for each",
    )
    group.add_argument(
        "--class",
        dest="handling_class",
        type=HandlingClass,
        choices=list(HandlingClass),
        metavar="WORD",
        help=f"how carefully it must be handled: {', '.join(HandlingClass)}",
    )


def _place_and_file(text: str) -> tuple[Path, Path]:
    # The last sign divides: names of places may hold one, and the file's is the person's to choose.
    place, divider, file = text.rpartition("=")
    if not (place and divider and file):
        raise argparse.ArgumentTypeError("not PLACE=FILE")
    return Path(file), Path(place)
