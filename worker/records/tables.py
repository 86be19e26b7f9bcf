"""The tables of the quarantine's database.

It has the shared tables (amana/store/tables.py) and no other zone's.
Format: docs/format/14-stores.md.
"""

from __future__ import annotations

from typing import Final

from amana.store.migrate import Zone
from amana.store.tables import new_metadata

METADATA: Final = new_metadata()
"""Every table of this zone, as the newest migration leaves it."""

WORKER: Final = Zone(name="worker", metadata=METADATA, versions="worker.records:versions")
"""What the migration runner needs to know about this zone."""
