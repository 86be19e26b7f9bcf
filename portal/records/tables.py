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

# Pulls.

REQUEST_COUNTER: Final = Table(
    "request_counter",
    METADATA,
    Column("key_id", Text, primary_key=True),
    Column("counter", Integer().with_variant(BigInteger(), "postgresql"), nullable=False),
    CheckConstraint("counter > 0", name="counter_is_positive"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""The last request of each signer that was acted on; none with the same counter ever is again."""

ACKNOWLEDGED: Final = Table(
    "acknowledged",
    METADATA,
    Column("submission_id", Text, ForeignKey("submission.submission_id"), primary_key=True),
    Column("acknowledged_on", Text, nullable=False),
    Column("kept_until", Text, nullable=False),
    Column("statement", LargeBinary, nullable=False),
    Column("removed_on", Text),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""One row for each submission that the quarantine has; its other rows stay for good."""

COSIGNED_CHECKPOINT: Final = Table(
    "cosigned_checkpoint",
    METADATA,
    Column(
        "size",
        Integer().with_variant(BigInteger(), "postgresql"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("note", LargeBinary, nullable=False),
    CheckConstraint("size >= 0", name="size_is_not_negative"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""One row for each size of the log that the quarantine has cosigned."""

SEALED_RECEIPT: Final = Table(
    "sealed_receipt",
    METADATA,
    Column("sealed_sha256", Text, primary_key=True),
    Column("submission_id", Text, ForeignKey("submission.submission_id"), nullable=False),
    Column("sealed_size", Integer, nullable=False),
    Column("posted_on", Text, nullable=False),
    CheckConstraint("sealed_size > 0", name="size_is_positive"),
    Index(None, "submission_id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""One row for each sealed receipt R2 that the quarantine posted."""

# Mailboxes and feedback.

MAILBOX: Final = Table(
    "mailbox",
    METADATA,
    Column("lookup_sha256", Text, primary_key=True),
    Column("account", Text, nullable=False),
    UniqueConstraint("account"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""One row for each account whose provider kept ten words: the hash of what the words find."""

FEEDBACK_BATCH: Final = Table(
    "feedback_batch",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("note", LargeBinary, nullable=False),
    Column("published_on", Text, nullable=False),
    CheckConstraint("number > 0", name="number_is_positive"),
    Index(None, "published_on"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""One row for each batch that is whole; there is none before it is."""

FEEDBACK_ENTRY: Final = Table(
    "feedback_entry",
    METADATA,
    Column("number", Integer, ForeignKey("feedback_batch.number"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("account", Text, nullable=False),
    Column("hashes", LargeBinary, nullable=False),
    CheckConstraint("place >= 0", name="place_is_not_negative"),
    Index(None, "account"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""One row for each sealed feedback object: whose it is, and its proof. The bytes are in a file."""

# Sealed uploads of enrolled members: docs/format/23-upload.md section 6.

UPLOAD_SESSION: Final = Table(
    "upload_session",
    METADATA,
    Column("token_sha256", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("signer", Text, nullable=False),
    Column("since", Text, nullable=False),
    Index(None, "account"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""One row for each open session of a member: the hash of its token. When it ends is in memory."""

MEMBER_COUNTER: Final = Table(
    "member_counter",
    METADATA,
    Column("signer", Text, primary_key=True),
    Column("counter", Integer().with_variant(BigInteger(), "postgresql"), nullable=False),
    CheckConstraint("counter > 0", name="counter_is_positive"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""The last counter of each member's signed requests; nothing at or below it is taken again."""

UPLOAD: Final = Table(
    "upload",
    METADATA,
    Column("upload_sha256", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("length", Integer().with_variant(BigInteger(), "postgresql"), nullable=False),
    Column("committed", Integer().with_variant(BigInteger(), "postgresql"), nullable=False),
    Column("sealed_sha256", Text, nullable=True),
    Column("touched_on", Text, nullable=False),
    CheckConstraint("length > 0", name="length_is_positive"),
    CheckConstraint("committed BETWEEN 0 AND length", name="committed_is_within"),
    CheckConstraint("sealed_sha256 IS NULL OR committed = length", name="digest_is_of_all"),
    Index(None, "account"),
    Index(None, "touched_on"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""One row for each upload: the hash of its secret address, and how much of it is durable."""

SIGNED_RECEIPT: Final = Table(
    "signed_receipt",
    METADATA,
    Column("submission_id", Text, ForeignKey("submission.submission_id"), primary_key=True),
    Column("note", LargeBinary, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""R1 of each submission that a member signed, so that the same note gets the same receipt."""

# Drafts: docs/format/18-portal.md section 8.

DRAFT: Final = Table(
    "draft",
    METADATA,
    Column("lookup_sha256", Text, primary_key=True),
    Column("box", LargeBinary, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""One row for each draft: the hash of what a cookie finds, and a box that only the cookie opens."""

PORTAL: Final = Zone(name="portal", metadata=METADATA, versions="portal.records:versions")
"""What the migration runner needs to know about this zone."""
