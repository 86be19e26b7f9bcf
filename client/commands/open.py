"""`amana open`: open a bundle with its identity, and check every digest."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from amana.exitcodes import ExitCode
from amana.wire.errors import WireError
from amana.wire.manifest import ItemKind
from amana.wire.member import Member
from amana.wire.vocabulary import Deployment
from client.console import Console
from client.errors import BundleError, ClientError, KeysError, shown
from client.keys import load_identity
from client.opening import BundleOpener, OpenedItem
from client.output import UNNAMED
from crypto.errors import CryptoError, NoMatchError
from crypto.note import DualKey


def main(argv: Sequence[str]) -> int:
    """Open a bundle into a folder, and say what came out of it."""
    options = _parser().parse_args(argv)
    console = Console(as_json=options.json)
    try:
        opened = _open(options, console)
    except ClientError as failure:
        return console.refuse(failure)
    links = [item for item in opened if item.manifest.kind is ItemKind.LINK]
    renamed = [item for item in opened if _is_unnamed(item)]
    lines = [
        console.say("opened-items", count=len(opened), folder=str(options.out)),
        *(_renamed_line(console, item) for item in renamed),
        *(_link_line(console, item) for item in links),
    ]
    rows = [
        {
            "item": item.manifest.item_id,
            "path": None if item.path is None else str(item.path),
            "sha256": None if item.manifest.content is None else item.manifest.content.sha256,
        }
        for item in opened
    ]
    console.result(lines, {"items": rows})
    return ExitCode.OK


def _open(options: argparse.Namespace, console: Console) -> list[OpenedItem]:
    identity = load_identity(options.identity)
    try:
        opener = BundleOpener(options.bundle, identity, _signer(options.signer))
        if opener.note.deployment is Deployment.TRAINING:
            console.tell("training")
        total = sum(item.content.size for item in opener.items if item.content is not None)
        with console.progress("opening", total) as progress:
            return list(opener.open(options.out, progress))
    except NoMatchError as failure:
        raise BundleError("another-identity") from failure
    except CryptoError as failure:
        raise BundleError("object-damaged", reason=type(failure).__name__) from failure


def _signer(path: Path) -> DualKey:
    try:
        with path.open("rb") as source:
            return Member.from_bytes(source.read(Member.LIMIT_BYTES + 1)).signer
    except FileNotFoundError as failure:
        raise KeysError("no-such-file", path=str(path)) from failure
    except WireError as failure:
        raise KeysError("not-a-member", path=str(path)) from failure


def _is_unnamed(item: OpenedItem) -> bool:
    return item.path is not None and item.path.parent.name.encode() == UNNAMED


def _renamed_line(console: Console, item: OpenedItem) -> str:
    return console.say("opened-unnamed", name=shown(item.manifest.name.raw), path=str(item.path))


def _link_line(console: Console, item: OpenedItem) -> str:
    target = item.manifest.link_target
    return console.say(
        "opened-link",
        name=shown(item.manifest.name.raw),
        target=shown(target.raw) if target is not None else "",
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="amana open",
        description="Open a bundle on a machine that may hold clear files.",
        epilog="Example: amana open bundle/ --identity intake.identity "
        "--signer my.keys.public --out opened/",
    )
    parser.add_argument("bundle", type=Path, help="the bundle's folder")
    parser.add_argument("--identity", type=Path, required=True, help="an age identity file")
    parser.add_argument(
        "--signer", type=Path, required=True, help="public half of the keys that signed it"
    )
    parser.add_argument("--out", type=Path, required=True, help="a new or empty folder")
    parser.add_argument("--json", action="store_true", help="one line of JSON for a program")
    return parser
