"""The tables of chapters 20 and 21 that are made from code."""

from enum import StrEnum
from pathlib import Path

from amana.wire.acknowledgement import (
    AcknowledgedItem,
    ItemFate,
    ItemRefusal,
    PackageAcknowledgement,
    PackageRefusal,
    RefusalReason,
)
from amana.wire.ends import QuarantineEnd, RepositoryEnd
from amana.wire.package import (
    CustodyLine,
    PackagedItem,
    PackageRecord,
    ScanVerdict,
    SealedPackage,
)
from tests.wire import chapters

RECORDS: tuple[type, ...] = (
    *(SealedPackage, PackageRecord, PackagedItem, CustodyLine, RepositoryEnd, QuarantineEnd),
    *(PackageAcknowledgement, AcknowledgedItem, PackageRefusal),
)
WORDS: tuple[type[StrEnum], ...] = (ScanVerdict, RefusalReason, ItemFate, ItemRefusal)
PATHS: tuple[Path, ...] = (
    chapters.FORMAT / "20-package.md",
    chapters.FORMAT / "21-answers.md",
)


def table(what: str, name: str) -> str:
    """The table of a record or list, as Markdown."""
    if what == "words":
        (words,) = (kind for kind in WORDS if kind.__name__ == name)
        return "".join(f"* `{word.value}`\n" for word in words)
    (record,) = (kind for kind in RECORDS if kind.__name__ == name)
    return "".join(f"| {' | '.join(row)} |\n" for row in chapters.field_rows(record))


def with_tables(text: str) -> str:
    """The text of a chapter with each table as the code has it now."""
    return chapters.MARKED.sub(
        lambda match: (
            f"<!-- {match['what']}: {match['name']} -->\n"
            f"{table(match['what'], match['name'])}<!-- end -->"
        ),
        text,
    )
