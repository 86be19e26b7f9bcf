"""What is started: the built-in table of one machine with every zone, or an operator's own file.

A row names words of the program `amana`, or any command. Places in braces are filled in: `{data}`,
the data directory; `{portal.listen}`, a setting; `{data/portal.pull_keys}`, a setting that is a
path below the data directory. A row whose word is not installed, or that
needs a file which is not there, is left out, and said to be. Format: docs/guides/operator.md.
"""

import re
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from amana.settings import Settings
from amana.up.errors import TableError
from amana.up.program import READY_SECONDS, STOP_SECONDS, Answers, Program, Says

_FILE_LIMIT_BYTES: Final = 64 * 1024
_MOST_PROGRAMS: Final = 64
_DAY: Final = 86_400
_PLACE: Final = re.compile(r"\{(data/)?([a-z_.]*)\}", re.ASCII)
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,30}", re.ASCII)
_DATA: Final = "data"
_UNIX: Final = "unix:"
_LOOPBACK: Final = re.compile(r"127\.0\.0\.1:[1-9][0-9]{0,4}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row as it is written, its places still open.

    words: of `amana`; or command: a program and its arguments. ready_line: the end of a line that
    it writes; or ready_address: where it then listens. needs: files without which it is left out.
    serves: addresses that a person may open.
    """

    name: str
    words: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    ready_line: str = ""
    ready_address: str = ""
    ready_seconds: float = READY_SECONDS
    stop_seconds: float = STOP_SECONDS
    needs: tuple[str, ...] = ()
    serves: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """TableError: it does not say one thing to start and one way to see that it is ready."""
        if not _NAME.fullmatch(self.name):
            raise TableError("the name of a program is one short lower-case word")
        if bool(self.words) == bool(self.command):
            raise TableError("a program has either words or a command")
        if bool(self.ready_line) == bool(self.ready_address):
            raise TableError("a program has either ready_line or ready_address")
        if not all(0 < each <= _DAY for each in (self.ready_seconds, self.stop_seconds)):
            raise TableError("ready_seconds and stop_seconds are more than nothing, within a day")


# In the order of the material's way, but whoever holds keys comes before whoever asks for them.
BUILT_IN: Final = (
    Row(
        name="keys",
        words=("key", "agent"),
        ready_address="unix:{data}/worker/keys/agent.sock",
    ),
    Row(
        name="portal",
        words=("portal", "serve"),
        ready_line=" serving",
        serves=("{portal.listen}",),
    ),
    Row(
        name="pull",
        words=("portal", "pull"),
        ready_address="{portal.pull_listen}",
        needs=("{data/portal.pull_keys}",),
    ),
    Row(
        name="worker",
        words=("worker", "run"),
        ready_line=" running",
    ),
    Row(
        name="repository",
        words=(
            *("package", "receive", "{data/worker.outbox}", "--answers", "{data/worker.answers}"),
            *("--store", "{data}/repository", "--keys", "{data}/repository.keys"),
            *("--quarantine", "{data}/quarantine.end", "--watch", "5"),
        ),
        ready_line=" watching",
        needs=("{data}/repository.keys", "{data}/quarantine.end", "{data/worker.outbox}"),
    ),
)
"""One machine with every zone: training, and the first hours of a small deployment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What is started; and what is not, by name, for want of a word or of a file."""

    programs: tuple[Program, ...]
    not_installed: tuple[str, ...]
    not_set_up: tuple[tuple[str, Path], ...]


def choose(rows: Sequence[Row], settings: Settings, installed: frozenset[str]) -> Chosen:
    """Fill in the rows, and leave out what cannot be started here.

    installed: the words of `amana` that there are. TableError: a place names no setting.
    """
    programs: list[Program] = []
    absent: list[str] = []
    lacking: list[tuple[str, Path]] = []
    for row in rows:
        if row.words and row.words[0] not in installed:
            absent.append(row.name)
            continue
        needs = [Path(_filled(each, settings)) for each in row.needs]
        missing = next((path for path in needs if not path.exists()), None)
        if missing is None:
            programs.append(_program(row, settings))
        else:
            lacking.append((row.name, missing))
    return Chosen(programs=tuple(programs), not_installed=tuple(absent), not_set_up=tuple(lacking))


def read_rows(path: Path) -> tuple[Row, ...]:
    """Read a table of `[[program]]` entries. TableError: it is malformed. OSError: not there."""
    with path.open("rb") as source:
        untrusted = source.read(_FILE_LIMIT_BYTES + 1)
    if len(untrusted) > _FILE_LIMIT_BYTES:
        raise TableError("the table of programs is too long")
    try:
        told = tomllib.loads(untrusted.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as failure:
        raise TableError("the table of programs is not TOML") from failure
    match told:
        case {"program": list(entries), **more} if not more and len(entries) <= _MOST_PROGRAMS:
            rows = tuple(_row(entry) for entry in entries)
        case _:
            raise TableError("the table of programs has entries [[program]] and nothing else")
    if not rows or len({row.name for row in rows}) != len(rows):
        raise TableError("the table of programs names each program once, and at least one")
    return rows


def _row(untrusted: object) -> Row:
    if not isinstance(untrusted, dict):
        raise TableError("a program is a table of names and values")
    if untrusted.keys() - {field.name for field in fields(Row)}:
        raise TableError("an entry of the table has a name that is not known")
    return Row(
        name=_text(untrusted.get("name", "")),
        words=_texts(untrusted.get("words", [])),
        command=_texts(untrusted.get("command", [])),
        ready_line=_text(untrusted.get("ready_line", "")),
        ready_address=_text(untrusted.get("ready_address", "")),
        ready_seconds=_seconds(untrusted.get("ready_seconds", READY_SECONDS)),
        stop_seconds=_seconds(untrusted.get("stop_seconds", STOP_SECONDS)),
        needs=_texts(untrusted.get("needs", [])),
        serves=_texts(untrusted.get("serves", [])),
    )


def _text(untrusted: object) -> str:
    if not isinstance(untrusted, str) or "\0" in untrusted:
        raise TableError("a value of the table is not the text that it should be")
    return untrusted


def _texts(untrusted: object) -> tuple[str, ...]:
    if not isinstance(untrusted, list):
        raise TableError("a value of the table is not the list that it should be")
    return tuple(_text(each) for each in untrusted)


def _seconds(untrusted: object) -> float:
    if isinstance(untrusted, bool) or not isinstance(untrusted, int | float):
        raise TableError("a value of the table is not the number that it should be")
    return float(untrusted)


def _program(row: Row, settings: Settings) -> Program:
    # Without -P the folder in which we were started could bring modules of its own.
    amana = (sys.executable, "-P", "-m", "amana.cli")
    command = (*amana, *row.words) if row.words else row.command
    return Program(
        name=row.name,
        command=tuple(_filled(each, settings) for each in command),
        ready=Says(text=_filled(row.ready_line, settings))
        if row.ready_line
        else Answers(address=_address(row.ready_address, settings)),
        ready_seconds=row.ready_seconds,
        stop_seconds=row.stop_seconds,
        urls=tuple(_url(_address(each, settings)) for each in row.serves),
    )


def _filled(text: str, settings: Settings) -> str:
    """Fill in the places. TableError: one names neither the data directory nor a setting."""

    def put(place: re.Match[str]) -> str:
        below, what = place.groups()
        if what == _DATA and below is None:
            return str(settings.data_directory)
        section, _, name = what.rpartition(".")
        value: object = getattr(getattr(settings, section, None), name, None)
        if not isinstance(value, str):
            raise TableError("a place in the table of programs names no setting")
        return str(settings.data_directory / value) if below else value

    return _PLACE.sub(put, text)


def _address(text: str, settings: Settings) -> str:
    """Give an address with its whole path. TableError: it is neither a socket nor loopback."""
    address = _filled(text, settings)
    if address.startswith(_UNIX):
        return _UNIX + str(settings.data_directory / address.removeprefix(_UNIX))
    if not _LOOPBACK.fullmatch(address):
        raise TableError("an address is unix:PATH or 127.0.0.1:PORT")
    return address


def _url(address: str) -> str:
    return address if address.startswith(_UNIX) else f"http://{address}/"
