"""The tables of the quarantine's database.

It has the shared tables (amana/store/tables.py), its own, and no other zone's. No name, no member,
no digest of plaintext, no name of a signature and no time finer than the day has a column: those
stand in sealed objects, and in the custody events of providers whose times may be known.
Format: docs/format/26-quarantine.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

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
from worker.pipeline.states import ItemState, PackageState, SubmissionState

if TYPE_CHECKING:
    from enum import StrEnum


def _one_of(column: str, words: type[StrEnum]) -> CheckConstraint:
    listed = ", ".join(f"'{word.value}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_is_known")


METADATA: Final = new_metadata()
"""Every table of this zone, as the newest migration leaves it."""

SUBMISSION: Final = Table(
    "submission",
    METADATA,
    Column("submission_id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("card", Text, nullable=False),
    Column("note_sha256", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("fetched_on", Text, nullable=False),
    Column("is_observed", Integer, nullable=False),
    Column("is_told", Integer, nullable=False),
    Column("is_one_time", Integer, nullable=False),
    Column("reply", Text),
    Column("overruled", Text),
    Column("visit", Integer, nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("run", Integer, nullable=False),
    _one_of("state", SubmissionState),
    Index(None, "state"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""One row for each submission that lies here whole."""

SEALED_OBJECT: Final = Table(
    "sealed_object",
    METADATA,
    Column("sealed_sha256", Text, primary_key=True),
    Column("submission_id", Text, ForeignKey("submission.submission_id"), nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""Whose each sealed object is that was opened and agreed: one submission's and no other's."""

ITEM: Final = Table(
    "item",
    METADATA,
    Column("item_id", Text, primary_key=True),
    Column("submission_id", Text, ForeignKey("submission.submission_id"), nullable=False),
    Column("place", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("verdict", Text),
    Column("media_type", Text),
    Column("handling_class", Text),
    Column("registration", Text),
    Column("visit", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    _one_of("state", ItemState),
    UniqueConstraint("registration"),
    Index(None, "submission_id", "state"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""One row for each item of a submission that was opened."""

DECISION: Final = Table(
    "decision",
    METADATA,
    Column("decision_id", Text, nullable=False, primary_key=True),
    Column("item_id", Text, ForeignKey("item.item_id"), nullable=False, primary_key=True),
    Column("submission_id", Text, ForeignKey("submission.submission_id"), nullable=False),
    Column("choice", Text, nullable=False),
    Column("handling_class", Text),
    Column("reason", Text),
    Column("scope", Text, nullable=False),
    Column("officer", Text, nullable=False),
    Column("decided_on", Text, nullable=False),
    Index(None, "item_id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""One row for each item that an officer's decision is about; never changed, never deleted."""

RELEASE: Final = Table(
    "release",
    METADATA,
    Column("submission_id", Text, ForeignKey("submission.submission_id"), primary_key=True),
    Column("cycle", Integer, primary_key=True),
    Column("taken_on", Text, nullable=False),
    Column("snapshot_sha256", Text, nullable=False),
    Column("checkpoint", LargeBinary, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""What a release is made of that must be the same when it is made again after a crash."""

RELEASED_ITEM: Final = Table(
    "released_item",
    METADATA,
    Column("item_id", Text, ForeignKey("item.item_id"), primary_key=True),
    Column("submission_id", Text, nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("package_id", Text, ForeignKey("package.package_id")),
    Index(None, "submission_id", "cycle"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""The items of a release, and the package in which each lies."""

PACKAGE: Final = Table(
    "package",
    METADATA,
    Column("package_id", Text, primary_key=True),
    Column("submission_id", Text, ForeignKey("submission.submission_id"), nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("sealed_sha256", Text, nullable=False),
    Column("made_on", Text, nullable=False),
    _one_of("state", PackageState),
    Index(None, "submission_id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""One row for each package that was handed over."""

CUSTODY_EVENT: Final = Table(
    "custody_event",
    METADATA,
    Column("event_id", Text, primary_key=True),
    Column("submission_id", Text, ForeignKey("submission.submission_id"), nullable=False),
    Column("item_id", Text),
    Column("leaf", LargeBinary, nullable=False),
    Column("event", LargeBinary, nullable=False),
    UniqueConstraint("leaf"),
    Index(None, "submission_id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""Every custody event of ours, byte for byte; its leaf joined the log in the same transaction."""

RECEIPT: Final = Table(
    "receipt",
    METADATA,
    Column("receipt_id", Text, primary_key=True),
    Column("submission_id", Text, ForeignKey("submission.submission_id"), nullable=False),
    Column("sequence", Integer().with_variant(BigInteger(), "postgresql"), nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("part", Integer, nullable=False),
    Column("decision_sha256", Text, nullable=False),
    Column("is_posted", Integer, nullable=False),
    UniqueConstraint("submission_id", "sequence"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""One row for each receipt R2; the receipt itself is sealed and lies in a file."""

TOLD: Final = Table(
    "told",
    METADATA,
    Column("submission_id", Text, ForeignKey("submission.submission_id"), primary_key=True),
    Column("code", Text, nullable=False),
    Column("reason", Text),
    Column("told_on", Text, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""What was last told of each submission, and on which day."""

BATCH: Final = Table(
    "batch",
    METADATA,
    Column("number", Integer().with_variant(BigInteger(), "postgresql"), primary_key=True),
    Column("published_on", Text, nullable=False),
    Column("next_on", Text, nullable=False),
    Column("is_posted", Integer, nullable=False),
    sqlite_strict=True,
)
"""One row for each batch of feedback."""

WORKER: Final = Zone(name="worker", metadata=METADATA, versions="worker.records:versions")
"""What the migration runner needs to know about this zone."""
