"""What an installation is told: one frozen family of settings, read once.

First the defaults, then a TOML file, then the environment (`AMANA_` and the name in capitals,
`AMANA_PORTAL_LOG_ORIGIN` for `log_origin` in `[portal]`). A name that is not listed here is
refused, wherever it stands: a mistyped setting must not leave its default in force unseen.
docs/settings.md is made from this module.
"""

import dataclasses
import pathlib
import tomllib
import typing
from collections.abc import Iterator, Mapping
from typing import Final

from amana.deployment import Deployment as Deployment  # noqa: PLC0414 - others take it from here

_PREFIX: Final = "AMANA_"
# Read by the dispatcher, or naming the file itself, before there are settings.
_NOT_SETTINGS: Final = frozenset({"AMANA_SETTINGS", "AMANA_LANGUAGE"})
# What TOML may write as a number; all else is text.
_NUMBERS: Final = frozenset({"pull_seconds", "feedback_seconds", "keep_days"})
# A settings file is a page or two; a limit before it is read keeps a mistake small.
_FILE_LIMIT_BYTES: Final = 64 * 1024


class SettingsError(Exception):
    """A setting is unknown, of the wrong kind, or not allowed in this deployment."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PortalSettings:
    """What the public zone is told."""

    database_url: str = dataclasses.field(
        default="",
        repr=False,  # it may hold a password
        metadata={"meaning": "SQLAlchemy URL; empty: `portal.db` in the data directory."},
    )
    log_origin: str = dataclasses.field(
        default="training.invalid/portal",
        metadata={
            "meaning": "Name of the portal's custody log (C2SP tlog-checkpoint origin): "
            "no space, no plus sign."
        },
    )
    listen: str = dataclasses.field(
        default="127.0.0.1:8700",
        metadata={
            "meaning": "Where the portal is reached: `unix:PATH` below the data directory (for "
            "Tor), or `127.0.0.1:PORT`."
        },
    )
    directory_keys: str = dataclasses.field(
        default="directory.keys",
        metadata={
            "meaning": "File below the data directory with the directory keys: C2SP verifier "
            "lines, two for each of the three signers."
        },
    )
    witness_card: str = dataclasses.field(
        default="witness-card.note",
        metadata={
            "meaning": "File below the data directory with the witnesses' key card of the month."
        },
    )
    pull_listen: str = dataclasses.field(
        default="127.0.0.1:8701",
        metadata={
            "meaning": "Where the quarantine fetches, in a process of its own: as `listen`, and "
            "in earnest `unix:PATH` behind an onion address with client authorisation."
        },
    )
    pull_keys: str = dataclasses.field(
        default="pull.keys",
        metadata={
            "meaning": "File below the data directory with four C2SP verifier lines: the "
            "quarantine's pull key, and the key by which it cosigns. Nobody else is answered."
        },
    )
    keep_days: int = dataclasses.field(
        default=14,
        metadata={
            "meaning": "Days for which sealed bytes are still kept after the quarantine has "
            "acknowledged them, 0 to 365."
        },
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """What the quarantine is told."""

    database_url: str = dataclasses.field(
        default="",
        repr=False,  # it may hold a password
        metadata={"meaning": "SQLAlchemy URL; empty: `worker.db` in the data directory."},
    )
    log_origin: str = dataclasses.field(
        default="training.invalid/quarantine",
        metadata={"meaning": "Name of the quarantine's custody log, as for the portal."},
    )
    portal_url: str = dataclasses.field(
        default="http://127.0.0.1:8701",
        metadata={"meaning": "Where the portal's pull API is; empty: only disks are imported."},
    )
    portal_log: str = dataclasses.field(
        default="portal-log.keys",
        metadata={"meaning": "File with the key of the portal's log, two lines; as `outbox`."},
    )
    portal_socks: str = dataclasses.field(
        default="",
        metadata={"meaning": "Tor's SOCKS port, `127.0.0.1:9050`, for an onion address."},
    )
    pull_seconds: int = dataclasses.field(
        default=300,
        metadata={"meaning": "Seconds between two pulls, 1 to 86400."},
    )
    feedback_seconds: int = dataclasses.field(
        default=604_800,
        metadata={"meaning": "Seconds between two feedback batches, 1 to 2592000; a week."},
    )
    outbox: str = dataclasses.field(
        default="worker/outbox",
        metadata={"meaning": "Folder for packages, below the data directory or absolute."},
    )
    answers: str = dataclasses.field(
        default="worker/answers",
        metadata={"meaning": "Folder into which the repository answers; as `outbox`."},
    )
    repository_end: str = dataclasses.field(
        default="repository.end",
        metadata={"meaning": "The repository's public keys (`amana package init`); as `outbox`."},
    )
    signatures: str = dataclasses.field(
        default="worker/signatures",
        metadata={"meaning": "Folder of the scanner's signature database; as `outbox`."},
    )
    scratch: str = dataclasses.field(
        default="/dev/shm/amana",  # noqa: S108 - a folder of its own, checked when it is used
        metadata={"meaning": "Folder in memory (tmpfs) for the scanner; nothing else is written."},
    )
    executor: str = dataclasses.field(
        default="quarantine-1",
        metadata={"meaning": "Name of this worker; the same after every start."},
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything an installation is told. A zone reads the common part and its own section."""

    deployment: Deployment = dataclasses.field(
        default=Deployment.TRAINING,
        metadata={
            "meaning": "TRAINING or PRODUCTION. Production refuses what a training deployment made."
        },
    )
    data_directory: pathlib.Path = dataclasses.field(
        default=pathlib.Path("var"),
        metadata={
            "meaning": "Where everything that is kept lies; relative to the settings file, or to "
            "where the program was started if there is none."
        },
    )
    portal: PortalSettings = dataclasses.field(default_factory=PortalSettings)
    worker: WorkerSettings = dataclasses.field(default_factory=WorkerSettings)

    def __post_init__(self) -> None:
        """Refuse what would be wrong in every zone."""
        for section in (self.portal, self.worker):
            origin = section.log_origin
            if not origin or "+" in origin or any(letter.isspace() for letter in origin):
                raise SettingsError("log_origin must be a name without spaces or plus signs")
            if self.deployment is Deployment.PRODUCTION and "training" in origin:
                raise SettingsError("PRODUCTION needs log_origin to be set for portal and worker")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """One setting, for the documentation and for finding unknown names."""

    section: str  # empty for the common part
    name: str
    default: str
    meaning: str

    @property
    def variable(self) -> str:
        """The environment variable that overrides it."""
        return _PREFIX + "_".join(filter(None, (self.section, self.name))).upper()


def described() -> Iterator[Described]:
    """Yield every setting in the order in which it is declared."""
    hints = typing.get_type_hints(Settings)
    for field in dataclasses.fields(Settings):
        if dataclasses.is_dataclass(hints[field.name]):
            for inner in dataclasses.fields(hints[field.name]):
                yield _one(field.name, inner)
        else:
            yield _one("", field)


def _one(section: str, field: "dataclasses.Field[object]") -> Described:
    return Described(
        section=section,
        name=field.name,
        default=str(field.default),
        meaning=field.metadata["meaning"],
    )


def load(path: pathlib.Path | None, environ: Mapping[str, str]) -> Settings:
    """Return the settings of this installation.

    path: the TOML file, or None for none. environ: usually `os.environ`.
    SettingsError, with the name of the setting and never its value, if anything is unknown, of the
    wrong kind or not allowed.
    """
    told = {(known.section, known.name): known.default for known in described()}
    told |= _from_file(path) if path else {}
    told |= _from_environment(environ)
    base = path.parent if path else pathlib.Path.cwd()
    directory = (base / told["", "data_directory"]).resolve()

    def database(section: str) -> str:
        inside = f"sqlite+aiosqlite:///{directory / section}.db"
        return told[section, "database_url"] or inside

    return Settings(
        deployment=_deployment(told["", "deployment"]),
        data_directory=directory,
        portal=PortalSettings(
            database_url=database("portal"),
            log_origin=told["portal", "log_origin"],
            listen=told["portal", "listen"],
            directory_keys=told["portal", "directory_keys"],
            witness_card=told["portal", "witness_card"],
            pull_listen=told["portal", "pull_listen"],
            pull_keys=told["portal", "pull_keys"],
            keep_days=_number("keep_days", told["portal", "keep_days"], 365),
        ),
        worker=_worker(told, database("worker")),
    )


def _worker(told: Mapping[tuple[str, str], str], database_url: str) -> WorkerSettings:
    mine = {name: value for (section, name), value in told.items() if section == "worker"}
    return WorkerSettings(
        database_url=database_url,
        log_origin=mine["log_origin"],
        portal_url=mine["portal_url"],
        portal_log=mine["portal_log"],
        portal_socks=mine["portal_socks"],
        pull_seconds=_number("pull_seconds", mine["pull_seconds"], 86_400),
        feedback_seconds=_number("feedback_seconds", mine["feedback_seconds"], 2_592_000),
        outbox=mine["outbox"],
        answers=mine["answers"],
        repository_end=mine["repository_end"],
        signatures=mine["signatures"],
        scratch=mine["scratch"],
        executor=mine["executor"],
    )


def _number(name: str, text: str, most: int) -> int:
    """Give a whole number from 0 to `most`."""
    if not (text.isascii() and text.isdecimal()) or len(text) > len(str(most)) or int(text) > most:
        raise SettingsError(f"setting {name} must be a whole number from 0 to {most}")
    return int(text)


def _deployment(text: str) -> Deployment:
    try:
        return Deployment(text)
    except ValueError as failure:
        raise SettingsError("deployment is neither TRAINING nor PRODUCTION") from failure


def _from_file(path: pathlib.Path) -> dict[tuple[str, str], str]:
    told: dict[tuple[str, str], str] = {}
    sections = {known.section for known in described() if known.section}
    for name, value in _parsed(path).items():
        if isinstance(value, dict) and name in sections:
            told |= {(name, inner): _text(inner, kept) for inner, kept in value.items()}
        else:
            told["", name] = _text(name, value)
    known_names = {(known.section, known.name) for known in described()}
    for section, name in sorted(told.keys() - known_names):
        where = f"[{section}] " if section else ""
        raise SettingsError(f"unknown setting: {where}{name}")
    return told


def _parsed(path: pathlib.Path) -> dict[str, object]:
    with path.open("rb") as file:
        untrusted = file.read(_FILE_LIMIT_BYTES + 1)
    if len(untrusted) > _FILE_LIMIT_BYTES:
        raise SettingsError(f"the settings file is over {_FILE_LIMIT_BYTES} bytes")
    try:
        return tomllib.loads(untrusted.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as failure:
        raise SettingsError("the settings file is not TOML") from failure


def _text(name: str, value: object) -> str:
    if name in _NUMBERS and type(value) is int:
        return str(value)
    if not isinstance(value, str):
        raise SettingsError(f"setting {name} must be a string")
    return value


def _from_environment(environ: Mapping[str, str]) -> dict[tuple[str, str], str]:
    names = {known.variable: (known.section, known.name) for known in described()}
    ours = {name for name in environ if name.startswith(_PREFIX)} - _NOT_SETTINGS
    for name in sorted(ours - names.keys()):
        raise SettingsError(f"unknown setting in the environment: {name}")
    return {names[name]: environ[name] for name in ours}


def as_markdown() -> str:
    """Return the page docs/settings.md."""
    lines = [
        "# Settings",
        "",
        "Made from `amana/settings.py` by `make docs`. A TOML file, each value overridden by its",
        "environment variable. A name that is not in this table is refused. `AMANA_SETTINGS` names",
        "the file; `AMANA_LANGUAGE` is the language of the command line.",
        "",
        "| section | name | environment | default | meaning |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {f'`[{known.section}]`' if known.section else ''} | `{known.name}` "
        f"| `{known.variable}` | {f'`{known.default}`' if known.default else ''} "
        f"| {known.meaning} |"
        for known in described()
    ]
    return "\n".join(lines) + "\n"
