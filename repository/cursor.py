"""Read the files of an inner bag in the one order that there is, hashing each on the way.

Nothing is believed here but lengths: what a file says is its reader's matter, and whether the
manifests agree is judged at the end, by finish(). Format: docs/format/20-package.md section 2.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final, Protocol, TypeVar

from amana.wire import bag, tar
from amana.wire import package_paths as paths
from amana.wire.acknowledgement import RefusalReason
from amana.wire.bag import Algorithm, Digests
from amana.wire.documents import Document
from amana.wire.errors import ArchiveError, WireError
from amana.wire.manifest_lines import DEFAULT_LIMITS, Limits, read_lines
from amana.wire.package import ITEMS_LIMIT
from repository.errors import RefusedError

_MANIFEST_LIMIT_BYTES: Final = (ITEMS_LIMIT * 2 + 8_192) * (128 + 2 + bag.PATH_LIMIT + 1)
"""Longest manifest: a line for each object, scan report and consent record, and the rest."""
_INFO_LIMIT_BYTES: Final = 1_024

_DocumentT = TypeVar("_DocumentT", bound=Document)


class Witness(Protocol):
    """Sees every file of the inner bag as it is read; it is final only when all has been read."""

    def begin(self, path: str) -> None:
        """Learn that a file begins."""

    def write(self, piece: bytes) -> None:
        """Take the next bytes of that file."""

    def end(self) -> None:
        """Learn that it has ended."""


class Nobody:
    """Looks at nothing."""

    def begin(self, path: str) -> None:
        """Do nothing."""

    def write(self, piece: bytes) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""


class Cursor:
    """Stands before the next file. RefusedError names what is wrong; ArchiveError: no such tar."""

    def __init__(self, untrusted: Iterable[bytes], witness: Witness) -> None:
        self._members = tar.read(untrusted)
        self._witness = witness
        self._digests: dict[str, Digests] = {}
        self._octets = 0
        self._modified: int | None = None
        self._path = ""
        self._size = 0
        self._pieces: Iterator[bytes] = iter(())
        self._advance()

    @property
    def path(self) -> str:
        """The path of the next file; empty at the end."""
        return self._path

    def stream(self, path: str) -> Iterator[bytes]:
        """Yield the bytes of the next file, which must have this path, and go on behind it."""
        self._require(path)
        sha256, sha512 = hashlib.sha256(), hashlib.sha512()
        self._witness.begin(path)
        for piece in self._pieces:
            sha256.update(piece)
            sha512.update(piece)
            self._witness.write(piece)
            yield piece
        self._witness.end()
        self._digests[path] = Digests(sha256=sha256.hexdigest(), sha512=sha512.hexdigest())
        if path.startswith(bag.PAYLOAD):
            self._octets += self._size
        self._advance()

    def skip(self, path: str) -> Digests:
        """Read over the next file, and give its digests."""
        for _ in self.stream(path):
            pass
        return self._digests[path]

    def whole(self, path: str, limit_bytes: int, too_long: RefusalReason) -> bytes:
        """Give the next file. `too_long` is the refusal of one over its limit."""
        self._require(path)
        if self._size > limit_bytes:
            raise RefusedError(too_long)
        return b"".join(self.stream(path))

    def document(self, path: str, kind: type[_DocumentT], fault: RefusalReason) -> _DocumentT:
        """Give the next file as a document. `fault` is the refusal of what is none."""
        raw = self.whole(path, kind.LIMIT_BYTES, fault)
        try:
            return kind.from_bytes(raw)
        except WireError as failure:
            raise RefusedError(fault) from failure

    def lines(
        self, path: str, kind: type[_DocumentT], limits: Limits, fault: RefusalReason
    ) -> Iterator[tuple[bytes, _DocumentT]]:
        """Yield each line of the next file, as it stands and as a document."""
        stream = self.stream(path)
        try:
            for line in read_lines(stream, limits):
                yield line, kind.from_bytes(line)
        except ArchiveError:
            raise  # The archive is at fault, not what it holds.
        except WireError as failure:
            raise RefusedError(fault) from failure

    def digests(self, path: str) -> Digests:
        """Give the digests of a file that was read."""
        return self._digests[path]

    def finish(self) -> None:
        """Read bag-info and the manifests, and hold every file that was read against them."""
        payload = {name: found for name, found in self._digests.items() if _is_payload(name)}
        about = self.whole(bag.INFO_NAME, _INFO_LIMIT_BYTES, RefusalReason.INNER_FILE_CHANGED)
        oxum = f"Payload-Oxum: {self._octets}.{len(payload)}\n".encode("ascii")
        if not about.endswith(oxum) or not about.startswith(b"Bagging-Date: "):
            raise RefusedError(RefusalReason.INNER_FILE_CHANGED)
        for algorithm in Algorithm:
            self._compare(algorithm.manifest, payload, algorithm)
        tags = {name: found for name, found in self._digests.items() if not _is_payload(name)}
        for algorithm in Algorithm:
            self._compare(algorithm.tag_manifest, tags, algorithm)
        if self._path:
            raise RefusedError(_refusal_of(self._path))

    def _compare(self, name: str, files: dict[str, Digests], algorithm: Algorithm) -> None:
        raw = self.whole(name, _MANIFEST_LIMIT_BYTES, RefusalReason.INNER_FILE_CHANGED)
        try:
            listed = dict(bag.read_manifest(raw.splitlines(keepends=True), algorithm))
        except WireError as failure:
            raise RefusedError(RefusalReason.INNER_FILE_CHANGED) from failure
        if files.keys() - listed.keys():
            raise RefusedError(RefusalReason.INNER_FILE_NOT_LISTED)
        if listed.keys() - files.keys():
            raise RefusedError(RefusalReason.INNER_FILE_MISSING)
        lines = (bag.manifest_line(found.by(algorithm), path) for path, found in files.items())
        if b"".join(lines) != raw:
            raise RefusedError(RefusalReason.INNER_FILE_CHANGED)

    def _require(self, path: str) -> None:
        if self._path != path:
            raise RefusedError(_refusal_of(self._path))

    def _advance(self) -> None:
        found = next(self._members, None)
        if found is None:
            self._path, self._size, self._pieces = "", 0, iter(())
            return
        member, self._pieces = found
        self._modified = member.modified if self._modified is None else self._modified
        if member.modified != self._modified or not member.path.startswith(paths.TOP):
            raise RefusedError(RefusalReason.ARCHIVE_MALFORMED)
        self._path, self._size = member.path.removeprefix(paths.TOP), member.size
        if self._path in self._digests:
            raise RefusedError(RefusalReason.ARCHIVE_MALFORMED)


LINES: Final = Limits(manifests=ITEMS_LIMIT)
"""As many lines as a package may have items."""
MANY_LINES: Final = DEFAULT_LIMITS
"""As many lines as a submission may have items."""

_KNOWN: Final = (
    *(bag.DECLARATION_NAME, bag.INFO_NAME, paths.RECORD, paths.SNAPSHOT, paths.PROVIDER_NOTE),
    *(paths.PROVIDER_SUBMISSION, paths.PROVIDER_LEAVES, paths.PROVIDER_ITEMS, paths.ITEMS),
    *(paths.CUSTODY, paths.PREMIS, paths.METADATA, paths.RIGHTS, paths.LOADFILE),
    *(name for each in Algorithm for name in (each.manifest, each.tag_manifest)),
)
_KNOWN_FOLDERS: Final = (paths.CONSENTS, paths.SCANS, paths.OBJECTS)


def _is_payload(path: str) -> bool:
    return path.startswith(bag.PAYLOAD)


def _refusal_of(path: str) -> RefusalReason:
    """Say why it is wrong that this file stands here: it is foreign, or one before it is not."""
    if path == bag.FETCH_NAME:
        return RefusalReason.FETCH_FORBIDDEN
    if path in _KNOWN or path.startswith(_KNOWN_FOLDERS) or not path:
        return RefusalReason.INNER_FILE_MISSING
    return RefusalReason.INNER_FILE_NOT_LISTED
