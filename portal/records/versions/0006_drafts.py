"""The sixth format of the portal's database: drafts."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0006"
down_revision: Final = "0005"


def upgrade() -> None:
    """Make the table that format version 6 adds."""
    op.create_table(
        "draft",
        sa.Column("lookup_sha256", sa.Text(), nullable=False),
        sa.Column("box", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("lookup_sha256", name="pk_draft"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
