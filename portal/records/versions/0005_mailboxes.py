"""The fifth format of the portal's database: mailboxes, feedback batches and their entries."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0005"
down_revision: Final = "0004"


def upgrade() -> None:
    """Make the tables that format version 5 adds."""
    op.create_table(
        "mailbox",
        sa.Column("lookup_sha256", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("lookup_sha256", name="pk_mailbox"),
        sa.UniqueConstraint("account", name="uq_mailbox_account"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "feedback_batch",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("published_on", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_feedback_batch"),
        sa.CheckConstraint("number > 0", name="ck_feedback_batch_number_is_positive"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_feedback_batch_published_on", "feedback_batch", ["published_on"])
    op.create_table(
        "feedback_entry",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", "place", name="pk_feedback_entry"),
        sa.ForeignKeyConstraint(
            ["number"], ["feedback_batch.number"], name="fk_feedback_entry_number"
        ),
        sa.CheckConstraint("place >= 0", name="ck_feedback_entry_place_is_not_negative"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_feedback_entry_account", "feedback_entry", ["account"])
