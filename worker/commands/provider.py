"""`amana provider`: who may give material: organisations, their members and cards, portals."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from amana.clock import SystemClock, today
from amana.durable import durable
from amana.exitcodes import ExitCode
from amana.i18n import Sentence, Speaker, preferred_language
from amana.settings import Settings, load
from amana.wire.card import KeyCard
from amana.wire.errors import FieldError
from amana.wire.fields import Text
from amana.wire.ids import ACCOUNT_ID, AccountId
from amana.wire.signers import key_id
from amana.wire.vocabulary import Deployment
from crypto.recipients import HybridRecipient
from worker.agent_client import AgentClient
from worker.enrolled import EnrolledAccount, MemberStatus, Register
from worker.enrolling import FILE_LIMIT_BYTES, Registrar, found
from worker.errors import (
    EnrolmentRefusedError,
    KeyDestroyedError,
    KeysUnavailableError,
    RequestRefusedError,
)
from worker.places import Places

Field: TypeAlias = str | int | list[str] | list[dict[str, str]]

_LABEL: Final = Text(256)


class _Desk:
    """One call of the command: its options, the register and its voice."""

    def __init__(self, options: argparse.Namespace) -> None:
        path = options.settings or os.environ.get("AMANA_SETTINGS")
        self.options = options
        self.settings: Settings = load(Path(path) if path else None, os.environ)
        self.places = Places(data_directory=self.settings.data_directory)
        self._speaker = Speaker(preferred_language(os.environ))

    @property
    def register(self) -> Register:
        """The register as it is now."""
        return Register.load(self.places.enrolled)

    @property
    def registrar(self) -> Registrar:
        """Whoever writes into the register today."""
        return Registrar(register=self.register, on=today(SystemClock()))

    def say(self, key: str, **values: str | int) -> str:
        """Give a sentence of this command in the person's language."""
        return self._speaker.say(Sentence(key=f"provider.{key}", values=values))

    def tell(self, key: str, **values: str | int) -> None:
        """Say something beside the result."""
        sys.stderr.write(self.say(key, **values) + "\n")

    def result(self, lines: Sequence[str], fields: Mapping[str, Field]) -> int:
        """Give the result: lines for a person, or the fields as one line of JSON."""
        text = "\n".join(lines)
        if self.options.json:
            text = json.dumps(fields, ensure_ascii=True, sort_keys=True)
        sys.stdout.write(f"{text}\n")
        return ExitCode.OK

    def refuse(self, failure: EnrolmentRefusedError) -> int:
        """Say why nothing was written."""
        key = f"refused-{failure.fault}"
        sys.stderr.write(f"amana: {self.say(key)} [provider.{key}]\n")
        return ExitCode.REFUSED


def main(argv: Sequence[str]) -> int:
    """Do what the second word names, and return its exit code."""
    options = _parser().parse_args(argv)
    verb: Callable[[_Desk], int] = options.verb
    desk = _Desk(options)
    try:
        return verb(desk)
    except EnrolmentRefusedError as failure:
        return desk.refuse(failure)


def _directory(desk: _Desk) -> int:
    deployment = Deployment(desk.settings.deployment.value)
    register = found(desk.places.enrolled, deployment, _read(desk.options.file))
    names = [key.name for key in register.directory]
    return desk.result([desk.say("directory", names=", ".join(names))], {"directory": names})


def _enrol(desk: _Desk) -> int:
    options = desk.options
    notes = [_read(path) for path in options.card]
    member = _read(options.member)
    new = desk.registrar.enrol(options.account, options.label, member, notes)
    _bind(desk, new)
    account = desk.register.account(options.account)
    members = 0 if account is None else len(account.enrolment.members)
    lines = [
        desk.say("enrolled", account=options.account, label=options.label),
        desk.say("members", count=members),
        desk.say("new-cards", count=len(new)),
    ]
    fields: dict[str, Field] = {
        "account": options.account,
        "cards": [str(card.card_id) for card in new],
        "members": members,
    }
    return desk.result(lines, fields)


def _cards(desk: _Desk) -> int:
    """Take in cards of an organisation, or of the witnesses."""
    account: AccountId | None = getattr(desk.options, "account", None)
    new = desk.registrar.add_cards(account, [_read(path) for path in desk.options.files])
    _bind(desk, new)
    return desk.result(
        [desk.say("new-cards", count=len(new))], {"cards": [str(card.card_id) for card in new]}
    )


def _portal(desk: _Desk) -> int:
    key = desk.registrar.add_portal(_read(desk.options.file))
    return desk.result(
        [desk.say("portal", name=key.name)], {"portal": key.name, "key_id": key_id(key)}
    )


def _suspend(desk: _Desk) -> int:
    return _set_status(desk, MemberStatus.SUSPENDED)


def _reinstate(desk: _Desk) -> int:
    return _set_status(desk, MemberStatus.ACTIVE)


def _set_status(desk: _Desk, status: MemberStatus) -> int:
    options = desk.options
    desk.registrar.set_status(options.account, options.member, status)
    fields: dict[str, Field] = {"member": options.member, "status": status.value}
    return desk.result([desk.say(f"member-{status}", name=options.member)], fields)


def _list(desk: _Desk) -> int:
    register = desk.register
    accounts = list(register.accounts())
    witnesses, portals = register.witness_cards(), register.portals()
    lines = [line for each in accounts for line in _described(desk, each)]
    lines.append(desk.say("witness-cards", count=len(witnesses.cards)))
    lines += [desk.say("portal", name=key.name) for key in portals]
    fields: dict[str, Field] = {
        "accounts": [
            {"account": each.enrolment.account, "label": each.enrolment.label} for each in accounts
        ],
        "portals": [key.name for key in portals],
        "witness_cards": [str(card.card_id) for card in witnesses.cards],
    }
    return desk.result(lines, fields)


def _described(desk: _Desk, account: EnrolledAccount) -> list[str]:
    enrolment, newest = account.enrolment, account.chain.newest
    lines = [desk.say("enrolled", account=enrolment.account, label=enrolment.label)]
    lines += [
        desk.say(f"member-{each.status}", name=each.member.signer.name)
        for each in enrolment.members
    ]
    if newest is not None:
        until = newest.valid_to.isoformat()
        lines.append(desk.say(f"card-{newest.status}", card=newest.card_id, until=until))
    return lines


def _export(desk: _Desk) -> int:
    enrolment = desk.register.for_portal()
    out: Path = desk.options.out
    try:
        with durable(out) as target:
            target.write(enrolment.to_bytes())
    except FileExistsError as failure:
        raise EnrolmentRefusedError("out-exists") from failure
    count = len(enrolment.accounts)
    fields: dict[str, Field] = {"accounts": count, "out": str(out), "sha256": enrolment.digest}
    return desk.result([desk.say("exported", count=count, path=str(out))], fields)


def _bind_all(desk: _Desk) -> int:
    register = desk.register
    chains = [*(each.chain for each in register.accounts()), register.witness_cards()]
    cards = [card for chain in chains for card in chain.cards]
    bound = _bind(desk, cards)
    return desk.result([desk.say("bound", count=bound)], {"bound": bound, "cards": len(cards)})


def _bind(desk: _Desk, cards: Sequence[KeyCard]) -> int:
    """Tell the key agent which card carries which recipient; give how many it knows now.

    The register is complete without it: what the agent cannot take now, `bind` gives it later.
    """
    agent = AgentClient(desk.places.agent)
    bound = 0
    for card in cards:
        try:
            agent.bind(card.card_id, HybridRecipient.from_text(card.recipient))
        except (KeysUnavailableError, KeyDestroyedError, RequestRefusedError):
            desk.tell("not-bound", card=card.card_id)
        else:
            bound += 1
    return bound


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as source:
            return source.read(FILE_LIMIT_BYTES + 1)
    except (FileNotFoundError, IsADirectoryError) as failure:
        raise EnrolmentRefusedError("no-such-file") from failure


def _account(text: str) -> AccountId:
    try:
        return ACCOUNT_ID.read(text)
    except FieldError as failure:
        raise argparse.ArgumentTypeError("32 lower-case hexadecimal digits") from failure


def _label(text: str) -> str:
    try:
        return _LABEL.read(text)
    except FieldError as failure:
        raise argparse.ArgumentTypeError("1 to 256 bytes of text") from failure


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="amana provider",
        description="Who may give material: organisations, their members and cards, portals.",
        epilog="Example: amana provider enrol --account ACCOUNT --member member.public "
        "--card card.note --label 'Documentation Centre'",
    )
    verbs = parser.add_subparsers(required=True, metavar="WORD")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--settings", type=Path, help="instead of AMANA_SETTINGS")
    common.add_argument("--json", action="store_true", help="one line of JSON for a program")

    def verb(word: str, act: Callable[[_Desk], int], told: str) -> argparse.ArgumentParser:
        made = verbs.add_parser(word, parents=[common], help=told, description=told)
        made.set_defaults(verb=act)
        return made

    made = verb("directory", _directory, "begin the register: whose word on cards counts")
    made.add_argument("file", type=Path, help="two verifier lines for each of three signers")
    made = verb("enrol", _enrol, "take in a member of an organisation, and its cards")
    _add_account(made)
    made.add_argument("--member", type=Path, required=True, help="the member's public half")
    made.add_argument(
        "--card", type=Path, action="append", default=[], help="a key card; again, oldest first"
    )
    made.add_argument("--label", type=_label, required=True, help="what officers call it")
    made = verb("card", _cards, "take in newer key cards of an organisation")
    _add_account(made)
    made.add_argument("files", type=Path, nargs="+", help="key cards, oldest first")
    made = verb("witness-card", _cards, "take in the witnesses' key cards")
    made.add_argument("files", type=Path, nargs="+", help="key cards, oldest first")
    made = verb("portal", _portal, "take in the key with which a portal signs what it observed")
    made.add_argument("file", type=Path, help="two verifier lines")
    for word, act, told in (
        ("suspend", _suspend, "let a member's signature count no more"),
        ("reinstate", _reinstate, "let a member's signature count again"),
    ):
        made = verb(word, act, told)
        _add_account(made)
        made.add_argument("--member", required=True, help="the name of the member's signing key")
    verb("list", _list, "say who is enrolled")
    made = verb(
        "export-portal", _export, "write what the portal may know: keys and cards, no names"
    )
    made.add_argument("--out", type=Path, required=True, help="a new file")
    verb("bind", _bind_all, "tell the key agent again which card carries which recipient")
    return parser


def _add_account(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--account", type=_account, required=True, help="the organisation")
