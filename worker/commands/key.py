"""`amana key`: make, guard, use and destroy the quarantine's keys."""

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from amana.clock import SystemClock
from amana.durable import durable, make_folders
from amana.exitcodes import ExitCode
from amana.i18n import Sentence, Speaker, preferred_language
from amana.settings import Settings, load
from amana.wire.ids import LogOrigin
from crypto.errors import (
    CryptoError,
    KeyAbsentError,
    KeyTakenError,
    NoMatchError,
    NotHeldError,
)
from crypto.private.keystore import KeyStore
from crypto.private.ring import Ring
from terms.vocabulary import HandlingClass
from worker.agent import run
from worker.agent_client import AgentClient
from worker.agent_desk import Limits
from worker.agent_messages import AgentStatus, Holder, OfficerName
from worker.agent_places import GROUPS, TRIAGE, KeyPlaces, group_of
from worker.commands.key_options import (
    CLASSES,
    add_agent_options,
    add_destroy_options,
    add_officer_option,
    add_passphrase,
    officer_name,
)
from worker.errors import (
    KeyPlaceError,
    NotClearedError,
    RequestRefusedError,
    WrongPassphraseError,
)
from worker.hardening import WIPING, is_wiping
from worker.passphrase import LEAST_CHARACTERS, PassphraseError, read_passphrase
from worker.signers import Signers

Field: TypeAlias = str | int | bool | list[str] | dict[str, list[str]] | None


class _Desk:
    """One call of the command: its options, its places and its voice."""

    def __init__(self, options: argparse.Namespace, arguments: Sequence[str]) -> None:
        path = options.settings or os.environ.get("AMANA_SETTINGS")
        self.options = options
        self.arguments = arguments
        self.settings: Settings = load(Path(path) if path else None, os.environ)
        self.places = KeyPlaces(data_directory=self.settings.data_directory)
        self.agent = AgentClient(self.places.socket)
        self._speaker = Speaker(preferred_language(os.environ))

    def say(self, key: str, **values: str | int) -> str:
        """Give a sentence of this command in the person's language."""
        return self._speaker.say(Sentence(key=f"key.{key}", values=values))

    def result(self, lines: Sequence[str], fields: Mapping[str, Field]) -> int:
        """Give the result: lines for a person, or the fields as one line of JSON."""
        text = "\n".join(lines)
        if self.options.json:
            text = json.dumps(fields, ensure_ascii=True, sort_keys=True)
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()  # whoever waits for the line may be a program
        return ExitCode.OK

    def passphrase(self, path: Path | None, *, is_new: bool) -> str:
        """Ask for a passphrase or take it from a file."""
        return read_passphrase(path, is_new=is_new, say=self.say)

    def refuse(self, failure: PassphraseError) -> int:
        """Say why a passphrase cannot be used."""
        told = self.say(failure.fault, count=LEAST_CHARACTERS)
        sys.stderr.write(f"amana: {told} [key.{failure.fault}]\n")
        return ExitCode.REFUSED


def main(argv: Sequence[str]) -> int:
    """Do what the second word names, and return its exit code."""
    options = _parser().parse_args(argv)
    verb: Callable[[_Desk], int] = options.verb
    desk = _Desk(options, argv)
    try:
        return verb(desk)
    except PassphraseError as failure:
        return desk.refuse(failure)


def _init(desk: _Desk) -> int:
    """Make the key store and its first officer, who belongs to every group."""
    places, officer = desk.places, desk.options.officer
    make_folders(places.home)
    passphrase = desk.passphrase(desk.options.passphrase_file, is_new=True)
    try:
        KeyStore.create(
            places.keys,
            places.tombstones,
            groups=GROUPS,
            officer=officer,
            passphrase=passphrase,
        )
    except KeyTakenError as failure:
        raise KeyPlaceError("there is a key store already") from failure
    lines = [
        desk.say("made", folder=str(places.keys)),
        desk.say("apart", folder=str(places.tombstones)),
    ]
    return desk.result(lines, {"keys": str(places.keys), "tombstones": str(places.tombstones)})


def _add_officer(desk: _Desk) -> int:
    """Add an officer, by the passphrase of one who has what is given."""
    options = desk.options
    classes = tuple(HandlingClass(each) for each in options.classes)
    store, ring = _unlocked(desk, options.by)
    groups = {TRIAGE, *(group_of(each) for each in classes)}
    new = desk.passphrase(options.new_passphrase_file, is_new=True)
    try:
        store.add_officer(ring, options.officer, groups=groups, passphrase=new)
    except NotHeldError as failure:
        raise NotClearedError from failure
    except KeyTakenError as failure:
        raise RequestRefusedError("there is an officer of that name") from failure
    told = desk.say("officer-added", officer=options.officer)
    cleared = [each.value for each in classes]
    fields: dict[str, Field] = {"officer": str(options.officer), "cleared": [*cleared]}
    return desk.result([told], fields)


def _remove_officer(desk: _Desk) -> int:
    """Remove an officer, by the passphrase of one who belongs to every group."""
    options = desk.options
    store, ring = _unlocked(desk, options.by)
    try:
        store.remove_officer(ring, options.officer)
    except NotHeldError as failure:
        raise NotClearedError from failure
    except KeyAbsentError as failure:
        raise KeyPlaceError("there is no such officer") from failure
    told = desk.say("officer-removed", officer=options.officer)
    return desk.result([told], {"officer": str(options.officer)})


def _passphrase(desk: _Desk) -> int:
    """Give an officer another passphrase."""
    store, ring = _unlocked(desk, desk.options.officer)
    new = desk.passphrase(desk.options.new_passphrase_file, is_new=True)
    store.change_passphrase(ring, passphrase=new)
    return desk.result([desk.say("passphrase-changed")], {"officer": ring.officer})


def _unlocked(desk: _Desk, officer: OfficerName) -> tuple[KeyStore, Ring]:
    """Open an officer's ring here, beside whatever agent runs."""
    store = KeyStore(folder=desk.places.keys, tombstones=desk.places.tombstones)
    passphrase = desk.passphrase(desk.options.passphrase_file, is_new=False)
    try:
        return store, store.unlock(officer, passphrase)
    except NoMatchError as failure:
        raise WrongPassphraseError("the passphrase opens no officer's keys") from failure
    except CryptoError as failure:
        raise KeyPlaceError("the officer's file cannot be used") from failure


def _agent(desk: _Desk) -> int:
    """Be the key agent. Nothing is written but one line when it is ready."""
    if not is_wiping(os.environ):
        # The allocator reads these only when a process starts; -P keeps this folder's files out.
        words = [sys.executable, "-P", "-m", "amana.cli", "key", *desk.arguments]
        os.execve(sys.executable, words, {**os.environ, **WIPING})  # noqa: S606 - no shell is meant
    logging.disable(logging.CRITICAL)
    options = desk.options

    def say_ready(is_memory_locked: bool) -> None:  # noqa: FBT001 - the value is the subject here
        lines = [desk.say("agent-ready", path=str(desk.places.socket))]
        if not is_memory_locked:
            lines.append(desk.say("memory-not-locked"))
        fields: dict[str, Field] = {
            "is_memory_locked": is_memory_locked,
            "socket": str(desk.places.socket),
        }
        desk.result(lines, fields)

    run(
        desk.places,
        SystemClock(),
        uids=options.uid,
        limits=Limits(unwraps=options.unwraps, idle_seconds=60.0 * options.idle_minutes),
        say_ready=say_ready,
    )
    return ExitCode.OK


def _unlock(desk: _Desk) -> int:
    passphrase = desk.passphrase(desk.options.passphrase_file, is_new=False)
    return _tell_status(desk, desk.agent.unlock(desk.options.officer, passphrase))


def _lock(desk: _Desk) -> int:
    desk.agent.lock()
    return desk.result([desk.say("locked")], {"is_locked": True})


def _status(desk: _Desk) -> int:
    return _tell_status(desk, desk.agent.status())


def _tell_status(desk: _Desk, status: AgentStatus) -> int:
    lines = [desk.say("locked")]
    if status.officer is not None:
        classes = ", ".join(status.cleared) or "-"
        lines = [
            desk.say("unlocked", officer=status.officer, classes=classes),
            desk.say("unwraps-left", count=status.unwraps_left),
        ]
    lines.append(desk.say("destroyed-so-far", count=status.destroyed))
    if not status.is_memory_locked:
        lines.append(desk.say("memory-not-locked"))
    fields: dict[str, Field] = {
        "cleared": [*status.cleared],
        "destroyed": status.destroyed,
        "is_locked": status.is_locked,
        "is_memory_locked": status.is_memory_locked,
        "journal": status.journal,
        "officer": status.officer,
        "unwraps_left": status.unwraps_left,
    }
    return desk.result(lines, fields)


def _new_intake(desk: _Desk) -> int:
    recipient = desk.agent.new_intake().to_text()
    return desk.result([recipient], {"recipient": recipient})


def _destroy(desk: _Desk) -> int:
    holder: Holder = desk.options.card or desk.options.class_key
    desk.agent.destroy(holder)
    return desk.result([desk.say("destroyed")], {"destroyed": True})


def _new_signer(desk: _Desk) -> int:
    """Make the quarantine's signing keys, and show their public halves."""
    places = desk.places
    make_folders(places.keys)
    signers = Signers.generate(LogOrigin(desk.settings.worker.log_origin))
    try:
        signers.save(places.signers)
        with durable(places.public_signers) as target:
            target.write(signers.public.to_bytes())
    except FileExistsError as failure:
        raise RequestRefusedError("there are signing keys already") from failure
    return _tell_public(desk, signers)


def _public(desk: _Desk) -> int:
    return _tell_public(desk, Signers.load(desk.places.signers))


def _tell_public(desk: _Desk, signers: Signers) -> int:
    public = signers.public
    texts: dict[str, list[str]] = {
        "cosigner": [*public.cosigner.to_texts()],
        "log": [*public.log.to_texts()],
        "note": [*public.note.to_texts()],
        "pull": [*public.pull.to_texts()],
    }
    only: str | None = getattr(desk.options, "only", None)
    chosen = {only: texts[only]} if only else texts
    lines = [line for pair in chosen.values() for line in pair]
    return desk.result(lines, {**chosen})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="amana key",
        description="Make, guard, use and destroy the quarantine's keys.",
        epilog="Example: amana key init --officer registrar && amana key agent",
    )
    verbs = parser.add_subparsers(required=True, metavar="WORD")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--settings", type=Path, help="instead of AMANA_SETTINGS")
    common.add_argument("--json", action="store_true", help="one line of JSON for a program")

    def verb(word: str, act: Callable[[_Desk], int], told: str) -> argparse.ArgumentParser:
        made = verbs.add_parser(word, parents=[common], help=told, description=told)
        made.set_defaults(verb=act)
        return made

    made = verb("init", _init, "make the key store and its first officer")
    add_officer_option(made)
    made = verb("add-officer", _add_officer, "add an officer; no key is touched")
    made.add_argument("officer", type=officer_name, help="who comes")
    made.add_argument("--by", type=officer_name, required=True, help="an officer who has the same")
    made.add_argument("--class", dest="classes", action="append", default=[], choices=CLASSES)
    add_passphrase(made, "--passphrase-file", "the passphrase of the officer who gives")
    add_passphrase(made, "--new-passphrase-file", "the passphrase of the officer who comes")
    made = verb("remove-officer", _remove_officer, "remove an officer")
    made.add_argument("officer", type=officer_name, help="who goes")
    made.add_argument("--by", type=officer_name, required=True, help="who has every class")
    add_passphrase(made, "--passphrase-file", "the passphrase of the officer who stays")
    made = verb("passphrase", _passphrase, "give an officer another passphrase")
    add_officer_option(made)
    add_passphrase(made, "--new-passphrase-file", "the new passphrase")
    made = verb("agent", _agent, "be the key agent")
    add_agent_options(made)
    add_officer_option(verb("unlock", _unlock, "let the agent use an officer's keys"))
    verb("lock", _lock, "have the agent forget every key at once")
    verb("status", _status, "say how things stand with the agent")
    verb("new-intake", _new_intake, "make an intake key and print its recipient, for a card")
    made = verb("destroy", _destroy, "destroy a key for ever")
    add_destroy_options(made)
    verb("new-signer", _new_signer, "make the quarantine's signing keys")
    made = verb("public", _public, "print the public halves of the signing keys")
    made.add_argument("--only", choices=("cosigner", "log", "note", "pull"))
    return parser
