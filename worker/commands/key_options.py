"""What may stand behind `amana key WORD`, and how it is read before anything happens."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeVar

from amana.wire.errors import FieldError
from amana.wire.fields import Codec
from amana.wire.ids import CARD_ID, SUBMISSION_ID
from terms.vocabulary import HandlingClass
from worker.agent_desk import Limits
from worker.agent_messages import OFFICER, CardHolder, ClassHolder, OfficerName

T = TypeVar("T")

_UID_LIMIT: Final = 1 << 32  # uid_t

CLASSES: Final = tuple(each.value for each in HandlingClass)


def add_officer_option(parser: argparse.ArgumentParser) -> None:
    """Let the officer be named, and where the passphrase is."""
    parser.add_argument("--officer", type=officer_name, required=True, help="whose keys")
    add_passphrase(parser, "--passphrase-file", "read the passphrase from its first line")


def add_passphrase(parser: argparse.ArgumentParser, name: str, told: str) -> None:
    """Let a passphrase be read from a file instead of the terminal."""
    parser.add_argument(name, type=Path, help=told)


def add_agent_options(parser: argparse.ArgumentParser) -> None:
    """Let the agent's limits be set, and who may ask it."""
    limits = Limits()
    parser.add_argument(
        "--unwraps", type=_count, default=limits.unwraps, help="objects that one unlocking opens"
    )
    parser.add_argument(
        "--idle-minutes",
        type=_count,
        default=int(limits.idle_seconds // 60),
        help="minutes without use after which the keys are forgotten",
    )
    parser.add_argument(
        "--uid", type=_uid, action="append", default=[], help="another user who may ask"
    )


def add_destroy_options(parser: argparse.ArgumentParser) -> None:
    """Have the key named, and that it is for ever."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--card", type=_card, help="the intake key of this card")
    which.add_argument(
        "--class-key",
        nargs=2,
        action=_ClassKey,
        metavar=("SUBMISSION", "CLASS"),
        help="the key of this submission's handling class",
    )
    parser.add_argument(
        "--forever", action="store_true", required=True, help="say that this cannot be undone"
    )


def officer_name(text: str) -> OfficerName:
    """Read an officer's name."""
    return _read(text, OFFICER)


class _ClassKey(argparse.Action):
    """Reads the two words after `--class-key`."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[object] | None,
        option_string: str | None = None,
    ) -> None:
        """Put the holder that the words name into the options."""
        del option_string
        try:
            submission, word = (str(each) for each in values or ())
            holder = ClassHolder(
                submission=SUBMISSION_ID.read(submission), handling_class=HandlingClass(word)
            )
        except ValueError:
            parser.error(f"the class is none of {', '.join(CLASSES)}")
        except FieldError:
            parser.error(f"not {SUBMISSION_ID.describe()}")
        setattr(namespace, self.dest, holder)


def _card(text: str) -> CardHolder:
    return CardHolder(card=_read(text, CARD_ID))


def _read(text: str, codec: Codec[T]) -> T:
    try:
        return codec.read(text)
    except FieldError as failure:
        raise argparse.ArgumentTypeError(f"not {codec.describe()}") from failure


def _count(text: str) -> int:
    return _number(text, least=1, most=10**9)


def _uid(text: str) -> int:
    return _number(text, least=0, most=_UID_LIMIT - 1)


def _number(text: str, *, least: int, most: int) -> int:
    is_short = text.isascii() and text.isdecimal() and len(text) <= len(str(most))
    if not is_short or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"not a whole number from {least} to {most}")
    return int(text)
