"""Chapter 14 describes the databases as they are: no column is missing, none is invented."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from amana.store.audit import Wrong
from amana.store.engine import SQLITE_PRAGMAS
from amana.store.migrate import Zone, newest_version
from portal.records.tables import PORTAL
from worker.records.tables import WORKER

CHAPTERS: Final = Path(__file__).parents[2] / "docs" / "format"
CHAPTER: Final = (CHAPTERS / "14-stores.md").read_text()
OWN: Final = {
    "portal": ("18-portal.md", "22-pull.md", "23-upload.md", "24-feedback.md"),
    "worker": ("26-quarantine.md",),
}
"""The chapters in which each zone's own tables are described."""


def first_cells(pattern: str, text: str = CHAPTER) -> list[str]:
    return re.findall(rf"^\| `({pattern})` \|", text, flags=re.MULTILINE)


@pytest.mark.parametrize("zone", [PORTAL, WORKER], ids=lambda zone: zone.name)
def test_every_column_is_described_once(zone: Zone) -> None:
    columns = {
        f"{table.name}.{column.name}"
        for table in zone.metadata.sorted_tables
        for column in table.columns
    }
    own = "".join((CHAPTERS / name).read_text() for name in OWN[zone.name])
    assert sorted(first_cells(r"\w+\.\w+", CHAPTER + own)) == sorted(columns)


def test_every_pragma_is_described() -> None:
    described = re.findall(r"^\| `(\w+)` \| `?(\w+)", CHAPTER, flags=re.MULTILINE)
    assert {(name, str(value)) for name, value in SQLITE_PRAGMAS.items()} <= set(described)


def test_every_finding_is_described() -> None:
    assert set(first_cells("[a-z ]+")) >= {wrong.value for wrong in Wrong}


@pytest.mark.parametrize("zone", [PORTAL, WORKER], ids=lambda zone: zone.name)
def test_the_chapter_is_about_the_newest_version(zone: Zone) -> None:
    version, number = " ".join(CHAPTER.split()), newest_version(zone)
    assert f"version {number} of the {zone.name}'s" in version
