"""The first revision of the tables that every zone has: `format` and `log`.

Frozen: what a released migration does never changes, so it names its columns itself and does
not read amana/store/tables.py. A test holds the two together.
Format: docs/format/14-stores.md.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

_REFUSE_IN_SQLITE: Final = (
    """
    CREATE TRIGGER log_refuses_update BEFORE UPDATE ON log
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END
    """,
    """
    CREATE TRIGGER log_refuses_delete BEFORE DELETE ON log
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END
    """,
    # INSERT OR REPLACE deletes the old row without asking the trigger above.
    """
    CREATE TRIGGER log_refuses_replace BEFORE INSERT ON log
    WHEN EXISTS (SELECT 1 FROM log WHERE number = NEW.number)
      OR (NEW.number % 2 = 0
          AND EXISTS (SELECT 1 FROM log WHERE hash = NEW.hash AND number % 2 = 0))
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END
    """,
)

_REFUSE_IN_POSTGRESQL: Final = (
    """
    CREATE FUNCTION log_refuses_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the log is append-only'; END $$
    """,
    """
    CREATE TRIGGER log_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON log
    FOR EACH STATEMENT EXECUTE FUNCTION log_refuses_change()
    """,
)


def create_shared_tables() -> None:
    """Make the two tables, and the triggers that refuse to change or delete a row of the log."""
    op.create_table(
        "format",
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deployment", sa.Text(), nullable=False),
        sa.Column("created_on", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("zone", name="pk_format"),
        sa.CheckConstraint("version > 0", name="ck_format_version_is_positive"),
        sa.CheckConstraint(
            "deployment IN ('TRAINING', 'PRODUCTION')", name="ck_format_deployment_is_known"
        ),
        sqlite_strict=True,
    )
    number = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
    op.create_table(
        "log",
        sa.Column("number", number, nullable=False, autoincrement=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_log"),
        sa.CheckConstraint("number >= 0", name="ck_log_number_is_not_negative"),
        sa.CheckConstraint("length(hash) = 32", name="ck_log_hash_is_sha256"),
        sqlite_strict=True,
    )
    is_leaf = sa.text("number % 2 = 0")
    op.create_index(
        "uq_log_leaf", "log", ["hash"], unique=True, sqlite_where=is_leaf, postgresql_where=is_leaf
    )
    is_sqlite = op.get_context().dialect.name == "sqlite"
    for statement in _REFUSE_IN_SQLITE if is_sqlite else _REFUSE_IN_POSTGRESQL:
        op.execute(statement)
