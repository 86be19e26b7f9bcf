"""The tables of a package that other programs read: Dublin Core, rights, load file.

They are made from the package's own documents and decide nothing: where they differ, those win.
Names stand in them exactly, so a table is imported as text and never opened to be looked at.
Format: docs/format/20-package.md section 7.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Final

from amana.wire.fields import Base64, RawBytes
from amana.wire.item_terms import item_terms
from amana.wire.names import NAME_LIMIT_BYTES, RawName
from amana.wire.package import PackagedItem
from amana.wire.snapshot import TermsSnapshot
from terms.evaluate import evaluate
from terms.facts import Facts
from terms.layer import Terms
from terms.names import Uid
from terms.vocabulary import Action, Effect, Operand
from worker.package_plan import ListedItem

_METADATA: Final = (
    *("filename", "dc.identifier", "dc.title", "dc.description", "dc.language", "dc.date"),
    *("dc.format", "folder", "name_base64url", "folder_base64url", "provider_reference"),
)
_LOADFILE: Final = (
    *("ITEMPATH", "DOCID", "FILENAME", "FOLDER", "SIZE", "SHA256", "SHA512", "MODIFIED"),
    *("TYPE", "GROUP", "HANDLING_CLASS", "SCAN"),
)
_RIGHTS: Final = (
    *("file", "basis", "status", "determination_date", "jurisdiction", "start_date", "end_date"),
    *("terms", "citation", "note", "grant_act", "grant_restriction", "grant_start_date"),
    *("grant_end_date", "grant_note", "doc_id_type", "doc_id_value", "doc_id_role"),
)
"""The columns of Archivematica's rights.csv, in its order."""

_RESTRICTIONS: Final = {
    Effect.PERMIT: "Allow",
    Effect.ASK: "Conditional",
    Effect.DENY: "Disallow",
}
_NOTHING: Final = ("",) * 5
_RAW: Final = Base64(RawBytes, 0, NAME_LIMIT_BYTES)
_ASK_AGAIN: Final = "as long as nothing more is known than this; ask: amana package may-share"


def metadata_table(listed: Iterable[ListedItem]) -> Iterator[bytes]:
    """Yield metadata.csv as Archivematica reads it, a row for each item."""
    yield _row(_METADATA)
    for each in listed:
        item, packaged, manifest = each.accepted, each.packaged, each.accepted.manifest
        languages = manifest.description.languages or ()
        yield _row(
            (
                packaged.path or "",
                item.registration,
                _shown(manifest.name),
                manifest.description.text or "",
                " ".join(languages),
                manifest.file_times.modified or "",
                item.detected_type or "",
                _shown(manifest.folder),
                _exact(manifest.name),
                _exact(manifest.folder),
                manifest.provider_reference or "",
            )
        )


def loadfile_table(listed: Iterable[ListedItem]) -> Iterator[bytes]:
    """Yield loadfile.csv as eDiscovery programs read it, a row for each item that has bytes."""
    yield _row(_LOADFILE)
    for each in listed:
        item, packaged, content = each.accepted, each.packaged, each.accepted.manifest.content
        if content is None:
            continue
        yield _row(
            (
                packaged.path or "",
                item.registration,
                _shown(item.manifest.name),
                _shown(item.manifest.folder),
                str(content.size),
                content.sha256,
                content.sha512,
                item.manifest.file_times.modified or "",
                item.detected_type or "",
                item.manifest.group_id or "",
                item.handling_class,
                item.verdict,
            )
        )


def rights_table(snapshot: TermsSnapshot, listed: Iterable[ListedItem]) -> Iterator[bytes]:
    """Yield rights.csv: for each item and each act what the conditions said on the snapshot's day.

    Nothing but the item and that day is taken as known, so on that day no row is looser than any
    answer to a fuller question.
    """
    yield _row(_RIGHTS)
    rights = _Rights(snapshot)
    for each in listed:
        file = (each.packaged.path or "").encode("ascii")
        yield b"".join(file + rest for rest in rights.of(each.packaged))


class _Rights:
    """Thousands of items share a few sets of conditions; each set is evaluated once."""

    def __init__(self, snapshot: TermsSnapshot) -> None:
        self._snapshot = snapshot
        self._terms: dict[object, Terms] = {}
        self._rows: dict[object, tuple[bytes, ...]] = {}

    def of(self, item: PackagedItem) -> tuple[bytes, ...]:
        """Give an item's rows, without the file that they begin with."""
        conditions = (item.terms, item.consents)
        if conditions not in self._terms:
            self._terms[conditions] = item_terms(self._snapshot, *conditions)
        terms = self._terms[conditions]
        key = (conditions, item.handling_class, item.item_id if _names_items(terms) else None)
        if key not in self._rows:
            self._rows[key] = tuple(self._made(item, terms))
        return self._rows[key]

    def _made(self, item: PackagedItem, terms: Terms) -> Iterator[bytes]:
        day = self._snapshot.taken_on
        source = ("terms snapshot", self._snapshot.digest, "conditions")
        for action in Action:
            facts = Facts(
                action=action,
                item=Uid(item.item_id),
                handling_class=item.handling_class,
                date=day,
            )
            found = evaluate(terms=terms, facts=facts)
            duties = " ".join(sorted(found.duties))
            note = "; ".join(part for part in (duties, _ASK_AGAIN) if part)
            basis = ("Donor", *_NOTHING[:5], _basis(item), *_NOTHING[:2])
            grant = (action, _RESTRICTIONS[found.decision], day.isoformat(), "", note)
            yield _row(("", *basis, *grant, *source))


def _names_items(terms: Terms) -> bool:
    return any(
        constraint.left is Operand.ITEM
        for layer in terms.layers
        for rule in layer.rules
        for constraint in rule.constraints
    )


def _basis(item: PackagedItem) -> str:
    named = item.terms.named
    return item.terms.state if named is None else f"{named.uid} version {named.version}"


def _shown(name: RawName | None) -> str:
    return "" if name is None or name.text is None else name.text


def _exact(name: RawName | None) -> str:
    return "" if name is None else str(_RAW.write(name.raw))


def _row(cells: Iterable[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue().encode()
