"""The third format of the portal's database: pulls."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0003"
down_revision: Final = "0002"


def upgrade() -> None:
    """Make the tables that format version 3 adds."""
    op.create_table(
        "request_counter",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column(
            "counter", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False
        ),
        sa.PrimaryKeyConstraint("key_id", name="pk_request_counter"),
        sa.CheckConstraint("counter > 0", name="ck_request_counter_counter_is_positive"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "acknowledged",
        sa.Column("submission_id", sa.Text(), nullable=False),
        sa.Column("acknowledged_on", sa.Text(), nullable=False),
        sa.Column("kept_until", sa.Text(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("removed_on", sa.Text()),
        sa.PrimaryKeyConstraint("submission_id", name="pk_acknowledged"),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.submission_id"], name="fk_acknowledged_submission_id"
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "cosigned_checkpoint",
        sa.Column(
            "size",
            sa.Integer().with_variant(sa.BigInteger(), "postgresql"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_cosigned_checkpoint"),
        sa.CheckConstraint("size >= 0", name="ck_cosigned_checkpoint_size_is_not_negative"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sealed_receipt",
        sa.Column("sealed_sha256", sa.Text(), nullable=False),
        sa.Column("submission_id", sa.Text(), nullable=False),
        sa.Column("sealed_size", sa.Integer(), nullable=False),
        sa.Column("posted_on", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sealed_sha256", name="pk_sealed_receipt"),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.submission_id"], name="fk_sealed_receipt_submission_id"
        ),
        sa.CheckConstraint("sealed_size > 0", name="ck_sealed_receipt_size_is_positive"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_sealed_receipt_submission_id", "sealed_receipt", ["submission_id"])
