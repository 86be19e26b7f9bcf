"""What lies in the folders a person named: files, empty folders, links, and what cannot be taken.

Names are kept as the bytes they are on the disk; nothing is normalised, sorted into a scheme or
left out in silence. Nothing is followed: a link is kept as what it says, never as what it names.
"""
# Path decodes names; here they stay the bytes that they are.
# ruff: noqa: PTH115, PTH118, PTH119, PTH208

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from amana.wire.manifest import ItemKind
from client.errors import TreeError, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file, empty folder or link: where it lies, its name below the roots, and its state.

    folder: the folders above it, divided by `/`, empty at the top. size: bytes, 0 but for files.
    The times are nanoseconds since 1970 in UTC, as the file system has them.
    """

    path: bytes
    folder: bytes
    name: bytes
    kind: ItemKind
    size: int
    modified_ns: int
    accessed_ns: int
    link_target: bytes | None

    @property
    def full_name(self) -> bytes:
        """The name with its folders."""
        return self.folder + b"/" + self.name if self.folder else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """Everything below the named places, in the order of the names' bytes.

    special: the names of devices, sockets and pipes, which are not material.
    """

    entries: tuple[Entry, ...]
    special: tuple[bytes, ...]


def walk(roots: Sequence[Path]) -> Tree:
    """List everything below the roots; each root keeps its own last name.

    Raises TreeError when a root is missing, when two have the same name, when a `..` leads back
    over a link, or when a folder cannot be read: a part must never be taken for the whole.
    """
    entries: list[Entry] = []
    special: list[bytes] = []
    names: set[bytes] = set()
    for root in roots:
        try:
            path = _plain(root)
            name = os.path.basename(path)
            if not name or name in names:
                raise TreeError("two-places-with-one-name", name=shown(name))
            names.add(name)
            for each in _below(path, b"", name):
                if isinstance(each, Entry):
                    entries.append(each)
                else:
                    special.append(each)
        except OSError as failure:
            raise TreeError(
                "cannot-be-read",
                name=shown(os.fsencode(failure.filename)),
                reason=failure.strerror or "",
            ) from failure
    entries.sort(key=lambda entry: entry.full_name)
    return Tree(entries=tuple(entries), special=tuple(sorted(special)))


def _plain(root: Path) -> bytes:
    """Give a root without `..`, which it needs to have a name.

    After a link to a folder, `..` is the folder above where the link leads, so that dropping the
    two steps would name another place than the person's own shell does. TreeError: it would.
    """
    given = os.fsencode(root.absolute())
    plain = os.path.normpath(given)
    there = os.lstat(given)
    if not (os.path.lexists(plain) and os.path.samestat(there, os.lstat(plain))):
        raise TreeError("way-over-a-link", name=shown(given))
    return plain


def _below(path: bytes, folder: bytes, name: bytes) -> Iterator[Entry | bytes]:
    """Yield entries, and the bare full name of whatever is not material. No recursion in depth."""
    waiting = [(path, folder, name)]
    while waiting:
        path, folder, name = waiting.pop()
        state = os.lstat(path)
        inner_folder = folder + b"/" + name if folder else name
        if stat.S_ISDIR(state.st_mode):
            inner = os.listdir(path)
            waiting += [(os.path.join(path, each), inner_folder, each) for each in inner]
            if not inner:
                yield _entry(path, folder, name, state, ItemKind.FOLDER)
        elif stat.S_ISREG(state.st_mode):
            yield _entry(path, folder, name, state, ItemKind.FILE)
        elif stat.S_ISLNK(state.st_mode):
            yield _entry(path, folder, name, state, ItemKind.LINK)
        else:
            yield inner_folder


def _entry(path: bytes, folder: bytes, name: bytes, state: os.stat_result, kind: ItemKind) -> Entry:
    return Entry(
        path=path,
        folder=folder,
        name=name,
        kind=kind,
        size=state.st_size if kind is ItemKind.FILE else 0,
        modified_ns=state.st_mtime_ns,
        accessed_ns=state.st_atime_ns,
        link_target=os.readlink(path) if kind is ItemKind.LINK else None,
    )
