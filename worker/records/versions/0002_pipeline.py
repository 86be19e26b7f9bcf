"""The second format of the quarantine's database: submissions, items, decisions, packages."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0002"
down_revision: Final = "0001"


def upgrade() -> None:
    """Make the tables that format version 2 adds."""
    _submissions()
    _decisions()
    _packages()
    _records()


def _submissions() -> None:
    op.create_table(
        "submission",
        sa.Column("submission_id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("note_sha256", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("fetched_on", sa.Text(), nullable=False),
        sa.Column("is_observed", sa.Integer(), nullable=False),
        sa.Column("is_told", sa.Integer(), nullable=False),
        sa.Column("is_one_time", sa.Integer(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("overruled", sa.Text(), nullable=True),
        sa.Column("visit", sa.Integer(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("submission_id", name="pk_submission"),
        sa.CheckConstraint(
            "state IN ('FETCHED', 'HELD', 'EXAMINED', 'RELEASED', 'FORWARDED', 'ACKNOWLEDGED', "
            "'ERASED', 'CLOSED')",
            name="ck_submission_state_is_known",
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_submission_state", "submission", ["state"])
    op.create_table(
        "sealed_object",
        sa.Column("sealed_sha256", sa.Text(), nullable=False),
        sa.Column("submission_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sealed_sha256", name="pk_sealed_object"),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.submission_id"], name="fk_sealed_object_submission_id"
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    _items()


def _items() -> None:
    op.create_table(
        "item",
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("submission_id", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("media_type", sa.Text(), nullable=True),
        sa.Column("handling_class", sa.Text(), nullable=True),
        sa.Column("registration", sa.Text(), nullable=True),
        sa.Column("visit", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("item_id", name="pk_item"),
        sa.CheckConstraint(
            "state IN ('FOUND', 'WAITING', 'HELD', 'ASKED', 'ACCEPTED', 'NOT_KEPT', 'PACKAGED', "
            "'ACKNOWLEDGED')",
            name="ck_item_state_is_known",
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.submission_id"], name="fk_item_submission_id"
        ),
        sa.UniqueConstraint("registration", name="uq_item_registration"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_item_submission_id_state", "item", ["submission_id", "state"])


def _decisions() -> None:
    op.create_table(
        "decision",
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("submission_id", sa.Text(), nullable=False),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("handling_class", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("officer", sa.Text(), nullable=False),
        sa.Column("decided_on", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("decision_id", "item_id", name="pk_decision"),
        sa.ForeignKeyConstraint(["item_id"], ["item.item_id"], name="fk_decision_item_id"),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.submission_id"], name="fk_decision_submission_id"
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_decision_item_id", "decision", ["item_id"])


def _packages() -> None:
    op.create_table(
        "package",
        sa.Column("package_id", sa.Text(), nullable=False),
        sa.Column("submission_id", sa.Text(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sealed_sha256", sa.Text(), nullable=False),
        sa.Column("made_on", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("package_id", name="pk_package"),
        sa.CheckConstraint(
            "state IN ('SPOOLED', 'ACKNOWLEDGED', 'REFUSED')", name="ck_package_state_is_known"
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.submission_id"], name="fk_package_submission_id"
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_package_submission_id", "package", ["submission_id"])
    op.create_table(
        "release",
        sa.Column("submission_id", sa.Text(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("taken_on", sa.Text(), nullable=False),
        sa.Column("snapshot_sha256", sa.Text(), nullable=False),
        sa.Column("checkpoint", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("submission_id", "cycle", name="pk_release"),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.submission_id"], name="fk_release_submission_id"
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "released_item",
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("submission_id", sa.Text(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("package_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("item_id", name="pk_released_item"),
        sa.ForeignKeyConstraint(["item_id"], ["item.item_id"], name="fk_released_item_item_id"),
        sa.ForeignKeyConstraint(
            ["package_id"], ["package.package_id"], name="fk_released_item_package_id"
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_released_item_submission_id_cycle", "released_item", ["submission_id", "cycle"]
    )


def _records() -> None:
    op.create_table(
        "custody_event",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("submission_id", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=True),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("event", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="pk_custody_event"),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.submission_id"], name="fk_custody_event_submission_id"
        ),
        sa.UniqueConstraint("leaf", name="uq_custody_event_leaf"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_custody_event_submission_id", "custody_event", ["submission_id"])
    op.create_table(
        "receipt",
        sa.Column("receipt_id", sa.Text(), nullable=False),
        sa.Column("submission_id", sa.Text(), nullable=False),
        sa.Column(
            "sequence", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False
        ),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("decision_sha256", sa.Text(), nullable=False),
        sa.Column("is_posted", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("receipt_id", name="pk_receipt"),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.submission_id"], name="fk_receipt_submission_id"
        ),
        sa.UniqueConstraint("submission_id", "sequence", name="uq_receipt_submission_id_sequence"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "told",
        sa.Column("submission_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("told_on", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("submission_id", name="pk_told"),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.submission_id"], name="fk_told_submission_id"
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "batch",
        sa.Column(
            "number", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False
        ),
        sa.Column("published_on", sa.Text(), nullable=False),
        sa.Column("next_on", sa.Text(), nullable=False),
        sa.Column("is_posted", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_batch"),
        sqlite_strict=True,
    )
