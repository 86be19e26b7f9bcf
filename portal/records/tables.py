"""The tables of the portal's database.

It has the shared tables (amana/store/tables.py), its own, and no other zone's. No name, digest of
plaintext or time finer than the day has a column. Rows lie in the order of their random keys, not
in the order in which they came. Format: docs/format/14-stores.md, 18-portal.md section 4.
"""

from __future__ import annotations

from enum import StrEnum, unique
from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from amana.store.migrate import Zone
from amana.store.tables import new_metadata


@unique
class SubmissionState(StrEnum):
    """How far a submission has come, as the portal knows it."""

    RECEIVED = "RECEIVED"


@unique
class ObjectRole(StrEnum):
    """What a sealed object is to its submission."""

    SUBMISSION_MANIFEST = "submission-manifest"
    ITEM_MANIFEST = "item-manifest"
    RECORD = "record"
    CONTENT = "content"
    EVENT = "event"


METADATA: Final = new_metadata()
"""Every table of this zone, as the newest migration leaves it."""

SUBMISSION: Final = Table(
    "submission",
    METADATA,
    Column("submission_id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("card", Text, nullable=False),
    Column("received_on", Text, nullable=False),
    Column("note_sha256", Text, nullable=False),
    Column("state", Text, nullable=False),
    CheckConstraint("state IN ('RECEIVED')", name="state_is_known"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""One row for each submission that is whole on the disk. There is none before it is."""

SEALED_OBJECT: Final = Table(
    "sealed_object",
    METADATA,
    Column("object_id", Text, primary_key=True),
    Column("submission_id", Text, ForeignKey("submission.submission_id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("sealed_size", Integer().with_variant(BigInteger(), "postgresql"), nullable=False),
    Column("sealed_sha256", Text, nullable=False),
    # A sealed digest belongs to one submission only (docs/format/08-package-note.md).
    UniqueConstraint("sealed_sha256"),
    CheckConstraint(
        "role IN ('submission-manifest', 'item-manifest', 'record', 'content', 'event')",
        name="role_is_known",
    ),
    CheckConstraint("sealed_size > 0", name="size_is_positive"),
    Index(None, "submission_id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""One row for each sealed object of a submission."""

WAITING_LEAF: Final = Table(
    "waiting_leaf",
    METADATA,
    Column("hash", LargeBinary, primary_key=True),
    Column("since", Text, nullable=False),
    CheckConstraint("length(hash) = 32", name="hash_is_sha256"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""Leaves of custody events that join the log after their day has ended."""

MERGED: Final = Table(
    "merged",
    METADATA,
    Column("day", Text, primary_key=True),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""At most one row: the last day on which leaves joined the log."""

PORTAL: Final = Zone(name="portal", metadata=METADATA, versions="portal.records:versions")
"""What the migration runner needs to know about this zone."""
