"""The fourth format of the portal's database: sessions, uploads, receipts of enrolled members."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0004"
down_revision: Final = "0003"


def upgrade() -> None:
    """Make the tables that this format version adds."""
    op.create_table(
        "upload_session",
        sa.Column("token_sha256", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("signer", sa.Text(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_upload_session"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_upload_session_account", "upload_session", ["account"])
    op.create_table(
        "member_counter",
        sa.Column("signer", sa.Text(), nullable=False),
        sa.Column("counter", _big(), nullable=False),
        sa.PrimaryKeyConstraint("signer", name="pk_member_counter"),
        sa.CheckConstraint("counter > 0", name="ck_member_counter_counter_is_positive"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "upload",
        sa.Column("upload_sha256", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("length", _big(), nullable=False),
        sa.Column("committed", _big(), nullable=False),
        sa.Column("sealed_sha256", sa.Text(), nullable=True),
        sa.Column("touched_on", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("upload_sha256", name="pk_upload"),
        sa.CheckConstraint("length > 0", name="ck_upload_length_is_positive"),
        sa.CheckConstraint("committed BETWEEN 0 AND length", name="ck_upload_committed_is_within"),
        sa.CheckConstraint(
            "sealed_sha256 IS NULL OR committed = length", name="ck_upload_digest_is_of_all"
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_upload_account", "upload", ["account"])
    op.create_index("ix_upload_touched_on", "upload", ["touched_on"])
    op.create_table(
        "signed_receipt",
        sa.Column("submission_id", sa.Text(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("submission_id", name="pk_signed_receipt"),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["submission.submission_id"],
            name="fk_signed_receipt_submission_id",
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _big() -> sa.types.TypeEngine[int]:
    return sa.Integer().with_variant(sa.BigInteger(), "postgresql")
