"""`amana package`: receive, verify, open, list, extract, may-share; and init, once."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from amana.clock import SystemClock, today
from amana.durable import durable
from amana.exitcodes import ExitCode
from amana.wire.errors import FieldError
from amana.wire.package import REGISTRATION, RegistrationNumber
from amana.wire.vocabulary import Deployment
from repository.commands import questions, watching
from repository.console import Console, Field
from repository.errors import RepositoryError, UnusableError
from repository.inner import Item
from repository.keys import RepositoryKeys, load_quarantine
from repository.opened import opened, verify
from repository.receive import Receiver
from repository.sharing import ItemAnswer, may_share
from repository.store import BAG, open_store
from repository.unpack import extract, unpack
from terms.evaluation import sentences


def main(argv: Sequence[str]) -> int:
    """Do what the second word names, and return its exit code."""
    options = _parser().parse_args(argv)
    console = Console(as_json=options.json)
    verb: Callable[[argparse.Namespace, Console], int] = _VERBS[options.verb]
    try:
        return verb(options, console)
    except RepositoryError as failure:
        return console.refuse(failure)


def _init(options: argparse.Namespace, console: Console) -> int:
    keys = RepositoryKeys.generate(options.name, Deployment(options.deployment))
    public = options.keys.with_name(options.keys.name + ".public")
    keys.save(options.keys)
    with durable(public) as target:
        target.write(keys.public.to_bytes())
    fields = {"keys": str(options.keys), "public": str(public), "sha256": keys.public.digest}
    text = console.sentence("initialised", keys=str(options.keys), public=str(public))
    console.result(f"{text}\n{keys.public.digest}", fields)
    return ExitCode.OK


def _receive(options: argparse.Namespace, console: Console) -> int:
    keys = RepositoryKeys.load(options.keys)
    end = load_quarantine(options.quarantine, keys)
    _tell_training(keys, console)
    try:
        with open_store(options.store) as store:
            receiver = Receiver(store, options.answers, keys=keys, end=end)
            if options.watch is not None:
                return watching.run(receiver, options.spool, options.watch, console)
            results = receiver.receive_all(options.spool, today(SystemClock()))
            refused = sum(not watching.tell(result, console) for result in results)
    except BlockingIOError as failure:
        raise UnusableError("store-in-use", path=str(options.store)) from failure
    return ExitCode.REFUSED if refused else ExitCode.OK


def _verify(options: argparse.Namespace, console: Console) -> int:
    keys = RepositoryKeys.load(options.keys)
    _tell_training(keys, console)
    end = load_quarantine(options.quarantine, keys)
    sealed, items = verify(options.package, keys, end)
    text = console.sentence("in-order", package=sealed.package_id, count=len(items))
    console.result(text, {"items": len(items), "package": sealed.package_id})
    return ExitCode.OK


def _open(options: argparse.Namespace, console: Console) -> int:
    keys = RepositoryKeys.load(options.keys)
    _tell_training(keys, console)
    record = unpack(options.package, keys, load_quarantine(options.quarantine, keys), options.out)
    text = console.sentence("opened", folder=str(options.out), count=record.items)
    console.result(text, {"folder": str(options.out), "items": record.items})
    return ExitCode.OK


def _list(options: argparse.Namespace, console: Console) -> int:
    keys = RepositoryKeys.load(options.keys)
    _tell_training(keys, console)
    with opened(options.package, keys, load_quarantine(options.quarantine, keys)) as reader:
        for item in reader.items():
            console.result(_line(item, console), _fields(item))
    return ExitCode.OK


def _extract(options: argparse.Namespace, console: Console) -> int:
    keys = RepositoryKeys.load(options.keys)
    _tell_training(keys, console)
    end = load_quarantine(options.quarantine, keys)
    extract(options.package, keys, end, number=options.item, out=options.out)
    text = console.sentence("extracted", item=options.item, path=str(options.out))
    console.result(text, {"item": options.item, "path": str(options.out)})
    return ExitCode.OK


def _may_share(options: argparse.Namespace, console: Console) -> int:
    question, approvals = questions.facts(options), questions.approvals(options)
    keys = RepositoryKeys.load(options.keys)
    _tell_training(keys, console)
    with opened(options.package, keys, load_quarantine(options.quarantine, keys)) as reader:
        answers = may_share(
            reader.items(), question, only=frozenset(options.item or ()), approvals=approvals
        )
        for answer in answers:
            console.result(_account(answer, console), questions.fields(answer))
    return ExitCode.OK


_VERBS: Final[Mapping[str, Callable[[argparse.Namespace, Console], int]]] = {
    "init": _init,
    "receive": _receive,
    "verify": _verify,
    "open": _open,
    "list": _list,
    "extract": _extract,
    "may-share": _may_share,
}


def _tell_training(keys: RepositoryKeys, console: Console) -> None:
    if keys.deployment is Deployment.TRAINING:
        console.tell("training")


def _line(item: Item, console: Console) -> str:
    return console.sentence(
        "item",
        item=item.packaged.registration,
        size=0 if item.content is None else item.content.size,
        name=item.name.text or item.name.raw.decode("utf-8", errors="backslashreplace"),
    )


def _fields(item: Item) -> dict[str, Field]:
    return {
        "class": item.packaged.handling_class.value,
        "item": item.packaged.registration,
        "name": item.name.text,
        "name_hex": item.name.raw.hex(),
        "path": item.packaged.path,
        "sha256": None if item.content is None else item.content.sha256,
        "size": None if item.content is None else item.content.size,
        "verdict": item.packaged.verdict.value,
    }


def _account(answer: ItemAnswer, console: Console) -> str:
    lines = [str(answer.registration)]
    lines += [f"  {console.say(questions.Said(_))}" for _ in sentences(answer.evaluation)]
    return "\n".join(lines)


def _package(text: str) -> Path:
    """Give the folder of a sealed package; a store keeps it beside its acknowledgement."""
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {text}")
    kept = Path(text, BAG)
    return kept if kept.is_dir() else Path(text)


def _number(text: str) -> RegistrationNumber:
    try:
        return REGISTRATION.read(text)
    except FieldError as failure:
        raise argparse.ArgumentTypeError("32 lower-case hexadecimal digits") from failure


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="amana package",
        description="Take in sealed packages, verify them, and read their conditions.",
        epilog="Example: amana package receive /spool --answers /answers --store /store "
        "--keys repository.keys --quarantine quarantine.public",
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    init = _verb(verbs.add_parser("init", help="make the repository's keys, once"))
    init.add_argument("--name", required=True, help="the signer's name in notes, a domain's name")
    init.add_argument("--deployment", required=True, choices=[each.value for each in Deployment])
    receive = _reader(verbs.add_parser("receive", help="take in what lies in a spool, and answer"))
    receive.add_argument("spool", type=Path, help="the folder into which packages are put")
    receive.add_argument("--answers", type=Path, required=True, help="where answers are written")
    receive.add_argument("--store", type=Path, required=True, help="where packages are kept")
    receive.add_argument(
        "--watch",
        type=watching.seconds,
        metavar="SECONDS",
        help="go on until SIGTERM, and look again after so many seconds",
    )
    for verb, told in _ON_A_PACKAGE.items():
        one = _reader(verbs.add_parser(verb, help=told))
        one.add_argument(
            "package", type=_package, help="the folder of a sealed package, in a store or a spool"
        )
        if verb in {"open", "extract"}:
            one.add_argument("--out", type=Path, required=True, help="a name that is free")
        if verb == "extract":
            one.add_argument("--item", type=_number, required=True, help="registration number")
        if verb == "may-share":
            one.add_argument("--item", type=_number, action="append", help="only this item")
            questions.add_arguments(one)
    return parser


_ON_A_PACKAGE: Final = {
    "verify": "read a package to its last byte and say whether it is in order",
    "open": "take the whole inner bag out of its seal",
    "list": "say which items are in it",
    "extract": "take one item out of its seal",
    "may-share": "ask the conditions of each item about one act",
}


def _verb(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--keys", type=Path, required=True, help="the repository's key file")
    parser.add_argument("--json", action="store_true", help="JSON lines for a program")
    return parser


def _reader(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument(
        "--quarantine", type=Path, required=True, help="what is pinned of the quarantine"
    )
    return _verb(parser)
