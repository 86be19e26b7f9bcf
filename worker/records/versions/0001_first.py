"""The first format of the quarantine's database."""

from __future__ import annotations

from typing import Final

from amana.store.migrations.shared_0001 import create_shared_tables

revision: Final = "0001"
down_revision: Final = None


def upgrade() -> None:
    """Make the tables of format version 1."""
    create_shared_tables()
