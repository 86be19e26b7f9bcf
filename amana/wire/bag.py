"""BagIt 1.0 (RFC 8493), the part of it that we write and the only part that we read.

Payload names are opaque ASCII, so the encodings in which programs differ never arise; lines are in
the order in which they were written, times come from the caller. There is no fetch.txt, ever.
Format: docs/format/20-package.md section 2.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum, unique
from typing import Final

from amana.wire.errors import ArchiveError

DECLARATION_NAME: Final = "bagit.txt"
DECLARATION: Final = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
"""The whole of bagit.txt: RFC 8493 section 2.1.1."""
INFO_NAME: Final = "bag-info.txt"
FETCH_NAME: Final = "fetch.txt"
PAYLOAD: Final = "data/"
"""What every payload path begins with: RFC 8493 section 2.1.2."""
PATH_LIMIT: Final = 100
"""Longest path: what fits a ustar header's name field, POSIX.1-2017."""

_PATH: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*", re.ASCII)
_LINE: Final = re.compile(r"([0-9a-f]{64}|[0-9a-f]{128})  ([A-Za-z0-9._/-]{1,100})", re.ASCII)


@unique
class Algorithm(StrEnum):
    """The digests of our bags: those that RFC 8493 section 2.4 says every tool must support."""

    SHA256 = "sha256"
    SHA512 = "sha512"

    @property
    def manifest(self) -> str:
        """The name of the payload manifest."""
        return f"manifest-{self.value}.txt"

    @property
    def tag_manifest(self) -> str:
        """The name of the tag manifest."""
        return f"tagmanifest-{self.value}.txt"

    @property
    def hexadecimal_digits(self) -> int:
        """How long a digest is in a manifest."""
        return 2 * hashlib.new(self.value).digest_size


@dataclass(frozen=True, slots=True, kw_only=True)
class Digests:
    """Both digests of one file, in hexadecimal."""

    sha256: str
    sha512: str

    def by(self, algorithm: Algorithm) -> str:
        """Give one of them."""
        return self.sha256 if algorithm is Algorithm.SHA256 else self.sha512

    @classmethod
    def of(cls, content: bytes) -> "Digests":
        """Give those of a file that is in memory."""
        return cls(
            sha256=hashlib.sha256(content).hexdigest(), sha512=hashlib.sha512(content).hexdigest()
        )


def is_path(name: str) -> bool:
    """Tell whether a name can stand in one of our bags: ASCII, no step that begins with a dot."""
    return len(name) <= PATH_LIMIT and _PATH.fullmatch(name) is not None


def manifest_line(digest: str, path: str) -> bytes:
    """Give one line of a manifest: digest, two spaces, path (RFC 8493 section 2.1.3)."""
    return f"{digest}  {path}\n".encode("ascii")


def read_manifest(untrusted: Iterable[bytes], algorithm: Algorithm) -> Iterator[tuple[str, str]]:
    """Yield path and digest of each line.

    untrusted: lines with their ends. ArchiveError: a line is not what manifest_line() writes.
    """
    for line in untrusted:
        found = _LINE.fullmatch(line[:-1].decode("ascii", errors="replace"))
        if (
            found is None
            or not line.endswith(b"\n")
            or len(found[1]) != algorithm.hexadecimal_digits
            or not is_path(found[2])
        ):
            raise ArchiveError("a line of a bag's manifest is malformed")
        yield found[2], found[1]


def info(*, identifier: str | None, bagged_on: date, octets: int, files: int) -> bytes:
    """Give bag-info.txt: nothing but a day, counts and an opaque identifier where there is one.

    What stands here is indexed by archives, so it never says anything of the material.
    """
    fields: Mapping[str, str] = {
        "Bagging-Date": bagged_on.isoformat(),
        **({} if identifier is None else {"External-Identifier": identifier}),
        "Payload-Oxum": f"{octets}.{files}",
    }
    return "".join(f"{label}: {value}\n" for label, value in fields.items()).encode("ascii")
