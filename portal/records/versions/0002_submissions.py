"""The second format of the portal's database: submissions, their sealed objects, waiting leaves."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0002"
down_revision: Final = "0001"


def upgrade() -> None:
    """Make the tables that format version 2 adds."""
    op.create_table(
        "submission",
        sa.Column("submission_id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("received_on", sa.Text(), nullable=False),
        sa.Column("note_sha256", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("submission_id", name="pk_submission"),
        sa.CheckConstraint("state IN ('RECEIVED')", name="ck_submission_state_is_known"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sealed_object",
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("submission_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column(
            "sealed_size",
            sa.Integer().with_variant(sa.BigInteger(), "postgresql"),
            nullable=False,
        ),
        sa.Column("sealed_sha256", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("object_id", name="pk_sealed_object"),
        sa.UniqueConstraint("sealed_sha256", name="uq_sealed_object_sealed_sha256"),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["submission.submission_id"],
            name="fk_sealed_object_submission_id",
        ),
        sa.CheckConstraint(
            "role IN ('submission-manifest', 'item-manifest', 'record', 'content', 'event')",
            name="ck_sealed_object_role_is_known",
        ),
        sa.CheckConstraint("sealed_size > 0", name="ck_sealed_object_size_is_positive"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_sealed_object_submission_id", "sealed_object", ["submission_id"])
    op.create_table(
        "waiting_leaf",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_waiting_leaf"),
        sa.CheckConstraint("length(hash) = 32", name="ck_waiting_leaf_hash_is_sha256"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "merged",
        sa.Column("day", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_merged"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
