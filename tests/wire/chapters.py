"""The tables in docs/format that are made from code: fields of records, words of lists.

In a chapter, `<!-- fields: KeyCard -->` or `<!-- words: Fate -->` begins a table and
`<!-- end -->` ends it; what stands between is written here and compared by test_chapters.py.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from amana import deployment
from amana.wire import (
    agree,
    bundle,
    card,
    errors,
    event,
    feedback,
    kit,
    manifest,
    member,
    minted,
    names,
    note,
    provenance,
    pull,
    reasons,
    receipt,
    references,
    request,
    sealed,
    signer_card,
    snapshot,
    submission,
    terms_signature,
    upload,
    vocabulary,
)
from amana.wire.documents import FORMAT_FIELD, Document, shape_of

FORMAT = Path(__file__).parents[2] / "docs" / "format"
NUMBERS = (*range(6, 13), 17, 22, 23, 24, 27)
MODULES = (
    agree, bundle, card, deployment, errors, event, feedback, kit, manifest, member, minted, names,
    note, provenance, pull, reasons, receipt, references, request, sealed, signer_card,
    snapshot, submission, terms_signature, upload, vocabulary,
)  # fmt: skip
MARKED = re.compile(
    r"<!-- (?P<what>fields|words): (?P<name>\w+) -->\n(?P<table>.*?)<!-- end -->", re.DOTALL
)


def defined() -> Iterator[type]:
    """Every class that a module of amana.wire defines itself."""
    for module in MODULES:
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == module.__name__:
                yield value


def records() -> dict[str, type]:
    """Every record by its name."""
    return {
        kind.__name__: kind
        for kind in defined()
        if hasattr(kind, "__dataclass_fields__") and any(shape_or_nothing(kind))
    }


def shape_or_nothing(kind: type) -> Iterator[str]:
    """The names of the fields of a record; none for a dataclass that is not one."""
    try:
        yield from shape_of(kind)
    except KeyError:
        return


def word_lists() -> dict[str, type[StrEnum]]:
    """Every closed list by its name."""
    return {kind.__name__: kind for kind in defined() if issubclass(kind, StrEnum)}


def table(what: str, name: str) -> str:
    """The table of a record or list, as Markdown."""
    if what == "words":
        return "".join(f"* `{word.value}`\n" for word in word_lists()[name])
    return "".join(f"| {' | '.join(row)} |\n" for row in field_rows(records()[name]))


def field_rows(kind: type) -> Iterator[tuple[str, str, str]]:
    """Head, rule and one row for each field."""
    yield ("field", "value", "meaning")
    yield ("---", "---", "---")
    if issubclass(kind, Document):
        yield (f"`{FORMAT_FIELD}`", f"`{kind.FORMAT}`", "The format and its version.")
    for name, field in shape_of(kind).items():
        yield (f"`{name}`", field.codec.describe(), field.meaning)


def chapters() -> list[Path]:
    """The chapters that have such tables."""
    return [path for number in NUMBERS for path in FORMAT.glob(f"{number:02d}-*.md")]


def with_tables(text: str) -> str:
    """The text of a chapter with each table as the code has it now."""

    def remade(match: re.Match[str]) -> str:
        what, name = match["what"], match["name"]
        return f"<!-- {what}: {name} -->\n{table(what, name)}<!-- end -->"

    return MARKED.sub(remade, text)


def write_tables() -> None:
    """Write every table anew."""
    for path in chapters():
        path.write_text(with_tables(path.read_text("utf-8")), "utf-8")
