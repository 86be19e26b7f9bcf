"""The program `amana`: one command line for every zone, and no knowledge of any.

What is installed announces itself in the entry-point group `amana.commands`: a word, and a
function that takes the arguments after it and returns an exit code (amana/exitcodes.py). Only what
is called is imported. Whatever goes wrong ends here as one sentence and an operator code; there is
no traceback and no switch for one, since both would print values, and a value may be material.
"""

import errno
import importlib.metadata
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

from amana.exitcodes import ExitCode
from amana.i18n import Sentence, Speaker, preferred_language

GROUP: Final = "amana.commands"
# The zones in the order of the material's way; `amana` itself holds what everyone may run.
_ZONES: Final = ("amana", "client", "portal", "worker", "repository")
_OURS: Final = frozenset({*_ZONES, "crypto", "terms"})

Command: TypeAlias = Callable[[Sequence[str]], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that the words name, and return its exit code (amana/exitcodes.py)."""
    words = sys.argv[1:] if argv is None else list(argv)
    speaker = Speaker(preferred_language(os.environ))
    try:
        code = _run(words, speaker)
        sys.stdout.flush()
    except KeyboardInterrupt:
        _tell(speaker, Sentence(key="cli.interrupted"))
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The interpreter flushes once more on its way out; that must meet an open file.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OUTPUT_CLOSED
    except Exception as failure:  # noqa: BLE001 - the edge of the program: a traceback prints values
        _tell(speaker, _account_of(failure, speaker))
        return ExitCode.REFUSED if _is_ours(failure) else ExitCode.FAILED
    return code


def _run(words: Sequence[str], speaker: Speaker) -> int:
    points = list(importlib.metadata.entry_points(group=GROUP))
    if not words:
        _show_help(points, speaker, sys.stderr.write)
        return ExitCode.REFUSED
    word, *rest = words
    if word in {"-h", "--help"}:
        _show_help(points, speaker, sys.stdout.write)
        return ExitCode.OK
    if word == "--version":
        wheels = {f"{point.dist.name} {point.dist.version}\n" for point in points if point.dist}
        sys.stdout.write("".join(sorted(wheels)))
        return ExitCode.OK
    return _call(word, rest, points, speaker)


def _call(
    word: str,
    rest: Sequence[str],
    points: Iterable[importlib.metadata.EntryPoint],
    speaker: Speaker,
) -> int:
    owners = {point.value: point for point in points if point.name == word}
    if len(owners) != 1:
        key = "cli.contested-command" if owners else "cli.unknown-command"
        _tell(speaker, Sentence(key=key, values={"word": word}))
        return ExitCode.REFUSED
    (point,) = owners.values()
    command: Command = point.load()
    return command(rest)


def _show_help(
    points: Iterable[importlib.metadata.EntryPoint],
    speaker: Speaker,
    write: Callable[[str], object],
) -> None:
    zones = {point.name: point.value.partition(".")[0] for point in points}
    say = speaker.say
    lines = [say(Sentence(key="cli.title")), "", say(Sentence(key="cli.usage"))]
    if not speaker.is_reviewed:
        lines += [say(Sentence(key="translation.not-reviewed"))]
    lines += ["", say(Sentence(key="cli.installed", values={"count": len(zones)}))]
    for zone in _ZONES:
        words = sorted(word for word, owner in zones.items() if owner == zone)
        if words:
            lines += ["", say(Sentence(key=f"group.{zone}"))]
            lines += [f"  {word:<12}{_summary(word, speaker)}".rstrip() for word in words]
    lines += ["", say(Sentence(key="cli.exit-codes"))]
    write("\n".join(lines) + "\n")


def _summary(word: str, speaker: Speaker) -> str:
    key = f"summary.{word}"
    return speaker.say(Sentence(key=key)) if speaker.knows(key) else ""


def _tell(speaker: Speaker, sentence: Sentence) -> None:
    sys.stderr.write(f"amana: {speaker.say(sentence)}\n")


def _is_ours(failure: Exception) -> bool:
    return type(failure).__module__.partition(".")[0] in _OURS


def _account_of(failure: Exception, speaker: Speaker) -> Sentence:
    """Say what happened without a word of the error's own text.

    Our errors are named for a fact and described by their docstring, which holds no values.
    """
    name = type(failure).__name__
    if _is_ours(failure):
        code = f"{type(failure).__module__.partition('.')[0]}.{name}"
        key = f"error.{code}"
        told = speaker.say(Sentence(key=key)) if speaker.knows(key) else _first_line(failure)
        return Sentence(key="cli.refused", values={"sentence": told, "code": code})
    if isinstance(failure, OSError) and failure.errno is not None:
        code = f"os.{errno.errorcode.get(failure.errno, failure.errno)}"
        reason = os.strerror(failure.errno)
        return Sentence(key="cli.machine-failed", values={"reason": reason, "code": code})
    return Sentence(key="cli.unforeseen", values={"code": f"{name} {_place_of(failure)}".rstrip()})


def _first_line(failure: Exception) -> str:
    return next(iter((type(failure).__doc__ or "").splitlines()), "")


def _place_of(failure: Exception) -> str:
    """Return the module and line of ours where it happened: enough to look, nothing to leak."""
    places = [
        f"{frame.f_globals.get('__name__', '')}:{line}"
        for frame, line in traceback.walk_tb(failure.__traceback__)
    ]
    ours = [place for place in places if place.partition(".")[0] in _OURS]
    return ours[-1] if ours else ""


if __name__ == "__main__":
    sys.exit(main())
