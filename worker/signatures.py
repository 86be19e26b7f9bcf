"""What the scanner knows: which signatures, of what day, and whether they may be used here.

Two profiles. `official` is ClamAV's own database, described by the heads of its files. `demo` is a
small one of ours (worker/demo_signatures.py), described by a document beside it; every report made
with it says so, and production refuses it. A database that is not described is not used, for
nobody could say later what had been looked for. Format: docs/format/19-scan-report.md.
"""

import hashlib
import re
from datetime import UTC, date, datetime
from enum import StrEnum, unique
from pathlib import Path
from typing import ClassVar, Final

from amana.wire.documents import Document, Nested, carries, record
from amana.wire.errors import FieldError, WireError
from amana.wire.fields import Choice, Day, Many, Token, Whole
from amana.wire.ids import DIGEST, Digest
from amana.wire.vocabulary import Deployment
from worker.errors import SignatureBaseError

DESCRIPTION_NAME: Final = "amana-signatures.json"
"""The description of a database of our own, in the folder of its files. clamd does not read it."""

_READ_PIECE: Final = 1 << 20
_HEAD_BYTES: Final = 512
"""Length of the text head of a CVD or CLD file (ClamAV manual, "CVD file header")."""
_OFFICIAL: Final = frozenset({".cvd", ".cld"})
_DAILY: Final = "daily"
_MANY: Final = 64
_FUTURE_DAYS: Final = 1
"""A database may be dated tomorrow where it was made. Ours."""


@unique
class SignatureProfile(StrEnum):
    """Whose signatures they are."""

    OFFICIAL = "official"
    DEMO = "demo"


VERSION: Final = Token(
    str, re.compile(r"[0-9A-Za-z.-]{1,40}", re.ASCII), "version, 1 to 40 letters"
)
FILE_NAME: Final = Token(
    str, re.compile(r"[0-9a-z-]{1,40}\.[a-z]{2,4}", re.ASCII), "plain file name"
)


@record
class SignatureFile:
    """One file of a database of our own."""

    name: str = carries(FILE_NAME, "Its name in the folder.")
    sha256: Digest = carries(DIGEST, "SHA-256 of its bytes.")


@record
class SignatureDescription(Document):
    """What lies beside a database of our own and names each of its files."""

    FORMAT: ClassVar[str] = "amana/signatures/v1"
    LIMIT_BYTES: ClassVar[int] = 64 * 1024

    profile: SignatureProfile = carries(Choice(SignatureProfile), "Always `demo`.")
    version: str = carries(VERSION, "Its version.")
    dated: date = carries(Day(), "The day whose knowledge it holds.")
    count: int = carries(Whole(1), "How many signatures it has.")
    files: tuple[SignatureFile, ...] = carries(
        Many(Nested(SignatureFile), _MANY, least=1), "Every file, in the order of their names."
    )

    def __post_init__(self) -> None:
        """Hold the rules between the fields."""
        if self.profile is not SignatureProfile.DEMO:
            raise FieldError("is for a database of our own", "profile")
        names = [each.name for each in self.files]
        if names != sorted(set(names)):
            raise FieldError("is not in the order of names, each once", "files")


@record
class SignatureBase:
    """The signatures of one scan, as a report names them."""

    profile: SignatureProfile = carries(Choice(SignatureProfile), "Whose they are.")
    version: str = carries(VERSION, "Version of the database; official: of its `daily` part.")
    dated: date = carries(Day(), "The day of that version.")
    count: int = carries(Whole(1), "How many signatures its files say they have.")
    sha256: Digest = carries(DIGEST, "SHA-256 over names and digests of its files.")

    def age_days(self, today: date) -> int:
        """Give its age. Negative: it is dated in the future."""
        return (today - self.dated).days

    def is_usable_on(self, today: date, most_days: int) -> bool:
        """Say whether it is young enough, and not from a day that has not come."""
        return -_FUTURE_DAYS <= self.age_days(today) <= most_days


def require_allowed(base: SignatureBase, deployment: Deployment) -> None:
    """SignatureBaseError: a demo database in production."""
    if deployment is Deployment.PRODUCTION and base.profile is SignatureProfile.DEMO:
        raise SignatureBaseError("PRODUCTION refuses demo signatures")


def describe(folder: Path) -> SignatureBase:
    """Give the description of the database in a folder, after reading every byte of it.

    SignatureBaseError: there is none, or a file is missing, unnamed, or not as described.
    """
    try:
        files = sorted(path for path in folder.iterdir() if path.name != DESCRIPTION_NAME)
        digests = tuple(_digest_of(path) for path in files)
        if (folder / DESCRIPTION_NAME).exists():
            return _our_own(folder / DESCRIPTION_NAME, digests)
        return _official(files, digests)
    except (OSError, WireError) as failure:
        raise SignatureBaseError("the signature database cannot be read") from failure


def base_digest(files: tuple[SignatureFile, ...]) -> Digest:
    """Give SHA-256 over one line for each file, `sha256  name`, as sha256sum(1) writes them."""
    lines = "".join(f"{each.sha256}  {each.name}\n" for each in files)
    return Digest(hashlib.sha256(lines.encode("ascii")).hexdigest())


def _digest_of(path: Path) -> SignatureFile:
    state = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_READ_PIECE):
            state.update(piece)
    name = FILE_NAME.read(path.name)
    return SignatureFile(name=name, sha256=Digest(state.hexdigest()))


def _our_own(path: Path, files: tuple[SignatureFile, ...]) -> SignatureBase:
    with path.open("rb") as file:
        untrusted = file.read(SignatureDescription.LIMIT_BYTES + 1)
    description = SignatureDescription.from_bytes(untrusted)
    if description.files != files:
        raise SignatureBaseError("the signature database is not the one that is described")
    return SignatureBase(
        profile=description.profile,
        version=description.version,
        dated=description.dated,
        count=description.count,
        sha256=base_digest(files),
    )


def _official(paths: list[Path], files: tuple[SignatureFile, ...]) -> SignatureBase:
    heads = {path.stem: _head_of(path) for path in paths if path.suffix in _OFFICIAL}
    if len(heads) != len(paths) or _DAILY not in heads:
        raise SignatureBaseError("the folder does not hold one official database and nothing else")
    version, dated, _ = heads[_DAILY]
    count = sum(signatures for _, _, signatures in heads.values())
    return SignatureBase(
        profile=SignatureProfile.OFFICIAL,
        version=version,
        dated=dated,
        count=count,
        sha256=base_digest(files),
    )


def _head_of(path: Path) -> tuple[str, date, int]:
    """Give version, day and count from `ClamAV-VDB:21 Nov 2026 09-11 +0000:27812:...`."""
    with path.open("rb") as file:
        untrusted = file.read(_HEAD_BYTES)
    try:
        kind, built, version, count, *_ = untrusted.decode("ascii").split(":")
        if kind != "ClamAV-VDB" or not (version.isdecimal() and count.isdecimal()):
            raise SignatureBaseError("a file is not an official database")
        dated = datetime.strptime(built, "%d %b %Y %H-%M %z").astimezone(UTC).date()
    except ValueError as failure:
        raise SignatureBaseError("a file is not an official database") from failure
    return VERSION.read(version), dated, Whole(1).read(int(count[:12]))
