"""What an installation is told: one frozen family of settings, read once.

First the defaults, then a TOML file, then the environment (`AMANA_` and the name in capitals,
`AMANA_PORTAL_LOG_ORIGIN` for `log_origin` in `[portal]`). A name that is not listed here is
refused, wherever it stands: a mistyped setting must not leave its default in force unseen.
docs/settings.md is made from this module.
"""

import dataclasses
import enum
import pathlib
import tomllib
import typing
from collections.abc import Iterator, Mapping
from typing import Final

_PREFIX: Final = "AMANA_"
# Read by the dispatcher, or naming the file itself, before there are settings.
_NOT_SETTINGS: Final = frozenset({"AMANA_SETTINGS", "AMANA_LANGUAGE"})
# A settings file is a page or two; a limit before it is read keeps a mistake small.
_FILE_LIMIT_BYTES: Final = 64 * 1024


class SettingsError(Exception):
    """A setting is unknown, of the wrong kind, or not allowed in this deployment."""


class Deployment(enum.StrEnum):
    """Whether what is handed over is real. The word stands in cards, notes and packages."""

    TRAINING = "TRAINING"
    PRODUCTION = "PRODUCTION"


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
        ),
        worker=WorkerSettings(
            database_url=database("worker"), log_origin=told["worker", "log_origin"]
        ),
    )


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
