"""A package that lies somewhere, opened to be read: judged from outside first, then from inside."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from amana.wire import package_paths as paths
from amana.wire.ends import QuarantineEnd
from amana.wire.package import SealedPackage
from repository.cursor import Witness
from repository.inner import Item, PackageReader
from repository.keys import RepositoryKeys
from repository.outer import judge_outside, judge_sealed, open_plain


@contextmanager
def opened(
    folder: Path, keys: RepositoryKeys, end: QuarantineEnd, witness: Witness | None = None
) -> Iterator[PackageReader]:
    """Give the reader of a package whose outside, sealed bytes and conditions are in order.

    RefusedError names what is wrong. The bytes that are read are those that were judged: the
    sealed file is opened once.
    """
    outside = judge_outside(folder, end)
    with open_plain(folder / paths.SEALED) as source:
        judge_sealed(source, outside.sealed)
        yield PackageReader(source, keys.identity, outside.sealed, end, witness)


def verify(
    folder: Path, keys: RepositoryKeys, end: QuarantineEnd, witness: Witness | None = None
) -> tuple[SealedPackage, tuple[Item, ...]]:
    """Read a package to its last byte, and give its note and items. RefusedError: as above."""
    with opened(folder, keys, end, witness) as reader:
        items = tuple(reader.items())
        reader.material()
        return reader.sealed, items
