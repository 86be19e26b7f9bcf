"""The question of `amana package may-share`, and its answer for a program.

A fact that is not given is not known. There is no default that stands for one, not even the day.
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from crypto import canonical
from crypto.errors import CanonicalError
from repository.console import Field
from repository.errors import UnusableError
from repository.sharing import ItemAnswer
from terms import names
from terms.approval import Approval
from terms.errors import TermsError
from terms.evaluation import Sentence
from terms.facts import Facts
from terms.plain import from_json
from terms.vocabulary import (
    SHARING_ACTS,
    Action,
    FairTrial,
    Purpose,
    RecipientKind,
    Stage,
    Undertaking,
    YesNo,
)

_APPROVAL_LIMIT_BYTES: Final = 16 << 20
"""Longest approval: one that names 100,000 items (terms.plain.MAX_ELEMENTS) of 130 bytes."""

_NONE: Final = "none"
_NameT = TypeVar("_NameT")
_WORDS: Final[Mapping[str, type[StrEnum]]] = {
    "purpose": Purpose,
    "stage": Stage,
    "recipient-kind": RecipientKind,
    "death-penalty": YesNo,
    "fair-trial": FairTrial,
    "in-absentia": YesNo,
    "source-anonymised": YesNo,
}


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence of terms, as a speaker takes it."""

    sentence: Sentence

    @property
    def key(self) -> str:
        """The name of the sentence in the catalogues."""
        return self.sentence.key

    @property
    def values(self) -> Mapping[str, str | int]:
        """What is put in its places."""
        return dict(self.sentence.values)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Let a command ask about an act."""
    parser.add_argument(
        "--act",
        type=Action,
        required=True,
        choices=sorted(SHARING_ACTS),
        metavar="ACT",
        help=f"one of: {', '.join(sorted(SHARING_ACTS))}",
    )
    parser.add_argument("--recipient", type=_name(names.uid), help="who would receive it")
    parser.add_argument("--country", type=_name(names.country), help="where the recipient sits")
    parser.add_argument("--on", type=_name(names.day), help="the day of the act, 2026-10-02")
    for option, kind in _WORDS.items():
        words = ", ".join(kind)
        parser.add_argument(
            f"--{option}", type=kind, choices=list(kind), metavar="WORD", help=f"one of: {words}"
        )
    undertakings = [*Undertaking, _NONE]
    parser.add_argument(
        "--undertaking",
        action="append",
        choices=undertakings,
        metavar="WORD",
        help=f"what the recipient promised, again for each: {', '.join(undertakings)}",
    )
    parser.add_argument(
        "--approval", type=Path, action="append", help="a party's verified answer to a request"
    )


def facts(options: argparse.Namespace) -> Facts:
    """Give what was asked, all else unknown. UnusableError: promises, and none, at once."""
    promised: list[str] | None = options.undertaking
    if promised is not None and _NONE in promised and len(promised) > 1:
        raise UnusableError("undertakings-and-none")
    undertakings = (
        None if promised is None else frozenset(Undertaking(_) for _ in promised if _ != _NONE)
    )
    return Facts(
        action=options.act,
        recipient=options.recipient,
        recipient_kind=options.recipient_kind,
        country=options.country,
        purpose=options.purpose,
        stage=options.stage,
        date=options.on,
        death_penalty=options.death_penalty,
        fair_trial=options.fair_trial,
        in_absentia=options.in_absentia,
        undertakings=undertakings,
        source_anonymised=options.source_anonymised,
    )


def approvals(options: argparse.Namespace) -> tuple[Approval, ...]:
    """Read the approvals that were named. UnusableError: one is missing or malformed.

    Whether a party really gave it was verified by who filed it; here it is only read.
    """
    return tuple(map(_approval, options.approval or ()))


def _approval(path: Path) -> Approval:
    try:
        with path.open("rb") as source:
            untrusted = source.read(_APPROVAL_LIMIT_BYTES + 1)
        form = canonical.decode(untrusted, limit_bytes=_APPROVAL_LIMIT_BYTES)
        return from_json(Approval, form)
    except FileNotFoundError as failure:
        raise UnusableError("no-such-file", path=str(path)) from failure
    except (CanonicalError, TermsError) as failure:
        raise UnusableError("not-such-a-file", path=str(path)) from failure


def fields(answer: ItemAnswer) -> dict[str, Field]:
    """Give an answer as JSON values: lists are sorted, reasons are layer kind, uid and rule."""
    found = answer.evaluation
    return {
        "because": [
            f"{_.layer_kind}/{_.layer_uid}@{_.layer_version}/{_.rule_uid}/{_.effect}"
            for _ in found.because
        ],
        "decision": found.decision.value,
        "duties": sorted(found.duties),
        "item": answer.registration,
        "missing_facts": sorted(found.missing_facts),
        "on": None if found.evaluated_on is None else found.evaluated_on.isoformat(),
    }


def _name(read: Callable[[str], _NameT]) -> Callable[[str], _NameT]:
    def checked(text: str) -> _NameT:
        try:
            return read(text)
        except TermsError as failure:
            raise argparse.ArgumentTypeError(str(failure)) from failure

    return checked
