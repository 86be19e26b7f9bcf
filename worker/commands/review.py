"""`amana review`: look at what waits, and decide, item by item or by thousands.

A list shows ids, states, verdicts and types. `show` opens names for this terminal alone, by way of
the key agent; nothing of material is ever opened here, so nobody looks at a picture by accident.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from amana.clock import SystemClock
from amana.exitcodes import ExitCode
from amana.i18n import visible
from amana.wire.ids import KeyId
from amana.wire.manifest import ItemManifest
from amana.wire.note import Attestation
from amana.wire.reasons import ReasonCode
from crypto.private.keystore import KeyStore
from terms.feedback import NotKeptReason
from terms.vocabulary import HandlingClass
from worker.agent_client import AgentClient
from worker.agent_places import KeyPlaces
from worker.commands.locked import tell_if_locked
from worker.commands.voice import Field, Voice
from worker.enrolled import Register
from worker.equipment import Desk, opened_desk
from worker.errors import MoveError, UnknownNameError
from worker.opening import OVERRULABLE, Held, open_submission
from worker.pipeline.decide import Choice, Ruling, Scope, again, decide
from worker.pipeline.rows import ItemRow, SubmissionRow, items_of, submissions
from worker.pipeline.states import ItemState, SubmissionState
from worker.pipeline.workshop import is_what_came
from worker.verdict import Verdict

_SHORTEST: Final = 8
"""How much of an id must be typed. Ours: enough that a list is not matched by mistake."""

_DECIDABLE: Final = {
    Choice.ACCEPT: frozenset({ItemState.WAITING, ItemState.ASKED}),
    Choice.REFUSE: frozenset({ItemState.WAITING, ItemState.ASKED, ItemState.HELD}),
    Choice.HOLD: frozenset({ItemState.WAITING, ItemState.ASKED}),
    Choice.ASK: frozenset({ItemState.WAITING}),
    Choice.AGAIN: frozenset({ItemState.HELD}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Picked:
    """What a decision is about."""

    submission: SubmissionRow
    items: tuple[ItemRow, ...]
    scope: Scope


class _NotDecidedError(Exception):
    """Nothing was decided; key: the sentence that says why."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def main(argv: Sequence[str]) -> int:
    """Do what the second word names, and return its exit code."""
    options = _parser().parse_args(argv)
    voice = Voice("review", options)
    with opened_desk(voice.settings, SystemClock()) as desk:
        try:
            return _VERBS[options.verb](options, voice, desk)
        except MoveError:
            voice.refuse("not-now")
        except UnknownNameError:
            voice.refuse("unknown")
        except _NotDecidedError as failure:
            voice.refuse(failure.key)
    return ExitCode.REFUSED


def _list(options: argparse.Namespace, voice: Voice, desk: Desk) -> int:
    state = SubmissionState(options.state) if options.state else None
    rows = [row for row in desk.books.read(submissions) if state in {None, row.state}]
    fields: list[Field] = []
    lines = []
    states: set[ItemState] = set()
    for row in rows:
        items = desk.books.read(partial(items_of, submission=row.submission_id))
        counted = {state: [_.state for _ in items].count(state) for state in ItemState}
        states.update(each.state for each in items)
        told = " ".join(f"{state.value}={count}" for state, count in counted.items() if count)
        words = f"{row.state.value:<12} {_word_of(row)} {row.reason or ''} {told}"
        lines.append(f"{row.submission_id}  {words}")
        fields.append(
            {
                "submission": row.submission_id,
                "account": row.account,
                "whose_word": _word_of(row),
                "state": row.state.value,
                "reason": row.reason,
                "items": {state.value: count for state, count in counted.items() if count},
            }
        )
    voice.result([voice.say("listed", count=len(rows)), *lines], {"submissions": fields})
    tell_if_locked(voice, {row.state for row in rows}, states)
    return ExitCode.OK


def _show(options: argparse.Namespace, voice: Voice, desk: Desk) -> int:
    """Show one submission, and the names of its items to this terminal."""
    row, items = _find(desk, options.name)
    manifests: tuple[ItemManifest, ...] = ()
    if row.state not in {SubmissionState.HELD, SubmissionState.ERASED} and not options.no_names:
        opened = open_submission(
            desk.places.bundle(row.submission_id),
            Register.load(desk.places.enrolled),
            AgentClient(KeyPlaces(data_directory=voice.settings.data_directory).socket),
            desk.custodian.deployment,
            on=row.fetched_on,
            despite=frozenset() if row.overruled is None else {row.overruled},
        )
        if not isinstance(opened, Held) and is_what_came(row, opened):
            manifests = opened.items
    state = f"{row.submission_id}  {row.state.value}  {_word_of(row)}  {row.reason or ''}"
    lines = [state.rstrip()]
    fields: list[Field] = []
    for item in items:
        name = _name(manifests[item.place]) if manifests else None
        # A folder or a link has no bytes: "not-scanned" would sound like something left undone.
        verdict = None if item.is_bare else item.verdict
        parts = [item.state.value, verdict, item.media_type, item.handling_class]
        told = "  ".join(part or "-" for part in parts)
        lines.append(f"  {item.item_id}  {told}  {item.reason or ''}  {name or ''}".rstrip())
        fields.append({**_item_fields(item), "name": name})
    voice.result(
        lines,
        {
            "submission": row.submission_id,
            "state": row.state.value,
            "whose_word": _word_of(row),
            "items": fields,
        },
    )
    return ExitCode.OK


def _word_of(row: SubmissionRow) -> str:
    """Say whose word the note is: what a portal observed anybody may have sent, or the portal."""
    return (Attestation.OBSERVED if row.is_observed else Attestation.SIGNED).value


def _name(manifest: ItemManifest) -> str:
    parts = [manifest.name] if manifest.folder is None else [manifest.folder, manifest.name]
    shown = [part.text or part.raw.decode("utf-8", "backslashreplace") for part in parts]
    return visible("/".join(each for each in shown if each))


def _item_fields(item: ItemRow) -> dict[str, Field]:
    return {
        "item": item.item_id,
        "state": item.state.value,
        "verdict": item.verdict,
        "type": item.media_type,
        "class": item.handling_class,
        "registration": item.registration,
        "reason": item.reason,
    }


def _decide(options: argparse.Namespace, voice: Voice, desk: Desk) -> int:
    choice = Choice(options.verb)
    _require_officer(options.officer, voice)
    officer = desk.officer(options.officer)
    decided = 0
    for picked in _pick(options, desk, choice):
        if choice is Choice.AGAIN and picked.submission.state is SubmissionState.HELD:
            despite = ReasonCode(options.despite) if options.despite else None
            _again(desk, picked.submission, officer, despite)
            decided += max(1, len(picked.items))
            continue
        ruling = Ruling(
            choice=choice,
            officer=officer,
            scope=picked.scope,
            handling_class=_class(options, choice),
            not_kept=NotKeptReason(options.reason) if choice is Choice.REFUSE else None,
        )
        _rule(desk, picked, ruling)
        decided += len(picked.items)
    if not decided:
        raise _NotDecidedError("nothing-decided")
    voice.result([voice.say("decided", count=decided)], {"decided": decided})
    return ExitCode.OK


def _require_officer(name: str, voice: Voice) -> None:
    """Refuse a mistyped name: it would stand in the custody record for ever as somebody else."""
    places = KeyPlaces(data_directory=voice.settings.data_directory)
    try:
        officers = KeyStore(folder=places.keys, tombstones=places.tombstones).officers()
    except FileNotFoundError:
        officers = ()
    if name not in officers:
        raise _NotDecidedError("no-such-officer")


def _again(desk: Desk, row: SubmissionRow, officer: KeyId, despite: ReasonCode | None) -> None:
    desk.books.write(lambda _: again(_, desk.custodian, row, officer, despite))


def _rule(desk: Desk, picked: _Picked, ruling: Ruling) -> None:
    name, items = picked.submission.submission_id, picked.items
    desk.books.write(lambda _: decide(_, desk.custodian, name, items, ruling))


def _class(options: argparse.Namespace, choice: Choice) -> HandlingClass | None:
    return HandlingClass(options.handling_class) if choice is Choice.ACCEPT else None


def _pick(options: argparse.Namespace, desk: Desk, choice: Choice) -> list[_Picked]:
    """Give what is decided on. UnknownNameError: nothing has that name, or several have."""
    if getattr(options, "all_clean", False):
        found = [_clean(desk, row) for row in desk.books.read(submissions)]
        return [each for each in found if each.items]
    picked = []
    for name in options.names:
        row, items = _find(desk, name)
        scope = Scope.SUBMISSION
        if not row.submission_id.startswith(name):
            scope = Scope.ITEM
            items = tuple(each for each in items if each.item_id.startswith(name))
        able = tuple(each for each in items if each.state in _DECIDABLE[choice])
        if not able and not (choice is Choice.AGAIN and scope is Scope.SUBMISSION):
            raise MoveError("nothing of it can be decided so now")
        picked.append(_Picked(submission=row, items=able, scope=scope))
    if not picked:
        raise _NotDecidedError("nothing-named")
    return picked


def _clean(desk: Desk, row: SubmissionRow) -> _Picked:
    """Pick what waits and is clean; a folder or a link has no bytes that could be anything else."""
    items = desk.books.read(lambda _: items_of(_, row.submission_id, ItemState.WAITING))
    return _Picked(
        submission=row,
        items=tuple(each for each in items if _is_clean(each)),
        scope=Scope.ALL_CLEAN,
    )


def _is_clean(item: ItemRow) -> bool:
    return item.verdict is Verdict.CLEAN or item.is_bare


def _find(desk: Desk, name: str) -> tuple[SubmissionRow, tuple[ItemRow, ...]]:
    """Give the submission of this name, or that of the item of this name."""
    if len(name) < _SHORTEST:
        raise UnknownNameError("the name is too short")
    found = []
    for row in desk.books.read(submissions):
        items = desk.books.read(partial(items_of, submission=row.submission_id))
        ids = [row.submission_id, *(each.item_id for each in items)]
        found += [(row, items) for each in ids if each.startswith(name)]
    if len(found) != 1:
        raise UnknownNameError("nothing has this name, or several have")
    return found[0]


_VERBS: Final[Mapping[str, Callable[[argparse.Namespace, Voice, Desk], int]]] = {
    "list": _list,
    "show": _show,
    **{choice.value: _decide for choice in Choice},
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="amana review",
        description="Look at what waits in the quarantine, and decide.",
        epilog="Example: amana review accept --all-clean --class STANDARD --officer registrar",
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    listed = _verb(verbs, "list", "submissions, and how many items of each are in which state")
    listed.add_argument("--state", choices=[each.value for each in SubmissionState])
    shown = _verb(verbs, "show", "one submission, with the names of its items")
    shown.add_argument("name", help="a submission or an item: the beginning of its id will do")
    shown.add_argument("--no-names", action="store_true", help="ask no keys for names")
    about = {
        Choice.ACCEPT: "take items into the Mechanism's custody",
        Choice.REFUSE: "do not keep items",
        Choice.HOLD: "hold items",
        Choice.ASK: "wait for the provider",
        Choice.AGAIN: "let what is held be examined again",
    }
    for choice, text in about.items():
        verb = _verb(verbs, choice.value, text)
        verb.add_argument("names", nargs="*", help="submissions or items: beginnings of ids")
        verb.add_argument("--officer", required=True, help="who decides; kept as a key id")
        if choice is Choice.ACCEPT:
            verb.add_argument("--all-clean", action="store_true", help="all that is clean")
            verb.add_argument(
                "--class",
                dest="handling_class",
                required=True,
                choices=[each.value for each in HandlingClass],
                help="how carefully it must be handled",
            )
        if choice is Choice.REFUSE:
            verb.add_argument(
                "--reason",
                required=True,
                choices=[each.value for each in NotKeptReason],
                help="what the provider is told",
            )
        if choice is Choice.AGAIN:
            verb.add_argument(
                "--despite",
                choices=sorted(each.value for each in OVERRULABLE),
                help="open it although it was held for this",
            )
    return parser


def _verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str
) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=text, description=text)
    verb.add_argument("--settings", type=Path, help="the settings file")
    verb.add_argument("--json", action="store_true", help="one line of JSON for a program")
    return verb
